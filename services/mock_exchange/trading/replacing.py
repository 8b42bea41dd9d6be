"""Changing an order: in its place (amend), or by another one (cancelReplace)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from services.mock_exchange.errors import VenueError
from services.mock_exchange.trading.accounts import Account
from services.mock_exchange.trading.admission import smaller
from services.mock_exchange.trading.order_lists import OrderLists
from services.mock_exchange.trading.orders import Amended, Amendment, Execution, Order, OrderRef, Replaced
from services.mock_exchange.trading.placing import Placing


def amend(
    placing: Placing,
    lists: OrderLists,
    account: Account,
    which: OrderRef,
    new_qty: Decimal,
    now_ns: int,
    new_client_order_id: str | None,
) -> Amended:
    """Make an order smaller; it keeps its place in the queue. An OCO's other leg becomes as small.

    Raises:
        VenueError: -2038 with the venue's texts, -1013 and -1111 as for a new order.
    """
    journal = placing.journal(account.account_id)
    order = journal.find_open(which)
    if order is None:
        raise VenueError(-2038, "Unknown order sent.")
    if len(order.amendments) >= placing.rules.max_order_amends:
        raise VenueError(-2038, "Filter failure: MAX_NUM_ORDER_AMENDS")
    old_id = order.client_order_id
    if new_client_order_id and new_client_order_id != old_id and journal.is_in_use(new_client_order_id):
        raise VenueError(-2038, "Duplicate order sent.")
    lots = smaller(order, new_qty, placing.rules, placing.checks.surroundings(account))
    affected = lists.partners(order) or (order,)
    order_list = lists.of_order(order)
    with placing.acting(now_ns):
        old_lots = order.qty_lots
        for leg in affected:
            leg.qty_lots = lots
            leg.iceberg_lots = min(leg.iceberg_lots, lots)
            leg.updated_ns = now_ns
            placing.shrink(leg)
        lists.hold(affected)
        for leg in affected:
            new_id = (new_client_order_id or placing.auto_id()) if leg is order else leg.client_order_id
            _tell_amended(placing, leg, new_id, old_lots, now_ns)
        if order_list is not None and order.client_order_id != old_id:
            lists.tell_update(order_list, now_ns)
    return Amended(order, order.amendments[-1], order_list)


def _tell_amended(placing: Placing, order: Order, new_id: str, old_lots: int, now_ns: int) -> None:
    old_id = order.client_order_id
    execution_id = placing.clearing.report(
        order, Execution.REPLACED, now_ns, is_in_book=order.book_id > 0, request_id=new_id
    )
    if new_id != old_id:
        placing.journal(order.account_id).rename(order, new_id)
    order.amendments.append(Amendment(execution_id, old_id, new_id, old_lots, order.qty_lots, now_ns))


def replace(
    place: Callable[[], Order], cancel: Callable[[], Order], *, may_cancel_fail: bool, refusal: VenueError | None
) -> Replaced:
    """Cancel, then place. `refusal` is why no new order may come, known beforehand: it is not tried then.

    Raises:
        VenueError: -2021 (HTTP 409; with `refusal` its own status) one of the two went wrong, -2022 both did, or the
            second was not attempted. `data` has cancelResult, newOrderResult, and of each leg cancelResponse and
            newOrderResponse: the Order, {"code", "msg"}, or None.
    """
    canceled = _attempt(cancel)
    if isinstance(canceled, VenueError) and not may_cancel_fail:
        raise _failure(-2022, 400, canceled, None)
    placed = refusal or _attempt(place)
    if isinstance(canceled, Order) and isinstance(placed, Order):
        return Replaced(canceled, placed)
    if isinstance(canceled, VenueError) and isinstance(placed, VenueError):
        raise _failure(-2022, refusal.status if refusal else 400, canceled, placed)
    raise _failure(-2021, refusal.status if refusal else 409, canceled, placed)


def _attempt(step: Callable[[], Order]) -> Order | VenueError:
    try:
        return step()
    except VenueError as error:
        return error


def _failure(code: int, status: int, canceled: Order | VenueError, placed: Order | VenueError | None) -> VenueError:
    message = "Order cancel-replace partially failed." if code == -2021 else "Order cancel-replace failed."
    data: dict[str, Any] = {}
    for leg, result in (("cancel", canceled), ("newOrder", placed)):
        data[f"{leg}Result"] = _RESULTS[type(result)]
        failed = {"code": result.code, "msg": result.message} if isinstance(result, VenueError) else result
        data[f"{leg}Response"] = failed
    return VenueError(code, message, status, data)


_RESULTS: Final[dict[type, str]] = {Order: "SUCCESS", VenueError: "FAILURE", type(None): "NOT_ATTEMPTED"}
