"""Looking back: windows, paging, and what is forgotten."""

from __future__ import annotations

import pytest

from common.messages.base import Side
from services.mock_exchange.errors import VenueError
from services.mock_exchange.trading.orders import Order, OrderRef, SpotStatus, SpotType
from services.mock_exchange.trading.queries import MAX_WINDOW_NS
from tests.mock_exchange.trading.build import COIN, ETHBTC, NOW_NS, SECOND_NS, Floor, floor, ticket

BUY, SELL = Side.BUY, Side.SELL


def ten_orders() -> tuple[Floor, list[Order]]:
    """One a second, each filled at once."""
    f = floor()
    orders = []
    for second in range(10):
        f.now_ns = NOW_NS + second * SECOND_NS
        f.book.limit(SELL, 100, 1)
        orders.append(f.place(ticket(BUY, 1, 100)))
    return f, orders


def at(second: int) -> int:
    return NOW_NS + second * SECOND_NS


def test_all_orders_by_id_by_time_and_the_latest() -> None:
    f, orders = ten_orders()

    def found(**asked: int | None) -> list[Order]:
        return f.desk.all_orders(f.alice, "COINUSDT", **asked)

    assert found() == found(limit=None) == orders
    assert found(limit=3) == orders[-3:]
    assert found(from_id=4, limit=3) == orders[3:6]
    assert found(start_ns=at(2), limit=3) == orders[2:5]
    assert found(start_ns=at(2), end_ns=at(4)) == orders[2:5]
    assert found(end_ns=at(4), limit=2) == orders[3:5]
    assert f.desk.all_orders(f.bob, "COINUSDT") == []


def test_trades_by_order_by_id_by_time_and_the_latest() -> None:
    f, orders = ten_orders()

    def found(**asked: int | None) -> list[Order]:
        rows = f.desk.trades(f.alice, "COINUSDT", **asked)
        assert all(fill in order.fills for order, fill in rows)
        return [order for order, _ in rows]

    assert found() == orders
    assert found(limit=3) == orders[-3:]
    assert found(order_id=4) == [orders[3]]
    assert found(from_id=4, limit=2) == orders[3:5]
    assert found(order_id=4, from_id=5) == []
    assert found(start_ns=at(2), end_ns=at(4)) == orders[2:5]
    for bad in ({"order_id": 4, "start_ns": at(1)}, {"from_id": 4, "end_ns": at(1)}):
        with pytest.raises(VenueError) as refusal:
            found(**bad)
        assert refusal.value.code == -1128


def test_a_window_is_at_most_a_day() -> None:
    f, orders = ten_orders()
    for query in (f.desk.all_orders, f.desk.trades):
        assert len(query(f.alice, "COINUSDT", start_ns=at(0), end_ns=at(0) + MAX_WINDOW_NS)) == len(orders)
        with pytest.raises(VenueError) as refusal:
            query(f.alice, "COINUSDT", start_ns=at(0), end_ns=at(0) + MAX_WINDOW_NS + 1)
        assert (refusal.value.code, refusal.value.message) == (
            -1127,
            "More than 24 hours between startTime and endTime.",
        )


def test_open_orders_of_one_symbol_and_of_all() -> None:
    f = floor(COIN, ETHBTC)
    coin = f.place(ticket(BUY, 1, 90))
    eth = f.place(ticket(BUY, 1, "0.0005", symbol="ETHBTC"))
    assert coin.order_id == eth.order_id == 1
    assert f.desk.open_orders(f.alice) == [coin, eth]
    assert f.desk.open_orders(f.alice, "ETHBTC") == [eth]
    with pytest.raises(VenueError, match="Invalid symbol"):
        f.desk.open_orders(f.alice, "NOPE")


def test_an_order_by_either_id_or_both() -> None:
    f = floor()
    order = f.place(ticket(BUY, 1, 90, client_order_id="mine"))
    for which in (OrderRef(1), OrderRef(None, "mine"), OrderRef(1, "mine")):
        assert f.desk.order(f.alice, "COINUSDT", which) is order
    for which in (OrderRef(2), OrderRef(None, "other"), OrderRef(1, "other"), OrderRef()):
        with pytest.raises(VenueError) as refusal:
            f.desk.order(f.alice, "COINUSDT", which)
        assert (refusal.value.code, refusal.value.message) == (-2013, "Order does not exist.")
    with pytest.raises(VenueError):
        f.desk.order(f.bob, "COINUSDT", OrderRef(1))


def test_old_closed_orders_and_trades_are_forgotten_open_ones_never() -> None:
    f = floor(history=5)
    first = f.place(ticket(BUY, 1, 90))
    for number in range(20):
        f.book.limit(SELL, 100, 1)
        f.place(ticket(BUY, 1, 100, client_order_id="same" if number == 0 else None))
    kept = f.desk.all_orders(f.alice, "COINUSDT", limit=None)
    assert kept[0] is first and [order.order_id for order in kept[1:]] == [17, 18, 19, 20, 21]
    assert len(f.desk.trades(f.alice, "COINUSDT")) == 5
    with pytest.raises(VenueError):
        f.desk.order(f.alice, "COINUSDT", OrderRef(None, "same"))
    assert first.status is SpotStatus.NEW


def test_fills_of_one_order_are_all_kept_with_it() -> None:
    f = floor(history=3)
    for price in range(100, 110):
        f.book.limit(SELL, price, 1)
    order = f.place(ticket(BUY, 10, type_=SpotType.MARKET))
    assert len(order.fills) == 10 and len(f.desk.trades(f.alice, "COINUSDT")) == 3
