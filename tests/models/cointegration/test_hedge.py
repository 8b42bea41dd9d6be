"""Against own regressions; the bias that leads and lags take out, and how often its interval holds the truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import lstsq

from models.cointegration import Hedge, fit_hedge
from tests.models.cointegration.made_up import pair


def test_static_is_least_squares() -> None:
    y, x = pair(1)
    found = fit_hedge(y, x, method="static")
    slope, intercept = np.polyfit(x, y, 1)
    assert (found.ratio, found.intercept) == pytest.approx((slope, intercept), rel=1e-9)
    assert found.ratio_error is None and found.observations == 500
    assert found.spread(y, x) == pytest.approx(y - slope * x - intercept, abs=1e-9)


@pytest.mark.parametrize(("k", "width"), [(0, 0), (1, 3), (4, 12)])
def test_dynamic_by_an_own_regression_and_bartlett_sum(k: int, width: int) -> None:
    y, x = pair(2, 200)
    found = fit_hedge(y, x, leads_lags=k, bandwidth=width)
    rows = range(k + 1, 200 - k)
    design = np.array([[x[t], 1.0, *(x[t + j] - x[t + j - 1] for j in range(-k, k + 1))] for t in rows])
    weights = lstsq(design, y[list(rows)])[0]
    assert (found.ratio, found.intercept) == pytest.approx(weights[:2], rel=1e-8)
    scores = design * (y[list(rows)] - design @ weights)[:, None]
    meat = scores.T @ scores
    for lag in range(1, width + 1):
        crossed = scores[lag:].T @ scores[:-lag]
        meat += (1 - lag / (width + 1)) * (crossed + crossed.T)
    bread = np.linalg.inv(design.T @ design)
    n, terms = design.shape
    assert found.ratio_error == pytest.approx(np.sqrt((bread @ meat @ bread)[0, 0] * n / (n - terms)), rel=1e-6)
    assert found.observations == n


def test_leads_and_lags_take_out_the_bias_and_the_interval_holds() -> None:
    """300 pairs whose shocks go together: the static bias stands out of its Monte Carlo error; a tenth is left."""
    runs, ratio = 300, 2.0
    static, dynamic, held = [], [], 0
    for seed in range(runs):
        y, x = pair(seed, 1000, ratio, b=0.7, correlation=0.8)
        static.append(fit_hedge(y, x, method="static").ratio - ratio)
        found = fit_hedge(y, x)
        dynamic.append(found.ratio - ratio)
        assert found.ratio_error is not None
        held += abs(found.ratio - ratio) < 1.96 * found.ratio_error
    bias, noise = np.mean(static), np.std(static) / np.sqrt(runs)
    assert bias > 10 * noise
    assert abs(np.mean(dynamic)) < 0.1 * bias + 3 * np.std(dynamic) / np.sqrt(runs)
    # Robust errors are a little short in samples of this size: 92% (Monte Carlo error 1.6%) for 95%.
    assert 0.87 < held / runs < 0.98


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"method": "tls"}, "method"),
        ({"leads_lags": -1}, "leads_lags"),
        ({"leads_lags": 40}, "leads_lags"),
        ({"bandwidth": -1}, "bandwidth"),
        ({"bandwidth": 99}, "bandwidth"),
    ],
)
def test_bad_arguments(arguments: dict[str, object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        fit_hedge(*pair(1, 100), **arguments)  # type: ignore[arg-type]


def test_a_hedge_given_by_hand() -> None:
    assert Hedge(2.0, 1.0, None, "static", 0).spread([5.0, 7.0], [1.0, 2.0]).tolist() == [2.0, 2.0]
