"""Compiled passes: products of increments over intervals that meet, and the path of a VECM."""

from __future__ import annotations

import numpy as np
from numba import njit

from models.price_discovery.ticks import FloatArray, IntArray


@njit(cache=True)
def overlap_products(s: IntArray, x: FloatArray, t: IntArray, y: FloatArray, lag: int, out: FloatArray) -> None:
    """Per increment of x, its product with the sum of the increments of y whose interval meets its own.

    The intervals are (s[i], s[i + 1]] and (t[j] - lag, t[j + 1] - lag]. Those of y that meet one of x are neighbours:
    from the last tick at or before s[i] to the first at or after s[i + 1]; their increments telescope. Both ends only
    move forward, so that the pass is O(n + m). `out` is float64[n - 1].
    """
    last = t.size - 1
    after = 0
    before = 0
    for i in range(s.size - 1):
        start, end = s[i] + lag, s[i + 1] + lag
        # `after` is the first tick at or after the end of the interval before, which is this start
        while after < last and t[after] < start:
            after += 1
        before = after
        if t[after] > start and after > 0:
            before -= 1
        while after < last and t[after] < end:
            after += 1
        out[i] = (x[i + 1] - x[i]) * (y[after] - y[before])


@njit(cache=True)
def vecm_path(
    constant: FloatArray,
    adjustment: FloatArray,
    cointegration: FloatArray,
    lagged: FloatArray,
    shocks: FloatArray,
    out: FloatArray,
) -> None:
    """Prices by the error correction equation; `out`, float64[lags + 1 + steps, n], holds the first lags + 1 rows.

    `adjustment` and `cointegration` are float64[n, r], `lagged` float64[lags, n, n], `shocks` float64[steps, n].
    """
    lags, n, rank = lagged.shape[0], constant.size, adjustment.shape[1]
    for k in range(shocks.shape[0]):
        now = lags + 1 + k
        for i in range(n):
            out[now, i] = out[now - 1, i] + constant[i] + shocks[k, i]
        for r in range(rank):
            gap = 0.0
            for i in range(n):
                gap += cointegration[i, r] * out[now - 1, i]
            for i in range(n):
                out[now, i] += adjustment[i, r] * gap
        for m in range(lags):
            for j in range(n):
                change = out[now - 1 - m, j] - out[now - 2 - m, j]
                for i in range(n):
                    out[now, i] += lagged[m, i, j] * change


def warm_up() -> None:
    """Compile every kernel for the types it is called with: parameters and ticks are read-only."""
    times, values = np.arange(3), np.zeros(3)
    matrix, cube = np.zeros((3, 2)), np.zeros((1, 3, 3))
    for array in (times, values, matrix, cube):
        array.flags.writeable = False
    overlap_products(times, values, times, values, 0, np.empty(2))
    vecm_path(values, matrix, matrix, cube, np.zeros((1, 3)), np.zeros((3, 3)))
