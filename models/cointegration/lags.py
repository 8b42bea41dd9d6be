"""How many lagged differences an augmented Dickey-Fuller regression takes.

The regressions of 0, 1, ... lags are nested, so one QR factorisation of the largest gives all residual sums of
squares: with z = Q'd, RSS of the first k columns is the RSS of all plus the squares of z beyond k. That is the search
statsmodels makes by one least squares fit for each length, on the same rows and by the same criteria.
"""

from __future__ import annotations

import math
from typing import Literal, get_args

import numpy as np

from models.cointegration.series import FloatArray

Criterion = Literal["aic", "bic", "t-stat"]
Trend = Literal["n", "c", "ct", "ctt"]
#: One-sided 5% point of the normal law, at which the t-stat criterion keeps the last lag.
_SIGNIFICANT = 1.6448536269514722


def resolve_lags(x: FloatArray, trend: Trend, criterion: Criterion | None, max_lags: int | None) -> int:
    """The number of lags: chosen by `criterion` among 0..max_lags, or `max_lags` itself when that is None.

    Args:
        x: float64[n], the series whose unit root is tested.
        trend: n none, c constant, ct and line, ctt and parabola.
        criterion: Akaike, Schwarz, or the last lag's significance.
        max_lags: the rule of Schwert (1989), ceil(12 (n / 100)^(1/4)), when None.

    Raises:
        ValueError: an unknown criterion, or more lags than n / 2 - 1 less the trend's terms.
    """
    terms = 0 if trend == "n" else len(trend)
    most = x.size // 2 - terms - 1
    if max_lags is None:
        if criterion is None:
            raise ValueError("max_lags: with no criterion the number of lags must be given")
        max_lags = min(most, math.ceil(12 * (x.size / 100) ** 0.25))
    if not 0 <= max_lags <= most:
        raise ValueError(f"max_lags: {max_lags}; {x.size} values allow 0 to {most}")
    if criterion is None:
        return max_lags
    if criterion not in get_args(Criterion):
        raise ValueError(f"criterion: {criterion!r}; there are {', '.join(get_args(Criterion))} and None")
    return _search(x, terms, criterion, max_lags)


def _search(x: FloatArray, terms: int, criterion: Criterion, max_lags: int) -> int:
    steps = np.diff(x)
    rows = steps.size - max_lags
    time = np.arange(1, rows + 1) / rows
    design = np.empty((rows, terms + 1 + max_lags + 1))
    for power in range(terms):
        design[:, power] = time**power
    design[:, terms] = x[max_lags:-1]
    for lag in range(1, max_lags + 1):
        design[:, terms + lag] = steps[max_lags - lag : -lag]
    design[:, -1] = steps[max_lags:]
    # The last column of R is Q'd above, and the root of the residual sum of squares on the diagonal.
    triangle = np.asarray(np.linalg.qr(design, mode="r"), np.float64)
    projected = triangle[:, -1]
    squares = np.cumsum(np.square(projected)[::-1])[::-1][terms + 1 :]
    parameters = terms + 1 + np.arange(max_lags + 1)
    if criterion == "t-stat":
        t = np.abs(projected[terms:-1]) / np.sqrt(squares / (rows - parameters))
        kept = np.flatnonzero(t[1:] >= _SIGNIFICANT)
        return int(kept[-1]) + 1 if kept.size else 0
    penalty = 2.0 if criterion == "aic" else math.log(rows)
    return int(np.argmin(rows * np.log(squares) + penalty * parameters))
