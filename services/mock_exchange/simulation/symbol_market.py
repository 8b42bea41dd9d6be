"""One simulated symbol on a virtual clock: order flow, matching, and the market data they lead to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Final

from common.config.mock_exchange import MockSymbolConfig
from common.messages.base import Side
from common.messages.orders import TimeInForce
from common.units import NS_PER_MS, NS_PER_S
from market.matching import DepthDiff, MatchingEngine, Outcome, Touch
from services.mock_exchange.exchange import Frame
from services.mock_exchange.listing import Listing
from services.mock_exchange.simulation.flows import flow_of
from services.mock_exchange.simulation.fundamental import FundamentalPrice
from services.mock_exchange.streams import dialect
from services.mock_exchange.trading.book import Resting

#: The venue's two diff streams: every 100 ms (unless configured otherwise), and every second.
FAST_DEPTH_NS: Final = 100 * NS_PER_MS
SLOW_DEPTH_NS: Final = NS_PER_S


class SymbolMarket:
    """Steps through virtual time and sends what the venue would. It is the TradingBook of its symbol.

    Times are nanoseconds since the market's beginning; `origin_ns` (UTC) is added where a frame carries a time.
    The same configuration and seed give the same frames, however finely time is cut, as long as no client trades.
    """

    def __init__(
        self,
        config: MockSymbolConfig,
        listing: Listing,
        seed: int,
        fundamental: FundamentalPrice,
        send: Callable[[Frame], None],
        fast_depth_ns: int = FAST_DEPTH_NS,
    ) -> None:
        self._listing = listing
        self._send = send
        self.origin_ns = 0
        self.now_ns = 0
        self.is_halted = False
        self.on_outcome: Callable[[Outcome], None] = lambda _outcome: None
        self.engine = MatchingEngine()
        self._flow = flow_of(config, seed, self.engine, fundamental)
        self.engine.drain_changes()
        self._touch = self.engine.touch()
        self._last_ticks = 0
        self._fast_depth_ns = self._tick_ns = fast_depth_ns
        #: When something happens next, since the beginning. Kept, not asked for: many markets are looked at often.
        self.next_ns = min(self._flow.next_ns, self._tick_ns)
        self._slow = _SlowDepth()
        self._aggregates = 0
        self._streams = {
            kind: dialect.stream_name(listing.symbol, kind)
            for kind in ("trade", "aggTrade", "bookTicker", "depth@100ms", "depth")
        }

    @property
    def listing(self) -> Listing:
        """Grid and assets."""
        return self._listing

    @property
    def time_ns(self) -> int:
        """The market's present time, UTC."""
        return self.origin_ns + self.now_ns

    def step(self) -> None:
        """Do what is due at `next_ns`: an act of the flow, or a depth frame."""
        self.now_ns = self.next_ns
        if self._flow.next_ns <= self._tick_ns:
            outcomes = self._flow.step()
            self.next_ns = min(self._flow.next_ns, self._tick_ns)
            for outcome in outcomes:
                self._publish(outcome)
        else:
            self._tick_ns += self._fast_depth_ns
            self.next_ns = min(self._flow.next_ns, self._tick_ns)
            self._publish_depth()

    def limit(
        self,
        side: Side,
        price_ticks: int,
        qty_lots: int,
        time_in_force: TimeInForce = TimeInForce.GTC,
        *,
        post_only: bool = False,
        display_lots: int = 0,
    ) -> Outcome:
        """A client's limit order, at the market's present time."""
        outcome = self.engine.limit(
            side, price_ticks, qty_lots, time_in_force, post_only=post_only, display_lots=display_lots
        )
        self._flow.observe(outcome)
        return self._publish(outcome)

    def market(self, side: Side, qty_lots: int) -> Outcome:
        """A client's market order."""
        outcome = self.engine.market(side, qty_lots)
        self._flow.observe(outcome)
        return self._publish(outcome)

    def cancel(self, book_id: int) -> Outcome | None:
        """A client's order leaves the book."""
        outcome = self.engine.cancel(book_id)
        return outcome and self._publish(outcome)

    def reduce(self, book_id: int, left_lots: int) -> Outcome | None:
        """A client's order becomes smaller and keeps its place."""
        outcome = self.engine.reduce(book_id, left_lots)
        return outcome and self._publish(outcome)

    def queue(self, side: Side) -> Iterator[Resting]:
        """Resting orders in the order they would trade."""
        return map(Resting._make, self.engine.queue(side))

    def shown_lots(self, book_id: int) -> int:
        """What a resting order shows; 0 when it does not rest."""
        return self.engine.shown_lots(book_id)

    def touch(self) -> Touch:
        """Best bid and ask."""
        return self.engine.touch()

    @property
    def last_price_ticks(self) -> int:
        """Of the latest trade; before the first, the middle of the book."""
        touch = self._touch
        return self._last_ticks or max(1, (touch.bid_ticks + touch.ask_ticks) // 2)

    def average_price_ticks(self, minutes: int) -> int:
        """Volume-weighted over the last `minutes`."""
        return self.last_price_ticks

    def snapshot(self, limit: int) -> str:
        """GET depth: the book as it stands, ids as in the streams."""
        return dialect.depth_snapshot(self._listing, self.engine.depth(limit))

    def _publish(self, outcome: Outcome) -> Outcome:
        """Send what an outcome leads to at once: trades, then the touch if it changed. Then tell of the outcome."""
        listing, time_ns = self._listing, self.origin_ns + self.now_ns
        for done in outcome.trades:
            self._send(Frame(time_ns, self._streams["trade"], dialect.trade(listing, done, time_ns)))
        for _, parts in groupby(outcome.trades, key=lambda done: done.price_ticks):
            self._aggregates += 1
            text = dialect.aggregate_trade(listing, self._aggregates, list(parts), time_ns)
            self._send(Frame(time_ns, self._streams["aggTrade"], text))
        if outcome.trades:
            self._last_ticks = outcome.trades[-1].price_ticks
        if outcome.changes and (touch := self.engine.touch()) != self._touch:
            self._touch = touch
            text = dialect.book_ticker(listing, touch, self.engine.update_id)
            self._send(Frame(time_ns, self._streams["bookTicker"], text))
        self.on_outcome(outcome)
        return outcome

    def _publish_depth(self) -> None:
        time_ns = self.origin_ns + self.now_ns
        diff = self.engine.drain_changes()
        if diff is not None:
            self._slow.add(diff)
            self._send(
                Frame(time_ns, self._streams["depth@100ms"], dialect.depth_update(self._listing, diff, time_ns))
            )
        is_slow_due = self.now_ns // SLOW_DEPTH_NS > (self.now_ns - self._fast_depth_ns) // SLOW_DEPTH_NS
        if is_slow_due and (slow := self._slow.drain()) is not None:
            text = dialect.depth_update(self._listing, slow, time_ns)
            self._send(Frame(time_ns, self._streams["depth"], text))


class _SlowDepth:
    """Fast diffs put together into slow ones: a level's last total counts."""

    __slots__ = ("_asks", "_bids", "_first", "_last")

    def __init__(self) -> None:
        self._first = self._last = 0
        self._bids: dict[int, int] = {}
        self._asks: dict[int, int] = {}

    def add(self, diff: DepthDiff) -> None:
        self._first = self._first or diff.first_update_id
        self._last = diff.last_update_id
        self._bids.update(diff.bids)
        self._asks.update(diff.asks)

    def drain(self) -> DepthDiff | None:
        if not self._first:
            return None
        bids, asks = sorted(self._bids.items(), reverse=True), sorted(self._asks.items())
        diff = DepthDiff(self._first, self._last, bids, asks)
        self._first = self._last = 0
        self._bids.clear()
        self._asks.clear()
        return diff
