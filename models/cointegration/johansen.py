"""The rank test of Johansen (1988, 1991): how many relations hold legs together, and their weights.

The model is d X_t = alpha beta' X_{t-1} + sum_{i=1..k} Gamma_i d X_{t-i} + deterministic + e. The trace statistic
-T sum_{i>r} ln(1 - lambda_i) tests at most r relations against any number, the maximal eigenvalue statistic
-T ln(1 - lambda_{r+1}) against r + 1. Statistics and critical values (MacKinnon, Haug and Michelis 1999) are those of
statsmodels' `coint_johansen`. Its critical values presume what not every pair is. Share of pairs of independent
walks (400 values, k = 1) in which the trace test finds a relation at 5%, 1000 pairs each, Monte Carlo error 0.7%:

  det_order -1: 4% without drift (starting near 0); 0: 5% with drift, 10% without, since its values are those of
  drifting legs; 1: 20% either way, since the trend is taken out of the levels and not of their differences.

With det_order 0 and no drift a pair that does belong together comes out as rank 2 in a third of cases: read it as 1.

Without lagged differences it takes X_t for X_{t-1} (statsmodels issue 7459): k = 0 is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from models.cointegration.library import import_statsmodels
from models.cointegration.series import FloatArray, check_level, check_not_collinear, many_legs

DeterministicOrder = Literal[-1, 0, 1]
Statistic = Literal["trace", "max_eigen"]
#: Most legs critical values are tabulated for.
MAX_LEGS: Final = 12


@dataclass(frozen=True, slots=True)
class Johansen:
    """Of k legs. Row r of the statistics tests the null of at most r relations.

    `eigenvalues` float64[k] fall; column i of `eigenvectors` float64[k, k] belongs to eigenvalue i and weighs the
    legs in their own units, scaled so that the combination, cleared of lagged differences, has variance 1. Critical
    values are float64[k, 3] at `LEVELS` (1%, 5%, 10%).
    """

    eigenvalues: FloatArray
    eigenvectors: FloatArray
    trace_statistics: FloatArray
    trace_critical_values: FloatArray
    max_eigen_statistics: FloatArray
    max_eigen_critical_values: FloatArray
    det_order: DeterministicOrder
    k_ar_diff: int
    observations: int

    def rank(self, level: float = 0.05, statistic: Statistic = "trace") -> int:
        """The number of relations: the first null that is not rejected at `level`, testing 0, 1, ... in turn.

        k says that every combination is stationary: then the legs have no unit roots and none of this applies.

        Raises:
            ValueError: `level` is not 0.01, 0.05 or 0.10, or the statistic is unknown.
        """
        column = check_level(level)
        if statistic == "trace":
            rejected = self.trace_statistics > self.trace_critical_values[:, column]
        elif statistic == "max_eigen":
            rejected = self.max_eigen_statistics > self.max_eigen_critical_values[:, column]
        else:
            raise ValueError(f"statistic: {statistic!r}; there are trace and max_eigen")
        return int(rejected.size if rejected.all() else np.argmin(rejected))

    def weights(self, relation: int = 0) -> FloatArray:
        """float64[k]: the legs' weights in a relation, that of leg 0 being 1; of a pair: 1 and minus the hedge ratio.

        Raises:
            ValueError: there is no such relation, or leg 0 has no part in it.
        """
        if not 0 <= relation < self.eigenvalues.size:
            raise ValueError(f"relation: {relation}; there are 0 to {self.eigenvalues.size - 1}")
        vector = self.eigenvectors[:, relation]
        if vector[0] == 0:
            raise ValueError(f"relation {relation}: leg 0 has weight 0 in it; put another leg first")
        result: FloatArray = vector / vector[0]
        return result


def johansen(levels: npt.ArrayLike, *, det_order: DeterministicOrder, k_ar_diff: int) -> Johansen:
    """Test how many relations hold `levels` together.

    Args:
        levels: float64[n, k], 2 <= k <= 12, prices or their logarithms, oldest first.
        det_order: -1 no deterministic terms, 0 a constant, 1 a linear trend; see above for what each presumes.
        k_ar_diff: lagged differences in the model, at least 1.

    Raises:
        ValueError: a leg is short, not finite, constant or straight, legs are collinear, or an argument is out of
            its range.
        ImportError: statsmodels is not installed.
    """
    panel = many_legs(levels)
    n, k = panel.shape
    if k > MAX_LEGS:
        raise ValueError(f"levels: {k} legs; critical values are tabulated for at most {MAX_LEGS}")
    if det_order not in (-1, 0, 1):
        raise ValueError(f"det_order: {det_order!r}; there are -1, 0 and 1")
    if k_ar_diff == 0:
        raise ValueError("k_ar_diff: 0; statsmodels tests another regression then; give at least 1")
    check_lagged_differences(n, k, k_ar_diff)
    check_not_collinear(panel)
    found = import_statsmodels("tsa.vector_ar.vecm").coint_johansen(panel, det_order, k_ar_diff)
    if np.iscomplexobj(found.eig):
        raise ValueError("levels: the legs are too close to collinear for their relations to be told apart")
    # Tabulated at 90%, 95%, 99%; `LEVELS` runs the other way.
    return Johansen(
        np.asarray(found.eig, np.float64),
        np.asarray(found.evec, np.float64),
        np.asarray(found.lr1, np.float64),
        np.asarray(found.cvt, np.float64)[:, ::-1],
        np.asarray(found.lr2, np.float64),
        np.asarray(found.cvm, np.float64)[:, ::-1],
        det_order,
        k_ar_diff,
        n - 1 - k_ar_diff,
    )


def check_lagged_differences(n: int, k: int, k_ar_diff: int) -> None:
    """Raises ValueError unless 0 <= k_ar_diff and n values leave twice as many rows as terms in an equation."""
    terms = k * (k_ar_diff + 1) + 2
    if k_ar_diff < 0 or n - 1 - k_ar_diff < 2 * terms:
        raise ValueError(
            f"k_ar_diff: {k_ar_diff} with {n} values of {k} legs: {n - 1 - k_ar_diff} rows for {terms} terms in an "
            "equation; it must be at least 0, and leave twice as many rows as terms"
        )
