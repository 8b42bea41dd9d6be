"""OCO, OTO and both: money, order of events, refusals."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from common.messages.base import Side
from services.mock_exchange.errors import VenueError
from services.mock_exchange.trading.amounts import UNIT
from services.mock_exchange.trading.events import ListStatus, OrderReport
from services.mock_exchange.trading.orders import (
    ListRef,
    OcoTicket,
    OrderList,
    OrderRef,
    OtoTicket,
    SelfTrade,
    SpotStatus,
    SpotType,
    Ticket,
)
from services.mock_exchange.trading.rules import rules_of
from tests.mock_exchange.trading.build import COIN, Floor, floor, ticket

BUY, SELL = Side.BUY, Side.SELL
MAKER, STOP, STOP_LIMIT = SpotType.LIMIT_MAKER, SpotType.STOP_LOSS, SpotType.STOP_LOSS_LIMIT
PROFIT = SpotType.TAKE_PROFIT
OPEN, CANCELED, EXPIRED, FILLED = SpotStatus.NEW, SpotStatus.CANCELED, SpotStatus.EXPIRED, SpotStatus.FILLED
PENDING = SpotStatus.PENDING_NEW


def sale(qty: int = 10, **more: Any) -> OcoTicket:
    """Sell at 110, or by a stop at 90."""
    return OcoTicket.of_legs(ticket(SELL, qty, 110, MAKER), ticket(SELL, qty, None, STOP, stop=90), **more)


def purchase(qty: int = 10) -> OcoTicket:
    return OcoTicket.of_legs(ticket(BUY, qty, 90, MAKER), ticket(BUY, qty, 115, STOP_LIMIT, stop=110))


def place(f: Floor, oco: OcoTicket) -> OrderList:
    return f.desk.place_oco(f.alice, oco, f.now_ns)


def statuses(order_list: OrderList) -> list[SpotStatus]:
    return [order.status for order in order_list.orders]


def refused(f: Floor, oco: OcoTicket) -> tuple[int, str]:
    before = f.state()
    with pytest.raises(VenueError) as refusal:
        place(f, oco)
    assert f.state() == before and not f.desk.open_order_lists(f.alice)
    return refusal.value.code, refusal.value.message


def test_the_old_form_knows_above_and_below() -> None:
    assert sale().above.type is MAKER and sale().below.type is STOP
    assert purchase().below.type is MAKER and purchase().above.type is STOP_LIMIT


def test_both_legs_wait_and_the_money_is_held_once() -> None:
    f = floor()
    sold, bought = place(f, sale()), place(f, purchase())
    assert statuses(sold) == statuses(bought) == [OPEN, OPEN]
    assert f.alice.ledger.locked("COIN") == 10 * UNIT
    assert f.alice.ledger.locked("USDT") == 1150 * UNIT
    assert f.desk.open_order_lists(f.alice) == [sold, bought]
    first = f.events[:5]
    assert [event.order_id for event in first if isinstance(event, OrderReport)] == [1, 2]
    assert isinstance(f.events[4], ListStatus)
    assert (f.events[4].list_status_type, f.events[4].list_order_status) == ("EXEC_STARTED", "EXECUTING")


def test_a_fill_of_the_limit_ends_the_stop() -> None:
    f = floor(fee_ppm=0)
    sold = place(f, sale())
    f.events.clear()
    f.book.limit(BUY, 110, 4)
    assert statuses(sold) == [EXPIRED, SpotStatus.PARTIALLY_FILLED]
    assert f.alice.ledger.locked("COIN") == 6 * UNIT
    assert f.steps() == [("EXPIRED", "EXPIRED"), ("TRADE", "PARTIALLY_FILLED")]
    assert not f.desk.open_order_lists(f.alice)
    f.desk.cancel(f.alice, "COINUSDT", OrderRef(sold.orders[1].order_id), f.now_ns)
    assert f.alice.ledger.locked("COIN") == 0


def test_the_stop_ends_the_limit_and_has_its_money() -> None:
    f = floor(balances={"USDT": Decimal(1150)}, fee_ppm=0)
    bought = place(f, purchase())
    f.book.limit(SELL, 110, 1)
    f.book.limit(
        BUY,
        110,
        1,
    )
    assert statuses(bought) == [EXPIRED, OPEN]
    assert bought.orders[1].is_working and bought.orders[1].locked == 1150 * UNIT
    assert (bought.status_type, bought.order_status) == ("ALL_DONE", "ALL_DONE")


def test_cancelling_a_leg_or_the_list_or_all_cancels_both() -> None:
    f = floor()
    one, two, three = (place(f, sale()) for _ in range(3))
    f.desk.cancel(f.alice, "COINUSDT", OrderRef(one.orders[0].order_id), f.now_ns, request_id="away")
    assert {order.cancel_request_id for order in one.orders} == {"away"}
    found = f.desk.cancel_list(f.alice, "COINUSDT", ListRef(two.order_list_id), f.now_ns)
    assert found is two and isinstance(f.events[-1], ListStatus)
    assert f.desk.cancel_all(f.alice, "COINUSDT", f.now_ns) == list(three.orders)
    assert [statuses(one), statuses(two), statuses(three)] == [[CANCELED, CANCELED]] * 3
    assert f.alice.ledger.locked("COIN") == 0
    told = [event.order_list_id for event in f.events if isinstance(event, ListStatus)]
    assert told == [1, 2, 3, 1, 2, 3]


def test_a_leg_prevented_from_trading_with_its_account_ends_the_other() -> None:
    f = floor()
    sold = place(f, sale())
    f.place(ticket(BUY, 4, 110, self_trade=SelfTrade.DECREMENT))
    assert statuses(sold) == [EXPIRED, OPEN] and sold.orders[1].left_lots == 6
    f.place(ticket(BUY, 4, 110, self_trade=SelfTrade.EXPIRE_MAKER))
    assert statuses(sold) == [EXPIRED, SpotStatus.EXPIRED_IN_MATCH]


@pytest.mark.parametrize(
    ("above", "below", "code"),
    [
        (ticket(SELL, 5, 110, MAKER), ticket(SELL, 5, 90, MAKER), -1168),
        (ticket(SELL, 5, 110), ticket(SELL, 5, None, STOP, stop=90), -1158),
        (ticket(BUY, 5, 110, MAKER), ticket(BUY, 5, None, PROFIT, stop=90), -1165),
        (ticket(SELL, 5, None, PROFIT, stop=110), ticket(SELL, 5, 90, MAKER), -1166),
        (ticket(BUY, 5, None, STOP, stop=110), ticket(BUY, 5, None, STOP, stop=90), -1196),
        (ticket(SELL, 5, None, STOP, stop=110), ticket(SELL, 5, None, STOP, stop=90), -1197),
        (ticket(BUY, 5, None, PROFIT, stop=110), ticket(BUY, 5, None, PROFIT, stop=90), -1198),
        (ticket(SELL, 5, None, PROFIT, stop=110), ticket(SELL, 5, None, PROFIT, stop=90), -1199),
        (ticket(SELL, 5, 99, MAKER), ticket(SELL, 5, None, STOP, stop=90), -2010),
        (ticket(SELL, 5, 110, MAKER), ticket(SELL, 5, None, STOP, stop=100), -2010),
        (ticket(SELL, "5.5", 110, MAKER), ticket(SELL, "5.5", None, STOP, stop=90), -1013),
        (ticket(SELL, 9000, 110, MAKER), ticket(SELL, 9000, None, STOP, stop=90), None),
    ],
)
def test_what_an_oco_may_be_made_of(above: Ticket, below: Ticket, code: int | None) -> None:
    if code is None:
        assert statuses(place(floor(), OcoTicket(above, below))) == [OPEN, OPEN]
    else:
        assert refused(floor(), OcoTicket(above, below))[0] == code


def test_refusals_by_texts_of_the_venue() -> None:
    assert refused(floor(), OcoTicket(ticket(SELL, 5, 99, MAKER), ticket(SELL, 5, None, STOP, stop=90))) == (
        -2010,
        "The relationship of the prices for the orders is not correct.",
    )
    assert refused(floor(balances={"COIN": Decimal(9)}), sale()) == (
        -2010,
        "Account has insufficient balance for requested action.",
    )
    same = OcoTicket(replace(sale().above, client_order_id="x"), replace(sale().below, client_order_id="x"))
    assert refused(floor(), same) == (-2010, "Duplicate order sent.")


def test_lists_have_client_ids_and_are_counted() -> None:
    f = floor(rules=lambda _listing: replace(rules_of(COIN), max_order_lists=2))
    placed = place(f, sale(list_client_order_id="mine"))
    with pytest.raises(VenueError, match="Duplicate order sent"):
        place(f, sale(list_client_order_id="mine"))
    place(f, sale())
    with pytest.raises(VenueError, match="MAX_NUM_ORDER_LISTS"):
        place(f, sale())
    assert f.desk.order_list(f.alice, ListRef(None, "mine")) is placed
    assert f.desk.order_list(f.alice, ListRef(placed.order_list_id)) is placed
    for which in (ListRef(99), ListRef(placed.order_list_id, "other")):
        with pytest.raises(VenueError) as refusal:
            f.desk.order_list(f.alice, which)
        assert refusal.value.code == -2018
    with pytest.raises(VenueError):
        f.desk.order_list(f.bob, ListRef(placed.order_list_id))
    with pytest.raises(VenueError) as refusal:
        f.desk.cancel_list(f.bob, "COINUSDT", ListRef(placed.order_list_id), f.now_ns)
    assert refusal.value.code == -2011


def oto(f: Floor, *pending: Ticket, working: Ticket | None = None) -> OrderList:
    ticket_ = OtoTicket(working or ticket(BUY, 5, 95), pending)
    return f.desk.place_oto(f.alice, ticket_, f.now_ns)


def test_an_order_begins_when_the_first_is_filled() -> None:
    f = floor(fee_ppm=0)
    order_list = oto(f, ticket(SELL, 5, 105))
    assert statuses(order_list) == [OPEN, PENDING]
    assert f.alice.ledger.locked("COIN") == 5 * UNIT and f.book.touch().ask_ticks == 0
    f.book.limit(SELL, 95, 3)
    assert statuses(order_list) == [SpotStatus.PARTIALLY_FILLED, PENDING]
    f.book.limit(SELL, 95, 2)
    assert statuses(order_list) == [FILLED, OPEN]
    assert f.book.touch().ask_ticks == 105 and order_list.order_status == "ALL_DONE"
    assert f.steps(order_list.orders[1]) == [("NEW", "PENDING_NEW"), ("NEW", "NEW")]


def test_a_pending_order_begins_within_the_same_request() -> None:
    f = floor()
    f.book.limit(SELL, 95, 5)
    f.book.limit(BUY, 94, 9)
    order_list = oto(f, ticket(SELL, 5, type_=SpotType.MARKET))
    assert statuses(order_list) == [FILLED, FILLED]


def test_when_the_first_ends_the_others_never_begin() -> None:
    f = floor()
    order_list = oto(f, ticket(SELL, 5, 105))
    f.desk.cancel(f.alice, "COINUSDT", OrderRef(order_list.orders[1].order_id), f.now_ns)
    assert statuses(order_list) == [CANCELED, CANCELED]
    order_list = oto(f, ticket(SELL, 5, 105))
    f.place(ticket(SELL, 1, 95))
    assert statuses(order_list) == [SpotStatus.EXPIRED_IN_MATCH, EXPIRED]
    assert f.alice.ledger.locked("COIN") == UNIT


def test_one_triggers_one_that_cancels_another() -> None:
    f = floor(fee_ppm=0)
    order_list = oto(f, sale(5).above, sale(5).below)
    assert statuses(order_list) == [OPEN, PENDING, PENDING]
    assert f.alice.ledger.locked("COIN") == 5 * UNIT
    f.book.limit(SELL, 95, 5)
    assert statuses(order_list) == [FILLED, OPEN, OPEN] and order_list.is_open
    f.book.limit(SELL, 90, 1)
    f.book.limit(BUY, 90, 9)
    working, stop, limit = order_list.orders
    assert (stop.status, limit.status, order_list.order_status) == (FILLED, EXPIRED, "ALL_DONE")
    assert working.status is FILLED and f.alice.ledger.locked("COIN") == 0


def test_a_pending_order_that_can_begin_no_more_expires() -> None:
    f = floor()
    order_list = oto(f, ticket(SELL, 5, 93, MAKER))
    f.book.limit(BUY, 94, 9)
    f.book.limit(SELL, 95, 5)
    assert statuses(order_list) == [FILLED, EXPIRED]


def test_an_oto_needs_the_money_of_all_of_it() -> None:
    f = floor(balances={"USDT": Decimal(900)})
    with pytest.raises(VenueError, match="insufficient"):
        oto(f, ticket(BUY, 5, 90))
    assert oto(f, ticket(BUY, 4, 90)).is_open
    with pytest.raises(VenueError, match="Unsupported order combination"):
        oto(f, ticket(BUY, 4, 90), working=ticket(BUY, 5, type_=SpotType.MARKET))
