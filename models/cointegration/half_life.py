"""How long a spread takes to give back half of a deviation.

With b the least-squares slope of the spread on its last value (and a constant), a deviation shrinks by b a step, so
the half-life is -ln 2 / ln b steps: the conditional maximum likelihood of an Ornstein-Uhlenbeck process at dt = 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy.typing as npt

from models.ornstein_uhlenbeck import OUParameters, fit


@dataclass(frozen=True, slots=True)
class HalfLife:
    """In steps, with the standard error of the delta method; `process` is the whole estimate, dt = 1.

    b is biased downward by about (1 + 3 b) / n, so a half-life is too short on average; the error is that of a
    spread known without estimation.
    """

    steps: float
    standard_error: float
    slope: float
    slope_error: float
    process: OUParameters


def half_life(spread: npt.ArrayLike) -> HalfLife:
    """The half-life of `spread`, float64[n], n >= 4, oldest first.

    Raises:
        ValueError: too short, not finite, or without noise.
        NotMeanRevertingError: a ValueError; b is not inside (0, 1), so there is none; nothing is clipped.
    """
    found = fit(spread, 1.0)
    slope, _ = found.parameters.transition(1.0)
    # b = exp(-kappa), hence its error is b times that of kappa.
    slope_error = slope * found.standard_errors[0]
    return HalfLife(found.half_life, found.half_life_error, slope, slope_error, found.parameters)
