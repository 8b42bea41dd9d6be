"""Against statsmodels, the closed family of tests that Holm stands for, and a table by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from models.cointegration import correct_p_values


@settings(max_examples=12, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_equals_statsmodels(values: list[float]) -> None:
    found = correct_p_values(values)
    np.testing.assert_allclose(found.holm, multipletests(values, method="holm")[1], rtol=1e-12, atol=1e-15)
    expected = multipletests(values, method="fdr_bh")[1]
    np.testing.assert_allclose(found.benjamini_hochberg, expected, rtol=1e-12, atol=1e-15)
    assert (found.raw <= found.benjamini_hochberg + 1e-12).all()
    assert (found.benjamini_hochberg <= found.holm + 1e-12).all()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holm_is_bonferroni_on_every_subset(values: list[float]) -> None:
    """A null is rejected once every set of nulls it is part of is: the largest size x smallest p of those."""
    m = len(values)
    subsets = [[i for i in range(m) if mask >> i & 1] for mask in range(1, 1 << m)]
    for i, found in enumerate(correct_p_values(values).holm):
        worst = max(min(1.0, len(some) * min(values[j] for j in some)) for some in subsets if i in some)
        assert found == pytest.approx(worst, abs=1e-15)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.floats(0.001, 0.999))
def test_benjamini_hochberg_steps_up(values: list[float], level: float) -> None:
    """Rejected are the k smallest for the largest k with the k-th smallest p at most k level / m."""
    ordered, m = sorted(values), len(values)
    passing = [k for k in range(1, m + 1) if ordered[k - 1] * (m / k) <= level]
    expected = passing[-1] if passing else 0
    assert (correct_p_values(values).benjamini_hochberg <= level).sum() == expected


def test_by_hand() -> None:
    found = correct_p_values([0.04, 0.001, 0.03, 0.5])
    assert found.holm == pytest.approx([0.09, 0.004, 0.09, 0.5])
    assert found.benjamini_hochberg == pytest.approx([0.16 / 3, 0.004, 0.16 / 3, 0.5])


@pytest.mark.parametrize("values", [[], [[0.1]], [0.1, np.nan], [-0.1], [1.1]])
def test_bad_values(values: list[object]) -> None:
    with pytest.raises(ValueError, match="p_values"):
        correct_p_values(values)  # type: ignore[arg-type]
