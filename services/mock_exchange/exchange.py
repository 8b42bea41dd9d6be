"""What the server needs of an exchange, whether its market is simulated or recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from market.matching import Touch
from services.mock_exchange.history.market_history import MarketHistory
from services.mock_exchange.listing import Listing
from services.mock_exchange.trading.book import TradingBook


class Frame(NamedTuple):
    """One event of one stream."""

    time_ns: int
    stream: str
    payload: str


class Exchange(Protocol):
    """What requests and streams read."""

    @property
    def listings(self) -> Mapping[str, Listing]:
        """Every symbol, by its name in capitals."""
        ...

    @property
    def books(self) -> Mapping[str, TradingBook]:
        """Every symbol's market, for the desk."""
        ...

    @property
    def histories(self) -> Mapping[str, MarketHistory]:
        """What every symbol has traded."""
        ...

    @property
    def market_ns(self) -> int:
        """The markets' present time, UTC: what histories and statistics are asked for."""
        ...

    @property
    def rest_prefix(self) -> str:
        """`/api/v3` or `/fapi/v1`."""
        ...

    def catch_up(self, now_ns: int) -> None:
        """Let everything happen that was due up to `now_ns` (UTC); before a request acts."""
        ...

    def channel_of(self, stream: str) -> str:
        """The channel that feeds a stream a client names; unknown names are channels nobody feeds."""
        ...

    def touch(self, symbol: str) -> Touch:
        """Best bid and ask of a listed symbol."""
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
