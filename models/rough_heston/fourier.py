"""Fourier integrals on the line u = w - i/2 (Lewis 2001), where no damping parameter is needed.

With phi the characteristic function of ln(S_T/F) and phi_B that of the lognormal law of the same total variance,

    price / sqrt(F K) = Black's + 1/pi int_0^inf Re[exp(-iwk) (phi_B - phi)(w - i/2)] / (w^2 + 1/4) dw,  k = ln(K/F).

The difference has no pole at w = +-i/2, so the integrand is analytic far beyond them and even in w: the trapezoid
rule in x with w = c sinh x converges exponentially. Everything scales with the standard deviation s = sqrt(E int V):
c = 2/s and the range ends where |phi| is negligible, so it follows the maturity by itself. The rule is doubled,
keeping its nodes, until two of them agree.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from models.rough_heston.lifted import HestonModel
from models.rough_heston.riccati import Method, RiccatiError, single_mesh, solve_riccati, tolerance_of

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complex128]
#: From nodes w to one row of factors for each integral wanted; scaled so that an error of s is one of the whole.
Rows: TypeAlias = Callable[[FloatArray], ComplexArray]

#: Nodes of the first rule, and of the last that is tried.
_FIRST_INTERVALS: Final = 128
_LAST_INTERVALS: Final = 8192
#: Range looked through for its end, in units of 1/s, and the mesh that is good enough to find it.
_FIRST_END: Final = 4.0
_END_DOUBLINGS: Final = 16
_COARSE_STEPS: Final = 40
#: Two rules that agree to this many times the tolerance: the finer is then far within it, as convergence is fast.
_AGREEMENT: Final = 10.0


def difference_integrals(
    model: HestonModel, maturity: float, rows: Rows, *, method: Method, tolerance: float | None
) -> FloatArray:
    """1/pi int_0^inf Re[row(w) (phi_B - phi)(w - i/2)] dw for every row.

    Args:
        rows: factor functions; decaying at least as 1/w.
        tolerance: error allowed, in units of s = sqrt(total variance); the method's own where None.

    Raises:
        RiccatiError: range, rule or mesh could not be made fine enough for the tolerance.
    """
    s = math.sqrt(float(model.total_variance(maturity)))
    allowed = tolerance_of(method, tolerance)
    end = _range_end(model, maturity, s, method, allowed)
    scale = 2.0 / s
    x_end = math.asinh(end / scale)

    def terms(x: FloatArray) -> ComplexArray:
        """The integrand at nodes x, times pi, with the Jacobian: rows x nodes."""
        w = np.asarray(scale * np.sinh(x), np.float64)
        factors = rows(w) * (scale * np.cosh(x) / np.pi)
        share = np.abs(factors).max(axis=0) * (x_end / _FIRST_INTERVALS)
        solution = solve_riccati(
            model,
            np.asarray(w - 0.5j, np.complex128),
            maturity,
            method=method,
            tolerance=allowed * s,
            norm=lambda change: float(share @ change),
        )
        gaussian = np.exp(-0.5 * s * s * (w * w + 0.25))
        return np.asarray(factors * (gaussian - np.exp(solution.log_phi)), np.complex128)

    intervals = _FIRST_INTERVALS
    values = terms(np.linspace(0.0, x_end, intervals + 1, dtype=np.float64)).real
    values[:, 0] *= 0.5
    coarse = values[:, ::2].sum(axis=1) * (2.0 * x_end / intervals)
    total = values.sum(axis=1)
    while True:
        fine = total * (x_end / intervals)
        change = float(np.abs(fine - coarse).max(initial=0.0))
        if change <= _AGREEMENT * allowed * s:
            return np.asarray(fine)
        if intervals >= _LAST_INTERVALS:
            raise RiccatiError(
                f"maturity {maturity:g}: the Fourier integral still changes by {change:.1e} at {intervals} nodes; "
                "leave out strikes hundreds of standard deviations from the forward"
            )
        midpoints = (np.arange(intervals, dtype=np.float64) + 0.5) * (x_end / intervals)
        total = total + terms(midpoints).real.sum(axis=1)
        coarse, intervals = fine, 2 * intervals


def _range_end(model: HestonModel, maturity: float, s: float, method: Method, tolerance: float) -> float:
    """The end of the range: beyond it the integrals of |phi|/w and of phi_B/w are negligible.

    A coarse mesh finds it, the method itself confirms it: at the far end a coarse mesh may say anything.
    """
    negligible = 0.1 * tolerance
    ends = _FIRST_END * 2.0 ** (0.5 * np.arange(2 * _END_DOUBLINGS + 1))
    rough = np.exp(
        np.minimum(single_mesh(model, np.asarray(ends / s - 0.5j, np.complex128), maturity, _COARSE_STEPS).real, 0.0)
    )
    small = np.flatnonzero(np.maximum(rough, np.exp(-0.5 * ends**2)) <= negligible)
    for end in ends[small[0] :] if small.size else ():
        u = np.array([end / s - 0.5j])
        log_phi = solve_riccati(model, u, maturity, method=method, tolerance=negligible).log_phi
        if log_phi[0].real <= math.log(2.0 * negligible):
            return float(end / s)
    raise RiccatiError(
        f"maturity {maturity:g}: the characteristic function is not negligible within {ends[-1] / s:.3g}; "
        "the parameters are too extreme"
    )
