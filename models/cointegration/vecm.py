"""The error-correction model: which leg moves to close the gap, and how fast (Johansen 1995, chapter 13).

d X_t = alpha (beta' X_{t-1} + c) + sum Gamma_i d X_{t-i} + deterministic + e, with beta's first rows the identity.
For a pair beta = (1, -hedge ratio) and alpha_i is the share of the gap that leg i moves in a step. Estimates by
reduced-rank regression, their errors and p-values are those of statsmodels' `VECM`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from models.cointegration.johansen import check_lagged_differences
from models.cointegration.library import import_statsmodels
from models.cointegration.series import FloatArray, check_not_collinear, many_legs

Deterministic = Literal["n", "co", "ci"]


@dataclass(frozen=True, slots=True)
class VECMFit:
    """Of k legs and r relations.

    `alpha` and `beta` are float64[k, r], `gamma` float64[k, k * k_ar_diff], `sigma` float64[k, k] (divisor T) the
    covariance of the shocks. `constants` float64[r] are those inside the relations, 0 unless deterministic is ci.
    Errors are standard errors of the same shapes; beta's first r rows are fixed and have error 0. `roots` are the
    moduli of the companion matrix's eigenvalues without the k - r unit roots, falling; `converged` is True: the
    estimate is a closed form, and a singular one raises.
    """

    alpha: FloatArray
    alpha_errors: FloatArray
    alpha_p_values: FloatArray
    beta: FloatArray
    beta_errors: FloatArray
    constants: FloatArray
    constant_errors: FloatArray
    gamma: FloatArray
    sigma: FloatArray
    roots: FloatArray
    log_likelihood: float
    deterministic: Deterministic
    k_ar_diff: int
    observations: int
    converged: bool
    reason: str

    @property
    def hedge_ratio(self) -> float:
        """Units of leg 1 against one of leg 0, of a pair.

        Raises:
            ValueError: there are more than two legs or not one relation.
        """
        self._check_pair()
        return -float(self.beta[1, 0])

    @property
    def hedge_ratio_error(self) -> float:
        """Its standard error (mixed normal: t-tests and intervals hold).

        Raises:
            ValueError: as `hedge_ratio`.
        """
        self._check_pair()
        return float(self.beta_errors[1, 0])

    @property
    def closes_gap(self) -> npt.NDArray[np.bool_]:
        """bool[k, r]: whether the leg moves so that the relation's gap shrinks (alpha beta below 0)."""
        result: npt.NDArray[np.bool_] = self.alpha * self.beta < 0
        return result

    @property
    def half_life(self) -> float | None:
        """Steps in which the slowest part of a gap halves: -ln 2 / ln(largest root); None if that is not < 1."""
        largest = float(self.roots[0])
        return -math.log(2) / math.log(largest) if 0 < largest < 1 else None

    def spread(self, levels: npt.ArrayLike) -> FloatArray:
        """float64[n, r]: beta' X + c at every time."""
        result: FloatArray = np.asarray(levels, np.float64) @ self.beta + self.constants
        return result

    def _check_pair(self) -> None:
        if self.beta.shape != (2, 1):
            raise ValueError(f"beta: shape {self.beta.shape}; a hedge ratio is of two legs and one relation")


def fit_vecm(levels: npt.ArrayLike, *, k_ar_diff: int, rank: int = 1, deterministic: Deterministic = "ci") -> VECMFit:
    """Estimate the error-correction model.

    Args:
        levels: float64[n, k], k >= 2, oldest first.
        k_ar_diff: lagged differences in the model, at least 0.
        rank: relations, 1 to k - 1 (see `johansen`).
        deterministic: n none, ci a constant inside the relations, co outside (legs drift).

    Raises:
        ValueError: as `johansen`, or the estimate is singular.
        ImportError: statsmodels is not installed.
    """
    panel = many_legs(levels)
    n, k = panel.shape
    if not 1 <= rank < k:
        raise ValueError(f"rank: {rank}; {k} legs have 1 to {k - 1} relations")
    if deterministic not in ("n", "co", "ci"):
        raise ValueError(f"deterministic: {deterministic!r}; there are n, co and ci")
    check_lagged_differences(n, k, k_ar_diff)
    check_not_collinear(panel)
    model = import_statsmodels("tsa.vector_ar.vecm").VECM(
        panel, k_ar_diff=k_ar_diff, coint_rank=rank, deterministic=deterministic
    )
    found = model.fit()
    inside = deterministic == "ci"
    fit = VECMFit(
        _real(found.alpha),
        _real(found.stderr_alpha),
        _real(found.pvalues_alpha),
        _real(found.beta),
        _real(found.stderr_beta),
        _real(found.const_coint).ravel() if inside else np.zeros(rank),
        _real(found.stderr_det_coef_coint).ravel() if inside else np.zeros(rank),
        _real(found.gamma).reshape(k, k * k_ar_diff),
        _real(found.sigma_u),
        _roots(_real(found.var_rep), k - rank),
        float(np.real(found.llf)),
        deterministic,
        k_ar_diff,
        int(found.nobs),
        converged=True,
        reason="closed form",
    )
    if not all(
        np.isfinite(part).all() for part in (fit.alpha, fit.beta, fit.alpha_errors, fit.beta_errors, fit.sigma)
    ):
        raise ValueError("levels: the estimate is singular; the legs are too close to collinear")
    return fit


def _real(values: npt.ArrayLike) -> FloatArray:
    """Rounding may leave an eigenvector with imaginary parts of 0."""
    array = np.asarray(values)
    if np.iscomplexobj(array) and np.abs(array.imag).max(initial=0.0) > 1e-12 * np.abs(array).max(initial=1.0):
        raise ValueError("levels: the legs are too close to collinear for their relations to be told apart")
    return np.asarray(array.real, np.float64)


def _roots(lag_matrices: FloatArray, unit: int) -> FloatArray:
    """Moduli of the eigenvalues of the companion of float64[p, k, k] without the `unit` ones nearest to 1."""
    p, k, _ = lag_matrices.shape
    companion = np.eye(p * k, k=-k)
    companion[:k] = np.concatenate(list(lag_matrices), axis=1)
    values = np.linalg.eigvals(companion)
    rest = values[np.argsort(np.abs(values - 1))[unit:]]
    return np.sort(np.abs(rest))[::-1]
