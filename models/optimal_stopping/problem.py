"""What is to be stopped, and what came out.

A problem is sup E[Y_tau] over the stopping times tau in the dates 0 .. N. Y is the reward as it is worth at date 0:
whoever discounts puts the factor into the rewards. Date 0 is a date like the others unless the reward there is -inf.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Sample:
    """Independent paths of one problem.

    Args:
        paths: float64[n, N + 1], what is seen at each date.
        rewards: float64[n, N + 1], what stopping there brings, as worth at date 0.
        innovations: float64[n, N], standard normal; number i is independent of all that is seen up to date i, and
            known at date i + 1. Only martingales need them.

    Raises:
        ValueError: shapes that do not agree, or values that are not numbers.
    """

    paths: FloatArray
    rewards: FloatArray
    innovations: FloatArray | None = None

    def __post_init__(self) -> None:
        n, points = self.paths.shape if self.paths.ndim == 2 else (0, 0)
        if n < 1 or points < 2:
            raise ValueError(
                f"paths: shape {self.paths.shape}; must be [n, N + 1] with a path and two dates at least"
            )
        if self.rewards.shape != (n, points):
            raise ValueError(f"rewards: shape {self.rewards.shape}; paths have {(n, points)}")
        if self.innovations is not None and self.innovations.shape != (n, points - 1):
            raise ValueError(f"innovations: shape {self.innovations.shape}; must be {(n, points - 1)}")
        if not np.isfinite(self.paths).all() or np.isnan(self.rewards).any():
            raise ValueError("paths, rewards: not all values are numbers")
        if self.innovations is not None and not np.isfinite(self.innovations).all():
            raise ValueError("innovations: not all values are finite")


#: Draws so many paths with this generator.
Simulate = Callable[[int, np.random.Generator], Sample]


@dataclass(frozen=True, slots=True)
class MonteCarloValue:
    """A mean over independent paths.

    Args:
        value: the mean.
        standard_error: of the mean.
        paths: how many.
        seed: the stream they came from, so that they can be drawn again.
    """

    value: float
    standard_error: float
    paths: int
    seed: tuple[int, ...]


def mean_of(values: FloatArray, seed: tuple[int, ...]) -> MonteCarloValue:
    """The mean with its standard error."""
    error = float(values.std(ddof=1) / np.sqrt(values.size)) if values.size > 1 else float("inf")
    return MonteCarloValue(float(values.mean()), error, values.size, seed)


def generator(seed: tuple[int, ...]) -> np.random.Generator:
    """The generator of one stream: (seed, 0) trains a rule, (seed, 1) values it, (seed, 2) and (seed, 3) the dual."""
    return np.random.default_rng(np.random.SeedSequence(seed))


def innovations(sample: Sample) -> FloatArray:
    """Those of the sample.

    Raises:
        ValueError: it has none.
    """
    if sample.innovations is None:
        raise ValueError("sample: it has no innovations; a martingale is made of them")
    return sample.innovations
