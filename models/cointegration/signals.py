"""When to hold a pair: thresholds on the z-score of its spread, with no order, cost or account in it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np
import numpy.typing as npt

from models.cointegration.hedge import Hedge, HedgeMethod, fit_hedge
from models.cointegration.series import FloatArray
from models.ornstein_uhlenbeck import OUParameters, optimal_return_thresholds

#: +1 long the spread (buy one y, sell the hedge ratio of x), -1 short, 0 flat.
Position = Literal[-1, 0, 1]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where to enter and leave, in deviations from the mean.

    Args:
        entry_z: long at z <= -entry_z, short at z >= entry_z; above 0.
        exit_z: long is left at z >= -exit_z, short at z <= exit_z; from -entry_z to below entry_z. 0 is the mean; at
            -entry_z, the other side's entry, a position turns into its opposite without a flat between.

    Raises:
        ValueError: one is out of its range.
    """

    entry_z: float
    exit_z: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.entry_z) and self.entry_z > 0):
            raise ValueError(f"entry_z: {self.entry_z!r} is not above 0 and finite")
        if not -self.entry_z <= self.exit_z < self.entry_z:
            raise ValueError(f"exit_z: {self.exit_z!r} is not from -{self.entry_z:g} to below {self.entry_z:g}")

    def next_position(self, held: Position, z: float) -> Position:
        """What to hold once z is seen; flat where z is NaN: without a score there is no reason to hold anything."""
        if math.isnan(z):
            return 0
        left = (held == 1 and z >= -self.exit_z) or (held == -1 and z <= self.exit_z)
        if held != 0 and not left:
            return held
        return 1 if z <= -self.entry_z else -1 if z >= self.entry_z else 0

    def positions(self, z: npt.ArrayLike, *, held: Position = 0) -> npt.NDArray[np.int8]:
        """int8[n]: what is held after each z of float64[n], beginning with `held`; each follows from z up to it."""
        scores = np.asarray(z, np.float64)
        result = np.empty(scores.size, np.int8)
        for i, score in enumerate(scores.tolist()):
            held = self.next_position(held, score)
            result[i] = held
        return result

    @classmethod
    def highest_return(cls, process: OUParameters, cost: float) -> Thresholds:
        """Those of the most profit per time for a spread that follows `process`, at `cost` a cycle (Bertram 2010).

        A cycle goes from entry to the opposite level and, the two being symmetric, back on the short side. `cost` is
        in units of the spread.

        Raises:
            ValueError: as `ornstein_uhlenbeck.optimal_return_thresholds`.
        """
        best = optimal_return_thresholds(process, cost)
        entry_z = (process.theta - best.entry) / process.stationary_deviation
        return cls(entry_z, -entry_z)


@dataclass(frozen=True, slots=True)
class PairSignal:
    """A pair whose hedge, mean and deviation are known, and its thresholds.

    Args:
        hedge: of y by x.
        mean, deviation: of the spread y - ratio x - intercept; deviation above 0.
        thresholds: on z = (spread - mean) / deviation.

    Raises:
        ValueError: mean or deviation is out of its range.
    """

    hedge: Hedge
    mean: float
    deviation: float
    thresholds: Thresholds

    def __post_init__(self) -> None:
        if not (math.isfinite(self.mean) and math.isfinite(self.deviation) and self.deviation > 0):
            raise ValueError(f"mean, deviation: {self.mean!r}, {self.deviation!r}; finite, and the second above 0")

    @classmethod
    def fit(
        cls, y: npt.ArrayLike, x: npt.ArrayLike, thresholds: Thresholds, *, method: HedgeMethod = "dynamic"
    ) -> PairSignal:
        """From past prices: the hedge, and mean and deviation (divisor n - 1) of its spread. Use it on later ones.

        Raises:
            ValueError, ImportError: as `fit_hedge`.
        """
        hedge = fit_hedge(y, x, method=method)
        spread = hedge.spread(y, x)
        return cls(hedge, float(spread.mean()), float(spread.std(ddof=1)), thresholds)

    def spread(self, y: npt.ArrayLike, x: npt.ArrayLike) -> FloatArray:
        """y - ratio x - intercept."""
        return self.hedge.spread(y, x)

    def z(self, y: npt.ArrayLike, x: npt.ArrayLike) -> FloatArray:
        """Deviations of the spread from its mean, float64 of the shape of the legs."""
        result: FloatArray = (self.hedge.spread(y, x) - self.mean) / self.deviation
        return result

    def position(self, held: Position, y: float, x: float) -> Position:
        """What to hold at these prices, `held` being held."""
        return self.thresholds.next_position(held, float(self.z(y, x)))

    def positions(self, y: npt.ArrayLike, x: npt.ArrayLike, *, held: Position = 0) -> npt.NDArray[np.int8]:
        """int8[n]: what is held after each pair of prices."""
        return self.thresholds.positions(self.z(y, x), held=held)

    @property
    def levels(self) -> tuple[float, float, float, float]:
        """Values of the spread at which: long is entered, long is left, short is left, short is entered."""
        entry, leave = self.thresholds.entry_z, self.thresholds.exit_z
        scaled = (self.mean + self.deviation * z for z in (-entry, -leave, leave, entry))
        return cast("tuple[float, float, float, float]", tuple(scaled))
