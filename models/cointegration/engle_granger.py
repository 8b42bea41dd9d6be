"""The two-step test of Engle and Granger (1987) for a pair, in both directions.

Step one regresses one leg on the other and a trend; step two tests the residuals for a unit root, with the critical
values of MacKinnon (2010) and the p-values of MacKinnon (1994) for two variables. Which leg stands on the left is
arbitrary and changes the answer in finite samples: both are reported, and one p-value that allows for the two looks.
Statistic, p-value and critical values are those of statsmodels' `coint`; it is given the lag length `lags` finds,
which is the one its own search would choose.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from models.cointegration.half_life import HalfLife, half_life
from models.cointegration.lags import Criterion, resolve_lags
from models.cointegration.library import import_statsmodels
from models.cointegration.series import FloatArray, check_explained, check_level, two_legs

#: MacKinnon (2010) has no critical values for a relation without a constant.
RelationTrend = Literal["c", "ct", "ctt"]


@dataclass(frozen=True, slots=True)
class Direction:
    """One regression: dependent = slope x other + deterministic terms + residual, and the test of its residuals.

    `deterministic` are the weights of 1, t, t^2 (t = 1 for the first value) as far as the trend has them;
    `residuals` float64[n] is the spread; `critical_values` are at `LEVELS` (1%, 5%, 10%).
    """

    dependent: Literal["y", "x"]
    slope: float
    deterministic: tuple[float, ...]
    statistic: float
    p_value: float
    critical_values: tuple[float, float, float]
    lags: int
    residuals: FloatArray

    def rejects(self, level: float = 0.05) -> bool:
        """Whether "not cointegrated" is rejected at 0.01, 0.05 or 0.10 by the critical value.

        Raises:
            ValueError: `level` is another.
        """
        return self.statistic < self.critical_values[check_level(level)]

    @property
    def hedge_ratio(self) -> float:
        """Units of x against one of y: the slope, or its inverse where x stood on the left."""
        return self.slope if self.dependent == "y" else 1 / self.slope

    def half_life(self) -> HalfLife:
        """Of the residuals, in steps; too short on average, since the regression chose them to look stationary.

        Raises:
            NotMeanRevertingError: they do not revert.
        """
        return half_life(self.residuals)


@dataclass(frozen=True, slots=True)
class EngleGranger:
    """Both directions, and how the lag length was found."""

    y_on_x: Direction
    x_on_y: Direction
    trend: RelationTrend
    criterion: Criterion | None

    @property
    def stronger(self) -> Direction:
        """The direction with the lower statistic."""
        return self.y_on_x if self.y_on_x.statistic <= self.x_on_y.statistic else self.x_on_y

    @property
    def p_value(self) -> float:
        """Of the pair: twice the smaller of the two, at most 1 (Bonferroni for having looked in both directions)."""
        return min(1.0, 2 * min(self.y_on_x.p_value, self.x_on_y.p_value))

    def agree(self, level: float = 0.05) -> bool:
        """Whether both directions say the same at `level`.

        Raises:
            ValueError: `level` is not 0.01, 0.05 or 0.10.
        """
        return self.y_on_x.rejects(level) == self.x_on_y.rejects(level)


def engle_granger(
    y: npt.ArrayLike,
    x: npt.ArrayLike,
    *,
    trend: RelationTrend = "c",
    criterion: Criterion | None = "aic",
    max_lags: int | None = None,
) -> EngleGranger:
    """Test a pair for cointegration.

    Args:
        y, x: float64[n], n >= 20, prices or their logarithms at the same times, oldest first.
        trend: of the relation: c constant, ct and line, ctt and parabola.
        criterion, max_lags: of the automatic lag length (see `lags.resolve_lags`); None takes `max_lags` as it is.

    Raises:
        ValueError: a leg is short, not finite, constant or straight, the legs are collinear, or an argument is
            out of its range.
        ImportError: statsmodels is not installed.
    """
    first, second = two_legs(y, x)
    if trend not in ("c", "ct", "ctt"):
        raise ValueError(f"trend: {trend!r}; there are c, ct and ctt (no critical values without a constant)")
    return EngleGranger(
        _direction("y", first, second, trend, criterion, max_lags),
        _direction("x", second, first, trend, criterion, max_lags),
        trend,
        criterion,
    )


def _direction(
    dependent: Literal["y", "x"],
    left: FloatArray,
    right: FloatArray,
    trend: RelationTrend,
    criterion: Criterion | None,
    max_lags: int | None,
) -> Direction:
    design = np.vander(np.arange(1.0, left.size + 1), len(trend), increasing=True)
    design = np.column_stack((right, design))
    scale = np.abs(design).max(axis=0)
    weights = np.linalg.lstsq(design / scale, left)[0] / scale
    residuals = left - design @ weights
    check_explained(left, residuals, dependent)
    lags = resolve_lags(residuals, "n", criterion, max_lags)
    statistic, p_value, critical = import_statsmodels("tsa.stattools").coint(
        left, right, trend=trend, maxlag=lags, autolag=None
    )
    one, five, ten = np.asarray(critical, np.float64).tolist()
    slope, *deterministic = weights.tolist()
    found = (float(statistic), float(p_value), (one, five, ten))
    return Direction(dependent, slope, tuple(deterministic), *found, lags, residuals)
