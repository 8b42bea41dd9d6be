"""Slow, obvious twins."""

from __future__ import annotations

import numpy as np

from models.price_discovery import Ticks, VECMParameters
from models.price_discovery.ticks import FloatArray


def covariance(x: Ticks, y: Ticks, lag: int) -> float:
    """The double sum, with Python's integers, by the definition of an intersection of half-open intervals."""
    total = 0.0
    for i in range(1, len(x)):
        for j in range(1, len(y)):
            start = max(int(x.times[i - 1]), int(y.times[j - 1]) - lag)
            end = min(int(x.times[i]), int(y.times[j]) - lag)
            if start < end:  # (start, end] is not empty
                total += (x.values[i] - x.values[i - 1]) * (y.values[j] - y.values[j - 1])
    return total


def previous(ticks: Ticks, time: int) -> tuple[float, int]:
    """Value and age of the last tick at or before a time."""
    seen = [k for k in range(len(ticks)) if ticks.times[k] <= time]
    return float(ticks.values[seen[-1]]), time - int(ticks.times[seen[-1]])


def path(p: VECMParameters, shocks: FloatArray, history: FloatArray) -> FloatArray:
    """The equation, row by row, in matrices."""
    rows = list(history)
    for shock in shocks:
        change = p.constant + p.adjustment @ (p.cointegration.T @ rows[-1]) + shock
        for k in range(p.lags):
            change = change + p.lagged[k] @ (rows[-1 - k] - rows[-2 - k])
        rows.append(rows[-1] + change)
    return np.array(rows)
