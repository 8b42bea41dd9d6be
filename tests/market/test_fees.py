"""Commission: equal to exact fractions, and never below them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.messages import Instrument
from market.fees import fee_e8

STEPS = st.sampled_from([Decimal(t) for t in ("100", "1", "0.5", "0.25", "0.01", "0.00001", "1E-8")])


def instrument(tick: Decimal, lot: Decimal) -> Instrument:
    return Instrument(
        event_ns=0,
        origin_ns=0,
        trace_id=0,
        venue="binance",
        symbol="BTCUSDT",
        base="BTC",
        quote="USDT",
        tick_size=tick,
        lot_size=lot,
    )


@given(
    tick=STEPS,
    lot=STEPS,
    price=st.integers(0, 10**9),
    qty=st.integers(0, 10**12),
    rate=st.integers(-1000, 100_000),
)
def test_equals_the_fraction_rounded_up(tick: Decimal, lot: Decimal, price: int, qty: int, rate: int) -> None:
    exact = Fraction(price) * Fraction(tick) * qty * Fraction(lot) * Fraction(rate, 10**6) * 10**8
    assert fee_e8(instrument(tick, lot), price, qty, rate) == ceil(exact)


@given(qty=st.integers(1, 10**6), parts=st.lists(st.integers(1, 1000), max_size=20))
def test_many_small_fills_never_cost_less_than_one_large(qty: int, parts: list[int]) -> None:
    inst = instrument(Decimal("0.01"), Decimal("0.00001"))
    whole = fee_e8(inst, 4_215_050, qty + sum(parts), 1000)
    assert whole <= sum(fee_e8(inst, 4_215_050, q, 1000) for q in [qty, *parts]) <= whole + len(parts)


@pytest.mark.parametrize(("rate_ppm", "expected"), [(1000, 50_000_000), (0, 0), (1, 50_000)])
def test_known_values(rate_ppm: int, expected: int) -> None:
    """0.01 BTC at 50,000.00: a notional of 500, ten basis points of it are 0.5."""
    assert fee_e8(instrument(Decimal("0.01"), Decimal("0.00001")), 5_000_000, 1000, rate_ppm) == expected


def test_what_is_below_the_precision_still_costs_the_smallest_unit() -> None:
    assert fee_e8(instrument(Decimal("1E-8"), Decimal("1E-8")), 1, 1, 1) == 1
