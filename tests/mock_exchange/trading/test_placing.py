"""Types, times in force and refusals, by example: what the venue does and says."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.messages.base import Side
from common.messages.orders import TimeInForce
from services.mock_exchange.errors import VenueError
from services.mock_exchange.listing import Listing
from services.mock_exchange.trading.accounts import Accounts, AccountSpec
from services.mock_exchange.trading.amounts import UNIT, amount_of
from services.mock_exchange.trading.desk import Desk
from services.mock_exchange.trading.events import AccountPosition, BalanceUpdate, OrderReport
from services.mock_exchange.trading.orders import OrderRef, SpotStatus, SpotType
from tests.mock_exchange.trading.build import COIN, NOW_NS, EngineBook, Floor, floor, ticket

BUY, SELL = Side.BUY, Side.SELL
MARKET, MAKER = SpotType.MARKET, SpotType.LIMIT_MAKER
IOC, FOK = TimeInForce.IOC, TimeInForce.FOK


def with_asks(*levels: tuple[int, int]) -> Floor:
    f = floor(fee_ppm=0)
    for price, lots in levels:
        f.book.limit(SELL, price, lots)
    return f


def test_a_limit_order_rests_trades_in_part_and_fills() -> None:
    f = with_asks((101, 3))
    order = f.place(ticket(BUY, 10, 100))
    assert (order.status, order.locked) == (SpotStatus.NEW, 1000 * UNIT)
    f.book.limit(SELL, 100, 4)
    assert (order.status, order.executed_lots, order.locked) == (SpotStatus.PARTIALLY_FILLED, 4, 600 * UNIT)
    f.book.limit(SELL, 99, 6)
    assert (order.status, order.executed_quote, order.locked) == (SpotStatus.FILLED, 1000 * UNIT, 0)
    assert f.steps(order) == [("NEW", "NEW"), ("TRADE", "PARTIALLY_FILLED"), ("TRADE", "FILLED")]
    assert [report.is_in_book for report in f.reports(order)] == [True, True, False]


def test_a_taker_pays_the_makers_price_and_gets_the_rest_back() -> None:
    f = with_asks((95, 3), (97, 3))
    order = f.place(ticket(BUY, 10, 100))
    assert [(fill.price_ticks, fill.qty_lots) for fill in order.fills] == [(95, 3), (97, 3)]
    assert order.locked == 400 * UNIT == f.alice.ledger.locked("USDT")
    assert f.alice.ledger.free("USDT") == (5_000_000 - 400 - 3 * 95 - 3 * 97) * UNIT
    assert f.steps(order)[0] == ("NEW", "NEW")


@pytest.mark.parametrize(
    ("time_in_force", "executed", "status"), [(IOC, 6, SpotStatus.EXPIRED), (FOK, 0, SpotStatus.EXPIRED)]
)
def test_what_does_not_wait_expires(time_in_force: TimeInForce, executed: int, status: SpotStatus) -> None:
    f = with_asks((95, 3), (97, 3), (101, 9))
    order = f.place(ticket(BUY, 10, 100, time_in_force=time_in_force))
    assert (order.executed_lots, order.status, order.locked) == (executed, status, 0)
    assert f.steps(order)[-1] == ("EXPIRED", "EXPIRED")
    assert f.book.touch().ask_lots == (9 if executed else 3)


def test_fill_or_kill_fills_whole() -> None:
    order = with_asks((95, 3), (97, 7)).place(ticket(BUY, 10, 97, time_in_force=FOK))
    assert (order.executed_lots, order.status) == (10, SpotStatus.FILLED)


def test_fill_or_kill_counts_what_icebergs_hide() -> None:
    f = floor()
    f.book.limit(SELL, 100, 10, display_lots=2)
    assert f.place(ticket(BUY, 10, 100, time_in_force=FOK)).status is SpotStatus.FILLED


def test_a_market_order_expires_where_the_book_ends() -> None:
    f = with_asks((95, 3), (97, 3))
    order = f.place(ticket(BUY, 10, type_=MARKET))
    assert (order.executed_lots, order.status, order.locked) == (6, SpotStatus.EXPIRED, 0)
    assert f.steps(order) == [
        ("NEW", "NEW"),
        ("TRADE", "PARTIALLY_FILLED"),
        ("TRADE", "PARTIALLY_FILLED"),
        ("EXPIRED", "EXPIRED"),
    ]
    assert f.place(ticket(BUY, 10, type_=MARKET)).executed_lots == 0


def test_a_maker_only_order_never_takes() -> None:
    f = with_asks((100, 1))
    would_take = (-2010, "Order would immediately match and take.")
    assert f.refused(ticket(BUY, 1, 100, MAKER)) == would_take
    assert f.place(ticket(BUY, 1, 99, MAKER)).status is SpotStatus.NEW
    assert f.refused(ticket(SELL, 1, 99, MAKER)) == would_take


@pytest.mark.parametrize(
    ("quote", "lots", "spent"), [("100", 1, 90), ("180", 2, 180), ("379", 3, 280), ("380", 4, 380), ("385", 4, 380)]
)
def test_buying_for_an_amount_never_spends_more(quote: str, lots: int, spent: int) -> None:
    f = with_asks((90, 2), (100, 10))
    order = f.place(ticket(BUY, quote=quote, type_=MARKET))
    assert (order.qty_lots, order.executed_lots, order.status) == (lots, lots, SpotStatus.FILLED)
    assert order.executed_quote == spent * UNIT and order.quote_qty == amount_of(Decimal(quote))


def test_buying_for_more_than_the_book_has_expires() -> None:
    order = with_asks((90, 2), (100, 1)).place(ticket(BUY, quote=580, type_=MARKET))
    assert (order.executed_lots, order.qty_lots, order.status) == (3, 6, SpotStatus.EXPIRED)


@pytest.mark.parametrize(("quote", "lots"), [(100, 1), (149, 1), (150, 2), (200, 2), (285, 3), (60, 1)])
def test_selling_for_an_amount_receives_about_that(quote: int, lots: int) -> None:
    f = floor(fee_ppm=0)
    f.book.limit(BUY, 100, 2)
    f.book.limit(BUY, 90, 10)
    assert f.place(ticket(SELL, quote=quote, type_=MARKET)).executed_lots == lots


def test_an_amount_finds_an_empty_book_or_is_too_small() -> None:
    assert floor().refused(ticket(BUY, quote=100, type_=MARKET)) == (
        -2010,
        "Order book liquidity is less than symbol minimum quantity.",
    )
    assert with_asks((100, 5)).refused(ticket(BUY, quote=99, type_=MARKET)) == (-1013, "Filter failure: LOT_SIZE")


@given(
    levels=st.lists(st.tuples(st.integers(90, 110), st.integers(1, 9)), min_size=1, max_size=8),
    quote=st.integers(90, 3000),
)
def test_an_amount_buys_as_much_as_trying_lot_by_lot(levels: list[tuple[int, int]], quote: int) -> None:
    f = with_asks(*levels)
    left, best = quote, 0
    for price, lots in sorted(levels):
        for _ in range(lots):
            if left < price:
                break
            left, best = left - price, best + 1
        else:
            continue
        break
    if not best:
        assert f.refused(ticket(BUY, quote=quote, type_=MARKET))[0] == -1013
    else:
        order = f.place(ticket(BUY, quote=quote, type_=MARKET))
        assert (order.executed_lots, order.executed_quote) == (best, (quote - left) * UNIT)


def test_insufficient_balance() -> None:
    poor = (-2010, "Account has insufficient balance for requested action.")
    f = floor(balances={"USDT": Decimal(1000), "COIN": Decimal(10)}, fee_ppm=0)
    f.book.limit(SELL, 100, 5)
    f.book.limit(SELL, 120, 50)
    assert f.refused(ticket(BUY, 11, 100)) == poor
    assert f.refused(ticket(SELL, 11, 100)) == poor
    assert f.refused(ticket(BUY, 10, type_=MARKET)) == poor
    assert f.refused(ticket(BUY, 10, None, SpotType.STOP_LOSS, stop=101)) == poor
    assert f.refused(ticket(BUY, quote=1200, type_=MARKET)) == poor
    f.place(ticket(BUY, 5, 90))
    assert f.refused(ticket(BUY, 6, 100)) == poor
    assert f.place(ticket(BUY, 5, type_=MARKET)).executed_quote == 500 * UNIT
    assert f.alice.ledger.free("USDT") == 50 * UNIT


def test_client_ids_are_unique_among_open_orders_of_an_account() -> None:
    f = floor()
    first = f.place(ticket(BUY, 1, 90, client_order_id="mine"))
    assert f.refused(ticket(SELL, 1, 110, client_order_id="mine")) == (-2010, "Duplicate order sent.")
    f.place(ticket(BUY, 1, 90, client_order_id="mine"), f.bob)
    f.desk.cancel(f.alice, "COINUSDT", OrderRef(client_order_id="mine"), f.now_ns)
    again = f.place(ticket(BUY, 1, 90, client_order_id="mine"))
    assert first.status is SpotStatus.CANCELED and again.order_id != first.order_id
    assert f.desk.order(f.alice, "COINUSDT", OrderRef(client_order_id="mine")) is again


def test_orders_without_a_client_id_get_one() -> None:
    f = floor()
    ids = [f.place(ticket(BUY, 1, 90)).client_order_id for _ in range(20)]
    assert len(set(ids)) == 20 and all(re.fullmatch("[0-9A-Za-z]{22}", one) for one in ids)


def test_a_halted_symbol_takes_no_orders_but_cancels() -> None:
    f = floor()
    order = f.place(ticket(BUY, 1, 90))
    f.book.is_halted = True
    assert f.refused(ticket(BUY, 1, 90)) == (-2010, "Market is closed.")
    assert f.desk.cancel(f.alice, "COINUSDT", OrderRef(order.order_id), f.now_ns).status is SpotStatus.CANCELED


def test_unknown_symbols_and_accounts_that_may_not_trade() -> None:
    assert floor().refused(ticket(BUY, 1, 90, symbol="NOPE")) == (-1121, "Invalid symbol.")
    book, accounts = EngineBook(COIN), Accounts([AccountSpec("a", {"USDT": Decimal(1000)}, can_trade=False)])
    desk = Desk({"COINUSDT": book}, accounts, lambda _event: None)
    with pytest.raises(VenueError, match="may not place or cancel"):
        desk.place(accounts.all()[0], ticket(BUY, 1, 90), NOW_NS)


def test_cancelling_frees_the_money_and_names_the_request() -> None:
    f = floor()
    order = f.place(ticket(BUY, 10, 90, client_order_id="mine"))
    f.desk.cancel(f.alice, "COINUSDT", OrderRef(order.order_id), f.now_ns, request_id="away")
    last = f.reports(order)[-1]
    assert (last.client_order_id, last.request_id, last.execution) == ("mine", "away", "CANCELED")
    assert order.cancel_request_id == "away" and f.alice.ledger.locked("USDT") == 0
    assert f.book.touch().bid_ticks == 0


def test_cancels_that_are_refused() -> None:
    f = floor()
    order = f.place(ticket(BUY, 10, 90, client_order_id="mine"))

    def refused(which: OrderRef, restriction: str | None = None) -> tuple[int, str]:
        before = f.state()
        with pytest.raises(VenueError) as refusal:
            f.desk.cancel(f.alice, "COINUSDT", which, f.now_ns, restriction=restriction)
        assert f.state() == before
        return refusal.value.code, refusal.value.message

    unknown = (-2011, "Unknown order sent.")
    restricted = (-2011, "Order was not canceled due to cancel restrictions.")
    assert refused(OrderRef(99)) == refused(OrderRef(order.order_id, "other")) == unknown
    assert refused(OrderRef(order.order_id), "ONLY_PARTIALLY_FILLED") == restricted
    f.book.limit(SELL, 90, 1)
    assert refused(OrderRef(order.order_id), "ONLY_NEW") == restricted
    f.desk.cancel(f.alice, "COINUSDT", OrderRef(None, "mine"), f.now_ns, restriction="ONLY_PARTIALLY_FILLED")
    assert refused(OrderRef(order.order_id)) == unknown
    with pytest.raises(VenueError, match="Unknown order sent"):
        f.desk.cancel_all(f.alice, "COINUSDT", f.now_ns)


def test_an_iceberg_shows_a_slice_at_a_time() -> None:
    f = floor()
    order = f.place(ticket(SELL, 10, 100, iceberg=3))
    assert f.book.touch().ask_lots == 3 and order.locked == 10 * UNIT
    f.book.limit(BUY, 100, 4)
    assert f.book.touch().ask_lots == 2 and order.left_lots == 6


def test_events_of_a_placement_are_each_followed_by_balances() -> None:
    f = floor(fee_ppm=0)
    f.place(ticket(SELL, 3, 100), f.bob)
    f.events.clear()
    f.place(ticket(BUY, 5, 100))
    kinds = [
        (event.account_id, event.execution.value if isinstance(event, OrderReport) else "BALANCES")
        for event in f.events
        if isinstance(event, OrderReport | AccountPosition)
    ]
    assert kinds == [(1, "NEW"), (1, "BALANCES"), (2, "TRADE"), (2, "BALANCES"), (1, "TRADE"), (1, "BALANCES")]
    last = f.events[-1]
    assert isinstance(last, AccountPosition)
    assert last.balances == (
        ("COIN", 100_003 * UNIT, 0),
        ("USDT", (5_000_000 - 500) * UNIT, 200 * UNIT),
    )


def test_deposits_and_withdrawals() -> None:
    f = floor()
    f.desk.deposit(f.alice, "COIN", Decimal("1.5"), f.now_ns)
    f.desk.deposit(f.alice, "NEW", Decimal(3), f.now_ns)
    assert f.events[0] == BalanceUpdate(1, NOW_NS, "COIN", 3 * UNIT // 2)
    assert f.events[3] == AccountPosition(1, NOW_NS, (("NEW", 3 * UNIT, 0),))
    for amount, code in (("-3.1", -2010), ("0.000000001", -1111)):
        with pytest.raises(VenueError) as refusal:
            f.desk.deposit(f.alice, "NEW", Decimal(amount), f.now_ns)
        assert refusal.value.code == code
    f.desk.deposit(f.alice, "NEW", Decimal(-3), f.now_ns)
    assert f.alice.ledger.total("NEW") == f.total("NEW") == 0


def test_what_changes_hands_is_cut_and_what_is_held_rounded_up() -> None:
    fine = Listing("COINUSDT", "COIN", "USDT", Decimal("0.00001"), Decimal("0.0001"), Decimal(0))
    f = floor(fine, fee_ppm=0)
    order = f.place(ticket(BUY, "0.0003", "0.00091"))
    assert order.locked == 28  # 27.3
    for left, locked, paid in ((2, 19, 9), (1, 10, 18), (0, 0, 27)):
        f.book.limit(SELL, 91, 1)
        assert (order.left_lots, order.locked, order.executed_quote) == (left, locked, paid)
    assert f.alice.ledger.free("USDT") == 5_000_000 * UNIT - 27
