"""Least squares of a VECM whose cointegrating relations are known (Hasbrouck 1995).

Prices of one asset in n markets differ by stationary amounts: B is known, every equation has the same regressors, and
ordinary least squares, equation by equation, is maximum likelihood. Standard errors are those of least squares: they
hold for innovations of constant variance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.linalg import qr, solve_triangular

from models.price_discovery.ticks import FloatArray
from models.price_discovery.vecm import VECMParameters, price_differences

#: A regressor of which less than this share is new beside the others is taken for a copy.
_COLLINEAR = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class VECMErrors:
    """Standard errors, in the shapes of the parameters; `constant` is 0 where none was fitted."""

    adjustment: FloatArray
    lagged: FloatArray
    constant: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class VECMFit:
    """A fitted VECM.

    Args:
        parameters: the covariance has the divisor rows - regressors.
        errors: standard errors of least squares.
        residuals: float64[rows, n]; rows = prices - lags - 1.
        prices: float64[rows + lags + 1, n], as given.
        has_constant: whether the equations have one.
        log_likelihood: Gaussian, at its maximum (covariance with divisor rows).
        converged, reason: False when the fitted prices are not held together by one common trend: no shares then.
    """

    parameters: VECMParameters
    errors: VECMErrors
    residuals: FloatArray
    prices: FloatArray
    has_constant: bool
    log_likelihood: float
    converged: bool
    reason: str

    @property
    def rows(self) -> int:
        """Changes in the regression."""
        return int(self.residuals.shape[0])


def fit_vecm(
    prices: npt.ArrayLike, lags: int, *, constant: bool = True, cointegration: npt.ArrayLike | None = None
) -> VECMFit:
    """Fit by least squares.

    Args:
        prices: (log) prices on an even grid without gaps, float64[observations, n], n >= 2.
        lags: K, changes in the equations, at least 0.
        constant: with one in every equation; without one the relations must have mean 0.
        cointegration: B, float64[n, n - 1]; `price_differences(n)` by default.

    Raises:
        ValueError: prices or lags that are not such; too few observations; regressors that are copies of each other,
            like the prices of a market that never moved.
    """
    table = _table(prices, lags)
    n = table.shape[1]
    relations = price_differences(n) if cointegration is None else np.asarray(cointegration, np.float64)
    if relations.shape != (n, n - 1):
        raise ValueError(f"cointegration: shape {relations.shape}; ({n}, {n - 1}) is needed for {n} prices")
    response, regressors = _regression(table, lags, constant, relations)
    rows, width = regressors.shape
    if rows <= width + n:
        raise ValueError(f"prices: {rows} changes for {width} regressors of {n} equations; more are needed")
    coefficients, inverse = _least_squares(regressors, response)
    residuals = response - regressors @ coefficients
    moments = residuals.T @ residuals
    covariance = moments / (rows - width)
    errors = np.sqrt(np.outer(np.diag(inverse), np.diag(covariance)))
    parameters = VECMParameters(
        adjustment=coefficients[: n - 1].T,
        covariance=(covariance + covariance.T) / 2,
        lagged=_lagged(coefficients, n, lags),
        constant=coefficients[-1] if constant else np.zeros(n),
        cointegration=relations,
    )
    _, logarithm = np.linalg.slogdet(moments / rows)
    reason = _doubt(parameters)
    return VECMFit(
        parameters=parameters,
        errors=VECMErrors(errors[: n - 1].T, _lagged(errors, n, lags), errors[-1] if constant else np.zeros(n)),
        residuals=residuals,
        prices=table,
        has_constant=constant,
        log_likelihood=-rows / 2 * (n * (math.log(2 * math.pi) + 1) + float(logarithm)),
        converged=not reason,
        reason=reason,
    )


def select_lags(
    prices: npt.ArrayLike,
    max_lags: int,
    *,
    criterion: Literal["aic", "bic"] = "bic",
    constant: bool = True,
    cointegration: npt.ArrayLike | None = None,
) -> int:
    """The number of lagged changes, 0 to max_lags, of the lowest criterion; all on the same rows.

    Raises:
        ValueError: a criterion that is not known; as `fit_vecm` with max_lags.
    """
    if criterion not in ("aic", "bic"):
        raise ValueError(f"criterion: {criterion!r}; 'aic' or 'bic'")
    table = _table(prices, max_lags)
    n = table.shape[1]
    values = []
    for lags in range(max_lags + 1):
        fitted = fit_vecm(table[max_lags - lags :], lags, constant=constant, cointegration=cointegration)
        count = n * (n - 1 + n * lags + constant)
        weight = 2.0 if criterion == "aic" else math.log(fitted.rows)
        values.append(-2 * fitted.log_likelihood + weight * count)
    return int(np.argmin(values))


def _table(prices: npt.ArrayLike, lags: int) -> FloatArray:
    if isinstance(lags, bool) or not isinstance(lags, int | np.integer) or lags < 0:
        raise ValueError(f"lags: {lags!r}; an integer of at least 0 is needed")
    table = np.array(prices, np.float64)
    if table.ndim != 2 or table.shape[1] < 2:
        raise ValueError(f"prices: shape {table.shape}; (observations, markets) with at least 2 markets is needed")
    if not np.isfinite(table).all():
        raise ValueError(f"prices: row {int(np.argmin(np.isfinite(table).all(axis=1)))} is not finite")
    if table.shape[0] < lags + 3:
        raise ValueError(f"prices: {table.shape[0]} observations are too few for {lags} lags")
    return table


def _regression(table: FloatArray, lags: int, constant: bool, relations: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Changes, and what they are explained by: relations, then lagged changes (nearest first), then 1."""
    changes = np.diff(table, axis=0)
    rows = changes.shape[0] - lags
    parts = [table[lags:-1] @ relations]
    parts += [changes[lags - k : lags - k + rows] for k in range(1, lags + 1)]
    if constant:
        parts.append(np.ones((rows, 1)))
    return changes[lags:], np.hstack(parts)


def _least_squares(regressors: FloatArray, response: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Coefficients, and the inverse of X'X; by QR of the columns scaled to length 1."""
    lengths = np.sqrt(np.square(regressors).sum(axis=0))
    if (lengths == 0).any():
        raise ValueError(f"prices: regressor {int(np.argmin(lengths))} is 0 throughout; leave that market out")
    orthogonal, triangle = qr(regressors / lengths, mode="economic")
    if np.abs(np.diag(triangle)).min() < _COLLINEAR:
        raise ValueError("prices: the regressors are copies of each other: two markets are the same, or one is fixed")
    inverse = solve_triangular(triangle, np.eye(lengths.size)) / lengths[:, None]
    coefficients = inverse @ (orthogonal.T @ response)
    return coefficients, inverse @ inverse.T


def _lagged(rows: FloatArray, n: int, lags: int) -> FloatArray:
    """[lag, equation, price] from the regression's [regressor, equation]."""
    return rows[n - 1 : n - 1 + n * lags].reshape(lags, n, n).transpose(0, 2, 1)


def _doubt(parameters: VECMParameters) -> str:
    if not parameters.cointegrated:
        return (
            f"largest root beside the common trend's is {parameters.roots[0]:.6g}, not below 1: "
            "the deviations do not die out"
        )
    try:
        _ = parameters.long_run_impact
    except ValueError as failed:
        return str(failed)
    return ""
