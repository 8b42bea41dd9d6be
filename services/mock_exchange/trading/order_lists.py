"""Order lists: one cancels the other (OCO), one triggers the other (OTO), and both (the venue's OTOCO).

The legs of an OCO share their money: the first holds what it needs, the second what it needs beyond that. Pending
orders hold theirs from the beginning.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

from common.messages.base import Side
from services.mock_exchange.errors import VenueError
from services.mock_exchange.trading.accounts import Account
from services.mock_exchange.trading.checks import require
from services.mock_exchange.trading.clearing import need_of
from services.mock_exchange.trading.events import ListOrder, ListStatus
from services.mock_exchange.trading.orders import (
    NO_LIST,
    ExpiryReason,
    ListRef,
    OcoTicket,
    Order,
    OrderList,
    OtoTicket,
    SpotStatus,
    SpotType,
    Ticket,
)
from services.mock_exchange.trading.placing import Placing

#: Closed lists kept per symbol.
HISTORY: Final = 10_000
_STOPS: Final = (SpotType.STOP_LOSS, SpotType.STOP_LOSS_LIMIT)
_PROFITS: Final = (SpotType.TAKE_PROFIT, SpotType.TAKE_PROFIT_LIMIT)


class OrderLists:
    """The lists of one symbol."""

    def __init__(self, placing: Placing, next_id: Callable[[], int]) -> None:
        self._placing = placing
        self._next_id = next_id
        self._lists: dict[int, OrderList] = {}
        self._closed: deque[int] = deque()
        placing.before_start = self._on_start
        placing.after_close = self._on_close

    def __iter__(self) -> Iterator[OrderList]:
        """Every list known, the oldest first."""
        return iter(self._lists.values())

    def restore(self, order_list: OrderList) -> None:
        """Know a list of before a restart; they come oldest first."""
        self._lists[order_list.order_list_id] = order_list
        if not order_list.is_open:
            self._closed.append(order_list.order_list_id)

    def find(self, account_id: int, which: ListRef) -> OrderList | None:
        """The list meant; with both ids both must fit. By client id the latest goes first."""
        for found in reversed(self._lists.values()):
            ids = (found.order_list_id, found.list_client_order_id)
            if found.account_id == account_id and all(
                asked in (None, has) for asked, has in zip(which, ids, strict=True)
            ):
                return found
        return None

    def of_order(self, order: Order) -> OrderList | None:
        """The list an order belongs to while that still matters."""
        if order.order_list_id == NO_LIST:
            return None
        order_list = self._lists.get(order.order_list_id)
        return order_list if order_list is not None and order_list.is_open else None

    def partners(self, order: Order) -> tuple[Order, ...]:
        """The orders of its OCO, itself among them; none when it is in no OCO that still stands."""
        order_list = self.of_order(order)
        if order_list is None:
            return ()
        legs = order_list.orders if order_list.contingency == "OCO" else order_list.orders[1:]
        return legs if len(legs) == 2 and order in legs else ()

    def place_oco(self, account: Account, ticket: OcoTicket, now_ns: int) -> OrderList:
        """Raises VenueError -1013, -1158 to -1199, -2010; then nothing has changed."""
        _check_legs(ticket.above, ticket.below)
        self._check_list(account, ticket.list_client_order_id)
        placing = self._placing
        below = placing.checks.draft(account, ticket.below, now_ns)
        above = placing.checks.draft(account, ticket.above, now_ns, also=(below,))
        last_ticks = placing.book.last_price_ticks
        if not _condition_ticks(below, 0) < last_ticks < _condition_ticks(above, last_ticks + 1):
            raise VenueError(-2010, "The relationship of the prices for the orders is not correct.")
        _refuse_same_ids((below, above))
        needs = [placing.checks.check(account, order) for order in (below, above)]
        require(account, below.pays_with, max(needs))
        order_list = self._open(account, "OCO", ticket.list_client_order_id, (below, above), now_ns)
        with placing.acting(now_ns):
            placing.enter(below, needs[0], now_ns)
            placing.enter(above, max(0, needs[1] - needs[0]), now_ns)
            self._tell(order_list, now_ns)
            for order in order_list.orders:
                placing.start(order, now_ns)
        return order_list

    def place_oto(self, account: Account, ticket: OtoTicket, now_ns: int) -> OrderList:
        """Raises VenueError as `place_oco`."""
        if ticket.working.type not in (SpotType.LIMIT, SpotType.LIMIT_MAKER):
            raise VenueError(-1014, "Unsupported order combination.")
        if len(ticket.pending) == 2:
            _check_legs(*ticket.pending)
        self._check_list(account, ticket.list_client_order_id)
        placing = self._placing
        working = placing.checks.draft(account, ticket.working, now_ns)
        pending: list[Order] = []
        for one in reversed(ticket.pending):
            pending.append(placing.checks.draft(account, one, now_ns, also=(working, *pending)))
        _refuse_same_ids((working, *pending))
        need = placing.checks.check(account, working)
        needs = [placing.checks.check(account, order, is_pending=True) for order in pending]
        for asset in {working.pays_with, pending[0].pays_with}:
            require(
                account, asset, need * (working.pays_with == asset) + max(needs) * (pending[0].pays_with == asset)
            )
        order_list = self._open(account, "OTO", ticket.list_client_order_id, (working, *pending), now_ns)
        with placing.acting(now_ns):
            placing.enter(working, need, now_ns)
            held = 0
            for order, amount in zip(pending, needs, strict=True):
                order.status, order.working_ns = SpotStatus.PENDING_NEW, None
                placing.enter(order, max(0, amount - held), now_ns)
                held = max(held, amount)
            self._tell(order_list, now_ns)
            placing.start(working, now_ns)
        return order_list

    def cancel(self, order_list: OrderList, now_ns: int, request_id: str | None) -> None:
        """Every order of it that is still open."""
        request_id = request_id or self._placing.auto_id()
        self._finish(order_list)
        for order in order_list.orders:
            if order.status.is_open:
                self._placing.cancel(order, now_ns, request_id)
        self._tell(order_list, now_ns)

    def hold(self, legs: tuple[Order, ...]) -> None:
        """Hold for the legs of an OCO, one of which became smaller, what they need."""
        held = 0
        for order in legs:
            self._placing.clearing.hold(order, max(0, need_of(order) - held))
            held = max(held, need_of(order))

    def tell_update(self, order_list: OrderList, now_ns: int) -> None:
        """An order of it goes by another client id."""
        self._tell(order_list, now_ns, "UPDATED")

    def _check_list(self, account: Account, list_client_order_id: str | None) -> None:
        mine = [one for one in self if one.is_open and one.account_id == account.account_id]
        if len(mine) >= self._placing.rules.max_order_lists:
            raise VenueError(-1013, "Filter failure: MAX_NUM_ORDER_LISTS")
        if any(one.list_client_order_id == list_client_order_id for one in mine):
            raise VenueError(-2010, "Duplicate order sent.")

    def _open(
        self, account: Account, contingency: str, client_id: str | None, orders: tuple[Order, ...], now_ns: int
    ) -> OrderList:
        order_list = OrderList(
            self._next_id(),
            account.account_id,
            self._placing.book.listing,
            contingency,
            client_id or self._placing.auto_id(),
            orders,
            now_ns,
        )
        self._lists[order_list.order_list_id] = order_list
        for order in orders:
            order.order_list_id = order_list.order_list_id
        return order_list

    def _on_start(self, order: Order, now_ns: int) -> None:
        """The first fill or the trigger of one leg of an OCO ends the other; its money is then the first one's."""
        legs = self.partners(order)
        order_list = self.of_order(order)
        if not legs or order_list is None:
            return
        self._finish(order_list)
        for other in legs:
            if other is not order and other.status.is_open:
                self._placing.expire(other, ExpiryReason.OCO_TRIGGER, now_ns)
        self._placing.clearing.hold(order, need_of(order))
        self._tell(order_list, now_ns)

    def _on_close(self, order: Order, now_ns: int) -> None:
        order_list = self.of_order(order)
        if order_list is None:
            return
        is_first_of_oto = order_list.contingency == "OTO" and order is order_list.orders[0]
        others = [other for other in order_list.orders if other is not order and other.status.is_open]
        if is_first_of_oto and order.status is SpotStatus.FILLED:
            self._placing.due.extend(others)
            if len(others) == 1:
                self._finish(order_list)
                self._tell(order_list, now_ns)
            return
        self._finish(order_list)
        reason = ExpiryReason.OTO_PHASE_ONE_EXPIRED if is_first_of_oto else ExpiryReason.OCO_TRIGGER
        for other in others:
            if order.status is SpotStatus.CANCELED:
                self._placing.cancel(other, now_ns, order.cancel_request_id)
            else:
                self._placing.expire(other, reason, now_ns)
        self._tell(order_list, now_ns)

    def _finish(self, order_list: OrderList) -> None:
        order_list.status_type = order_list.order_status = "ALL_DONE"
        self._closed.append(order_list.order_list_id)
        if len(self._closed) > HISTORY:
            del self._lists[self._closed.popleft()]

    def _tell(self, order_list: OrderList, now_ns: int, status_type: str | None = None) -> None:
        self._placing.clearing.tell(
            ListStatus(
                order_list.account_id,
                now_ns,
                order_list.listing.symbol,
                order_list.order_list_id,
                order_list.contingency,
                status_type or order_list.status_type,
                order_list.order_status,
                order_list.list_client_order_id,
                "NONE",
                tuple(ListOrder(one.symbol, one.order_id, one.client_order_id) for one in order_list.orders),
            )
        )


