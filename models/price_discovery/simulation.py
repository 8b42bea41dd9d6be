"""Series of which it is known who leads, to try the measures on."""

from __future__ import annotations

import math

import numpy as np

from models.price_discovery.ticks import FloatArray, IntArray, Ticks


def simulate_lagged_pair(
    correlation: float, lag: int, *, spacing: tuple[float, float], window: int, seed: int | np.random.Generator
) -> tuple[Ticks, Ticks]:
    """Two Brownian motions of variance 1 over the window, seen at Poisson times that know nothing of each other.

        x_t = W_t,   y_t = correlation W_{t - lag} + sqrt(1 - correlation^2) W'_t

    With a positive lag x leads. The path is exact at the ticks: there is no grid.

    Args:
        correlation: in [-1, 1].
        lag: in the unit of time, an integer of either sign, less than the window.
        spacing: mean time between the ticks of x and of y, at least 1.
        window: of time, from 0.

    Raises:
        ValueError: an argument is out of its range, or so few ticks were to come that a series has none.
    """
    if not -1 <= correlation <= 1:
        raise ValueError(f"correlation: {correlation!r} is not in [-1, 1]")
    if window < 1 or abs(lag) >= window:
        raise ValueError(f"window, lag: {window}, {lag}; a window of at least 1 and a lag that is less are needed")
    if not all(1 <= gap < window for gap in spacing):
        raise ValueError(f"spacing: {spacing}; each at least 1 and less than the window")
    rng = np.random.default_rng(seed)
    s, t = (_poisson(gap, window, rng) for gap in spacing)
    at = np.union1d(s, t - lag)
    steps = np.diff(at, prepend=at[0]) / window
    common = np.cumsum(np.sqrt(steps) * rng.standard_normal(at.size))
    own = np.cumsum(np.sqrt(np.diff(t, prepend=t[0]) / window) * rng.standard_normal(t.size))
    x: FloatArray = common[np.searchsorted(at, s)]
    y: FloatArray = correlation * common[np.searchsorted(at, t - lag)] + math.sqrt(1 - correlation**2) * own
    return Ticks(s, x), Ticks(t, y)


def _poisson(gap: float, window: int, rng: np.random.Generator) -> IntArray:
    """Distinct sorted integer times in [0, window) of a Poisson process."""
    times = np.unique(rng.integers(window, size=rng.poisson(window / gap)))
    if times.size < 2:
        raise ValueError(f"spacing: {gap:g} brought {times.size} ticks in {window}; at least 2 are needed")
    return times.astype(np.int64)
