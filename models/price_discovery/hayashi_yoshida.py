"""Covariance of two series seen at different instants, without a common grid (Hayashi and Yoshida 2005).

    HY(lag) = sum_i sum_j (x_i - x_i-1)(y_j - y_j-1) 1{(s_i-1, s_i] meets (t_j-1 - lag, t_j - lag]}

Every pair of increments whose half-open intervals meet counts once. For two martingales without noise it is unbiased
for the integrated covariation, while sums over a grid fall towards 0 as the grid gets finer than the ticks (Epps
1979). The sum over the increments of y that meet one of x telescopes, so that the pass is O(n + m). With a positive
lag, y is moved back: see `lead_lag`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from models.price_discovery.kernels import overlap_products
from models.price_discovery.ticks import MAX_TIME, FloatArray, IntArray, Ticks, sample


@dataclass(frozen=True, slots=True)
class HayashiYoshida:
    """Covariance over the window (not per time) and correlation, with standard errors from blocks of time.

    The covariance's is that of a sum of `blocks` independent parts, the correlation's a jackknife over them.
    Volatility may change; blocks are to be much longer than the time between ticks. Where the covariance itself
    changes from block to block, both are too large. The correlation divides by the realised variances of each
    series' own ticks; it may exceed 1 in small samples, and noise in the prices makes it too small.
    """

    covariance: float
    covariance_error: float
    correlation: float
    correlation_error: float
    blocks: int


def realised_variance(x: Ticks) -> float:
    """Sum of the squared increments, over the window."""
    return float(np.square(np.diff(x.values)).sum())


def products(x: Ticks, y: Ticks, lag: int = 0, out: FloatArray | None = None) -> FloatArray:
    """Each increment of x times those of y, moved back by `lag`, that it meets: float64[len(x) - 1]; they sum to HY.

    Raises:
        ValueError: the lag is not an integer within +-2^62, or so moved the two series have no instant in common;
            `out` is not of that shape.
    """
    if isinstance(lag, bool) or not isinstance(lag, int | np.integer) or abs(int(lag)) > MAX_TIME:
        raise ValueError(f"lag: {lag!r}; an integer in the unit of the times is needed, within +-2^62")
    shift = int(lag)
    start, end = int(y.times[0]) - shift, int(y.times[-1]) - shift
    if start >= int(x.times[-1]) or end <= int(x.times[0]):
        raise ValueError(
            f"x is from {x.times[0]} to {x.times[-1]}, y with lag {shift} from {start} to {end}: they do not overlap"
        )
    result = np.empty(len(x) - 1) if out is None else out
    if result.shape != (len(x) - 1,):
        raise ValueError(f"out: shape {result.shape}; ({len(x) - 1},) is needed")
    if max(abs(int(x.times[0])), abs(int(x.times[-1]))) + abs(shift) >= 2**63:
        raise ValueError(f"lag: {shift} carries the times beyond 64 bits; use a later origin")
    overlap_products(x.times, x.values, y.times, y.values, shift, result)
    return result


def hayashi_yoshida_covariance(x: Ticks, y: Ticks, lag: int = 0) -> float:
    """HY(lag) alone, in O(n + m).

    Raises:
        ValueError: as `products`.
    """
    return float(products(x, y, lag).sum())


def hayashi_yoshida(x: Ticks, y: Ticks, lag: int = 0, *, blocks: int = 50) -> HayashiYoshida:
    """HY(lag), the correlation, and their standard errors from `blocks` equal blocks of the common window.

    Raises:
        ValueError: as `products`; fewer than 2 blocks, or fewer than 2 ticks a block; a series that never moved.
    """
    if blocks < 2 or min(len(x), len(y)) < 2 * blocks:
        raise ValueError(f"blocks: {blocks}; at least 2, and at most half of the {min(len(x), len(y))} ticks")
    start = max(int(x.times[0]), int(y.times[0]) - int(lag))
    end = min(int(x.times[-1]), int(y.times[-1]) - int(lag))
    parts = products(x, y, lag)

    def by_block(ends: IntArray, values: FloatArray) -> FloatArray:
        place = ((ends - start) * (blocks / (end - start))).astype(np.int64).clip(0, blocks - 1)
        return np.bincount(place, values, blocks).astype(np.float64)

    joint = by_block(x.times[1:], parts)
    own_x = by_block(x.times[1:], np.square(np.diff(x.values)))
    own_y = by_block(y.times[1:] - int(lag), np.square(np.diff(y.values)))
    scale = _scale(own_x.sum(), own_y.sum())
    without = (joint.sum() - joint) / np.sqrt((own_x.sum() - own_x) * (own_y.sum() - own_y))
    return HayashiYoshida(
        covariance=float(parts.sum()),
        covariance_error=float(np.std(joint, ddof=1) * math.sqrt(blocks)),
        correlation=float(parts.sum()) / scale,
        correlation_error=float(np.std(without) * math.sqrt(blocks - 1)),
        blocks=blocks,
    )


def previous_tick_correlation(x: Ticks, y: Ticks, step: int) -> float:
    """Correlation of the increments on a grid of previous ticks: what Hayashi-Yoshida is to be compared with.

    Raises:
        ValueError: as `sample`; a series that never moved on the grid.
    """
    changes = np.diff(sample([x, y], step).values, axis=0)
    squares = np.square(changes).sum(axis=0)
    return float(changes[:, 0] @ changes[:, 1]) / _scale(squares[0], squares[1])


def _scale(variance_x: float, variance_y: float) -> float:
    if variance_x <= 0 or variance_y <= 0:
        raise ValueError("correlation: a series never moved; it has none")
    return math.sqrt(variance_x) * math.sqrt(variance_y)
