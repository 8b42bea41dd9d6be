"""The lifted model: its equations by another integrator, its limits, and how near it is to the rough one."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from scipy.integrate import quad, solve_ivp

from models.rough_heston import (
    ExponentialKernel,
    ForwardVariance,
    ForwardVarianceFunction,
    LiftedHeston,
    MeanReversion,
    RoughHeston,
    bounded_l2_kernel,
    characteristic_function,
    european_prices,
    implied_vols,
)
from models.rough_heston.classical import classical_characteristic_function
from models.rough_heston.kernels import markovian_trapezoid
from models.rough_heston.variance import VarianceCurve
from tests.models.rough_heston.reference import out_of_the_money

ComplexArray = npt.NDArray[np.complex128]

CURVES: list[VarianceCurve] = [
    MeanReversion(v0=0.03, theta=0.05),
    ForwardVariance((0.2, 0.7), (0.03, 0.05)),
    ForwardVariance((0.2, 0.7), (0.03, 0.05), linear=True),
    ForwardVarianceFunction(lambda t: 0.03 + 0.02 * t / (1 + t)),
]


def rough(hurst: float = 0.1, variance: VarianceCurve = CURVES[0], lam: float = 0.5) -> RoughHeston:
    return RoughHeston(hurst=hurst, nu=0.4, rho=-0.7, lam=lam, variance=variance)


def g0(lifted: LiftedHeston, t: float) -> float:
    """V0 + lam theta int K, or xi + lam K * xi, by quadrature."""
    curve, kernel = lifted.model.variance, lifted.kernel
    if isinstance(curve, MeanReversion):
        inside = quad(lambda s: float(kernel(s)), 0.0, t, epsabs=1e-12)[0]
        return curve.v0 + lifted.lam * curve.theta * float(inside)
    knots = [k for k in (0.2, 0.7) if k < t]
    xi = lifted.model.forward_variance
    inside = quad(lambda s: float(kernel(t - s) * xi(s)), 0.0, t, points=knots or None, epsabs=1e-12, limit=200)[0]
    return float(xi(t)) + lifted.lam * float(inside)


def by_runge_kutta(lifted: LiftedHeston, arguments: ComplexArray) -> ComplexArray:
    """exp int g0(1-s) F(h(s)) ds: the factors by an explicit method, the integral by Gauss's rule between kinks."""
    x, w = lifted.kernel.rates, lifted.kernel.weights
    panels = np.array([0.0, 0.01, 0.05, 0.3, 0.8, 1.0])
    node, weight = np.polynomial.legendre.leggauss(16)
    s = (panels[:-1, None] + 0.5 * np.diff(panels)[:, None] * (node + 1.0)).ravel()
    rule = (0.5 * np.diff(panels)[:, None] * weight).ravel() * np.array([g0(lifted, 1.0 - at) for at in s])
    out = []
    for u in arguments:

        def f(h: ComplexArray, u: complex = u) -> ComplexArray:
            linear = 1j * lifted.rho * lifted.nu * u - lifted.lam
            return np.asarray(-0.5 * u * (u + 1j) + linear * h + 0.5 * lifted.nu**2 * h * h)

        start = np.zeros(x.size, np.complex128)
        done = solve_ivp(lambda _, y, f=f: -x * y + f(w @ y), (0.0, 1.0), start, "DOP853", s, rtol=1e-11, atol=1e-12)
        out.append(np.exp(rule @ f(w @ done.y)))
    return np.array(out)


@pytest.mark.parametrize("curve", CURVES, ids=["mean-reverting", "flat", "linear", "function"])
def test_the_transform_is_that_of_another_integrator(curve: VarianceCurve) -> None:
    lifted = LiftedHeston(rough(variance=curve), bounded_l2_kernel(0.1, 2, 1.0))
    u = np.array([1.5, 12.0, 40.0]) - 0.5j
    np.testing.assert_allclose(characteristic_function(lifted, u, 1.0), by_runge_kutta(lifted, u), atol=2e-8)


@pytest.mark.parametrize("maturity", [1 / 365, 1.0, 5.0])
def test_one_rate_of_zero_is_classical_heston(maturity: float) -> None:
    m = RoughHeston.mean_reverting(hurst=0.5, nu=0.4, rho=-0.7, lam=1.2, theta=0.05, v0=0.03)
    u = np.array([0.3, 5.0, 40.0, 300.0]) - 0.5j
    got = characteristic_function(
        LiftedHeston(m, ExponentialKernel(np.zeros(1), np.ones(1))), u, maturity, tolerance=1e-11
    )
    np.testing.assert_allclose(got, classical_characteristic_function(m, u, maturity), atol=1e-10)


