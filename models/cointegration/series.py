"""What the tests and estimates take: legs of equal length, oldest first, that can be told apart."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
#: Fewest values of a leg: below it not even the smallest lag search leaves degrees of freedom worth the name.
MIN_VALUES: Final = 20
#: Levels at which critical values are tabulated, in the order in which results carry them.
LEVELS: Final = (0.01, 0.05, 0.10)
#: A leg which the others explain to this part of its variance cannot be told apart; statsmodels draws the line there.
COLLINEAR: Final = 100 * math.sqrt(np.finfo(np.float64).eps)


def one_leg(values: npt.ArrayLike, name: str, least: int = MIN_VALUES) -> FloatArray:
    """`values` as float64[n].

    Raises:
        ValueError: not one series of at least `least` finite values, or they are constant or on a straight line.
    """
    leg = np.asarray(values, np.float64)
    if leg.ndim != 1 or leg.size < least:
        raise ValueError(f"{name}: shape {leg.shape}; one series of at least {least} values is needed")
    finite = np.isfinite(leg)
    if not finite.all():
        raise ValueError(f"{name}[{int(np.argmin(finite))}] is not finite; drop or fill it in every leg first")
    if leg.min() == leg.max():
        raise ValueError(f"{name}: every value is {leg[0]:g}; a constant leg has no relation to test")
    steps = np.diff(leg)
    if np.ptp(steps) <= 1e-12 * np.abs(leg).max():
        raise ValueError(f"{name}: the values are on a straight line; there is no noise to test")
    return leg


def two_legs(y: npt.ArrayLike, x: npt.ArrayLike, least: int = MIN_VALUES) -> tuple[FloatArray, FloatArray]:
    """Both as float64[n].

    Raises:
        ValueError: as `one_leg`, or their lengths differ.
    """
    first, second = one_leg(y, "y", least), one_leg(x, "x", least)
    if first.size != second.size:
        raise ValueError(f"y, x: {first.size} and {second.size} values; give both legs at the same times")
    return first, second


def many_legs(levels: npt.ArrayLike, least: int = MIN_VALUES) -> FloatArray:
    """Legs in columns, float64[n, k], k >= 2.

    Raises:
        ValueError: as `one_leg`, naming the column, or there are fewer than two.
    """
    panel = np.asarray(levels, np.float64)
    if panel.ndim != 2 or panel.shape[1] < 2:
        raise ValueError(f"levels: shape {panel.shape}; [times, legs] with at least 2 legs is needed")
    return np.column_stack([one_leg(panel[:, j], f"levels[:, {j}]", least) for j in range(panel.shape[1])])


def check_not_collinear(levels: FloatArray) -> None:
    """Raises ValueError when one column is another combination of the rest to within `COLLINEAR` of its variance."""
    for j in range(levels.shape[1]):
        others = np.column_stack((np.delete(levels, j, axis=1), np.ones(len(levels))))
        others /= np.abs(others).max(axis=0)
        weights = np.linalg.lstsq(others, levels[:, j])[0]
        check_explained(levels[:, j], levels[:, j] - others @ weights, f"levels[:, {j}]")


def check_explained(leg: FloatArray, residuals: FloatArray, name: str) -> None:
    """Raises ValueError when `residuals` hold less than `COLLINEAR` of the variance of `leg`."""
    left = float(residuals @ residuals) / float(np.square(leg - leg.mean()).sum())
    if left <= COLLINEAR:
        raise ValueError(
            f"{name}: the other leg explains all but {left:.2g} of its variance; collinear legs cannot be tested: "
            "leave one out, or give their known spread to unit_root"
        )


def check_level(level: float) -> int:
    """Where `level` stands in `LEVELS`.

    Raises:
        ValueError: it is not among them.
    """
    if level not in LEVELS:
        raise ValueError(f"level: {level!r}; critical values are tabulated at {', '.join(map(str, LEVELS))}")
    return LEVELS.index(level)
