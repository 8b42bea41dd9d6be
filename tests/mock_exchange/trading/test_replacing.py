"""cancelReplace in both modes, and amending in place."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from common.messages.base import Side
from services.mock_exchange.errors import VenueError
from services.mock_exchange.trading.amounts import UNIT
from services.mock_exchange.trading.orders import Amended, OcoTicket, Order, OrderRef, SpotStatus, SpotType, Ticket
from services.mock_exchange.trading.rules import rules_of
from tests.mock_exchange.trading.build import COIN, Floor, floor, ticket

BUY, SELL = Side.BUY, Side.SELL
STOP_MODE, ALLOW_MODE = "STOP_ON_FAILURE", "ALLOW_FAILURE"


def swap(f: Floor, order_id: int, new: Ticket, mode: str, **more: Any) -> Any:
    return f.desk.cancel_replace(f.alice, "COINUSDT", OrderRef(order_id), new, mode, f.now_ns, **more)


def failure(f: Floor, order_id: int, new: Ticket, mode: str, **more: Any) -> tuple[VenueError, dict[str, Any]]:
    with pytest.raises(VenueError) as refusal:
        swap(f, order_id, new, mode, **more)
    return refusal.value, refusal.value.data or {}


def test_both_go_well() -> None:
    f = floor()
    order = f.place(ticket(BUY, 10, 90, client_order_id="mine"))
    done = swap(f, order.order_id, ticket(BUY, 5, 91, client_order_id="mine"), STOP_MODE, request_id="away")
    assert (done.canceled, done.canceled.status, done.canceled.cancel_request_id) == (
        order,
        SpotStatus.CANCELED,
        "away",
    )
    assert (done.placed.price_ticks, done.placed.status) == (91, SpotStatus.NEW)
    assert f.alice.ledger.locked("USDT") == 455 * UNIT


def test_the_money_of_the_old_order_serves_the_new_one() -> None:
    f = floor(balances={"USDT": Decimal(900)})
    order = f.place(ticket(BUY, 10, 90))
    assert swap(f, order.order_id, ticket(BUY, 9, 100), STOP_MODE).placed.locked == 900 * UNIT


def test_a_new_order_that_fails_leaves_the_cancel() -> None:
    f = floor(balances={"USDT": Decimal(1000)})
    order = f.place(ticket(BUY, 10, 90))
    error, data = failure(f, order.order_id, ticket(BUY, 11, 100), STOP_MODE)
    assert (error.code, error.status) == (-2021, 409)
    assert (data["cancelResult"], data["newOrderResult"]) == ("SUCCESS", "FAILURE")
    assert data["cancelResponse"] is order and order.status is SpotStatus.CANCELED
    assert data["newOrderResponse"] == {
        "code": -2010,
        "msg": "Account has insufficient balance for requested action.",
    }


def test_stop_on_failure_does_not_try_the_new_order() -> None:
    f = floor()
    before = f.state()
    error, data = failure(f, 77, ticket(BUY, 1, 90), STOP_MODE)
    assert (error.code, error.status, error.message) == (-2022, 400, "Order cancel-replace failed.")
    assert data == {
        "cancelResult": "FAILURE",
        "cancelResponse": {"code": -2011, "msg": "Unknown order sent."},
        "newOrderResult": "NOT_ATTEMPTED",
        "newOrderResponse": None,
    }
    assert f.state() == before


def test_allow_failure_places_all_the_same() -> None:
    f = floor()
    error, data = failure(f, 77, ticket(BUY, 1, 90), ALLOW_MODE)
    assert (error.code, error.status, error.message) == (-2021, 409, "Order cancel-replace partially failed.")
    assert (data["cancelResult"], data["newOrderResult"]) == ("FAILURE", "SUCCESS")
    placed = data["newOrderResponse"]
    assert isinstance(placed, Order) and f.desk.open_orders(f.alice) == [placed]


def test_both_fail() -> None:
    f = floor(balances={"USDT": Decimal(10)})
    error, data = failure(f, 77, ticket(BUY, 1, 90), ALLOW_MODE)
    assert (error.code, error.status) == (-2022, 400)
    assert data["newOrderResponse"]["msg"] == "Account has insufficient balance for requested action."
    assert (data["cancelResult"], data["newOrderResult"]) == ("FAILURE", "FAILURE")


def test_filters_are_looked_at_before_anything_is_done() -> None:
    f = floor()
    order = f.place(ticket(BUY, 10, 90))
    error, data = failure(f, order.order_id, ticket(BUY, "0.5", 90), ALLOW_MODE)
    assert (error.code, data, order.status) == (-1013, {}, SpotStatus.NEW)


def test_a_restriction_makes_the_cancel_fail() -> None:
    f = floor()
    order = f.place(ticket(BUY, 10, 90))
    _, data = failure(f, order.order_id, ticket(BUY, 1, 90), STOP_MODE, restriction="ONLY_PARTIALLY_FILLED")
    assert data["cancelResponse"]["msg"] == "Order was not canceled due to cancel restrictions."


def test_an_exceeded_order_count_still_cancels() -> None:
    f = floor()
    order = f.place(ticket(BUY, 10, 90))
    limit = VenueError(-1015, "Too many new orders.", 429)
    error, data = failure(f, order.order_id, ticket(BUY, 1, 90), STOP_MODE, new_order_refusal=limit)
    assert (error.code, error.status, order.status) == (-2021, 429, SpotStatus.CANCELED)
    assert data["newOrderResponse"] == {"code": -1015, "msg": "Too many new orders."}


def amend(f: Floor, order: Order, qty: int | str, client_id: str | None = None) -> Amended:
    which = OrderRef(order.order_id)
    return f.desk.amend(f.alice, "COINUSDT", which, Decimal(qty), f.now_ns, new_client_order_id=client_id)


def test_an_amended_order_keeps_its_place() -> None:
    f = floor()
    order = f.place(ticket(BUY, 10, 90, client_order_id="old"))
    f.book.limit(BUY, 90, 5)
    done = amend(f, order, 4, "new")
    assert (done.order, order.qty_lots, order.client_order_id, order.locked) == (order, 4, "new", 360 * UNIT)
    step = done.amendment
    assert (step.old_client_order_id, step.new_client_order_id, step.old_lots, step.new_lots) == ("old", "new", 10, 4)
    last = f.reports(order)[-1]
    assert (last.execution, last.status, last.client_order_id, last.request_id) == ("REPLACED", "NEW", "old", "new")
    assert last.execution_id == step.execution_id and last.qty_lots == 4
    f.book.limit(SELL, 90, 4)
    assert order.status is SpotStatus.FILLED
    assert f.desk.order(f.alice, "COINUSDT", OrderRef(None, "new")) is order
    assert f.desk.amendments(f.alice, "COINUSDT", order.order_id) == [step]


def test_an_iceberg_shows_as_much_until_it_is_smaller_than_that() -> None:
    f = floor()
    order = f.place(ticket(BUY, 10, 90, iceberg=3))
    amend(f, order, 5)
    assert (f.book.touch().bid_lots, order.iceberg_lots) == (3, 3)
    amend(f, order, 2)
    assert (f.book.touch().bid_lots, order.iceberg_lots) == (2, 2)


@pytest.mark.parametrize(
    ("qty", "code", "message"),
    [
        (11, -2038, "Order amend (quantity increase) is not supported."),
        (10, -2038, "The requested action would change no state; rejecting"),
        ("5.5", -1013, "Filter failure: LOT_SIZE"),
        (3, -1013, "Filter failure: LOT_SIZE"),
        (0, -1013, "Invalid quantity."),
        ("5.000000001", -1111, "Parameter 'newQty' has too much precision."),
    ],
)
def test_amendments_that_are_refused(qty: int | str, code: int, message: str) -> None:
    f = floor()
    order = f.place(ticket(BUY, 10, 90))
    f.book.limit(SELL, 90, 3)
    before = f.state()
    with pytest.raises(VenueError) as refusal:
        amend(f, order, qty)
    assert (refusal.value.code, refusal.value.message) == (code, message)
    assert f.state() == before


def test_amending_what_is_not_open_too_often_or_under_a_used_name() -> None:
    f = floor(rules=lambda _listing: replace(rules_of(COIN), max_order_amends=1))
    order = f.place(ticket(BUY, 10, 90, client_order_id="mine"))
    f.place(ticket(BUY, 10, 90, client_order_id="used"))

    def refused(client_id: str | None = None) -> tuple[int, str]:
        with pytest.raises(VenueError) as refusal:
            amend(f, order, 5, client_id)
        return refusal.value.code, refusal.value.message

    assert refused("used") == (-2038, "Duplicate order sent.")
    amend(f, order, 6, "mine")
    assert refused() == (-2038, "Filter failure: MAX_NUM_ORDER_AMENDS")
    f.desk.cancel_all(f.alice, "COINUSDT", f.now_ns)
    assert refused() == (-2038, "Unknown order sent.")


def test_legs_of_an_oco_become_smaller_together() -> None:
    f = floor()
    oco = OcoTicket.of_legs(
        ticket(SELL, 10, 110, SpotType.LIMIT_MAKER), ticket(SELL, 10, None, SpotType.STOP_LOSS, stop=90)
    )
    legs = f.desk.place_oco(f.alice, oco, f.now_ns).orders
    done = amend(f, legs[1], 4, "new")
    assert [leg.qty_lots for leg in legs] == [4, 4] and f.alice.ledger.locked("COIN") == 4 * UNIT
    assert done.order_list is not None and done.order_list.orders == legs
    assert f.events[-1].list_status_type == "UPDATED"
