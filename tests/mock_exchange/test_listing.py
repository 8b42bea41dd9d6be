"""Listings: the venue's decimals, and configurations it cannot carry."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.config import MockExchangeConfig
from common.config.mock_exchange import MockSymbolConfig
from common.errors import ConfigError
from services.mock_exchange.api.exchange_info import spot_info, usdm_info
from services.mock_exchange.listing import Listing, listings_from

SPOT_FIELDS = """
    symbol status baseAsset baseAssetPrecision quoteAsset quotePrecision quoteAssetPrecision orderTypes
    baseCommissionPrecision quoteCommissionPrecision icebergAllowed ocoAllowed otoAllowed amendAllowed
    quoteOrderQtyMarketAllowed allowTrailingStop cancelReplaceAllowed isSpotTradingAllowed
    isMarginTradingAllowed filters permissions permissionSets defaultSelfTradePreventionMode
    allowedSelfTradePreventionModes
"""


def listing(tick: str, lot: str) -> Listing:
    return Listing("XY", "X", "Y", Decimal(tick), Decimal(lot), Decimal(5))


@given(
    st.integers(0, 10**12),
    st.sampled_from(["0.01", "0.00001", "0.00000001", "0.5", "1", "25", "0.000125"]),
)
def test_texts_are_exact_with_eight_decimals(steps: int, step: str) -> None:
    text = listing(step, "1").price_text(steps)
    assert Decimal(text) == steps * Decimal(step)
    assert len(text.partition(".")[2]) == 8
    assert listing("1", step).qty_text(steps) == text


def test_like_the_venue() -> None:
    assert listing("0.01", "0.00001").price_text(6_000_001) == "60000.01000000"


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"tick_size": Decimal("1E-9")}, "mock_exchange.symbols[0].tick_size"),
        ({"lot_size": Decimal("0.000000015")}, "mock_exchange.symbols[0].lot_size"),
        ({"start_price": Decimal("0.05")}, "mock_exchange.symbols[0].start_price"),
    ],
)
def test_what_the_wire_cannot_carry_is_refused_by_name(changes: dict, key: str) -> None:
    item = MockExchangeConfig().symbols[0].model_dump() | changes
    with pytest.raises(ConfigError) as error:
        listings_from(MockExchangeConfig(symbols=(MockSymbolConfig(**item),)))
    assert error.value.key == key


def test_exchange_info_has_all_a_spot_client_reads() -> None:
    info = spot_info(listings_from(MockExchangeConfig()), 1700000000000)
    assert {"timezone", "serverTime", "rateLimits", "exchangeFilters", "symbols"} <= set(info)
    symbol = info["symbols"][0]
    for field in SPOT_FIELDS.split():
        assert field in symbol
    filters = {f["filterType"]: f for f in symbol["filters"]}
    assert list(filters)[:2] == ["PRICE_FILTER", "LOT_SIZE"]
    assert filters["PRICE_FILTER"]["tickSize"] == "0.01000000"
    assert filters["LOT_SIZE"]["stepSize"] == "0.00001000"
    assert filters["NOTIONAL"]["minNotional"] == "5.00000000"


def test_usdm_writes_its_own_filters() -> None:
    symbol = usdm_info([listing("0.10", "0.001")], 0)["symbols"][0]
    filters = {f["filterType"]: f for f in symbol["filters"]}
    assert filters["PRICE_FILTER"]["tickSize"] == "0.1" and symbol["pricePrecision"] == 1
    assert filters["LOT_SIZE"]["stepSize"] == "0.001" and symbol["quantityPrecision"] == 3
    assert filters["MIN_NOTIONAL"]["notional"] == "5"
    assert symbol["contractType"] == "PERPETUAL"
