"""Mean-variance portfolios with proportional trading costs.

    maximise  mean'w - risk_aversion/2 w'S w - cost'|w - holdings|

subject to what is asked for: weights that sum to a budget, bounds, a bound on sum |w|, no factor exposure. Solved
with cvxpy (extra `tidewire[lab]`). Without costs and constraints the answer is S^-1 mean / risk_aversion.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from models.factors.convex import import_cvxpy
from models.factors.covariance import FloatArray, checked_covariance, solve_positive

if TYPE_CHECKING:
    import cvxpy

Solver = Literal["CLARABEL", "OSQP", "SCS"]


@dataclass(frozen=True)
class Constraints:
    """What the weights must satisfy; nothing that is not given.

    budget: their sum. lowest, highest: of each weight. gross: most of sum |w|. exposures: float[N, K] with
    exposures' w = 0.

    Raises:
        ValueError: a number is not finite, or a bound contradicts another.
    """

    budget: float | None = None
    lowest: float | None = None
    highest: float | None = None
    gross: float | None = None
    exposures: npt.ArrayLike | None = None

    def __post_init__(self) -> None:
        for name in ("budget", "lowest", "highest", "gross", "exposures"):
            value = getattr(self, name)
            if value is not None and not np.isfinite(np.asarray(value, np.float64)).all():
                raise ValueError(f"{name}: {value} is not finite; leave out what does not bind")
        if self.lowest is not None and self.highest is not None and self.lowest > self.highest:
            raise ValueError(f"lowest: {self.lowest} is above highest, {self.highest}")
        if self.gross is not None and self.gross < abs(self.budget or 0.0):
            raise ValueError(f"gross: {self.gross} is below the budget's {self.budget}")


@dataclass(frozen=True, slots=True)
class MeanVariance:
    """weights float64[N], trades = weights - holdings, cost = cost'|trades|, objective with the cost taken.

    status: the solver's word; converged when it is "optimal". Weights of a problem that did not converge are NaN.
    """

    weights: FloatArray
    trades: FloatArray
    cost: float
    objective: float
    status: str
    converged: bool


def mean_variance_with_costs(
    mean: npt.ArrayLike,
    covariance: npt.ArrayLike,
    risk_aversion: float,
    holdings: npt.ArrayLike,
    cost: npt.ArrayLike,
    constraints: Constraints | None = None,
    solver: Solver = "CLARABEL",
) -> MeanVariance:
    """Solve the problem above. cost: one rate or float[N], 0 or more, in the unit of the mean per unit traded.

    Raises:
        ValueError: shapes that do not fit, a covariance that is not positive semidefinite, a risk aversion not above
            0, a negative cost.
        ImportError: cvxpy is not installed.
    """
    matrix = checked_covariance(covariance)
    size = len(matrix)
    mu, held = np.asarray(mean, np.float64), np.asarray(holdings, np.float64)
    rate = np.broadcast_to(np.asarray(cost, np.float64), (size,))
    if mu.shape != (size,) or held.shape != (size,) or not (np.isfinite(mu).all() and np.isfinite(held).all()):
        raise ValueError(f"mean {mu.shape}, holdings {held.shape}: finite float[{size}] are needed")
    if not (np.isfinite(risk_aversion) and risk_aversion > 0):
        raise ValueError(f"risk_aversion: {risk_aversion} is not above 0")
    if not (np.isfinite(rate).all() and (rate >= 0).all()):
        raise ValueError("cost: rates must be finite and 0 or more")
    cp = import_cvxpy()
    weights = cp.Variable(size)
    risk = cp.sum_squares(_root(matrix).T @ weights)
    objective = mu @ weights - 0.5 * risk_aversion * risk - rate @ cp.abs(weights - held)
    problem = cp.Problem(cp.Maximize(objective), _constraints(cp, weights, constraints or Constraints(), size))
    problem.solve(solver=solver, **_ACCURATE[solver])
    if problem.status != "optimal":
        nothing = np.full(size, np.nan)
        return MeanVariance(nothing, nothing, np.nan, np.nan, str(problem.status), False)
    found: FloatArray = np.asarray(weights.value, np.float64)
    trades = found - held
    paid = float(rate @ np.abs(trades))
    value = float(mu @ found - 0.5 * risk_aversion * found @ matrix @ found) - paid
    return MeanVariance(found, trades, paid, value, str(problem.status), True)


def minimum_variance_portfolio(covariance: npt.ArrayLike) -> FloatArray:
    """S^-1 1 / (1' S^-1 1): the weights float64[N] of sum 1 with the least variance, short sales allowed.

    Raises:
        ValueError: the covariance is singular.
    """
    matrix = checked_covariance(covariance)
    raw = solve_positive(matrix, np.ones(len(matrix)), "covariance")
    result: FloatArray = raw / raw.sum()
    return result


_ACCURATE: dict[str, dict[str, Any]] = {
    "CLARABEL": {"tol_gap_abs": 1e-12, "tol_gap_rel": 1e-12, "tol_feas": 1e-12},
    "OSQP": {"eps_abs": 1e-10, "eps_rel": 1e-10, "max_iter": 200_000, "polishing": True},
    "SCS": {"eps_abs": 1e-10, "eps_rel": 1e-10, "max_iters": 200_000},
}


def _constraints(cp: Any, weights: Any, asked: Constraints, size: int) -> list[cvxpy.Constraint]:
    made = []
    if asked.budget is not None:
        made.append(cp.sum(weights) == asked.budget)
    if asked.lowest is not None:
        made.append(weights >= asked.lowest)
    if asked.highest is not None:
        made.append(weights <= asked.highest)
    if asked.gross is not None:
        made.append(cp.norm1(weights) <= asked.gross)
    if asked.exposures is not None:
        exposures = np.asarray(asked.exposures, np.float64)
        if exposures.ndim != 2 or len(exposures) != size:
            raise ValueError(f"exposures: shape {exposures.shape}; float[{size}, K] is needed")
        made.append(exposures.T @ weights == 0)
    return made


def _root(matrix: FloatArray) -> FloatArray:
    """R with R R' = matrix, which may be singular but not indefinite."""
    values, vectors = np.linalg.eigh(matrix)
    if values[0] < -1e-10 * max(values[-1], 0.0):
        raise ValueError(f"covariance: not positive semidefinite, its least eigenvalue is {values[0]:.3e}")
    result: FloatArray = vectors * np.sqrt(np.maximum(values, 0.0))
    return result
