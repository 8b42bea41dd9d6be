"""The order desk: the one place where clients' orders come in, change and are asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import NamedTuple

from services.mock_exchange.errors import VenueError
from services.mock_exchange.listing import Listing
from services.mock_exchange.trading import queries, replacing
from services.mock_exchange.trading.accounts import Account, Accounts
from services.mock_exchange.trading.amounts import amount_of
from services.mock_exchange.trading.book import TradingBook
from services.mock_exchange.trading.checks import INSUFFICIENT, require
from services.mock_exchange.trading.clearing import Clearing
from services.mock_exchange.trading.events import AccountEvent
from services.mock_exchange.trading.journal import HISTORY
from services.mock_exchange.trading.order_lists import OrderLists
from services.mock_exchange.trading.orders import (
    Amended,
    Amendment,
    Fill,
    ListRef,
    OcoTicket,
    Order,
    OrderList,
    OrderRef,
    OtoTicket,
    PreventedMatch,
    Replaced,
    Ticket,
)
from services.mock_exchange.trading.placing import Placing
from services.mock_exchange.trading.rules import SymbolRules, rules_of


class Market(NamedTuple):
    """One symbol's orders."""

    placing: Placing
    lists: OrderLists


class Desk:
    """Places, cancels, replaces and finds orders. Times are the exchange's, UTC nanoseconds.

    Refusals raise VenueError with the venue's code and text, and leave everything as it was (but a cancelReplace of
    which one leg went well). What happens to accounts is told to `on_event` at once, in order, also when the market
    moves on its own: a placement is NEW, then its TRADEs, then how it ended; each report is followed by the balances.
    """

    def __init__(
        self,
        books: Mapping[str, TradingBook],
        accounts: Accounts,
        on_event: Callable[[AccountEvent], None],
        *,
        rules: Callable[[Listing], SymbolRules] = rules_of,
        history: int = HISTORY,
    ) -> None:
        #: What happens right before an order is cancelled by its id: faults let somebody trade with it.
        self.before_cancel: Callable[[TradingBook, Order], object] | None = None
        self._books = books
        self.clearing = Clearing(books, accounts, on_event)
        self.last_list_id = 0
        self.markets: dict[str, Market] = {}
        for symbol, book in books.items():
            placing = Placing(book, rules(book.listing), self.clearing, history)
            self.markets[symbol] = Market(placing, OrderLists(placing, self._next_list_id))

    def place(self, account: Account, ticket: Ticket, now_ns: int) -> Order:
        """Place an order; its record, with what it traded at once. Raises VenueError -1111, -1013, -2010, ..."""
        placing = self._market(ticket.symbol).placing
        account.volume.roll(now_ns)
        return placing.place(account, placing.checks.draft(account, ticket, now_ns), now_ns)

    def test(self, account: Account, ticket: Ticket, now_ns: int) -> None:
        """Raises what `place` would; places nothing."""
        placing = self._market(ticket.symbol).placing
        order = placing.checks.draft(account, ticket, now_ns)
        require(account, order.pays_with, placing.checks.check(account, order))

    def cancel(
        self,
        account: Account,
        symbol: str,
        which: OrderRef,
        now_ns: int,
        *,
        request_id: str | None = None,
        restriction: str | None = None,
    ) -> Order:
        """Cancel an open order, and with it the list it belongs to. `restriction`: ONLY_NEW, ONLY_PARTIALLY_FILLED.

        Raises:
            VenueError: -2011 unknown or closed, or not in the state the restriction asks for.
        """
        placing, lists = self._market(symbol)
        order = placing.journal(account.account_id).find_open(which)
        if order is None:
            raise VenueError(-2011, "Unknown order sent.")
        if self.before_cancel is not None:
            with placing.acting(now_ns):
                self.before_cancel(self._books[symbol], order)
            if not order.status.is_open:
                raise VenueError(-2011, "Unknown order sent.")
        if restriction is not None and restriction != f"ONLY_{order.status}":
            raise VenueError(-2011, "Order was not canceled due to cancel restrictions.")
        with placing.acting(now_ns):
            order_list = lists.of_order(order)
            if order_list is None:
                placing.cancel(order, now_ns, request_id)
            else:
                lists.cancel(order_list, now_ns, request_id)
        return order

    def cancel_all(self, account: Account, symbol: str, now_ns: int) -> list[Order]:
        """Every open order of a symbol, those of lists too, oldest first. Raises VenueError -2011 if none."""
        placing, lists = self._market(symbol)
        orders = list(placing.journal(account.account_id).open.values())
        if not orders:
            raise VenueError(-2011, "Unknown order sent.")
        with placing.acting(now_ns):
            request_id = placing.auto_id()
            for order in orders:
                if not order.status.is_open:
                    continue
                order_list = lists.of_order(order)
                if order_list is None:
                    placing.cancel(order, now_ns, request_id)
                else:
                    lists.cancel(order_list, now_ns, request_id)
        return orders

    def cancel_replace(
        self,
        account: Account,
        symbol: str,
        which: OrderRef,
        ticket: Ticket,
        mode: str,
        now_ns: int,
        *,
        request_id: str | None = None,
        restriction: str | None = None,
        new_order_refusal: VenueError | None = None,
    ) -> Replaced:
        """Cancel an order and place another. `mode`: STOP_ON_FAILURE, ALLOW_FAILURE.

        The new order is held against the filters first, as the venue does. `new_order_refusal` is for
        orderRateLimitExceededMode=CANCEL_ONLY: the order count is used up (-1015), so only the cancel is done.

        Raises:
            VenueError: a filter; -2021, -2022 with `data` as `replacing.replace` says.
        """
        placing = self._market(symbol).placing
        account.volume.roll(now_ns)
        draft = placing.checks.draft(account, ticket, now_ns)
        return replacing.replace(
            lambda: placing.place(account, draft, now_ns),
            lambda: self.cancel(account, symbol, which, now_ns, request_id=request_id, restriction=restriction),
            may_cancel_fail=mode == "ALLOW_FAILURE",
            refusal=new_order_refusal,
        )

    def amend(
        self,
        account: Account,
        symbol: str,
        which: OrderRef,
        new_qty: Decimal,
        now_ns: int,
        *,
        new_client_order_id: str | None = None,
    ) -> Amended:
        """Make an order smaller in its place. Raises VenueError -2038, -1013, -1111."""
        placing, lists = self._market(symbol)
        return replacing.amend(placing, lists, account, which, new_qty, now_ns, new_client_order_id)

    def order(self, account: Account, symbol: str, which: OrderRef) -> Order:
        """Raises VenueError -2013."""
        order = self._market(symbol).placing.journal(account.account_id).find(which)
        if order is None:
            raise VenueError(-2013, "Order does not exist.")
        return order

    def open_orders(self, account: Account, symbol: str | None = None) -> list[Order]:
        """Oldest first within a symbol."""
        symbols = self.markets if symbol is None else (symbol,)
        return [
            order
            for name in symbols
            for order in self._market(name).placing.journal(account.account_id).open.values()
        ]

    def all_orders(
        self,
        account: Account,
        symbol: str,
        *,
        from_id: int | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
        limit: int | None = 500,
    ) -> list[Order]:
        """Oldest first; `limit` None is all of them. Raises VenueError -1127."""
        journal = self._market(symbol).placing.journal(account.account_id)
        return queries.all_orders(journal, from_id, start_ns, end_ns, limit)

    def trades(
        self,
        account: Account,
        symbol: str,
        *,
        order_id: int | None = None,
        from_id: int | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
        limit: int = 500,
    ) -> list[tuple[Order, Fill]]:
        """Oldest first. Raises VenueError -1127, -1128."""
        journal = self._market(symbol).placing.journal(account.account_id)
        return queries.trades(journal, order_id, from_id, start_ns, end_ns, limit)

    def amendments(
        self, account: Account, symbol: str, order_id: int, *, from_execution_id: int | None = None, limit: int = 500
    ) -> list[Amendment]:
        """What was done to an order, oldest first. Raises VenueError -2013."""
        steps = self.order(account, symbol, OrderRef(order_id)).amendments
        return [step for step in steps if step.execution_id >= (from_execution_id or 0)][:limit]

    def prevented_matches(
        self,
        account: Account,
        symbol: str,
        *,
        match_id: int | None = None,
        order_id: int | None = None,
        from_id: int | None = None,
        limit: int = 500,
    ) -> list[PreventedMatch]:
        """Trades with oneself that were prevented, oldest first."""
        journal = self._market(symbol).placing.journal(account.account_id)
        return queries.prevented_matches(journal, match_id, order_id, from_id, limit)

    def place_oco(self, account: Account, ticket: OcoTicket, now_ns: int) -> OrderList:
        """Two orders of which the first to trade ends the other. Raises VenueError as `place`, -1158 to -1199."""
        account.volume.roll(now_ns)
        return self._market(ticket.above.symbol).lists.place_oco(account, ticket, now_ns)

    def place_oto(self, account: Account, ticket: OtoTicket, now_ns: int) -> OrderList:
        """An order, and one or an OCO that begin when it is filled. Raises VenueError as `place_oco`."""
        account.volume.roll(now_ns)
        return self._market(ticket.working.symbol).lists.place_oto(account, ticket, now_ns)

    def cancel_list(
        self, account: Account, symbol: str, which: ListRef, now_ns: int, *, request_id: str | None = None
    ) -> OrderList:
        """Cancel what is open of a list. Raises VenueError -2011."""
        placing, lists = self._market(symbol)
        found = lists.find(account.account_id, which)
        if found is None or not found.is_open:
            raise VenueError(-2011, "Unknown order list sent.")
        with placing.acting(now_ns):
            lists.cancel(found, now_ns, request_id)
        return found

    def order_list(self, account: Account, which: ListRef) -> OrderList:
        """A list of whatever symbol. Raises VenueError -2018."""
        for _, lists in self.markets.values():
            found = lists.find(account.account_id, which)
            if found is not None:
                return found
        raise VenueError(-2018, "Order list does not exist.")

    def order_lists(
        self,
        account: Account,
        *,
        from_id: int | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
        limit: int = 500,
    ) -> list[OrderList]:
        """Of all symbols, oldest first. Raises VenueError -1127, -1128."""
        return queries.order_lists(self._lists(account), from_id, start_ns, end_ns, limit)

    def open_order_lists(self, account: Account) -> list[OrderList]:
        """Those whose orders still depend on one another."""
        return [one for one in self._lists(account) if one.is_open]

    def deposit(self, account: Account, asset: str, amount: Decimal, now_ns: int) -> None:
        """Pay in; out when negative.

        Raises:
            VenueError: -2010 less is free than is paid out, -1111 finer than 1e-8.
        """
        try:
            units = amount_of(amount)
        except ValueError:
            raise VenueError(-1111, "Parameter 'amount' has too much precision.") from None
        if -units > account.ledger.free(asset):
            raise VenueError(-2010, INSUFFICIENT)
        self.clearing.deposit(account, asset, units, now_ns)

    def _next_list_id(self) -> int:
        self.last_list_id += 1
        return self.last_list_id

    def _lists(self, account: Account) -> list[OrderList]:
        mine = [one for _, lists in self.markets.values() for one in lists if one.account_id == account.account_id]
        return sorted(mine, key=lambda one: one.order_list_id)

    def _market(self, symbol: str) -> Market:
        market = self.markets.get(symbol)
        if market is None:
            raise VenueError(-1121, "Invalid symbol.")
        return market
