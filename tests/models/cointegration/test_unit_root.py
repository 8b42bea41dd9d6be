"""Against statsmodels with its own lag search, an own regression, and its size and power over many series."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.linalg import lstsq
from statsmodels.tsa.stattools import adfuller

from models.cointegration import Criterion, Trend, integration_order, unit_root
from tests.models.cointegration.made_up import hourly_logs, pair, walks


@pytest.mark.parametrize("trend", ["n", "c", "ct", "ctt"])
@pytest.mark.parametrize("criterion", ["aic", "bic", "t-stat"])
def test_equals_statsmodels(trend: Trend, criterion: Criterion) -> None:
    for seed in range(4):
        x = walks(seed, 300)[:, 0]
        ours = unit_root(x, trend=trend, criterion=criterion)
        theirs = adfuller(x, regression=trend, autolag=criterion, result_object=True)
        assert (ours.lags, ours.observations) == (theirs.lags, theirs.nobs)
        assert ours.statistic == pytest.approx(theirs.statistic, rel=1e-9)
        assert ours.p_value == pytest.approx(theirs.pvalue, rel=1e-9)
        assert ours.critical_values == pytest.approx(tuple(theirs.critical_values.values()), rel=1e-12)


def test_the_statistic_by_an_own_regression() -> None:
    x = walks(8, 400)[:, 0]
    found = unit_root(x, trend="c", criterion=None, max_lags=2)
    d = np.diff(x)
    design = np.column_stack((np.ones(397), x[2:-1], d[1:-1], d[:-2]))
    weights, rss, *_ = lstsq(design, d[2:])
    error = np.sqrt(rss / (397 - 4) * np.linalg.inv(design.T @ design)[1, 1])
    assert found.statistic == pytest.approx(weights[1] / error, rel=1e-9)


def test_size_and_power() -> None:
    """300 series of each kind: 5% rejected of the walks, to within 3 Monte Carlo errors (0.0126 each), all others."""
    runs = 300
    size = np.mean([unit_root(walks(seed, 200)[:, 0], criterion="bic").rejects() for seed in range(runs)])
    assert abs(size - 0.05) < 3 * np.sqrt(0.05 * 0.95 / runs)
    reverting = [pair(seed, 200, ratio=0.0, b=0.7)[0] for seed in range(60)]
    assert np.mean([unit_root(x, criterion="bic").rejects() for x in reverting]) > 0.98


def test_order_of_integration() -> None:
    walk = walks(1, 800)[:, 0]
    assert integration_order(walk).is_one()
    assert not integration_order(np.diff(walk)).is_one()
    assert not integration_order(walk.cumsum()).is_one()


def test_bad_trend() -> None:
    with pytest.raises(ValueError, match="trend"):
        unit_root(walks(1)[:, 0], trend="cc")  # type: ignore[arg-type]


@pytest.mark.recorded
def test_recorded_coins_have_one_unit_root(recorded: Path) -> None:
    logs = hourly_logs(recorded, "BTC", "ETH", "LTC", "WBTC")
    assert all(integration_order(leg).is_one() for leg in logs.T)
