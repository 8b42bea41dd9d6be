"""Conditional orders: stops, and the venue's own scenarios of trailing ones."""

from __future__ import annotations

from decimal import Decimal

import pytest

from common.messages.base import Side
from services.mock_exchange.trading.amounts import UNIT
from services.mock_exchange.trading.orders import SpotStatus, SpotType
from tests.mock_exchange.trading.build import Floor, floor, ticket

BUY, SELL = Side.BUY, Side.SELL
STOP, STOP_LIMIT = SpotType.STOP_LOSS, SpotType.STOP_LOSS_LIMIT
PROFIT, PROFIT_LIMIT = SpotType.TAKE_PROFIT, SpotType.TAKE_PROFIT_LIMIT


def trade_at(f: Floor, price: int) -> None:
    """Two strangers trade one lot, and nothing of them stays."""
    f.book.limit(SELL, price, 1)
    f.book.limit(BUY, price, 1)


@pytest.mark.parametrize(
    ("side", "kind", "stop", "waits_at", "goes_at"),
    [
        (BUY, STOP, 105, 104, 105),
        (SELL, STOP, 95, 96, 94),
        (BUY, PROFIT, 95, 96, 95),
        (SELL, PROFIT, 105, 104, 106),
    ],
)
def test_a_stop_goes_off_at_its_price(side: Side, kind: SpotType, stop: int, waits_at: int, goes_at: int) -> None:
    f = floor(fee_ppm=0)
    order = f.place(ticket(side, 3, None, kind, stop=stop))
    assert (order.is_working, f.reports(order)[-1].is_in_book) == (False, False)
    trade_at(f, waits_at)
    assert not order.is_working
    f.book.limit(side, goes_at, 1)
    f.book.limit(side.opposite, goes_at, 5)
    assert (order.status, order.working_ns, order.executed_lots) == (SpotStatus.FILLED, f.now_ns, 3)
    assert f.steps(order) == [("NEW", "NEW"), ("NEW", "NEW"), ("TRADE", "FILLED")]
    assert [report.working_ns for report in f.reports(order)][:2] == [None, f.now_ns]


@pytest.mark.parametrize(
    ("side", "kind", "stop"), [(BUY, STOP, 100), (SELL, STOP, 100), (BUY, PROFIT, 101), (SELL, PROFIT, 99)]
)
def test_a_stop_that_would_go_off_at_once_is_refused(side: Side, kind: SpotType, stop: int) -> None:
    assert floor().refused(ticket(side, 3, None, kind, stop=stop)) == (-2010, "Stop price would trigger immediately.")


def test_a_stop_limit_becomes_a_limit_order() -> None:
    f = floor()
    order = f.place(ticket(SELL, 3, 97, STOP_LIMIT, stop=95))
    trade_at(f, 95)
    assert order.status is SpotStatus.NEW and order.is_working
    assert f.book.touch().ask_ticks == 97
    f.book.limit(BUY, 97, 3)
    assert order.status is SpotStatus.FILLED and order.fills[0].is_maker


def test_a_stop_is_cancelled_while_it_waits() -> None:
    f = floor()
    order = f.place(ticket(SELL, 3, None, STOP, stop=95))
    f.desk.cancel_all(f.alice, "COINUSDT", f.now_ns)
    trade_at(f, 94)
    assert order.status is SpotStatus.CANCELED and f.alice.ledger.locked("COIN") == 0


def test_a_stop_buys_what_the_account_can_pay() -> None:
    f = floor(balances={"USDT": Decimal(1100)}, fee_ppm=0)
    order = f.place(ticket(BUY, 10, None, STOP, stop=105))
    assert order.locked == 1050 * UNIT
    f.book.limit(SELL, 120, 50)
    trade_at(f, 105)
    assert (order.status, order.executed_lots) == (SpotStatus.EXPIRED, 9)
    assert f.alice.ledger.free("USDT") == 20 * UNIT


def test_one_stop_sets_off_the_next() -> None:
    f = floor()
    for price in (95, 93, 91):
        f.book.limit(BUY, price, 2)
    orders = [f.place(ticket(SELL, 2, None, STOP, stop=stop)) for stop in (93, 95)]
    f.book.limit(SELL, 95, 1)
    assert [order.status for order in orders] == [SpotStatus.FILLED, SpotStatus.FILLED]
    assert [fill.price_ticks for fill in orders[1].fills] == [95, 93]
    assert [fill.price_ticks for fill in orders[0].fills] == [93, 91]


def test_a_stop_of_one_client_goes_off_by_anothers_trade() -> None:
    f = floor()
    order = f.place(ticket(SELL, 2, None, STOP, stop=95))
    f.book.limit(BUY, 95, 5)
    seller = f.place(ticket(SELL, 1, 95), f.bob)
    assert seller.status is order.status is SpotStatus.FILLED
    names = [(report.order_id, report.execution.value) for report in f.reports()]
    assert names == [(1, "NEW"), (2, "NEW"), (2, "TRADE"), (1, "NEW"), (1, "TRADE")]


@pytest.mark.parametrize(
    ("side", "kind", "stop", "delta", "limit", "path", "last"),
    [
        (BUY, STOP_LIMIT, 44_000, 500, 45_000, [37_000, 44_000, 45_000, 46_000, 42_000, 44_099], 44_100),
        (SELL, STOP_LIMIT, 39_000, 1000, 38_000, [41_500, 39_000, 37_000, 41_000, 36_901], 36_900),
        (BUY, PROFIT_LIMIT, 38_000, 850, 38_500, [42_000, 38_000, 37_000, 39_000, 38_000, 40_144], 40_145),
        (SELL, PROFIT_LIMIT, 42_000, 750, 41_000, [41_500, 39_000, 42_000, 45_000, 44_000, 46_500, 43_013], 43_012),
        (SELL, STOP_LIMIT, None, 700, 39_000, [42_000, 39_500, 45_500, 42_316], 42_315),
    ],
)
def test_the_venues_trailing_scenarios(
    side: Side, kind: SpotType, stop: int | None, delta: int, limit: int, path: list[int], last: int
) -> None:
    f = floor(last_price_ticks=40_000)
    order = f.place(ticket(side, 1, limit, kind, stop=stop, trailing_delta_bps=delta))
    assert (order.trailing_since_ns is None) is (stop is not None)
    for price in path:
        trade_at(f, price)
        assert not order.is_working
    assert order.trailing_since_ns == f.now_ns
    trade_at(f, last)
    assert order.is_working
