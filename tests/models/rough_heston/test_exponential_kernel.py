"""Sums of exponentials: their integrals, their distance from the kernel, and that the bounded rates are the best."""

from __future__ import annotations

from itertools import pairwise

import mpmath
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import nnls
from scipy.special import gamma, roots_jacobi

from models.rough_heston import ExponentialKernel, bounded_l2_kernel, geometric_kernel
from models.rough_heston.exponential_kernel import MAX_BOUNDED_FACTORS, repeated_integral

HURSTS = (0.01, 0.1, 0.3, 0.49)


@pytest.mark.parametrize("times", range(5))
def test_integrals_in_many_digits(times: int) -> None:
    rates = np.array([0.0, 1e-9, 0.3, 0.49, 0.51, 7.0, 1e4])
    got = repeated_integral(rates, np.array([1.3]), times)
    with mpmath.workdps(40):
        for rate, value in zip(rates, got, strict=True):
            z = mpmath.mpf(-rate) * mpmath.mpf(1.3)
            known = mpmath.mpf(1.3) ** times * mpmath.hyp1f1(1, times + 1, z) / mpmath.factorial(times)
            assert float(abs(mpmath.mpf(float(value)) - known)) <= 1e-13 * float(known) + 1e-300


def test_a_kernel_is_its_sum_and_integrals_add_up() -> None:
    kernel = ExponentialKernel(np.array([0.5, 20.0]), np.array([1.5, 2.5]))
    t = np.array([0.0, 0.2, 3.0])
    np.testing.assert_allclose(kernel(t), 1.5 * np.exp(-0.5 * t) + 2.5 * np.exp(-20 * t), rtol=1e-14)
    for k in (1, 2):
        by_rule = quad(lambda s, k=k: float(kernel.integral(s, k - 1)), 0.0, 3.0, epsabs=1e-12)[0]
        assert kernel.integral(3.0, k) == pytest.approx(by_rule, rel=1e-10)


@pytest.mark.parametrize("horizon", [1 / 52, 2.0])
def test_the_distance_is_that_of_a_rule(horizon: float) -> None:
    hurst, kernel = 0.2, geometric_kernel(0.2, 4, 20.0)

    def squared(s: float) -> float:
        # t = s^(1 / (2H)) takes out the singularity of K^2
        t = s ** (1 / (2 * hurst))
        gap = t ** (hurst - 0.5) / gamma(hurst + 0.5) - float(kernel(t))
        return gap**2 * s ** (1 / (2 * hurst) - 1) / (2 * hurst)

    whole = horizon ** (2 * hurst) / (2 * hurst * gamma(hurst + 0.5) ** 2)
    by_rule = quad(squared, 0.0, horizon ** (2 * hurst), epsabs=1e-13, limit=300)[0]
    assert kernel.l2_distance(hurst, horizon) == pytest.approx((by_rule / whole) ** 0.5, rel=1e-8)


@pytest.mark.parametrize("hurst", HURSTS)
@pytest.mark.parametrize("factors", range(1, MAX_BOUNDED_FACTORS + 1))
def test_no_measure_with_bounded_rates_is_better(hurst: float, factors: int) -> None:
    """The gradient at every rate up to the bound, by a Gauss-Jacobi rule in time that knows nothing of the solver."""
    kernel = bounded_l2_kernel(hurst, factors, 1.0)
    node, weight = roots_jacobi(300, 0.0, hurst - 0.5)
    t, rule = 0.5 * (node + 1.0), weight / 2.0 ** (hurst + 0.5) / gamma(hurst + 0.5)
    line, lengths = np.polynomial.legendre.leggauss(600)
    rates = np.concatenate(([0.0], np.geomspace(1e-3, kernel.rates[-1], 300)))
    of_kernel = np.exp(-np.outer(rates, t)) @ rule
    of_sum = np.exp(-np.outer(rates, 0.5 * (line + 1.0))) @ (0.5 * lengths * kernel(0.5 * (line + 1.0)))
    gradient = of_kernel - of_sum
    assert gradient.max() < 1e-9 and abs(gradient[0]) < 1e-9 and abs(gradient[-1]) < 1e-9


