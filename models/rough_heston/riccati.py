"""The characteristic function by the fractional Riccati equation (El Euch and Rosenbaum 2019, theorem 4.1).

With D^alpha h = F(h), F(h) = -u(u+i)/2 + (i rho nu u - lam) h + nu^2 h^2/2, and the source g0 of the variance curve,

    ln E[exp(iu ln(S_T/F_T))] = int_0^T g0(T-s) F(h(s)) ds.

For the mean-reverting curve this is their lam theta int h + V0 I^(1-alpha) h; for a curve xi it is
int xi(T-s) [D^alpha h + lam h] ds, since xi convolved with I^alpha F is I^alpha xi convolved with F. Written so, the
curve enters by the moments of g0 over the mesh, in closed form, and both readings give the same number on every mesh.

The default solver is the implicit product-trapezoid rule, each step a quadratic, stable for every u, on the mesh
T (j/N)^2, which is fine where h ~ t^alpha is steep. On that mesh the error goes as N^-2, N^-(2+alpha), N^-4, and
Richardson's extrapolation over N = 10, 20 ... 160 removes them; N is doubled on until the last extrapolation changes
nothing that matters. `adams` is the explicit predictor-corrector of Diethelm, Ford and Freed (2004) on the uniform
mesh: named here because it is widely cited; it diverges where |u| is large for the step, which is detected.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from models.rough_heston.kernels import (
    adams,
    implicit_trapezoid,
    markovian_trapezoid,
    rectangle_weights,
    trapezoid_weights,
)
from models.rough_heston.lifted import HestonModel, LiftedHeston
from models.rough_heston.parameters import RoughHeston

__all__ = ["Method", "RiccatiError", "RiccatiSolution", "characteristic_function", "solve_riccati"]

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complex128]
Method: TypeAlias = Literal["implicit", "adams"]
#: From differences of the logarithm at every argument to one number, the error that must become small.
ErrorNorm: TypeAlias = Callable[[FloatArray], float]

_IMPLICIT_STEPS: Final = (10, 20, 40, 80, 160, 320, 640, 1280)
#: Levels solved before the first look at the error.
_FIRST_LEVELS: Final = 5
#: The full extrapolation gains at least this factor from one level to the next.
_GAIN: Final = 7.0
_ADAMS_STEPS: Final = (100, 200, 400, 800, 1600)
#: What each method is held to when nothing is said.
_DEFAULT_TOLERANCES: Final = {"implicit": 1e-8, "adams": 1e-4}


class RiccatiError(ArithmeticError):
    """The Riccati equation could not be solved to the tolerance; the message says how far it came."""


@dataclass(frozen=True, slots=True)
class RiccatiSolution:
    """ln E[exp(iu ln(S_T/F_T))] for every u given; the error estimate in the norm asked for; the finest mesh."""

    log_phi: ComplexArray
    error: float
    steps: int


def characteristic_function(
    model: HestonModel,
    u: npt.ArrayLike,
    maturity: float,
    *,
    method: Method = "implicit",
    tolerance: float | None = None,
) -> ComplexArray:
    """E[exp(iu ln(S_T/F_T))].

    Args:
        model: the model.
        u: complex, any shape, imaginary part in [-1, 0], where the moment always exists.
        maturity: T in years, above 0.
        method: `implicit`, or `adams` for the explicit method.
        tolerance: largest absolute error of any value, by the solver's own estimate; 1e-8, or 1e-4 for `adams`.

    Raises:
        ValueError: an argument outside its range.
        RiccatiError: the tolerance was not reached on the finest mesh, or `adams` diverged on it.
    """
    values = np.asarray(u, np.complex128)
    solution = solve_riccati(
        model, values.reshape(-1), maturity, method=method, tolerance=tolerance_of(method, tolerance)
    )
    return np.exp(solution.log_phi).reshape(values.shape)


def tolerance_of(method: Method, tolerance: float | None) -> float:
    """The tolerance given, or the method's own."""
    if method not in _DEFAULT_TOLERANCES:
        raise ValueError(f"method: {method!r} is neither 'implicit' nor 'adams'")
    chosen = _DEFAULT_TOLERANCES[method] if tolerance is None else tolerance
    if not chosen > 0.0:
        raise ValueError(f"tolerance: {chosen:g} is not above 0")
    return chosen


def solve_riccati(
    model: HestonModel,
    u: ComplexArray,
    maturity: float,
    *,
    method: Method,
    tolerance: float,
    norm: ErrorNorm | None = None,
) -> RiccatiSolution:
    """The logarithm of the characteristic function at a vector of arguments; arguments as characteristic_function.

    Args:
        norm: turns |change of phi| at each u into the error held under the tolerance; the largest by default.
    """
    if not (np.isfinite(maturity) and maturity > 0.0):
        raise ValueError(f"maturity: {maturity:g} is not a finite number of years above 0")
    if not np.all(np.isfinite(u) & (u.imag >= -1.0) & (u.imag <= 0.0)):
        raise ValueError(
            "u: every argument must be finite with imaginary part in [-1, 0]; moments may explode outside"
        )
    measure: ErrorNorm = norm or (lambda change: float(change.max(initial=0.0)))
    if method == "implicit":
        return _implicit(model, u, maturity, tolerance, measure)
    if isinstance(model, LiftedHeston):
        raise ValueError("method: 'adams' is for the fractional equation; a lifted model has 'implicit' alone")
    return _adams(model, u, maturity, tolerance, measure)


