"""The simulated exchange: all symbols on one virtual clock."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Mapping
from typing import Any, Final, Protocol

from common.config import MockExchangeConfig
from common.units import NS_PER_MS, NS_PER_S
from market.matching import Touch
from services.mock_exchange.api.exchange_info import spot_info
from services.mock_exchange.exchange import Frame
from services.mock_exchange.history.market_history import MarketHistory
from services.mock_exchange.listing import Listing, listings_from
from services.mock_exchange.simulation.arbitrage import arbitrageurs_of
from services.mock_exchange.simulation.cross import followed_price, legs_first
from services.mock_exchange.simulation.fundamental import fundamentals_of, second_flow_seed
from services.mock_exchange.simulation.past_snapshots import LEVELS, PastSnapshots
from services.mock_exchange.simulation.second_tick import SecondTick
from services.mock_exchange.simulation.symbol_market import SymbolMarket
from services.mock_exchange.streams.all_markets import AllMarkets
from services.mock_exchange.streams.symbol_streams import Wanted

#: Real time the simulation makes up for after a pause of the process; what is beyond never happened.
MAX_CATCH_UP_NS: Final = 2 * NS_PER_S


class _Part(Protocol):
    """What acts at its own times."""

    next_ns: int
    now_ns: int

    def begin(self, origin_ns: int) -> None: ...

    def step(self) -> None: ...


class _Seconds:
    """Lets the streams over all symbols speak every second."""

    def __init__(self, streams: AllMarkets) -> None:
        self._streams = streams
        self._second = SecondTick()
        self.now_ns = 0
        self.next_ns = self._second.next_ns

    def begin(self, origin_ns: int) -> None:
        self._second.begin(origin_ns, self.now_ns)
        self.next_ns = self._second.next_ns

    def step(self) -> None:
        self.now_ns = self.next_ns
        self._streams.publish_second(self._second.take())
        self.next_ns = self._second.next_ns


class SimulatedExchange:
    """Seeded markets that begin at the first `catch_up` and follow the clock from there.

    What the streams are to carry collects in `outbox`, in the order in which it happened.
    """

    rest_prefix = "/api/v3"

    def __init__(self, config: MockExchangeConfig, *, lag_ns: int = 0, flow_seed: int | None = None) -> None:
        """A market of `config`'s symbols.

        `lag_ns`: how late it learns of fundamental prices, up to `fundamental.MAX_LAG_NS`. `flow_seed`: of its order
        flow when that is to differ from another venue's on the same prices.
        """
        listings = listings_from(config)
        self.outbox: deque[Frame] = deque()
        self.listings: Mapping[str, Listing] = {listing.symbol: listing for listing in listings}
        prices = fundamentals_of(config.symbols, config.seed, lag_ns)
        markets: dict[str, SymbolMarket] = {}
        for item in legs_first(config.symbols):
            markets[item.symbol] = SymbolMarket(
                item,
                self.listings[item.symbol],
                config.seed if flow_seed is None else flow_seed,
                followed_price(item, prices, markets),
                self.outbox.append,
                config.depth_interval_ms * NS_PER_MS,
                config.prehistory_days,
            )
        self.books: Mapping[str, SymbolMarket] = {name: markets[name] for name in self.listings}
        self.histories: Mapping[str, MarketHistory] = {name: market.history for name, market in self.books.items()}
        self._all_markets = AllMarkets([market.streams for market in self.books.values()], self.outbox.append)
        self._parts: list[_Part] = [
            *self.books.values(),
            *arbitrageurs_of(config.symbols, self.books, config.seed if flow_seed is None else flow_seed),
            _Seconds(self._all_markets),
        ]
        #: (when it acts next, its place, the part): the earliest first, ties as configured, all markets at the end.
        self._due: list[tuple[int, int, _Part]] = []
        self._halted: frozenset[str] = frozenset()
        self._past = PastSnapshots()
        #: How old the next snapshots are, as if from a cache.
        self.snapshot_age_ns = 0
        self._seed = config.seed
        self._close_ns = None if config.closes_after_ms is None else config.closes_after_ms * NS_PER_MS
        self._origin_ns: int | None = None
        self._now_ns = 0
        self._skipped_ns = 0

    @classmethod
    def second_venue(cls, config: MockExchangeConfig) -> SimulatedExchange:
        """The other venue on the same fundamental prices, as configured; both must begin at the same time.

        Raises:
            ValueError: none is configured.
        """
        if config.second_venue is None:
            raise ValueError("mock_exchange.second_venue is not configured")
        return cls(config, lag_ns=config.second_venue.lag_ms * NS_PER_MS, flow_seed=second_flow_seed(config.seed))

    def catch_up(self, now_ns: int) -> None:
        """Everything that is due up to `now_ns` (UTC), in order of time. A clock that steps back is waited for."""
        if self._origin_ns is None:
            self._set_origin(now_ns)
        elif now_ns - self._now_ns > MAX_CATCH_UP_NS:
            skipped = now_ns - self._now_ns - MAX_CATCH_UP_NS
            self._skipped_ns += skipped
            self._set_origin(self._origin_ns + skipped)
        self._now_ns = max(self._now_ns, now_ns)
        until_ns = self._until_ns()
        due = self._due
        while due[0][0] <= until_ns:
            _, place, part = due[0]
            part.step()
            heapq.heapreplace(due, (part.next_ns, place, part))
        for part in self._parts:
            part.now_ns = until_ns
        if self._past.is_due(self._now_ns):
            depths = {name: market.engine.depth(LEVELS) for name, market in self.books.items()}
            self._past.keep(self._now_ns, depths)

    def keep_snapshots(self, length_ns: int) -> None:
        """Remember the books of the last `length_ns`; 0: none."""
        self._past.length_ns = length_ns

    def halt(self, symbols: frozenset[str]) -> None:
        """Let these symbols rest from now on, and no others; unknown names are nobody's."""
        if symbols == self._halted:
            return
        for name, market in self.books.items():
            if (name in symbols) is not market.is_halted:
                (market.halt if name in symbols else market.resume)()
        self._halted = symbols
        self._schedule()

    def advance(self, now_ns: int) -> list[Frame]:
        """`catch_up`, and what there is to send, taken out of the outbox."""
        self.catch_up(now_ns)
        frames = list(self.outbox)
        self.outbox.clear()
        return frames

    def _until_ns(self) -> int:
        """How far the markets may go, since their beginning."""
        until_ns = self._now_ns - (self._origin_ns or 0)
        return until_ns if self._close_ns is None else min(until_ns, self._close_ns)

    def _set_origin(self, origin_ns: int) -> None:
        self._origin_ns = origin_ns
        for part in self._parts:
            part.begin(origin_ns)
        self._schedule()

    def _schedule(self) -> None:
        self._due = [(part.next_ns, place, part) for place, part in enumerate(self._parts)]
        heapq.heapify(self._due)

    @property
    def market_ns(self) -> int:
        """The present time of the markets, UTC."""
        return (self._origin_ns or 0) + self._until_ns()

    def make_only(self, wanted: Wanted) -> None:
        """From now on make frames only of channels that are `wanted` then; what they say stays the same."""
        self._all_markets.wanted = wanted
        for market in self.books.values():
            market.streams.wanted = wanted

    def channel_of(self, stream: str) -> str:
        """Every stream is fed by the channel of its own name."""
        return stream

    def touch(self, symbol: str) -> Touch:
        """The best of the simulated book."""
        return self.books[symbol].touch()

    def snapshot(self, symbol: str, limit: int) -> str:
        """The simulated book of `symbol` as it stands, or as it stood `snapshot_age_ns` ago."""
        if self.snapshot_age_ns:
            past = self._past.text(self.listings[symbol], limit, self._now_ns - self.snapshot_age_ns)
            if past is not None:
                return past
        return self.books[symbol].snapshot(limit)

    def info(self, listings: list[Listing], server_ms: int) -> dict[str, Any]:
        """Spot's exchangeInfo."""
        return spot_info(listings, server_ms)

    def stats(self) -> Mapping[str, object]:
        """Seed, and how far each book has come."""
        return {
            "mode": "simulation",
            "seed": self._seed,
            "replay_done": False,
            "is_closed": self._origin_ns is not None and self._until_ns() == self._close_ns,
            "skipped_s": self._skipped_ns / NS_PER_S,
            "update_ids": {symbol: market.engine.update_id for symbol, market in self.books.items()},
            "trade_ids": {symbol: market.engine.last_trade_id for symbol, market in self.books.items()},
            "resting_orders": {symbol: market.engine.order_count for symbol, market in self.books.items()},
        }
