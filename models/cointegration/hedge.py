"""The hedge ratio of a pair: how many units of x to sell against one of y.

`static` is least squares of y on x and a constant. It converges at rate n, but with a bias of order 1/n when the
spread's shocks go with those of x, and its law is not normal, so that the usual standard error says nothing: none is
given. `dynamic` adds leads and lags of the differences of x (Saikkonen 1991; Stock and Watson 1993), which takes out
that bias and makes the ratio asymptotically mixed normal: its standard error, made robust to autocorrelation (Newey
and West 1987, Bartlett weights), supports tests and intervals.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from models.cointegration.library import import_statsmodels
from models.cointegration.series import FloatArray, check_explained, two_legs

HedgeMethod = Literal["static", "dynamic"]


@dataclass(frozen=True, slots=True)
class Hedge:
    """y = ratio x + intercept + spread; `ratio_error` is None where no valid one exists (`static`)."""

    ratio: float
    intercept: float
    ratio_error: float | None
    method: HedgeMethod
    observations: int

    def spread(self, y: npt.ArrayLike, x: npt.ArrayLike) -> FloatArray:
        """y - ratio x - intercept, float64 of the shape of the legs."""
        result: FloatArray = np.asarray(y, np.float64) - self.ratio * np.asarray(x, np.float64) - self.intercept
        return result


def fit_hedge(
    y: npt.ArrayLike,
    x: npt.ArrayLike,
    *,
    method: HedgeMethod = "dynamic",
    leads_lags: int | None = None,
    bandwidth: int | None = None,
) -> Hedge:
    """Estimate the hedge ratio.

    Args:
        y, x: float64[n], n >= 20, at the same times, oldest first.
        method: `static` or `dynamic`.
        leads_lags: differences of x on either side, of `dynamic`; ceil(4 (n / 100)^(2/9)) when None.
        bandwidth: lags of the robust covariance, of `dynamic`; ceil(12 (n / 100)^(1/4)) when None. Give more where
            the half-life of the spread is longer than a few steps.

    Raises:
        ValueError: a leg is short, not finite, constant or straight, they are collinear, or an argument is out of
            its range.
        ImportError: `dynamic` without statsmodels.
    """
    left, right = two_legs(y, x)
    slope, intercept = np.linalg.lstsq(np.column_stack((right, np.ones(left.size))), left)[0].tolist()
    check_explained(left, left - slope * right - intercept, "y")
    if method == "static":
        return Hedge(slope, intercept, None, method, left.size)
    if method != "dynamic":
        raise ValueError(f"method: {method!r}; there are static and dynamic")
    return _dynamic(left, right, leads_lags, bandwidth)


def _dynamic(y: FloatArray, x: FloatArray, leads_lags: int | None, bandwidth: int | None) -> Hedge:
    n = y.size
    k = math.ceil(4 * (n / 100) ** (2 / 9)) if leads_lags is None else leads_lags
    width = math.ceil(12 * (n / 100) ** 0.25) if bandwidth is None else bandwidth
    rows = n - 1 - 2 * k
    terms = 2 + 2 * k + 1
    if k < 0 or rows < 2 * terms:
        raise ValueError(f"leads_lags: {k}; {n} values leave {rows} rows for {terms} terms, at least twice is needed")
    if not 0 <= width < rows:
        raise ValueError(f"bandwidth: {width}; it must be from 0 to {rows - 1}")
    steps = np.diff(x)
    around = np.lib.stride_tricks.sliding_window_view(steps, 2 * k + 1)
    # Row i of `around` is centred at the step into time i + k + 1.
    design = np.column_stack((x[k + 1 : n - k], np.ones(rows), around))
    least_squares = import_statsmodels("regression.linear_model").OLS(y[k + 1 : n - k], design)
    found = least_squares.fit(cov_type="HAC", cov_kwds={"maxlags": width, "use_correction": True})
    return Hedge(float(found.params[0]), float(found.params[1]), float(found.bse[0]), "dynamic", rows)
