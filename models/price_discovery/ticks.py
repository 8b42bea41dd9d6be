"""Prices at the instants they changed, on an integer clock, and their values on a common grid.

Times are integers (nanoseconds in this project; any unit will do, all series in the same one): whether two half-open
intervals meet is then exact. A grid value is the last tick at or before its time (previous-tick sampling): nothing
from the future is in it, and a grid begins only where every series has had a tick.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Times and lags beyond this (146 years of ns) are refused: a time less a lag must fit 64 bits.
MAX_TIME: Final = 2**62


@dataclass(frozen=True, slots=True, eq=False)
class Ticks:
    """One series of prices (or log prices), read-only.

    Args:
        times: int64[n], strictly increasing, n >= 2, within +-2^62.
        values: float64[n], finite: the price from that instant on.

    Raises:
        ValueError: a shape, type or value does not fit; times that are not strictly increasing (see `last_of_ties`).
    """

    times: IntArray
    values: FloatArray

    def __post_init__(self) -> None:
        times, values = np.asarray(self.times), np.array(self.values, np.float64)
        if times.dtype.kind not in "iu":
            raise ValueError(f"times: type {times.dtype}; integers are needed, like ns: round float seconds x 1e9")
        if times.ndim != 1 or times.shape != values.shape or times.size < 2:
            raise ValueError(f"times, values: shapes {times.shape}, {values.shape}; the same, one axis, at least 2")
        if int(times.min()) < -MAX_TIME or int(times.max()) > MAX_TIME:
            raise ValueError("times: beyond +-2^62; use a later origin")
        times = times.astype(np.int64)
        if (times[1:] <= times[:-1]).any():
            k = int(np.argmax(times[1:] <= times[:-1])) + 1
            raise ValueError(
                f"times[{k}]: {times[k]} does not follow {times[k - 1]}; times must strictly increase: sort, and "
                "keep the last value of each instant (Ticks.last_of_ties)"
            )
        if not np.isfinite(values).all():
            raise ValueError(f"values[{int(np.argmin(np.isfinite(values)))}]: not finite; leave such ticks out")
        for name, array in (("times", times), ("values", values)):
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    @classmethod
    def last_of_ties(cls, times: npt.ArrayLike, values: npt.ArrayLike) -> Ticks:
        """Of the ticks of one instant the last, as given; times must not fall.

        Raises:
            ValueError: as the class; times that fall.
        """
        stamps, prices = np.asarray(times), np.asarray(values, np.float64)
        if stamps.ndim != 1 or stamps.shape != prices.shape:
            raise ValueError(f"times, values: shapes {stamps.shape}, {prices.shape}; the same, one axis")
        last = np.append(stamps[1:] != stamps[:-1], stamps.size > 0)
        return cls(stamps[last], prices[last])

    @classmethod
    def log_mid(cls, times: npt.ArrayLike, bid: npt.ArrayLike, ask: npt.ArrayLike) -> Ticks:
        """ln((bid + ask) / 2) of every quote; of the quotes of one instant the last counts.

        Quotes that leave the mid where it was are kept: that it had not moved by then is what they say, and without
        them a move would be spread over all the time since the last one.

        Raises:
            ValueError: as the class; a bid that is not above 0, or above its ask.
        """
        stamps, low, high = np.asarray(times), np.asarray(bid, np.float64), np.asarray(ask, np.float64)
        if low.ndim != 1 or not (stamps.shape == low.shape == high.shape):
            raise ValueError(f"times, bid, ask: shapes {stamps.shape}, {low.shape}, {high.shape}; the same, one axis")
        good = (low > 0) & (low <= high) & np.isfinite(high)
        if not good.all():
            k = int(np.argmin(good))
            raise ValueError(f"quote {k}: bid {low[k]:g}, ask {high[k]:g}; 0 < bid <= ask is needed: leave it out")
        return cls.last_of_ties(stamps, np.log((low + high) / 2))

    def __len__(self) -> int:
        return int(self.times.size)


@dataclass(frozen=True, slots=True, eq=False)
class Sampled:
    """Series on a common grid: times int64[g]; values float64[g, n]; ages int64[g, n], since the tick each is of."""

    times: IntArray
    values: FloatArray
    ages: IntArray


def previous_tick(series: Sequence[Ticks], times: npt.ArrayLike) -> Sampled:
    """Each series' last tick at or before each time.

    Raises:
        ValueError: there is no series; times are not integers or fall; a time is before a series' first tick (the
            first value is never carried back).
    """
    grid = np.asarray(times)
    if not series:
        raise ValueError("series: there are none")
    if grid.ndim != 1 or not grid.size or grid.dtype.kind not in "iu" or (grid[1:] < grid[:-1]).any():
        raise ValueError("times: integers on one axis that do not fall are needed, at least one")
    grid = grid.astype(np.int64)
    for k, ticks in enumerate(series):
        if grid[0] < ticks.times[0]:
            raise ValueError(f"times[0]: {grid[0]} is before the first tick of series {k}, {ticks.times[0]}")
    at = [np.searchsorted(ticks.times, grid, side="right") - 1 for ticks in series]
    values = np.column_stack([ticks.values[k] for ticks, k in zip(series, at, strict=True)])
    ages = np.column_stack([grid - ticks.times[k] for ticks, k in zip(series, at, strict=True)])
    return Sampled(grid, values, ages)


def sample(series: Sequence[Ticks], step: int) -> Sampled:
    """Previous-tick values every `step`, from the latest first tick to the earliest last tick.

    Raises:
        ValueError: there is no series; the step is not a positive integer; the series do not overlap.
    """
    if not series:
        raise ValueError("series: there are none")
    if isinstance(step, bool) or not isinstance(step, int | np.integer) or step <= 0:
        raise ValueError(f"step: {step!r}; a positive integer in the unit of the times is needed")
    start = max(int(ticks.times[0]) for ticks in series)
    end = min(int(ticks.times[-1]) for ticks in series)
    if end < start:
        raise ValueError(f"series: the last begins at {start}, after the first ended at {end}: they do not overlap")
    return previous_tick(series, np.arange(start, end + 1, int(step), dtype=np.int64))