def test_a_free_search_over_many_rates_finds_the_same() -> None:
    """Non-negative least squares over 400 rates up to the bound, the kernel seen through 4000 instants."""
    hurst, kernel = 0.1, bounded_l2_kernel(0.1, 3, 1.0)
    rates = np.sort(np.append(np.geomspace(0.05, kernel.rates[-1], 400), kernel.rates))
    edges = np.linspace(0.0, 1.0, 4001) ** (1 / (2 * hurst))
    t, root = 0.5 * (edges[1:] + edges[:-1]), np.sqrt(np.diff(edges))
    found, _ = nnls(np.exp(-np.outer(t, rates)) * root[:, None], t ** (hurst - 0.5) / gamma(hurst + 0.5) * root)
    for rate, weight in zip(kernel.rates, kernel.weights, strict=True):
        near = np.abs(np.log(rates / rate)) < 0.1
        assert found[near].sum() == pytest.approx(weight, rel=0.02)
    assert found.sum() == pytest.approx(kernel.weights.sum(), rel=0.01)


@pytest.mark.parametrize("hurst", HURSTS)
def test_more_factors_come_closer(hurst: float) -> None:
    kernels = [bounded_l2_kernel(hurst, n, 1.0) for n in range(1, MAX_BOUNDED_FACTORS + 1)]
    distances = [kernel.l2_distance(hurst, 1.0) for kernel in kernels]
    assert all(a > b for a, b in pairwise(distances))
    assert all(a.rates[-1] < b.rates[-1] for a, b in pairwise(kernels))
    for kernel in kernels:
        assert kernel.integral(1.0, 1) == pytest.approx(1 / gamma(hurst + 1.5), rel=1e-10)


def test_one_horizon_does_for_all() -> None:
    year, week = bounded_l2_kernel(0.1, 3, 1.0), bounded_l2_kernel(0.1, 3, 1 / 52)
    np.testing.assert_allclose(week.rates, 52 * year.rates)
    np.testing.assert_allclose(week(0.3 / 52), 52**0.4 * year(0.3))
    assert week.l2_distance(0.1, 1 / 52) == pytest.approx(year.l2_distance(0.1, 1.0))


def test_the_geometric_kernel_is_the_published_one() -> None:
    """Abi Jaber (2019): each rate is the mean, each weight the mass, of the kernel's measure on its interval."""
    hurst, ratio, factors = 0.1, 2.5, 20
    kernel = geometric_kernel(hurst, factors, ratio)
    density = 1 / (gamma(hurst + 0.5) * gamma(0.5 - hurst))
    edges = ratio ** np.arange(-factors / 2, factors / 2 + 1)
    mass = density * np.diff(edges ** (0.5 - hurst)) / (0.5 - hurst)
    mean = density * np.diff(edges ** (1.5 - hurst)) / (1.5 - hurst) / mass
    np.testing.assert_allclose(kernel.weights, mass, rtol=1e-12)
    np.testing.assert_allclose(kernel.rates, mean, rtol=1e-12)


@pytest.mark.parametrize(
    ("rates", "weights", "said"),
    [
        ([], [], "at least one"),
        ([1.0, 2.0], [1.0], "as many"),
        ([2.0, 1.0], [1.0, 1.0], "increasing"),
        ([-1.0], [1.0], "at least 0"),
        ([1.0], [0.0], "above 0"),
        ([1.0], [np.nan], "finite"),
    ],
)
def test_no_kernel(rates: list[float], weights: list[float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ExponentialKernel(np.array(rates), np.array(weights))


def test_arguments_out_of_range() -> None:
    for hurst in (0.0, 0.5, np.nan):
        with pytest.raises(ValueError, match="hurst"):
            bounded_l2_kernel(hurst, 2, 1.0)
        with pytest.raises(ValueError, match="hurst"):
            geometric_kernel(hurst)
    for factors in (0, MAX_BOUNDED_FACTORS + 1):
        with pytest.raises(ValueError, match="factors"):
            bounded_l2_kernel(0.1, factors, 1.0)
    with pytest.raises(ValueError, match="horizon"):
        bounded_l2_kernel(0.1, 2, 0.0)
    for factors, ratio in ((3, 2.5), (0, 2.5), (4, 1.0)):
        with pytest.raises(ValueError, match="factors, ratio"):
            geometric_kernel(0.1, factors, ratio)
