"""What the streams of one symbol carry, made only for who reads it; what they say does not depend on that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from common.messages.base import Side
from common.units import NS_PER_MS, NS_PER_S
from market.matching import DepthDiff, MatchingEngine, Outcome
from services.mock_exchange.exchange import Frame
from services.mock_exchange.history.bars import Bar
from services.mock_exchange.history.intervals import DAY_MS, HOUR_MS, INTERVALS, MINUTE_MS, SECOND_MS, Interval
from services.mock_exchange.history.market_history import MarketHistory
from services.mock_exchange.streams import bar_text, dialect
from services.mock_exchange.streams.time_unit import TimeUnit

#: How deep the partial streams look.
PARTIAL_LEVELS: Final = (5, 10, 20)
#: Time zones klines are made for: name suffix and what they add to UTC.
_ZONES: Final = (("", 0), ("@+08:00", 8 * HOUR_MS))
#: Windows of the rolling statistics beside the 24 hours.
WINDOWS: Final = {"1h": HOUR_MS, "4h": 4 * HOUR_MS, "1d": DAY_MS}
AVERAGE_MINUTES: Final = 5
#: How often klines of more than a second are pushed.
_KLINE_NS: Final = 2 * NS_PER_S

Wanted = Callable[[str], bool]
Channels = tuple[tuple[TimeUnit, str], ...]


def channels_of(stream: str) -> Channels:
    """The channels of a stream, one for each unit of time."""
    return tuple((unit, unit.channel(stream)) for unit in TimeUnit)


class SymbolStreams:
    """Turns what happens in a book into frames.

    Fast depth, slow depth and the statistics of each second have their own moments; the caller knows when those are.
    """

    def __init__(self, engine: MatchingEngine, history: MarketHistory, send: Callable[[Frame], None]) -> None:
        #: Asked before anything is made. Everybody is told everything until somebody knows who listens.
        self.wanted: Wanted = lambda _channel: True
        self.history = history
        self._listing = history.listing
        self._engine = engine
        self._send = send
        self.touch = engine.touch()
        self._slow = _SlowDepth()
        #: When klines were last told, of a second and of more; a bar that has ended since is told as closed.
        self._told_ns = self._told_slowly_ns = 0
        self._trade = self._channels("trade")
        self._aggregate = self._channels("aggTrade")
        self._book_ticker = self._channels("bookTicker")
        self._fast_depth, self._slow_depth = self._channels("depth@100ms"), self._channels("depth")
        self._fast_partial = self._partials("@100ms")
        self._slow_partial = self._partials("")
        self._klines = [
            (interval, offset_ms, self._channels(f"kline_{interval.name}{suffix}"))
            for interval in INTERVALS.values()
            for suffix, offset_ms in _ZONES
        ]
        self._mini_ticker, self._ticker = self._channels("miniTicker"), self._channels("ticker")
        self._average = self._channels("avgPrice")
        self._windows = [(name, self._channels(f"ticker_{name}")) for name in WINDOWS]

    def publish(self, outcome: Outcome, time_ns: int) -> None:
        """What an outcome leads to at once: trades, then the touch if it changed. Trades go into the history."""
        listing = self._listing
        if outcome.trades:
            self.history.record(outcome.trades, time_ns)
            for unit, channel in self._read(self._trade):
                for done in outcome.trades:
                    self._send(Frame(time_ns, channel, dialect.trade(listing, done, time_ns, unit)))
            aggregates = self.history.aggregate(outcome.trades, time_ns)
            for unit, channel in self._read(self._aggregate):
                for whole in aggregates:
                    self._send(Frame(time_ns, channel, dialect.aggregate_trade(listing, whole, unit)))
        if self._reaches_touch(outcome) and (touch := self._engine.touch()) != self.touch:
            self.touch = touch
            if readers := self._read(self._book_ticker):
                self._send_same(readers, time_ns, dialect.book_ticker(listing, touch, outcome.update_id))

    def publish_depth(self, time_ns: int, is_slow_due: bool) -> None:
        """The diff since last time and the partial books; with `is_slow_due` those of the slow streams too."""
        diff = self._engine.drain_changes()
        if diff is not None:
            self._slow.add(diff)
            self._send_diff(self._fast_depth, diff, time_ns)
            self._send_partials(self._fast_partial, time_ns)
        if is_slow_due and not self._slow.is_empty:
            if any(self._read(self._slow_depth)):
                self._send_diff(self._slow_depth, self._slow.diff(), time_ns)
            self._slow.clear()
            self._send_partials(self._slow_partial, time_ns)

    def publish_second(self, time_ns: int) -> None:
        """Klines and statistics, at a whole UTC second."""
        self._publish_klines(time_ns)
        for unit, channel in self._read(self._mini_ticker):
            self._send(Frame(time_ns, channel, self.mini_ticker(time_ns, unit)))
        for unit, channel in self._read(self._ticker):
            day = self._since(DAY_MS, time_ns)
            self._send(Frame(time_ns, channel, bar_text.ticker(self.history, self.touch, day, time_ns, unit)))
        for window, channels in self._windows:
            for unit, channel in self._read(channels):
                self._send(Frame(time_ns, channel, self.window_ticker(window, time_ns, unit)))
        for unit, channel in self._read(self._average):
            text = bar_text.average_price(self.history, AVERAGE_MINUTES, time_ns, unit)
            self._send(Frame(time_ns, channel, text))

    def _publish_klines(self, time_ns: int) -> None:
        is_slow_due = time_ns % _KLINE_NS == 0
        fast_ns, slow_ns = self._told_ns or time_ns - NS_PER_S, self._told_slowly_ns or time_ns - _KLINE_NS
        for interval, offset_ms, channels in self._klines:
            is_fast = interval.length_ms == SECOND_MS
            if (is_fast or is_slow_due) and (readers := self._read(channels)):
                last_ns = fast_ns if is_fast else slow_ns
                bar, is_closed = self._bar(interval, offset_ms, time_ns // NS_PER_MS, last_ns // NS_PER_MS)
                for unit, channel in readers:
                    text = bar_text.kline(self._listing, interval.name, bar, is_closed, time_ns, unit)
                    self._send(Frame(time_ns, channel, text))
        self._told_ns = time_ns
        if is_slow_due:
            self._told_slowly_ns = time_ns

    def mini_ticker(self, time_ns: int, unit: TimeUnit) -> str:
        """miniTicker at `time_ns`."""
        return bar_text.mini_ticker(self._listing, self._since(DAY_MS, time_ns), time_ns, unit)

    def window_ticker(self, window: str, time_ns: int, unit: TimeUnit) -> str:
        """ticker_<window> at `time_ns`."""
        span = self._since(WINDOWS[window], time_ns)
        return bar_text.window_ticker(self._listing, window, span, time_ns, unit)

    def _since(self, length_ms: int, time_ns: int) -> Bar:
        """The last `length_ms`, and what belongs to the minute in which they began."""
        now_ms = time_ns // NS_PER_MS
        start_ms = now_ms - length_ms
        return self.history.span(start_ms - start_ms % MINUTE_MS, now_ms)

    def _bar(self, interval: Interval, offset_ms: int, now_ms: int, last_ms: int) -> tuple[Bar, bool]:
        """The bar told of last if it has ended since, else the present one."""
        index = interval.index_of(last_ms, offset_ms)
        start_ms, end_ms = interval.open_at(index, offset_ms), interval.open_at(index + 1, offset_ms)
        if end_ms <= now_ms:
            return self.history.finished(start_ms, end_ms), True
        return self.history.span(start_ms, now_ms)._replace(end_ms=end_ms), False

    def _reaches_touch(self, outcome: Outcome) -> bool:
        """A level at or within the best prices has changed."""
        bid, _, ask, _ = self.touch
        for side, ticks, _ in outcome.changes:
            if ticks >= bid if side is Side.BUY else (ticks <= ask or not ask):
                return True
        return False

    def _send_diff(self, channels: Channels, diff: DepthDiff, time_ns: int) -> None:
        for unit, channel in self._read(channels):
            self._send(Frame(time_ns, channel, dialect.depth_update(self._listing, diff, time_ns, unit)))

    def _send_partials(self, partials: Sequence[tuple[int, Channels]], time_ns: int) -> None:
        for levels, channels in partials:
            if readers := self._read(channels):
                text = dialect.depth_snapshot(self._listing, self._engine.depth(levels))
                self._send_same(readers, time_ns, text)

    def _send_same(self, readers: Sequence[tuple[TimeUnit, str]], time_ns: int, text: str) -> None:
        for _, channel in readers:
            self._send(Frame(time_ns, channel, text))

    def _read(self, channels: Channels) -> list[tuple[TimeUnit, str]]:
        wanted = self.wanted
        return [pair for pair in channels if wanted(pair[1])]

    def _channels(self, kind: str) -> Channels:
        return channels_of(dialect.stream_name(self._listing.symbol, kind))

    def _partials(self, speed: str) -> list[tuple[int, Channels]]:
        return [(levels, self._channels(f"depth{levels}{speed}")) for levels in PARTIAL_LEVELS]


class _SlowDepth:
    """Fast diffs put together into slow ones: a level's last total counts."""

    __slots__ = ("_asks", "_bids", "_first", "_last")

    def __init__(self) -> None:
        self._first = self._last = 0
        self._bids: dict[int, int] = {}
        self._asks: dict[int, int] = {}

    @property
    def is_empty(self) -> bool:
        return not self._first

    def add(self, diff: DepthDiff) -> None:
        self._first = self._first or diff.first_update_id
        self._last = diff.last_update_id
        self._bids.update(diff.bids)
        self._asks.update(diff.asks)

    def diff(self) -> DepthDiff:
        bids, asks = sorted(self._bids.items(), reverse=True), sorted(self._asks.items())
        return DepthDiff(self._first, self._last, bids, asks)

    def clear(self) -> None:
        self._first = self._last = 0
        self._bids.clear()
        self._asks.clear()
