"""The sign, the place and the doubt of a lead."""

from __future__ import annotations

import math

import numpy as np
import pytest

from models.price_discovery import Ticks, lead_lag, simulate_lagged_pair

MS = 10**6


@pytest.mark.parametrize("lag", [20, -35, 0])
def test_a_positive_lag_means_that_series_one_leads(lag: int) -> None:
    # x_t = W_t, y_t = 0.5 W_{t - lag} + ..: with lag > 0 what x does at t, y does at t + lag
    x, y = simulate_lagged_pair(0.5, lag * MS, spacing=(2 * MS, 3 * MS), window=60_000 * MS, seed=lag + 100)
    found = lead_lag(x, y, np.arange(-60, 61) * MS)
    assert found.converged, found.reason
    # the contrast is within the ticks' spacing of flat at its top
    assert abs(found.lag / MS - lag) <= 2
    assert found.peak == pytest.approx(0.5, abs=0.05)
    if lag:
        assert (found.ratio > 5) if lag > 0 else (found.ratio < 0.2)
    other = lead_lag(y, x, np.arange(-60, 61) * MS)
    np.testing.assert_allclose(other.covariance[::-1], found.covariance, rtol=0, atol=1e-12)
    assert other.lag == -found.lag


def test_an_echo_without_noise_has_correlation_1_at_its_lag() -> None:
    rng = np.random.default_rng(1)
    times = np.unique(rng.integers(10**6, size=500))
    x = Ticks(times, np.cumsum(rng.standard_normal(times.size)))
    y = Ticks(times + 777, 3 * x.values)
    found, inverse = lead_lag(x, y, np.arange(700, 900)), lead_lag(x, Ticks(y.times, -y.values), np.arange(700, 900))
    assert found.correlation[77] == pytest.approx(1.0, abs=1e-12)
    assert inverse.correlation[77] == pytest.approx(-1.0, abs=1e-12)
    # next to it the intervals also meet their neighbours' by a hair: the peak is as sharp as the ticks are dense
    assert abs(found.lag - 777) < 10 and inverse.lag == found.lag


def test_the_noise_is_the_spread_of_independent_series() -> None:
    """120 pairs x 9 distant lags: correlation / noise has variance 1 within 4 standard errors."""
    scores = []
    for seed in range(120):
        x, y = simulate_lagged_pair(0.0, 0, spacing=(20 * MS, 30 * MS), window=20_000 * MS, seed=seed)
        found = lead_lag(x, y, np.arange(-4, 5) * 500 * MS)
        scores.append(found.correlation / found.noise)
    assert abs(np.square(scores).mean() - 1) < 4 * math.sqrt(2 / (120 * 9))


def test_independent_series_have_no_lead() -> None:
    grid = np.arange(-20, 21) * MS
    doubts = 0
    for seed in range(100):
        x, y = simulate_lagged_pair(0.0, 0, spacing=(5 * MS, 5 * MS), window=5_000 * MS, seed=seed)
        found = lead_lag(x, y, grid)
        doubts += not found.converged
        assert found.converged or found.reason
    # 5 % by Bonferroni at most; 100 pairs: 5 + 4 x 2.2
    assert doubts >= 86


def test_a_peak_on_the_edge_is_no_estimate() -> None:
    x, y = simulate_lagged_pair(0.9, 50 * MS, spacing=(10 * MS, 10 * MS), window=20_000 * MS, seed=5)
    found = lead_lag(x, y, np.arange(-20, 46, 5) * MS)
    assert not found.converged and "edge" in found.reason


def test_of_equal_peaks_the_one_nearest_to_zero() -> None:
    x = Ticks(np.array([0, 100, 200]), np.array([0.0, 1, 1]))
    found = lead_lag(x, x, np.arange(-9, 10))
    assert found.lag == 0


def test_the_ratio_needs_a_symmetric_grid() -> None:
    x, y = simulate_lagged_pair(0.9, 0, spacing=(10 * MS, 10 * MS), window=1_000 * MS, seed=5)
    with pytest.raises(ValueError, match="symmetric"):
        _ = lead_lag(x, y, [-5, 0, 6]).ratio
    with pytest.raises(ValueError, match="symmetric"):
        _ = lead_lag(x, y, [0]).ratio


def test_what_is_no_grid_is_refused() -> None:
    x, still = Ticks(np.arange(10), np.arange(10.0)), Ticks(np.arange(10), np.zeros(10))
    for lags in ([], [1, 1], [2, 1], [0.5], [[1]]):
        with pytest.raises(ValueError, match="lags"):
            lead_lag(x, x, lags)
    with pytest.raises(ValueError, match="overlap"):
        lead_lag(x, x, [0, 9])
    with pytest.raises(ValueError, match="never moved"):
        lead_lag(x, still, [0])
    for level in (0.0, 1.0, math.nan):
        with pytest.raises(ValueError, match="significance"):
            lead_lag(x, x, [0], significance=level)


def test_a_pair_of_which_it_is_known_who_leads_needs_its_ranges() -> None:
    good = {"correlation": 0.5, "lag": 0, "spacing": (10, 10), "window": 1000, "seed": 1}
    for name, value in (("correlation", 1.5), ("lag", 1000), ("spacing", (0.5, 10)), ("window", 0), ("window", 11)):
        with pytest.raises(ValueError):
            simulate_lagged_pair(**{**good, name: value})  # type: ignore[arg-type]
