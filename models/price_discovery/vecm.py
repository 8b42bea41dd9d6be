"""The vector error correction model of n prices of one asset (Engle and Granger 1987).

    dp_t = c + A B' p_{t-1} + sum_{k=1..K} G_k dp_{t-k} + e_t,   e_t ~ (0, S)

n prices have n - 1 cointegrating relations, the columns of B, and one common trend. Its long-run response to the
innovations (Johansen 1991; Stock and Watson 1988) is

    C = B_perp (A_perp' (I - sum G_k) B_perp)^-1 A_perp'

With the relations p_1 - p_j every row of C is the same: a permanent innovation moves every price alike.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from models.price_discovery.kernels import vecm_path
from models.price_discovery.ticks import FloatArray

#: Singular values below this share of the largest count as 0.
_RANK_TOLERANCE = 1e-12
#: Room for rounding when roots are asked to lie inside the unit circle.
_ROOT_TOLERANCE = 1e-9


def price_differences(n: int) -> FloatArray:
    """The cointegrating relations p_1 - p_j, j = 2..n: float64[n, n - 1].

    Raises:
        ValueError: fewer than 2 prices.
    """
    if n < 2:
        raise ValueError(f"n: {n} prices; at least 2 are needed")
    return np.vstack([np.ones((1, n - 1)), -np.eye(n - 1)])


@dataclass(frozen=True, slots=True, eq=False)
class VECMParameters:
    """Parameters of a VECM of n prices with K lagged changes; arrays are copied and read-only.

    Args:
        adjustment: A, float64[n, n - 1]: how each price answers to each relation's deviation.
        covariance: S, float64[n, n], symmetric, positive definite.
        lagged: G, float64[K, n, n]; none by default.
        constant: c, float64[n]; 0 by default.
        cointegration: B, float64[n, n - 1], of full rank; `price_differences(n)` by default.

    Raises:
        ValueError: a shape does not fit, or a value is out of its range.
    """

    adjustment: FloatArray
    covariance: FloatArray
    lagged: FloatArray = field(default_factory=lambda: np.empty((0, 0, 0)))
    constant: FloatArray = field(default_factory=lambda: np.empty(0))
    cointegration: FloatArray = field(default_factory=lambda: np.empty((0, 0)))

    def __post_init__(self) -> None:
        n = np.shape(self.adjustment)[0] if np.ndim(self.adjustment) == 2 else 0
        if n < 2:
            raise ValueError(f"adjustment: shape {np.shape(self.adjustment)}; (n, n - 1) with n >= 2 is needed")
        if np.ndim(self.lagged) != 3:
            raise ValueError(f"lagged: shape {np.shape(self.lagged)}; (K, {n}, {n}) is needed for {n} prices")
        lags = np.shape(self.lagged)[0]
        defaults = {
            "lagged": np.zeros((0, n, n)),
            "constant": np.zeros(n),
            "cointegration": price_differences(n),
        }
        shapes = {
            "adjustment": (n, n - 1),
            "covariance": (n, n),
            "lagged": (lags, n, n),
            "constant": (n,),
            "cointegration": (n, n - 1),
        }
        for name, shape in shapes.items():
            given = np.asarray(getattr(self, name), np.float64)
            values = np.array(given if given.size else defaults.get(name, given), np.float64, order="C")
            if values.shape != shape:
                raise ValueError(f"{name}: shape {given.shape}; {shape} is needed for {n} prices")
            if not np.isfinite(values).all():
                raise ValueError(f"{name}: not every value is finite")
            values.flags.writeable = False
            object.__setattr__(self, name, values)
        check_covariance(self.covariance)
        if np.linalg.matrix_rank(self.cointegration) < n - 1:
            raise ValueError("cointegration: its columns are not linearly independent")

    @property
    def prices(self) -> int:
        """n."""
        return int(self.adjustment.shape[0])

    @property
    def lags(self) -> int:
        """K, lagged changes in each equation."""
        return int(self.lagged.shape[0])

    @property
    def roots(self) -> FloatArray:
        """Moduli of the companion matrix's eigenvalues, falling, without the one of the common trend.

        Below 1: deviations die out and the prices share one trend. float64[n (K + 1) - 1].
        """
        n, lags = self.prices, self.lags
        levels = np.zeros((lags + 2, n, n))
        levels[0] = np.eye(n) + self.adjustment @ self.cointegration.T
        levels[:lags] += self.lagged
        levels[1 : lags + 1] -= self.lagged
        companion = np.eye(n * (lags + 1), k=-n)
        companion[:n] = np.hstack(list(levels[: lags + 1]))
        values = np.linalg.eigvals(companion)
        kept = np.delete(values, np.argmin(np.abs(values - 1)))
        return np.sort(np.abs(kept)).astype(np.float64)[::-1]

    @property
    def cointegrated(self) -> bool:
        """Whether every root but the common trend's is below 1."""
        return bool(self.roots[0] < 1 - _ROOT_TOLERANCE)

    @property
    def long_run_impact(self) -> FloatArray:
        """C, float64[n, n]: where each price ends for good after a unit innovation of each market.

        Raises:
            ValueError: the prices have no single common trend (see `common_trend_weights`), or they are I(2).
        """
        weights = common_trend_weights(self.adjustment)
        carried = _left_null(self.cointegration)
        middle = float(weights @ (np.eye(self.prices) - self.lagged.sum(axis=0)) @ carried)
        if abs(middle) <= _RANK_TOLERANCE:
            raise ValueError("lagged: A_perp'(I - sum G)B_perp is 0: the prices are integrated twice")
        result: FloatArray = np.outer(carried, weights) / middle
        return result


