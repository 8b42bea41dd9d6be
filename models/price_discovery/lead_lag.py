"""Which of two series moves first, and by how much (Hoffmann, Rosenbaum and Yoshida 2013).

The contrast is |HY(lag)| over a grid of lags: the covariance of x now with y `lag` later. A POSITIVE lag means that x
(series one) leads: y repeats at time t + lag what x did at t. The estimate is the lag of the largest contrast.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from models.price_discovery.hayashi_yoshida import products, realised_variance
from models.price_discovery.ticks import FloatArray, IntArray, Ticks


@dataclass(frozen=True, slots=True, eq=False)
class LeadLag:
    """The contrast over the grid and its peak.

    Args:
        lags: int64[g]; positive: series one leads.
        covariance, correlation: float64[g], HY at each lag, and divided by the root of the two realised variances.
        noise: float64[g], the standard error the correlation would have if the signs of x's increments were drawn
            anew: no relation at that lag, the same sizes. A few large moves make it large.
        lag: where |correlation| is largest; of equals the nearest to 0. Its error is at least of the order of the
            grid and of the time between ticks; no distribution of it is known.
        converged, reason: False when the peak is on the grid's edge, or no higher than the highest of so many lags of
            pure noise would be.
    """

    lags: IntArray
    covariance: FloatArray
    correlation: FloatArray
    noise: FloatArray
    lag: int
    converged: bool
    reason: str

    @property
    def peak(self) -> float:
        """The correlation at `lag`."""
        return float(self.correlation[np.searchsorted(self.lags, self.lag)])

    @property
    def ratio(self) -> float:
        """Sum of squared correlations at positive lags over that at negative ones (Huth and Abergel 2014).

        Above 1 series one leads on the whole; inf when nothing is at negative lags.

        Raises:
            ValueError: the grid is not symmetric about 0, or all correlations off 0 are 0.
        """
        if self.lags.size < 2 or (self.lags != -self.lags[::-1]).any():
            raise ValueError("ratio: a grid symmetric about 0 is needed")
        ahead = float(np.square(self.correlation[self.lags > 0]).sum())
        behind = float(np.square(self.correlation[self.lags < 0]).sum())
        if ahead == behind == 0:
            raise ValueError("ratio: every correlation off lag 0 is 0")
        return ahead / behind if behind else math.inf


def lead_lag(x: Ticks, y: Ticks, lags: npt.ArrayLike, *, significance: float = 0.05) -> LeadLag:
    """The contrast of x against y on the grid `lags`, integers that increase strictly, in the unit of the times.

    Raises:
        ValueError: lags that are not such; a lag at which the series do not overlap; a series that never moved; a
            significance outside (0, 1).
    """
    grid = np.asarray(lags)
    if grid.ndim != 1 or not grid.size or grid.dtype.kind not in "iu" or (np.diff(grid.astype(np.int64)) <= 0).any():
        raise ValueError("lags: integers on one axis that strictly increase are needed")
    if not 0 < significance < 1:
        raise ValueError(f"significance: {significance!r} is not between 0 and 1")
    scale = math.sqrt(realised_variance(x)) * math.sqrt(realised_variance(y))
    if scale == 0:
        raise ValueError("correlation: a series never moved; it has none")
    grid = grid.astype(np.int64)
    covariance, noise = np.empty(grid.size), np.empty(grid.size)
    room = np.empty(len(x) - 1)
    for k, lag in enumerate(grid.tolist()):
        parts = products(x, y, lag, room)
        covariance[k] = parts.sum()
        # with signs of x that know nothing of y the products do not covary: their squares sum to the variance
        noise[k] = math.sqrt(parts @ parts) / scale
    correlation = covariance / scale
    height = np.abs(correlation)
    best = int(min(np.flatnonzero(height == height.max()), key=lambda k: abs(int(grid[k]))))
    reason = _doubt(best, correlation, noise, significance)
    return LeadLag(grid, covariance, correlation, noise, int(grid[best]), not reason, reason)


def _doubt(best: int, correlation: FloatArray, noise: FloatArray, significance: float) -> str:
    """Why the peak is not to be relied on; empty when it is."""
    size = correlation.size
    bound = float(norm.isf(significance / (2 * size))) * float(noise[best])
    if abs(correlation[best]) <= bound:
        return (
            f"the peak, {correlation[best]:.3g}, is within {bound:.3g}, what the highest of {size} lags of noise "
            f"may reach ({significance:g}, Bonferroni)"
        )
    if size > 1 and best in (0, size - 1):
        return "the peak is on the edge of the grid: widen it"
    return ""
