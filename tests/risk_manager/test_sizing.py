"""Sizes and prices of entries round the careful way."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from common.messages import Side
from common.units import PPM
from services.risk_manager.sizing import entry_limit_ticks, entry_lots, exposure_price_ticks

ticks = st.integers(1, 10**9)
ppm = st.integers(0, PPM - 1)


@given(ticks, st.integers(0, 1000), ppm)
def test_a_limit_never_pays_a_tick_more_than_the_slippage_allows(bid: int, spread: int, slippage: int) -> None:
    ask = bid + spread
    buy = entry_limit_ticks(Side.BUY, bid, ask, slippage)
    sell = entry_limit_ticks(Side.SELL, bid, ask, slippage)
    worst_buy, worst_sell = ask * (1 + Fraction(slippage, PPM)), bid * (1 - Fraction(slippage, PPM))
    assert ask <= buy <= worst_buy < buy + 1
    assert bid >= sell >= worst_sell > sell - 1


@given(st.integers(1, 10**30), st.floats(0, 1), st.integers(1, 10**25), st.integers(1, 10**12))
def test_an_entry_is_worth_at_most_its_share_of_the_notional(
    notional: int, confidence: float, lot: int, most: int
) -> None:
    lots = entry_lots(notional, confidence, lot, most)
    assert 0 <= lots <= most
    assert lots * lot <= notional * Fraction(confidence)
    assert lots == most or (lots + 1) * lot > notional * Fraction(confidence)


def test_a_lot_worth_nothing_buys_nothing() -> None:
    assert entry_lots(1000, 1.0, 0, 10) == 0


def test_exposure_is_counted_at_the_limit_or_the_worse_mark() -> None:
    assert exposure_price_ticks(Side.BUY, 105, 100, 101) == 105
    assert exposure_price_ticks(Side.BUY, 105, 110, 111) == 110
    assert exposure_price_ticks(Side.SELL, 95, 100, 101) == 101
