"""The lag length against the search of statsmodels, which fits every regression by itself."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter
from statsmodels.tsa.stattools import adfuller

from models.cointegration.lags import Criterion, Trend, resolve_lags
from tests.models.cointegration.made_up import walks


@pytest.mark.parametrize("trend", ["n", "c", "ct", "ctt"])
@pytest.mark.parametrize("criterion", ["aic", "bic", "t-stat"])
def test_the_lag_length_is_that_of_statsmodels(trend: Trend, criterion: Criterion) -> None:
    chosen = set()
    for seed in range(12):
        # Differences with memory, so that lags are worth their while, on a level of another size.
        steps = lfilter([1.0, 0.4], [1.0, -0.3, 0.0, 0.25], walks(seed, 120 + 40 * seed)[:, 0])
        x = 1e3 + steps * 10.0 ** (seed - 6)
        expected = adfuller(x, regression=trend, autolag=criterion, result_object=True).lags
        assert resolve_lags(x, trend, criterion, None) == expected
        chosen.add(expected)
    assert len(chosen) >= 3


def test_a_bound_and_a_given_number_are_kept() -> None:
    x = lfilter([1.0, 0.9], [1.0], walks(5, 400)[:, 0])
    for bound in (0, 1, 3):
        expected = adfuller(x, maxlag=bound, autolag="aic", result_object=True).lags
        assert resolve_lags(x, "c", "aic", bound) == expected
        assert resolve_lags(x, "c", None, bound) == bound


@pytest.mark.parametrize(
    ("criterion", "most", "reason"),
    [("hqic", None, "criterion"), (None, None, "must be given"), ("aic", -1, "max_lags"), (None, 49, "0 to 48")],
)
def test_bad_arguments(criterion: Criterion | None, most: int | None, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        resolve_lags(np.sin(np.arange(100.0) ** 1.5), "c", criterion, most)
