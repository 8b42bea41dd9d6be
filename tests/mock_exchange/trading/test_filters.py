"""Every filter to the letter, on both sides of its bounds; and exchangeInfo as the desk's rules have it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from common.messages.base import Side
from common.messages.orders import TimeInForce
from services.mock_exchange.api.exchange_info import spot_info
from services.mock_exchange.trading.account_filters import (
    MaxNumAlgoOrders,
    MaxNumIcebergOrders,
    MaxNumOrders,
    MaxPosition,
)
from services.mock_exchange.trading.amounts import UNIT
from services.mock_exchange.trading.filters import (
    Candidate,
    Filter,
    IcebergParts,
    LotSize,
    MarketLotSize,
    MinNotional,
    Notional,
    PercentPrice,
    PercentPriceBySide,
    PriceFilter,
    Surroundings,
    TrailingDelta,
)
from services.mock_exchange.trading.orders import SelfTrade, SpotType
from services.mock_exchange.trading.rules import rules_of
from tests.mock_exchange.trading.build import BTCUSDT, COIN, ETHBTC, Floor, floor, ticket

BUY, SELL = Side.BUY, Side.SELL
LIMIT, MARKET = SpotType.LIMIT, SpotType.MARKET
STOP, STOP_LIMIT, PROFIT = SpotType.STOP_LOSS, SpotType.STOP_LOSS_LIMIT, SpotType.TAKE_PROFIT
AROUND = Surroundings(lambda minutes: 100 if minutes else 200, 2, 2, 2, 50)


def order(side: Side = BUY, kind: SpotType = LIMIT, qty: int = 10, **fields: int) -> Candidate:
    return Candidate(side, kind, qty, **fields)


PRICES = PriceFilter(10, 100, 5)
LOTS, MARKET_LOTS = LotSize(10, 100, 5), MarketLotSize(10, 100, 5)
DELTAS = TrailingDelta(10, 20, 30, 40)
PERCENT = PercentPrice(Decimal("1.1"), Decimal("0.9"), 5)
BY_SIDE = PercentPriceBySide(Decimal("1.1"), Decimal("0.5"), Decimal(2), Decimal("0.9"), 5)
LEAST = MinNotional(10, True, 5)
BOTH = Notional(10, True, 20, False, 5)
HALF = UNIT // 10


@pytest.mark.parametrize(
    ("rule", "candidate", "passes"),
    [
        (PRICES, order(price=10), True),
        (PRICES, order(price=100), True),
        (PRICES, order(price=9), False),
        (PRICES, order(price=105), False),
        (PRICES, order(price=12), False),
        (PRICES, order(price=15, stop_price=5), False),
        (PRICES, order(price=15, stop_price=17), False),
        (PRICES, order(kind=MARKET), True),
        (PriceFilter(0, 0, 0), order(price=10**15 + 1), True),
        (LOTS, order(qty=10), True),
        (LOTS, order(qty=100), True),
        (LOTS, order(qty=5), False),
        (LOTS, order(qty=105), False),
        (LOTS, order(qty=12), False),
        (LOTS, order(qty=20, iceberg_qty=5), False),
        (LOTS, order(kind=MARKET, qty=0, quote_qty=3), True),
        (LOTS, order(kind=MARKET, qty=12), False),
        (LotSize(0, 0, 0), order(qty=123_457), True),
        (MARKET_LOTS, order(qty=12), True),
        (MARKET_LOTS, order(kind=MARKET, qty=12), False),
        (MARKET_LOTS, order(kind=MARKET, qty=15), True),
        (MARKET_LOTS, order(kind=STOP, qty=12), True),
        (IcebergParts(3), order(qty=30, iceberg_qty=10), True),
        (IcebergParts(3), order(qty=31, iceberg_qty=10), False),
        (IcebergParts(3), order(qty=31), True),
        (DELTAS, order(kind=STOP, trailing_delta_bps=10), True),
        (DELTAS, order(kind=STOP, trailing_delta_bps=9), False),
        (DELTAS, order(kind=STOP_LIMIT, trailing_delta_bps=21), False),
        (DELTAS, order(SELL, PROFIT, trailing_delta_bps=20), True),
        (DELTAS, order(SELL, PROFIT, trailing_delta_bps=30), False),
        (DELTAS, order(SELL, STOP, trailing_delta_bps=29), False),
        (DELTAS, order(SELL, STOP, trailing_delta_bps=30), True),
        (DELTAS, order(BUY, PROFIT, trailing_delta_bps=40), True),
        (DELTAS, order(BUY, PROFIT, trailing_delta_bps=41), False),
        (DELTAS, order(), True),
        (PERCENT, order(price=110), True),
        (PERCENT, order(price=111), False),
        (PERCENT, order(price=90), True),
        (PERCENT, order(price=89), False),
        (PercentPrice(Decimal("1.1"), Decimal("0.9"), 0), order(price=220), True),
        (PERCENT, order(kind=MARKET), True),
        (BY_SIDE, order(price=110), True),
        (BY_SIDE, order(price=111), False),
        (BY_SIDE, order(price=50), True),
        (BY_SIDE, order(price=49), False),
        (BY_SIDE, order(SELL, price=200), True),
        (BY_SIDE, order(SELL, price=201), False),
        (BY_SIDE, order(SELL, price=90), True),
        (BY_SIDE, order(SELL, price=89), False),
        (LEAST, order(price=100, qty=HALF), True),
        (LEAST, order(price=100, qty=HALF - 1), False),
        (LEAST, order(kind=MARKET, qty=HALF - 1), False),
        (MinNotional(10, False, 5), order(kind=MARKET, qty=1), True),
        (MinNotional(10, True, 0), order(kind=MARKET, qty=HALF // 2), True),
        (LEAST, order(kind=MARKET, qty=0, quote_qty=10), True),
        (LEAST, order(kind=MARKET, qty=0, quote_qty=9), False),
        (BOTH, order(price=100, qty=HALF - 1), False),
        (BOTH, order(price=100, qty=2 * HALF), True),
        (BOTH, order(price=100, qty=2 * HALF + 1), False),
        (BOTH, order(kind=MARKET, qty=2 * HALF + 1), True),
        (Notional(10, False, 20, True, 5), order(kind=MARKET, qty=2 * HALF + 1), False),
        (Notional(10, False, 20, True, 5), order(kind=MARKET, qty=1), True),
        (BOTH, order(kind=STOP, stop_price=50, qty=HALF), False),
        (MaxNumOrders(3), order(), True),
        (MaxNumOrders(2), order(), False),
        (MaxNumAlgoOrders(2), order(), True),
        (MaxNumAlgoOrders(2), order(kind=STOP), False),
        (MaxNumIcebergOrders(2), order(), True),
        (MaxNumIcebergOrders(2), order(iceberg_qty=1), False),
        (MaxPosition(60), order(qty=10), True),
        (MaxPosition(60), order(qty=11), False),
        (MaxPosition(60), order(SELL, qty=11), True),
    ],
)
def test_bounds(rule: Filter, candidate: Candidate, passes: bool) -> None:
    assert rule.passes(candidate, AROUND) is passes


def with_rules(*filters: Filter) -> Floor:
    base = rules_of(COIN)
    return floor(rules=lambda _listing: replace(base, filters=(*filters, *base.filters)))


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ({"price": "100.5"}, "PRICE_FILTER"),
        ({"price": "0.5"}, "PRICE_FILTER"),
        ({"qty": "1.5"}, "LOT_SIZE"),
        ({"qty": "9001"}, "LOT_SIZE"),
        ({"qty": "30", "iceberg": "2"}, "ICEBERG_PARTS"),
        ({"qty": "30", "iceberg": "4.5"}, "LOT_SIZE"),
        ({"price": "501"}, "PERCENT_PRICE_BY_SIDE"),
        ({"price": "19"}, "PERCENT_PRICE_BY_SIDE"),
        ({"qty": "9000", "price": "500"}, None),
        ({"type_": STOP, "price": None, "stop": "101.5"}, "PRICE_FILTER"),
        ({"type_": STOP, "price": None, "stop": "110", "trailing_delta_bps": 5}, "TRAILING_DELTA"),
        ({"type_": MARKET, "price": None, "qty": "9001"}, "LOT_SIZE"),
    ],
)
def test_a_failure_is_named_as_the_venue_does(asked: dict[str, Any], name: str | None) -> None:
    f = floor()
    wanted = ticket(BUY, **{"qty": 10, "price": 100} | asked)
    if name is None:
        assert f.place(wanted).order_id == 1
    else:
        assert f.refused(wanted) == (-1013, f"Filter failure: {name}")


def test_notional_of_limit_and_market_orders() -> None:
    f = floor(BTCUSDT, last_price_ticks=6_000_000)
    f.book.limit(Side.SELL, 6_000_000, 1000)
    small = (-1013, "Filter failure: NOTIONAL")
    assert f.refused(ticket(BUY, "0.00008", "60000", symbol="BTCUSDT")) == small
    assert f.refused(ticket(BUY, "0.00008", type_=MARKET, symbol="BTCUSDT")) == small
    assert f.refused(ticket(BUY, quote="4.99", type_=MARKET, symbol="BTCUSDT")) == small
    assert f.place(ticket(BUY, "0.00009", "60000", symbol="BTCUSDT")).executed_lots == 9
    assert f.place(ticket(BUY, quote="5", type_=MARKET, symbol="BTCUSDT")).executed_lots == 8


@pytest.mark.parametrize("name", ["qty", "price", "stop", "iceberg", "quote"])
def test_more_than_eight_decimals_are_too_many(name: str) -> None:
    kind = SpotType.STOP_LOSS_LIMIT if name == "stop" else MARKET if name == "quote" else LIMIT
    fields = {"qty": None} if name == "quote" else {"qty": 5, "price": 100}
    wire = {"qty": "quantity", "stop": "stopPrice", "iceberg": "icebergQty", "quote": "quoteOrderQty"}.get(name, name)
    asked = fields | {name: "5.000000001"}
    assert floor().refused(ticket(BUY, type_=kind, **asked)) == (
        -1111,
        f"Parameter '{wire}' has too much precision.",
    )


def test_numbers_with_very_many_digits_are_still_exact() -> None:
    huge = "9" * 20 + "." + "9" * 20
    assert floor().refused(ticket(BUY, huge, 100))[0] == -1111
    assert floor().refused(ticket(BUY, "9" * 20, 100)) == (-1013, "Filter failure: LOT_SIZE")


def test_zero_is_no_quantity_and_no_price() -> None:
    assert floor().refused(ticket(BUY, 0, 100)) == (-1013, "Invalid quantity.")
    assert floor().refused(ticket(BUY, 1, 0)) == (-1013, "Invalid price.")


def test_counts_are_of_open_orders_of_the_account() -> None:
    f = with_rules(MaxNumOrders(2), MaxNumAlgoOrders(1), MaxNumIcebergOrders(1))
    stop = ticket(BUY, 5, None, STOP, stop=110)
    iceberg = ticket(BUY, 5, 90, iceberg=2)
    first = f.place(stop)
    assert f.refused(stop) == (-1013, "Filter failure: MAX_NUM_ALGO_ORDERS")
    f.place(iceberg)
    assert f.refused(ticket(BUY, 5, 90)) == (-1013, "Filter failure: MAX_NUM_ORDERS")
    f.place(stop, f.bob)
    f.desk.cancel_all(f.alice, "COINUSDT", f.now_ns)
    assert not first.status.is_open
    f.place(iceberg)
    assert f.refused(iceberg) == (-1013, "Filter failure: MAX_NUM_ICEBERG_ORDERS")


def test_position_is_what_is_owned_and_asked_for() -> None:
    f = with_rules(MaxPosition(100_010 * UNIT))
    f.place(ticket(BUY, 6, 90))
    assert f.refused(ticket(BUY, 5, 90)) == (-1013, "Filter failure: MAX_POSITION")
    f.place(ticket(BUY, 4, 90))
    f.place(ticket(SELL, 5, 110))


def test_a_filter_coarser_than_the_grid_holds() -> None:
    f = with_rules(LotSize(10 * UNIT, 0, 5 * UNIT), PriceFilter(0, 0, 4 * UNIT))
    assert f.refused(ticket(BUY, 12, 100)) == (-1013, "Filter failure: LOT_SIZE")
    assert f.refused(ticket(BUY, 15, 98)) == (-1013, "Filter failure: PRICE_FILTER")
    f.book.limit(SELL, 100, 100)
    assert f.place(ticket(BUY, quote=1790, type_=MARKET)).executed_lots == 15


def test_a_self_trade_mode_the_symbol_does_not_allow() -> None:
    allowed = replace(rules_of(COIN), self_trades=(SelfTrade.NONE,), self_trade=SelfTrade.NONE)
    f = floor(rules=lambda _listing: allowed)
    assert f.refused(ticket(BUY, 1, 100, self_trade=SelfTrade.DECREMENT)) == (
        -1013,
        "This symbol does not allow the specified self-trade prevention mode.",
    )
    assert f.place(ticket(BUY, 1, 100)).self_trade is SelfTrade.NONE


def test_icebergs_that_are_none() -> None:
    assert floor().refused(ticket(BUY, 5, 100, iceberg=6)) == (-2010, "IcebergQty exceeds QTY.")
    asked = ticket(BUY, 5, 100, iceberg=2, time_in_force=TimeInForce.IOC)
    assert floor().refused(asked) == (-1014, "Unsupported order combination.")


@pytest.mark.parametrize("listing", [BTCUSDT, ETHBTC])
def test_exchange_info_says_what_the_desk_does(listing: Any) -> None:
    rules = rules_of(listing)
    told = spot_info([listing], 0)["symbols"][0]
    assert [one["filterType"] for one in told["filters"]] == [
        *(rule.name for rule in rules.filters),
        "MAX_NUM_ORDER_LISTS",
        "MAX_NUM_ORDER_AMENDS",
    ]
    by_name = {one["filterType"]: one for one in told["filters"]}
    assert Decimal(by_name["PRICE_FILTER"]["tickSize"]) == listing.tick_size
    assert Decimal(by_name["LOT_SIZE"]["stepSize"]) == listing.lot_size
    assert Decimal(by_name["NOTIONAL"]["minNotional"]) == listing.min_notional
    assert set(told["orderTypes"]) == {kind.value for kind in SpotType}
    assert set(told["allowedSelfTradePreventionModes"]) == {mode.value for mode in SelfTrade}
    allowed = ("icebergAllowed", "ocoAllowed", "otoAllowed", "cancelReplaceAllowed", "amendAllowed")
    assert all(told[name] for name in (*allowed, "allowTrailingStop", "quoteOrderQtyMarketAllowed"))
    other = replace(rules, filters=(MaxNumOrders(3), MaxPosition(UNIT), LEAST))
    assert spot_info([listing], 0, lambda _listing: other)["symbols"][0]["filters"][:3] == [
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 3},
        {"filterType": "MAX_POSITION", "maxPosition": "1.00000000"},
        {"filterType": "MIN_NOTIONAL", "minNotional": "0.00000010", "applyToMarket": True, "avgPriceMins": 5},
    ]
