"""One simulated symbol on a virtual clock: order flow, matching, and the market data they lead to."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Final, NamedTuple

from common.config.mock_exchange import MockSymbolConfig
from common.units import NS_PER_MS, NS_PER_S
from market.matching import DepthDiff, MatchingEngine, Outcome
from services.mock_exchange.listing import Listing
from services.mock_exchange.simulation.flow import OrderFlow
from services.mock_exchange.streams import dialect

#: The venue's two diff streams: every 100 ms (unless configured otherwise), and every second.
FAST_DEPTH_NS: Final = 100 * NS_PER_MS
SLOW_DEPTH_NS: Final = NS_PER_S


class Frame(NamedTuple):
    """One event of one stream."""

    time_ns: int
    stream: str
    payload: str


class SymbolMarket:
    """Steps through virtual time and says what the venue would send.

    Times are nanoseconds since the market's beginning; `origin_ns` (UTC) is added where a frame carries a time.
    The same configuration and seed give the same frames, however finely `advance` is called.
    """

    def __init__(
        self, config: MockSymbolConfig, listing: Listing, seed: int, fast_depth_ns: int = FAST_DEPTH_NS
    ) -> None:
        self.listing = listing
        self.origin_ns = 0
        self.engine = MatchingEngine()
        self._flow = OrderFlow(config, seed, self.engine)
        self.engine.drain_changes()
        self._touch = self.engine.touch()
        self._fast_depth_ns = self._tick_ns = fast_depth_ns
        #: When something happens next, since the beginning. Kept, not asked for: many markets are looked at often.
        self.next_ns = min(self._flow.next_ns, self._tick_ns)
        self._slow = _SlowDepth()
        self._aggregates = 0
        self._streams = {
            kind: dialect.stream_name(listing.symbol, kind)
            for kind in ("trade", "aggTrade", "bookTicker", "depth@100ms", "depth")
        }

    def advance(self, until_ns: int) -> Iterator[Frame]:
        """All frames up to and including `until_ns` since the beginning, in order."""
        while (now_ns := self.next_ns) <= until_ns:
            if self._flow.next_ns <= self._tick_ns:
                outcomes = self._flow.step()
                self.next_ns = min(self._flow.next_ns, self._tick_ns)
                for outcome in outcomes:
                    yield from self.publish(outcome, now_ns)
            else:
                self._tick_ns += self._fast_depth_ns
                self.next_ns = min(self._flow.next_ns, self._tick_ns)
                yield from self._publish_depth(now_ns)

    def publish(self, outcome: Outcome, now_ns: int) -> Iterator[Frame]:
        """The frames one outcome of the engine leads to at once: trades, then the touch if it changed."""
        time_ns = self.origin_ns + now_ns
        for done in outcome.trades:
            yield Frame(time_ns, self._streams["trade"], dialect.trade(self.listing, done, time_ns))
        for _, parts in groupby(outcome.trades, key=lambda done: done.price_ticks):
            self._aggregates += 1
            text = dialect.aggregate_trade(self.listing, self._aggregates, list(parts), time_ns)
            yield Frame(time_ns, self._streams["aggTrade"], text)
        if outcome.changes and (touch := self.engine.touch()) != self._touch:
            self._touch = touch
            text = dialect.book_ticker(self.listing, touch, self.engine.update_id)
            yield Frame(time_ns, self._streams["bookTicker"], text)

    def snapshot(self, limit: int) -> str:
        """GET depth: the book as it stands, ids as in the streams."""
        return dialect.depth_snapshot(self.listing, self.engine.depth(limit))

    def _publish_depth(self, now_ns: int) -> Iterator[Frame]:
        time_ns = self.origin_ns + now_ns
        diff = self.engine.drain_changes()
        if diff is not None:
            self._slow.add(diff)
            yield Frame(time_ns, self._streams["depth@100ms"], dialect.depth_update(self.listing, diff, time_ns))
        is_slow_due = now_ns // SLOW_DEPTH_NS > (now_ns - self._fast_depth_ns) // SLOW_DEPTH_NS
        if is_slow_due and (slow := self._slow.drain()) is not None:
            yield Frame(time_ns, self._streams["depth"], dialect.depth_update(self.listing, slow, time_ns))


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