def single_mesh(model: HestonModel, u: ComplexArray, maturity: float, steps: int) -> ComplexArray:
    """ln phi on one mesh of the implicit rule, not extrapolated: rough, cheap and stable for every u."""
    points = (np.arange(steps + 1) / steps) ** 2
    if isinstance(model, LiftedHeston):
        return _markovian_mesh(model, u, maturity, points)
    weights = np.zeros((steps + 1, steps + 1))
    trapezoid_weights(weights, points, model.alpha)
    a, b, c = _coefficients(model, u)
    out = np.empty(u.size, np.complex128)
    past_real, past_imag = np.empty((steps + 1, u.size)), np.empty((steps + 1, u.size))
    hats = _source_weights(model, maturity, points)
    implicit_trapezoid(out, a, b, c, weights, maturity**model.alpha, hats, past_real, past_imag)
    return out


def _markovian_mesh(model: LiftedHeston, u: ComplexArray, maturity: float, points: FloatArray) -> ComplexArray:
    a, b, c = _coefficients(model, u)
    out = np.empty(u.size, np.complex128)
    states = np.empty((u.size, len(model.kernel)), np.complex128)
    parts = model.step_weights(maturity * np.diff(points))
    hats = _source_weights(model, maturity, points)
    markovian_trapezoid(out, a, b, c, model.kernel.weights, *parts, hats, states)
    return out


def _implicit(
    model: HestonModel, u: ComplexArray, maturity: float, tolerance: float, measure: ErrorNorm
) -> RiccatiSolution:
    orders = (2.0, 4.0, 6.0) if isinstance(model, LiftedHeston) else (2.0, 2.0 + model.alpha, 4.0)
    last: list[ComplexArray] = []
    error = np.inf
    for level, steps in enumerate(_IMPLICIT_STEPS):
        row = [single_mesh(model, u, maturity, steps)]
        for order, coarser in zip(orders, last, strict=False):
            row.append(row[-1] + (row[-1] - coarser) / (2.0**order - 1.0))
        previous, last = last, row
        if level + 1 < _FIRST_LEVELS:
            continue
        # What the last extrapolation changed, and what the level changed: either alone may vanish by chance.
        change = np.maximum(np.abs(row[-1] - row[-2]), np.abs(row[-1] - previous[-1]) / _GAIN)
        error = measure(change * np.exp(row[-1].real))
        if error <= tolerance:
            return RiccatiSolution(row[-1], error, steps)
    raise RiccatiError(
        f"maturity {maturity:g}: error {error:.1e} with {_IMPLICIT_STEPS[-1]} steps is above the tolerance "
        f"{tolerance:.1e}; ask for less"
    )


def _adams(
    model: RoughHeston, u: ComplexArray, maturity: float, tolerance: float, measure: ErrorNorm
) -> RiccatiSolution:
    """Halve the step until two meshes agree; a mesh on which a lane left the unit disc has diverged."""
    coarser: ComplexArray | None = None
    error = np.inf
    for steps in _ADAMS_STEPS:
        values = _adams_mesh(model, u, maturity, steps)
        # |phi| <= 1 for imaginary parts in [-1, 0], so a larger value (or no number) shows divergence.
        if not (np.all(np.isfinite(values)) and np.all(values.real <= 1e-9)):
            coarser = None
            continue
        if coarser is not None:
            # Its order is 1 + alpha, so the finer mesh errs by this part of what the two differ by.
            error = measure(np.abs(np.exp(values) - np.exp(coarser))) / (2.0 ** (1.0 + model.alpha) - 1.0)
            if error <= tolerance:
                return RiccatiSolution(values, error, steps)
        coarser = values
    state = "diverged" if coarser is None else f"has error {error:.1e}, above the tolerance {tolerance:.1e},"
    raise RiccatiError(
        f"maturity {maturity:g}: the explicit Adams method {state} with {_ADAMS_STEPS[-1]} steps; use 'implicit'"
    )


def _adams_mesh(model: RoughHeston, u: ComplexArray, maturity: float, steps: int) -> ComplexArray:
    points = np.linspace(0.0, 1.0, steps + 1)
    predictor, corrector = np.zeros((steps + 1, steps + 1)), np.zeros((steps + 1, steps + 1))
    rectangle_weights(predictor, points, model.alpha)
    trapezoid_weights(corrector, points, model.alpha)
    a, b, c = _coefficients(model, u)
    out = np.empty(u.size, np.complex128)
    past_real, past_imag = np.empty((steps + 1, u.size)), np.empty((steps + 1, u.size))
    hats = _source_weights(model, maturity, points)
    with np.errstate(over="ignore", invalid="ignore"):
        adams(out, a, b, c, predictor, corrector, maturity**model.alpha, hats, past_real, past_imag)
    return out


def _coefficients(model: HestonModel, u: ComplexArray) -> tuple[ComplexArray, ComplexArray, float]:
    """F(h) = a + b h + c h^2, lane by lane."""
    return -0.5 * u * (u + 1j), 1j * model.rho * model.nu * u - model.lam, 0.5 * model.nu**2


def _source_weights(model: HestonModel, maturity: float, points: FloatArray) -> FloatArray:
    """hats[j] = int g0(T-s) l_j(s) ds with l_j the piecewise linear function that is 1 at T points[j], 0 at the
    others; from the first and second integrals of g0."""
    left = maturity * points
    first, second = model.source_integrals(maturity - left)
    means = (second[:-1] - second[1:]) / np.diff(left)
    hats = np.zeros(points.size)
    hats[1:] += means - first[1:]
    hats[:-1] += first[:-1] - means
    return hats
