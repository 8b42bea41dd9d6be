"""What the desk needs of a symbol's market, whether its book is simulated or recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

from common.messages.base import Side
from common.messages.orders import TimeInForce
from market.matching import Outcome, Touch
from services.mock_exchange.listing import Listing


class Resting(NamedTuple):
    """An order in the book; `lots` counts its hidden part too, which trades after the rest of its level.

    Lots of a recorded queue have `book_id` 0 and are all shown.
    """

    book_id: int
    price_ticks: int
    lots: int


class TradingBook(Protocol):
    """A symbol's market at the exchange's present time.

    Whatever happens in it, by whomever, is told to `on_outcome` once, in order, after the market streams have it:
    the desk finds its makers' fills and the prices that trigger stops there. An outcome of the desk's own call is
    told as well, before the call returns.

    A trade may trigger stop orders: the desk may call the book again from within `on_outcome`, so an outcome with
    trades is told of when the book is ready for the next order.
    """

    on_outcome: Callable[[Outcome], None]

    @property
    def listing(self) -> Listing:
        """Grid and assets."""
        ...

    @property
    def time_ns(self) -> int:
        """The exchange's present time, UTC: that of the outcome being told."""
        ...

    @property
    def is_halted(self) -> bool:
        """The symbol's status is not TRADING: no order is taken."""
        ...

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
        """As MatchingEngine.limit."""
        ...

    def market(self, side: Side, qty_lots: int) -> Outcome:
        """As MatchingEngine.market."""
        ...

    def cancel(self, book_id: int) -> Outcome | None:
        """As MatchingEngine.cancel."""
        ...

    def reduce(self, book_id: int, left_lots: int) -> Outcome | None:
        """Make an order smaller; it keeps its place. None when it does not rest."""
        ...

    def queue(self, side: Side) -> Iterator[Resting]:
        """Resting orders of a side in the order they would trade. The book must not change meanwhile."""
        ...

    def shown_lots(self, book_id: int) -> int:
        """What a resting order shows; 0 when it does not rest."""
        ...

    def touch(self) -> Touch:
        """Best bid and ask."""
        ...

    def skip_trade_ids(self, last_trade_id: int) -> None:
        """Trades to come have ids above this one: those up to it were given before a restart."""
        ...

    @property
    def last_price_ticks(self) -> int:
        """Of the latest trade; before the first, the middle of the book."""
        ...

    def average_price_ticks(self, minutes: int) -> int:
        """Volume-weighted over the last `minutes`, as avgPrice; the last price when nothing traded or for 0."""
        ...