def common_trend_weights(adjustment: npt.ArrayLike) -> FloatArray:
    """A_perp, float64[n]: the direction no adjustment answers to, of length 1, its sum not negative.

    Raises:
        ValueError: A is not of shape (n, n - 1) or of full rank: then there is more than one common trend.
    """
    matrix = np.asarray(adjustment, np.float64)
    if matrix.ndim != 2 or matrix.shape[0] < 2 or matrix.shape[1] != matrix.shape[0] - 1:
        raise ValueError(f"adjustment: shape {matrix.shape}; (n, n - 1) with n >= 2 is needed")
    if not np.isfinite(matrix).all():
        raise ValueError("adjustment: not every value is finite")
    weights = _left_null(matrix)
    return weights * (1.0 if weights.sum() >= 0 else -1.0)


def _left_null(matrix: FloatArray) -> FloatArray:
    """The unit vector at right angles to the n - 1 columns, float64[n]."""
    left, singular, _ = np.linalg.svd(matrix)
    if singular[-1] <= _RANK_TOLERANCE * max(singular[0], np.finfo(np.float64).tiny):
        raise ValueError(f"its rank is below {singular.size}: the prices have more than one common trend")
    result: FloatArray = left[:, -1]
    return result


def check_covariance(covariance: FloatArray) -> None:
    """Refuse what is not a covariance matrix of innovations that differ.

    Raises:
        ValueError: not square, not finite, not symmetric or not positive definite.
    """
    if covariance.ndim != 2 or covariance.shape[0] != covariance.shape[1] or not np.isfinite(covariance).all():
        raise ValueError(f"covariance: shape {covariance.shape}; a square, finite matrix is needed")
    if not np.allclose(covariance, covariance.T, rtol=1e-10, atol=0):
        raise ValueError("covariance: not symmetric")
    try:
        np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError as failed:
        raise ValueError("covariance: not positive definite: two innovations are one and the same") from failed


def simulate_vecm(
    parameters: VECMParameters, steps: int, *, seed: int | np.random.Generator, start: npt.ArrayLike | None = None
) -> FloatArray:
    """Prices with Gaussian innovations, float64[steps + 1, n]; the first row is `start` (0 by default), at rest.

    Raises:
        ValueError: steps below 1; a start that is not n finite prices.
    """
    if steps < 1:
        raise ValueError(f"steps: {steps}; at least 1 is needed")
    first = np.zeros(parameters.prices) if start is None else np.asarray(start, np.float64)
    if first.shape != (parameters.prices,) or not np.isfinite(first).all():
        raise ValueError(f"start: {parameters.prices} finite prices are needed")
    rng = np.random.default_rng(seed)
    factor = np.linalg.cholesky(parameters.covariance)
    shocks = rng.standard_normal((steps, parameters.prices)) @ factor.T
    history = np.broadcast_to(first, (parameters.lags + 1, parameters.prices))
    return path(parameters, shocks, history)[parameters.lags :]


def path(parameters: VECMParameters, shocks: FloatArray, history: FloatArray) -> FloatArray:
    """Prices after `history`, float64[K + 1, n], under given innovations, float64[steps, n]; history comes first."""
    out = np.empty((history.shape[0] + shocks.shape[0], parameters.prices))
    out[: history.shape[0]] = history
    vecm_path(
        parameters.constant, parameters.adjustment, parameters.cointegration, parameters.lagged,
        np.ascontiguousarray(shocks), out,
    )  # fmt: skip
    return out