def test_it_is_a_martingale_and_parity_holds() -> None:
    lifted = LiftedHeston.bounded_l2(rough(), 3, 1.0)
    np.testing.assert_allclose(characteristic_function(lifted, [0.0, -1j], 1.0), 1.0, atol=1e-12)
    strikes = np.array([0.7, 1.0, 1.3])
    call, put = (european_prices(lifted, strikes, 1.0, kind=kind) for kind in ("call", "put"))
    np.testing.assert_allclose(call - put, 1.0 - strikes, atol=1e-12)


@pytest.mark.parametrize("maturity", [1 / 52, 1 / 12, 1.0])
@pytest.mark.parametrize(("factors", "bar"), [(2, 4e-3), (3, 7e-4), (4, 5e-5)])
def test_smiles_are_as_near_as_published(maturity: float, factors: int, bar: float) -> None:
    """Bars: relative errors of the authors' own rule at H = 0.1 (Bayer and Breneis 2023)."""
    m = RoughHeston.mean_reverting(hurst=0.1, nu=0.3, rho=-0.7, lam=0.3, theta=0.02, v0=0.02)
    strikes = np.exp(np.linspace(-0.3, 0.15, 31) * np.sqrt(maturity))
    exact = implied_vols(m, strikes, maturity)
    got = implied_vols(LiftedHeston.bounded_l2(m, factors, maturity), strikes, maturity)
    assert np.abs(got / exact - 1).max() < bar


@pytest.mark.parametrize("hurst", [0.01, 0.3])
def test_prices_come_nearer_with_every_factor(hurst: float) -> None:
    m = rough(hurst)
    k = np.array([-0.3, 0.0, 0.2])
    exact = out_of_the_money(m, k, 1.0)
    errors = []
    for factors in (1, 2, 3, 4):
        lifted = LiftedHeston.bounded_l2(m, factors, 1.0)
        prices = [european_prices(lifted, np.exp(k), 1.0, kind=kind) for kind in ("call", "put")]
        errors.append(np.abs(np.where(k >= 0, *prices) - exact).max())
    assert all(later < 0.5 * earlier for earlier, later in pairwise(errors))


def test_many_geometric_rates_come_near_at_all_maturities() -> None:
    m = rough()
    for maturity in (1 / 12, 1.0):
        strikes = np.exp(np.array([-0.2, 0.0, 0.1]) * np.sqrt(maturity))
        exact = implied_vols(m, strikes, maturity)
        few, many = (
            np.abs(implied_vols(LiftedHeston.geometric(m, n, ratio), strikes, maturity) / exact - 1).max()
            for n, ratio in ((20, 2.5), (80, 1.35))
        )
        assert few < 0.03 and many < few


def test_the_explicit_method_is_refused() -> None:
    lifted = LiftedHeston.bounded_l2(rough(), 2, 1.0)
    with pytest.raises(ValueError, match="adams"):
        characteristic_function(lifted, 1.0, 1.0, method="adams")


def test_the_kernel_is_its_plain_loop() -> None:
    """States carried step by step against the sum over all of the past, each step's quadratic by its own roots."""
    lifted, u, steps = LiftedHeston.bounded_l2(rough(), 2, 1.0), np.array([2.0, 30.0]) - 0.5j, 12
    times = (np.arange(steps + 1) / steps) ** 2
    decay, left, right = lifted.step_weights(np.diff(times))
    w, x, hats = lifted.kernel.weights, lifted.kernel.rates, np.linspace(0.1, 0.2, steps + 1)
    a, b, c = -0.5 * u * (u + 1j), 1j * lifted.rho * lifted.nu * u - lifted.lam, 0.5 * lifted.nu**2
    out, states = np.empty(2, np.complex128), np.empty((2, 2), np.complex128)
    markovian_trapezoid(out, a, b, c, w, decay, left, right, hats, states)
    for m in range(2):
        past = [a[m]]
        for n in range(1, steps + 1):
            known = sum(
                w
                @ (
                    np.exp(-x * (times[n] - times[j + 1]))
                    * (left[j] * past[j] + (right[j] * past[j + 1] if j + 1 < n else 0))
                )
                for j in range(n)
            )
            # h = known + q (a + b h + c h^2)
            q = w @ right[n - 1]
            roots = np.roots([q * c, q * b[m] - 1, known + q * a[m]])
            h = roots[np.abs(roots).argmin()]
            past.append(a[m] + b[m] * h + c * h * h)
        assert abs(out[m] - hats @ np.array(past)) < 1e-11 * abs(out[m])
