"""The z-score of a spread as it could have been known: hedge, mean and deviation are of the past alone.

At time t the hedge ratio is the least-squares slope of y on x over [t - window, t), mean and deviation are those of
y - ratio x over [t - spread_window, t) with that same ratio, and z_t = (y_t - ratio x_t - mean) / deviation. The
values at t enter only there. Every window is summed by itself: running sums would carry the rounding of other times.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from models.cointegration.series import FloatArray, two_legs

#: Values of windows laid side by side at a time: a few megabytes.
_CHUNK: Final = 1 << 18


@dataclass(frozen=True, slots=True)
class RollingScore:
    """float64[n] each, NaN for the first `window` times, when there is no past to speak from.

    `spread` is y - hedge_ratio x with the ratio of that time; z = (spread - mean) / deviation.
    """

    z: FloatArray
    spread: FloatArray
    hedge_ratio: FloatArray
    mean: FloatArray
    deviation: FloatArray
    window: int
    spread_window: int


def rolling_z_score(
    y: npt.ArrayLike, x: npt.ArrayLike, *, window: int, spread_window: int | None = None
) -> RollingScore:
    """z of every time from the values before it.

    Args:
        y, x: float64[n], n > window, at the same times, oldest first.
        window: values behind the hedge ratio, at least 3.
        spread_window: values behind mean and deviation (divisor spread_window - 1), 3 to window; `window` when None.

    Raises:
        ValueError: a leg is not finite, constant or straight or its length differs, a window is out of its range, or
            within one x does not move or y follows it exactly; says where.
    """
    span = window if spread_window is None else spread_window
    if window < 3 or not 3 <= span <= window:
        raise ValueError(f"window, spread_window: {window}, {span}; 3 <= spread_window <= window is needed")
    left, right = two_legs(y, x, window + 1)
    n = left.size
    columns = np.full((5, n), np.nan)
    pasts = (
        np.lib.stride_tricks.sliding_window_view(left, window),
        np.lib.stride_tricks.sliding_window_view(right, window),
    )
    rows = max(1, _CHUNK // window)
    for begin in range(0, n - window, rows):
        end = min(begin + rows, n - window)
        now = slice(begin + window, end + window)
        ratio, mean, deviation = _past(pasts[0][begin:end], pasts[1][begin:end], span, begin + window)
        spread = left[now] - ratio * right[now]
        columns[:, now] = (spread - mean) / deviation, spread, ratio, mean, deviation
    z, spread, ratio, mean, deviation = columns
    return RollingScore(z, spread, ratio, mean, deviation, window, span)


def _past(y: FloatArray, x: FloatArray, span: int, time: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Ratio, mean and deviation, each float64[rows], from windows float64[rows, window]; row 0 speaks for `time`."""
    dx = x - x.mean(axis=1, keepdims=True)
    dy = y - y.mean(axis=1, keepdims=True)
    still = x.min(axis=1) == x.max(axis=1)
    if still.any():
        raise ValueError(
            f"x: no move in the window before time {time + int(np.argmax(still))}; there is no hedge ratio"
        )
    ratio = np.einsum("ij,ij->i", dx, dy) / np.einsum("ij,ij->i", dx, dx)
    spread = y[:, -span:] - ratio[:, None] * x[:, -span:]
    mean = spread.mean(axis=1)
    deviation = spread.std(axis=1, ddof=1)
    exact = deviation <= 1e-12 * np.abs(y).max(axis=1)
    if exact.any():
        raise ValueError(
            f"y: follows x exactly in the window before time {time + int(np.argmax(exact))}; z is undefined"
        )
    return ratio, mean, deviation
