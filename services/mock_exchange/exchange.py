"""What the server needs of an exchange, and the simulated one: all symbols on one virtual clock."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from typing import Any, Final, Protocol

from common.config import MockExchangeConfig
from common.units import NS_PER_MS, NS_PER_S
from services.mock_exchange.api.exchange_info import spot_info
from services.mock_exchange.listing import Listing, listings_from
from services.mock_exchange.simulation.symbol_market import Frame, SymbolMarket

#: Real time the simulation makes up for after a pause of the process; what is beyond never happened.
MAX_CATCH_UP_NS: Final = 2 * NS_PER_S


class Exchange(Protocol):
    """What REST and the streams read, whether the market is simulated or recorded."""

    @property
    def listings(self) -> Mapping[str, Listing]:
        """Every symbol, by its name in capitals."""
        ...

    @property
    def rest_prefix(self) -> str:
        """`/api/v3` or `/fapi/v1`."""
        ...

    def channel_of(self, stream: str) -> str:
        """The channel that feeds a stream a client names; unknown names are channels nobody feeds."""
        ...

    def snapshot(self, symbol: str, limit: int) -> str:
        """The body of GET depth for a listed symbol."""
        ...

    def info(self, listings: list[Listing], server_ms: int) -> dict[str, Any]:
        """The body of GET exchangeInfo."""
        ...

    def stats(self) -> Mapping[str, object]:
        """What /status tells of it."""
        ...


class SimulatedExchange:
    """Seeded markets that begin at the first `advance` and follow the clock from there."""

    rest_prefix = "/api/v3"

    def __init__(self, config: MockExchangeConfig) -> None:
        listings = listings_from(config)
        self.listings: Mapping[str, Listing] = {listing.symbol: listing for listing in listings}
        self._markets = {
            listing.symbol: SymbolMarket(item, listing, config.seed, config.depth_interval_ms * NS_PER_MS)
            for item, listing in zip(config.symbols, listings, strict=True)
        }
        self._seed = config.seed
        self._close_ns = None if config.closes_after_ms is None else config.closes_after_ms * NS_PER_MS
        self._origin_ns: int | None = None
        self._now_ns = 0
        self._skipped_ns = 0

    def advance(self, now_ns: int) -> Iterator[Frame]:
        """Everything that happened up to `now_ns` (UTC), in order of time."""
        if self._origin_ns is None:
            self._set_origin(now_ns)
        elif now_ns - self._now_ns > MAX_CATCH_UP_NS:
            skipped = now_ns - self._now_ns - MAX_CATCH_UP_NS
            self._skipped_ns += skipped
            self._set_origin(self._origin_ns + skipped)
        self._now_ns = now_ns
        until_ns = self._until_ns()
        moving = [market.advance(until_ns) for market in self._markets.values() if market.next_ns <= until_ns]
        return heapq.merge(*moving, key=lambda frame: frame.time_ns)

    def _until_ns(self) -> int:
        """How far the markets may go, since their beginning."""
        until_ns = self._now_ns - (self._origin_ns or 0)
        return until_ns if self._close_ns is None else min(until_ns, self._close_ns)

    def _set_origin(self, origin_ns: int) -> None:
        self._origin_ns = origin_ns
        for market in self._markets.values():
            market.origin_ns = origin_ns

    def channel_of(self, stream: str) -> str:
        """Every stream is fed by the channel of its own name."""
        return stream

    def snapshot(self, symbol: str, limit: int) -> str:
        """The simulated book of `symbol` as it stands."""
        return self._markets[symbol].snapshot(limit)

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
            "update_ids": {symbol: market.engine.update_id for symbol, market in self._markets.items()},
            "trade_ids": {symbol: market.engine.last_trade_id for symbol, market in self._markets.items()},
            "resting_orders": {symbol: market.engine.order_count for symbol, market in self._markets.items()},
        }
