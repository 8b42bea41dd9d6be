"""What a symbol's desk asks before it takes an order. Nothing is changed here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from common.messages.base import Side
from services.mock_exchange.errors import VenueError
from services.mock_exchange.trading.accounts import Account
from services.mock_exchange.trading.admission import admit
from services.mock_exchange.trading.book import TradingBook
from services.mock_exchange.trading.clearing import need_of
from services.mock_exchange.trading.filters import Surroundings
from services.mock_exchange.trading.journal import Journal
from services.mock_exchange.trading.orders import Order, SpotType, Ticket
from services.mock_exchange.trading.quote_sizing import size_by_quote
from services.mock_exchange.trading.rules import SymbolRules
from services.mock_exchange.trading.self_trade import Plan, Want, plan_match
from services.mock_exchange.trading.triggers import is_reached

INSUFFICIENT: Final = "Account has insufficient balance for requested action."


def require(account: Account, asset: str, amount: int) -> None:
    """Raises VenueError -2010 when less than that is free."""
    if account.ledger.free(asset) < amount:
        raise VenueError(-2010, INSUFFICIENT)


class Checks:
    """Looks at one symbol's rules, its book, and the orders that rest in it by their numbers there."""

    def __init__(
        self,
        book: TradingBook,
        rules: SymbolRules,
        journal: Callable[[int], Journal],
        resting: Mapping[int, Order],
    ) -> None:
        self._book = book
        self._rules = rules
        self._journal = journal
        self._resting = resting

    def surroundings(self, account: Account, also: Sequence[Order] = ()) -> Surroundings:
        """What filters look at; `also` are orders about to be placed together with the one in question."""
        book = self._book
        listing = book.listing
        orders = [*self._journal(account.account_id).open.values(), *also]

        def average_price(minutes: int) -> int:
            ticks = book.average_price_ticks(minutes) if minutes else book.last_price_ticks
            return ticks * listing.tick_amount

        bought = sum(order.left_lots for order in orders if order.side is Side.BUY)
        return Surroundings(
            average_price,
            len(orders),
            sum(order.type.is_conditional for order in orders),
            sum(order.iceberg_lots > 0 for order in orders),
            account.ledger.total(listing.base) + bought * listing.lot_amount,
        )

    def draft(self, account: Account, ticket: Ticket, now_ns: int, also: Sequence[Order] = ()) -> Order:
        """The order a ticket asks for, through the filters, not placed. Raises VenueError as `admit`."""
        around = self.surroundings(account, also)
        return admit(ticket, self._book.listing, self._rules, around, account.account_id, now_ns)

    def check(self, account: Account, order: Order, *, is_pending: bool = False) -> int:
        """Whether a draft can be placed now; what it must hold, in 1e-8 of what it pays with.

        A pending order of a list is not held against the market: that is not yet its market.

        Raises:
            VenueError: -2010 with the venue's texts. Balances are the caller's to look at (`require`).
        """
        if not account.can_trade:
            raise VenueError(-2010, "This account may not place or cancel orders.")
        if self._book.is_halted:
            raise VenueError(-2010, "Market is closed.")
        if order.client_order_id and self._journal(account.account_id).is_in_use(order.client_order_id):
            raise VenueError(-2010, "Duplicate order sent.")
        last_ticks = self._book.last_price_ticks
        if not is_pending:
            if order.type.is_conditional and order.stop_ticks and is_reached(order, last_ticks):
                raise VenueError(-2010, "Stop price would trigger immediately.")
            if order.type is SpotType.LIMIT_MAKER and self.would_take(order):
                raise VenueError(-2010, "Order would immediately match and take.")
        if order.quote_qty:
            order.qty_lots = size_by_quote(order, self._book, self._rules, self._own(order))
        order.hold_ticks = 0 if order.type.has_price else order.stop_ticks or last_ticks
        if order.type is SpotType.MARKET and order.side is Side.BUY and not is_pending:
            budget = order.quote_qty or None
            # Who asks to spend an amount must own it, however little the book holds.
            return max(self.plan(order, budget).cost, order.quote_qty)
        return need_of(order)

    def would_take(self, order: Order) -> bool:
        """Its price reaches the other side."""
        touch = self._book.touch()
        if order.side is Side.BUY:
            return 0 < touch.ask_ticks <= order.price_ticks
        return touch.bid_ticks >= order.price_ticks

    def plan(self, order: Order, budget: int | None) -> Plan:
        """What an order would do now with all it has left, and if given with no more than `budget`."""
        listing = order.listing
        want = Want(order.left_lots, budget, listing.tick_amount, listing.lot_amount)
        return plan_match(self._book, order.side, order.limit_ticks, want, order.self_trade, self._own(order))

    def _own(self, order: Order) -> Callable[[int], Order | None]:
        def own(book_id: int) -> Order | None:
            resting = self._resting.get(book_id)
            return resting if resting is not None and resting.account_id == order.account_id else None

        return own
