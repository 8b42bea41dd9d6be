"""The covariance of asynchronous series: against its definition, exact cases, and known processes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.price_discovery import (
    Ticks,
    hayashi_yoshida,
    hayashi_yoshida_covariance,
    previous_tick_correlation,
    realised_variance,
    simulate_lagged_pair,
)
from models.price_discovery.hayashi_yoshida import products
from tests.models.price_discovery import naive
from tests.models.price_discovery.test_ticks import ticks


def overlap(x: Ticks, y: Ticks, lag: int) -> bool:
    return bool(y.times[0] - lag < x.times[-1] and y.times[-1] - lag > x.times[0])


@given(ticks(), ticks(), st.integers(-40, 40))
def test_one_pass_is_the_double_sum(x: Ticks, y: Ticks, lag: int) -> None:
    # values are small integers: both sums are exact
    expected = naive.covariance(x, y, lag)
    if overlap(x, y, lag):
        assert hayashi_yoshida_covariance(x, y, lag) == expected
        assert hayashi_yoshida_covariance(y, x, -lag) == expected
    else:
        assert expected == 0
        with pytest.raises(ValueError, match="do not overlap"):
            hayashi_yoshida_covariance(x, y, lag)


@given(ticks(), st.integers(-50, 50))
def test_of_a_series_with_itself_moved_it_is_the_realised_variance(x: Ticks, lag: int) -> None:
    moved = Ticks(x.times + lag, x.values)
    assert hayashi_yoshida_covariance(x, moved, lag) == realised_variance(x)


def test_intervals_are_open_on_the_left_and_closed_on_the_right() -> None:
    x = Ticks(np.array([0, 10]), np.array([0.0, 1]))
    for start, end, meets in ((10, 20, False), (9, 20, True), (-10, 0, False), (-10, 1, True), (3, 4, True)):
        y = Ticks(np.array([-100, start, end, 100]), np.array([0.0, 0, 1, 1]))
        assert hayashi_yoshida_covariance(x, y) == (1 if meets else 0), (start, end)


def test_times_at_the_end_of_the_clock_do_not_wrap() -> None:
    far = 2**62
    x, y = Ticks(np.array([far - 5, far]), np.array([0.0, 1])), Ticks(np.array([0, 5]), np.array([0.0, 1]))
    assert hayashi_yoshida_covariance(y, x, far - 5) == 1
    assert hayashi_yoshida_covariance(x, y, -far + 5) == 1
    with pytest.raises(ValueError, match="overlap"):
        hayashi_yoshida_covariance(x, y, far)


def exact_variance(x: Ticks, y: Ticks, correlation: float, window: int) -> float:
    """Of HY for two Brownian motions of variance 1 over the window, given the ticks (Hayashi and Yoshida 2008)."""
    total = 0.0
    own_x, own_y = np.diff(x.times) / window, np.diff(y.times) / window
    start = np.maximum(x.times[:-1, None], y.times[None, :-1])
    common = np.clip(np.minimum(x.times[1:, None], y.times[None, 1:]) - start, 0, None) / window
    total += float((own_x[:, None] * own_y * (common > 0)).sum())
    total += correlation**2 * float((common.sum(axis=1) ** 2).sum() + (common.sum(axis=0) ** 2).sum())
    return total - correlation**2 * float((common**2).sum())


def test_unbiased_and_of_the_variance_theory_has() -> None:
    """Fixed ticks, 4000 paths: mean and variance within 4 standard errors of the exact ones."""
    window, correlation, paths = 10**6, 0.7, 4000
    x, y = simulate_lagged_pair(correlation, 0, spacing=(8000, 15000), window=window, seed=3)
    rng = np.random.default_rng(4)
    at = np.union1d(x.times, y.times)
    root = np.sqrt(np.diff(at, prepend=at[0]) / window)[:, None] * rng.standard_normal((2, paths, at.size)).swapaxes(
        1, 2
    )
    first = np.cumsum(root[0], axis=0)
    second = correlation * first + math.sqrt(1 - correlation**2) * np.cumsum(root[1], axis=0)
    first, second = first[np.searchsorted(at, x.times)], second[np.searchsorted(at, y.times)]
    found = np.array(
        [hayashi_yoshida_covariance(Ticks(x.times, a), Ticks(y.times, b)) for a, b in zip(first.T, second.T)]
    )
    common = min(x.times[-1], y.times[-1]) - max(x.times[0], y.times[0])
    expected, variance = correlation * common / window, exact_variance(x, y, correlation, window)
    assert abs(found.mean() - expected) < 4 * math.sqrt(variance / paths)
    # a nearly normal estimate: the standard error of a variance is its root 2 / n
    assert abs(found.var() / variance - 1) < 4 * 1.1 * math.sqrt(2 / paths)


def test_reported_errors_are_those_of_repetition() -> None:
    """200 paths: the errors reported agree with the spread that is seen, within 4 times the error of that spread."""
    found = [
        hayashi_yoshida(*simulate_lagged_pair(0.5, 0, spacing=(5_000, 9_000), window=10**7, seed=k))
        for k in range(200)
    ]
    for name in ("covariance", "correlation"):
        values = np.array([getattr(each, name) for each in found])
        errors = np.array([getattr(each, f"{name}_error") for each in found])
        assert abs(values.mean() - 0.5) < 4 * values.std() / math.sqrt(200)
        assert abs(values.std() / math.sqrt(np.square(errors).mean()) - 1) < 4 / math.sqrt(2 * 200)


def test_no_epps_effect() -> None:
    """Correlation 0.8, ticks 50 ms apart on average: the grid's falls with its step, this one's does not."""
    ms = 10**6
    x, y = simulate_lagged_pair(0.8, 0, spacing=(50 * ms, 50 * ms), window=2000_000 * ms, seed=11)
    steps = (5, 20, 50, 200, 5000)
    grid = [previous_tick_correlation(x, y, step * ms) for step in steps]
    assert grid == sorted(grid)
    # with gaps of mean a both, the expected share is 1 - a (1 - e^(-h / a)) / h (Hayashi and Yoshida 2005)
    for step, value in zip(steps, grid, strict=True):
        h = step / 50
        expected = 0.8 * (1 - (1 - math.exp(-h)) / h)
        assert value == pytest.approx(expected, abs=4 / math.sqrt(2_000_000 / max(step, 50)))
    assert grid[0] < 0.06
    found = hayashi_yoshida(x, y)
    assert abs(found.correlation - 0.8) < 4 * found.correlation_error
    assert found.correlation_error < 0.02


def test_what_cannot_be_measured_is_refused() -> None:
    x, still = Ticks(np.arange(10), np.arange(10.0)), Ticks(np.arange(10), np.zeros(10))
    with pytest.raises(ValueError, match="never moved"):
        hayashi_yoshida(x, still, blocks=2)
    with pytest.raises(ValueError, match="never moved"):
        previous_tick_correlation(x, still, 1)
    for blocks in (1, 6):
        with pytest.raises(ValueError, match="blocks"):
            hayashi_yoshida(x, x, blocks=blocks)
    for lag in (0.5, True, 2**62 + 1):
        with pytest.raises(ValueError, match="lag"):
            hayashi_yoshida_covariance(x, x, lag)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="out"):
        products(x, x, 0, np.empty(3))
