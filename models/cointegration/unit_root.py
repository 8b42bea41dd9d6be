"""Whether a leg is integrated of order one: augmented Dickey-Fuller on its level and on its differences.

Cointegration is a statement about legs with one unit root each; Engle-Granger and Johansen presume it. The statistic,
the p-value (MacKinnon 1994) and the critical values (MacKinnon 2010) are statsmodels'.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.cointegration.lags import Criterion, Trend, resolve_lags
from models.cointegration.library import import_statsmodels
from models.cointegration.series import check_level, one_leg


@dataclass(frozen=True, slots=True)
class UnitRootTest:
    """Of the null that the series has a unit root; `critical_values` are at `LEVELS` (1%, 5%, 10%)."""

    statistic: float
    p_value: float
    critical_values: tuple[float, float, float]
    trend: Trend
    lags: int
    observations: int

    def rejects(self, level: float = 0.05) -> bool:
        """Whether the unit root is rejected at 0.01, 0.05 or 0.10, by the critical value of this sample size.

        Raises:
            ValueError: `level` is another.
        """
        return self.statistic < self.critical_values[check_level(level)]


@dataclass(frozen=True, slots=True)
class IntegrationOrder:
    """The test of the level and that of the differences."""

    level: UnitRootTest
    difference: UnitRootTest

    def is_one(self, level: float = 0.05) -> bool:
        """A unit root is not rejected in the level and rejected in the differences: a leg fit for cointegration."""
        return not self.level.rejects(level) and self.difference.rejects(level)


def unit_root(
    x: npt.ArrayLike, *, trend: Trend = "c", criterion: Criterion | None = "aic", max_lags: int | None = None
) -> UnitRootTest:
    """Augmented Dickey-Fuller.

    Args:
        x: float64[n], n >= 20, oldest first.
        trend: n none, c constant, ct and line, ctt and parabola.
        criterion, max_lags: of the automatic lag length (see `lags.resolve_lags`); None takes `max_lags` as it is.

    Raises:
        ValueError: too short, not finite, constant or straight, or an argument out of its range.
        ImportError: statsmodels is not installed.
    """
    series = one_leg(x, "x")
    if trend not in ("n", "c", "ct", "ctt"):
        raise ValueError(f"trend: {trend!r}; there are n, c, ct and ctt")
    lags = resolve_lags(series, trend, criterion, max_lags)
    found = import_statsmodels("tsa.stattools").adfuller(
        series, maxlag=lags, regression=trend, autolag=None, result_object=True
    )
    values = found.critical_values
    critical = (float(values["1%"]), float(values["5%"]), float(values["10%"]))
    return UnitRootTest(float(found.statistic), float(found.pvalue), critical, trend, lags, int(found.nobs))


def integration_order(
    x: npt.ArrayLike, *, trend: Trend = "c", criterion: Criterion | None = "aic", max_lags: int | None = None
) -> IntegrationOrder:
    """`unit_root` of the values with `trend`, and of their differences with a constant.

    Raises:
        ValueError, ImportError: as `unit_root`.
    """
    series = one_leg(x, "x", 21)
    level = unit_root(series, trend=trend, criterion=criterion, max_lags=max_lags)
    return IntegrationOrder(level, unit_root(np.diff(series), trend="c", criterion=criterion, max_lags=max_lags))
