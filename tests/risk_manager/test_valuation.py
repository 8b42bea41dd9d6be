"""Money as whole units: exact there and back."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from services.risk_manager.valuation import exact_units, to_units, units_text
from tests.risk_manager.build import instrument

amounts = st.decimals(min_value=-(10**12), max_value=10**12, allow_nan=False, places=12)


@given(amounts)
def test_text_and_units_are_inverse(amount: Decimal) -> None:
    assert Decimal(units_text(to_units(amount))) == amount
    assert exact_units(amount) == to_units(amount)


def test_text_is_plain() -> None:
    assert [units_text(to_units(Decimal(t))) for t in ("0", "-0.50", "1200", "1E-20", "-7.125")] == [
        "0",
        "-0.5",
        "1200",
        "0.00000000000000000001",
        "-7.125",
    ]


def test_what_is_finer_than_a_unit_is_cut_or_refused() -> None:
    assert to_units(Decimal("1.9E-20")) == 1
    assert exact_units(Decimal("1.9E-20")) is None


@given(st.integers(-(10**20), 10**20), st.sampled_from(["0.01", "0.00001", "0.5", "1E-8"]))
def test_agrees_with_the_instruments_own_money(tick_lots: int, tick_size: str) -> None:
    grid = instrument(tick_size=Decimal(tick_size))
    units = exact_units(grid.tick_lot_value)
    assert units is not None
    assert Decimal(units_text(tick_lots * units)) == grid.money(tick_lots)
