"""A recorded symbol that clients trade in: their orders against the recording, at the replay's position."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import orjson

from common.messages.base import Side
from common.messages.orders import TimeInForce
from common.units import NS_PER_MS
from market.matching import Outcome, Touch
from market.queue import RecordedBook
from services.mock_exchange.history.market_history import MarketHistory
from services.mock_exchange.listing import Listing
from services.mock_exchange.recorded.replay_book import ReplayBook
from services.mock_exchange.trading.book import Resting
from venues.grid import Grid


class ReplayMarket:
    """The TradingBook of a recorded symbol (rules: market/queue).

    What is captured goes out as it was; what clients do reaches their accounts alone. The recording is read into
    the queue model from the first look at the book or order on: a replay that is only watched pays nothing for it.
    """

    is_halted = False

    def __init__(self, history: MarketHistory, grid: Grid, replay_book: ReplayBook) -> None:
        self._history = history
        self._grid = grid
        self._replay_book = replay_book
        self._book: RecordedBook | None = None
        #: The replay's present time.
        self.time_ns = 0
        self.on_outcome: Callable[[Outcome], None] = lambda _outcome: None

    @property
    def listing(self) -> Listing:
        """Grid and assets."""
        return self._history.listing

    def on_trade(self, payload: str) -> None:
        """A captured trade or aggTrade, once the history has it."""
        if self._book is None:
            return
        trade = orjson.loads(payload)
        lots = self._grid.lots(trade["q"])
        if lots and trade.get("X", "MARKET") == "MARKET":
            aggressor = Side.SELL if trade["m"] else Side.BUY
            self.on_outcome(self._book.on_trade(self._grid.ticks(trade["p"]), lots, aggressor))

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
        """A client's limit order, at the replay's position."""
        outcome = self._recorded().limit(
            side, price_ticks, qty_lots, time_in_force, post_only=post_only, display_lots=display_lots
        )
        return self._told(outcome)

    def market(self, side: Side, qty_lots: int) -> Outcome:
        """A client's market order."""
        return self._told(self._recorded().market(side, qty_lots))

    def cancel(self, book_id: int) -> Outcome | None:
        """A client's order leaves the book."""
        outcome = self._recorded().cancel(book_id)
        return outcome and self._told(outcome)

    def reduce(self, book_id: int, left_lots: int) -> Outcome | None:
        """A client's order becomes smaller and keeps its place."""
        outcome = self._recorded().reduce(book_id, left_lots)
        return outcome and self._told(outcome)

    def queue(self, side: Side) -> Iterator[Resting]:
        """Clients' orders and, as order 0, the recorded lots between them, in the order they would trade."""
        return map(Resting._make, self._recorded().queue(side))

    def touch(self) -> Touch:
        """Best bid and ask, with clients' orders and without what clients took."""
        return self._recorded().touch()

    def shown_lots(self, book_id: int) -> int:
        """What a client's resting order shows; 0 when it does not rest."""
        return self._recorded().shown_lots(book_id)

    def skip_trade_ids(self, last_trade_id: int) -> None:
        """Trades of clients to come have ids above this one."""
        book = self._recorded()
        book.last_trade_id = max(book.last_trade_id, last_trade_id)

    @property
    def last_price_ticks(self) -> int:
        """Of the latest captured trade; before the first, the middle of the book."""
        return self._history.last_ticks

    def average_price_ticks(self, minutes: int) -> int:
        """Volume-weighted over the captured trades of the last `minutes`."""
        return self._history.average_price_ticks(minutes, self.time_ns // NS_PER_MS)

    def _recorded(self) -> RecordedBook:
        if self._book is None:
            self._book = RecordedBook()
            self._book.on_snapshot(*map(self._levels, self._replay_book.sides()))
            self._replay_book.on_update = self._on_update
        return self._book

    def _on_update(self, update: dict[str, Any]) -> None:
        book = self._recorded()
        for side, key in ((Side.BUY, "b"), (Side.SELL, "a")):
            for price, lots in self._levels(update[key]):
                if outcome := book.on_level(side, price, lots):
                    self.on_outcome(outcome)

    def _levels(self, levels: Any) -> list[tuple[int, int]]:
        grid = self._grid
        return [(grid.ticks(price), grid.lots(qty)) for price, qty in levels]

    def _told(self, outcome: Outcome) -> Outcome:
        self.on_outcome(outcome)
        return outcome