def _condition_ticks(order: Order, without: int) -> int:
    """The price that must lie on its side of the market; `without` for a trailing stop that has none."""
    if order.type.is_conditional:
        return order.stop_ticks or without
    return order.price_ticks


def _refuse_same_ids(orders: tuple[Order, ...]) -> None:
    ids = [order.client_order_id for order in orders if order.client_order_id]
    if len(set(ids)) < len(ids):
        raise VenueError(-2010, "Duplicate order sent.")


def _check_legs(above: Ticket, below: Ticket) -> None:
    """Which types may lie above and below the market. Raises VenueError -1158 to -1199."""
    allowed = (SpotType.LIMIT_MAKER, *_STOPS, *_PROFITS)
    if above.type not in allowed or below.type not in allowed:
        raise VenueError(-1158, "Order type not supported in OCO.")
    if above.type is below.type is SpotType.LIMIT_MAKER:
        raise VenueError(-1168, "At least one OCO order must be contingent.")
    if above.side is Side.BUY:
        wrong = (
            (above.type is SpotType.LIMIT_MAKER, -1165, "A limit order in a buy OCO must be below."),
            (below.type in _STOPS, -1196, "A stop loss order in a buy OCO must be above."),
            (above.type in _PROFITS, -1198, "A take profit order in a buy OCO must be below."),
        )
    else:
        wrong = (
            (below.type is SpotType.LIMIT_MAKER, -1166, "A limit order in a sell OCO must be above."),
            (above.type in _STOPS, -1197, "A stop loss order in a sell OCO must be below."),
            (below.type in _PROFITS, -1199, "A take profit order in a sell OCO must be above."),
        )
    for is_wrong, code, message in wrong:
        if is_wrong:
            raise VenueError(code, message)
