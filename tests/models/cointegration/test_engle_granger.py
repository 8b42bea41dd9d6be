"""Against statsmodels with its own lag search, own regressions, the null's simulated quantiles, and known pairs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.linalg import lstsq
from statsmodels.tsa.stattools import coint

from models.cointegration import Criterion, Direction, RelationTrend, engle_granger, fit_hedge
from tests.models.cointegration.made_up import hourly_logs, pair, walks


def equal(found: Direction, left: np.ndarray, right: np.ndarray, trend: str, criterion: str | None) -> None:
    statistic, p_value, critical = coint(left, right, trend=trend, autolag=criterion)
    assert found.statistic == pytest.approx(statistic, rel=1e-6)
    assert found.p_value == pytest.approx(p_value, rel=1e-6, abs=1e-12)
    assert found.critical_values == pytest.approx(critical, rel=1e-12)


@pytest.mark.parametrize("trend", ["c", "ct", "ctt"])
@pytest.mark.parametrize("criterion", ["aic", "bic", "t-stat"])
def test_both_directions_equal_statsmodels(trend: RelationTrend, criterion: Criterion) -> None:
    cases = [pair(1), pair(2, 120, b=0.95), tuple(walks(3).T), tuple((1e4 + 1e-3 * walks(4, 77)).T)]
    for y, x in cases:
        found = engle_granger(y, x, trend=trend, criterion=criterion)
        equal(found.y_on_x, y, x, trend, criterion)
        equal(found.x_on_y, x, y, trend, criterion)
        assert found.y_on_x.statistic != found.x_on_y.statistic


@pytest.mark.parametrize(("trend", "powers"), [("c", 1), ("ct", 2), ("ctt", 3)])
def test_both_steps_by_own_regressions(trend: RelationTrend, powers: int) -> None:
    y, x = pair(5, 300)
    found = engle_granger(y, x, trend=trend, criterion=None, max_lags=1).y_on_x
    time = np.arange(1, 301.0)
    design = np.column_stack([x, *(time**power for power in range(powers))])
    weights = lstsq(design, y)[0]
    assert (found.slope, *found.deterministic) == pytest.approx(weights, rel=1e-6)
    u = y - design @ weights
    assert found.residuals == pytest.approx(u, abs=1e-9)
    d = np.diff(u)
    lagged = np.column_stack((u[1:-1], d[:-1]))
    slopes, rss, *_ = lstsq(lagged, d[1:])
    error = np.sqrt(rss / (298 - 2) * np.linalg.inv(lagged.T @ lagged)[0, 0])
    assert found.statistic == pytest.approx(slopes[0] / error, rel=1e-6)


def test_critical_values_are_quantiles_of_the_null() -> None:
    """20,000 pairs of walks of 100 values, all at once by normal equations: rejected at each level's share."""
    runs, n = 20_000, 100
    rng = np.random.default_rng(11)
    y, x = rng.standard_normal((2, runs, n)).cumsum(axis=2)
    dx = x - x.mean(axis=1, keepdims=True)
    dy = y - y.mean(axis=1, keepdims=True)
    u = dy - (dx * dy).sum(1, keepdims=True) / (dx * dx).sum(1, keepdims=True) * dx
    d, last = np.diff(u), u[:, :-1]
    squares = (last * last).sum(1)
    b = (last * d).sum(1) / squares
    t = b / np.sqrt(((d - b[:, None] * last) ** 2).sum(1) / (n - 2) / squares)
    ours = engle_granger(y[0], x[0], criterion=None, max_lags=0).y_on_x
    assert ours.statistic == pytest.approx(t[0], rel=1e-9)
    for level, critical in zip((0.01, 0.05, 0.1), ours.critical_values, strict=True):
        assert abs((t < critical).mean() - level) < 4 * np.sqrt(level * (1 - level) / runs)


def test_a_known_pair_is_found_and_its_hedge_ratio_with_it() -> None:
    y, x = pair(6, 1000, ratio=1.5)
    found, error = engle_granger(y, x), fit_hedge(y, x).ratio_error
    assert error is not None and error < 0.03
    assert found.y_on_x.rejects(0.01) and found.x_on_y.rejects(0.01) and found.agree(0.01)
    assert found.y_on_x.hedge_ratio == pytest.approx(1.5, abs=4 * error)
    assert found.x_on_y.hedge_ratio == pytest.approx(1.5, abs=4 * error)
    # Least squares cannot steepen both ways: the product of the slopes is R^2.
    assert found.y_on_x.hedge_ratio < found.x_on_y.hedge_ratio
    assert found.stronger.half_life().steps == pytest.approx(-np.log(2) / np.log(0.8), rel=0.25)


def test_walks_without_relation_are_rejected_as_often_as_said() -> None:
    """250 pairs of 400 values, Schwarz's lags: both sizes within 3 Monte Carlo errors; the pair's at most."""
    runs = 250
    found = [engle_granger(*walks(1000 + seed, 400).T, criterion="bic") for seed in range(runs)]
    error = np.sqrt(0.05 * 0.95 / runs)
    assert abs(np.mean([test.y_on_x.rejects() for test in found]) - 0.05) < 3 * error
    assert abs(np.mean([test.x_on_y.rejects() for test in found]) - 0.05) < 3 * error
    assert np.mean([test.p_value <= 0.05 for test in found]) < 0.05 + 3 * error


def test_the_p_value_of_the_pair_pays_for_two_looks() -> None:
    weak = engle_granger(*walks(3).T)
    assert weak.p_value == min(1.0, 2 * min(weak.y_on_x.p_value, weak.x_on_y.p_value))
    assert weak.stronger.p_value == min(weak.y_on_x.p_value, weak.x_on_y.p_value)


def test_swapping_the_legs_swaps_the_directions() -> None:
    y, x = pair(9)
    one, other = engle_granger(y, x), engle_granger(x, y)
    assert one.y_on_x.statistic == pytest.approx(other.x_on_y.statistic, rel=1e-12)
    assert one.y_on_x.hedge_ratio == pytest.approx(1 / other.x_on_y.hedge_ratio, rel=1e-12)
    assert one.p_value == pytest.approx(other.p_value)


def test_a_relation_without_constant_has_no_critical_values() -> None:
    with pytest.raises(ValueError, match="trend"):
        engle_granger(*pair(1), trend="n")  # type: ignore[arg-type]


@pytest.mark.recorded
def test_wrapped_bitcoin_follows_bitcoin(recorded: Path) -> None:
    wrapped, bitcoin = hourly_logs(recorded, "WBTC", "BTC").T
    found = engle_granger(wrapped, bitcoin)
    equal(found.y_on_x, wrapped, bitcoin, "c", "aic")
    equal(found.x_on_y, bitcoin, wrapped, "c", "aic")
    assert found.p_value < 1e-6 and found.agree(0.01)
    assert found.y_on_x.hedge_ratio == pytest.approx(1.0, abs=0.002)
    assert found.stronger.half_life().steps < 6
