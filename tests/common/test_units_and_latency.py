"""Exact conversions, and a histogram against sorting."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.latency import LatencyHistogram
from common.messages import mix64
from common.units import bps_to_ppm, decimals_of, floor_steps, format_steps, percent_to_ppm, to_steps

STEPS = st.sampled_from([Decimal(s) for s in ("0.01", "1E-8", "0.5", "5", "0.00025", "1")])


@given(st.integers(-(10**12), 10**12), STEPS)
def test_steps_and_text_round_trip(steps: int, step: Decimal) -> None:
    text = format_steps(steps, step)
    assert "E" not in text
    assert to_steps(Decimal(text), step) == steps
    assert floor_steps(abs(steps) * step + step / 2, step) == abs(steps)


@given(st.integers(1, 10**9), STEPS)
def test_off_the_grid_is_refused(steps: int, step: Decimal) -> None:
    with pytest.raises(ValueError, match="not a multiple"):
        to_steps(steps * step + step / 3, step)


def test_decimals_and_rates() -> None:
    assert [decimals_of(Decimal(s)) for s in ("0.01", "1E-8", "0.5", "5", "10", "0.10")] == [2, 8, 1, 0, 0, 1]
    assert percent_to_ppm(Decimal("1.5")) == 15_000
    assert bps_to_ppm(Decimal(10)) == 1_000


@given(st.lists(st.integers(0, 2**50), min_size=1, max_size=200), st.floats(0.01, 1.0))
def test_quantiles_are_within_a_thirtysecond_of_sorting(values: list[int], q: float) -> None:
    hist = LatencyHistogram()
    for value in values:
        hist.record(value)
    exact = sorted(values)[max(1, -int(-q * len(values) // 1)) - 1]
    assert exact <= hist.quantile(q) <= exact * (1 + 1 / 32) + 1
    assert hist.below(max(values)) == len(values)


def test_ids_follow_the_fact_and_differ() -> None:
    ids = [mix64(n) for n in range(10_000)]
    assert ids == [mix64(n) for n in range(10_000)]
    assert len(set(ids)) == len(ids)
    assert all(0 <= i < 2**63 for i in ids)
