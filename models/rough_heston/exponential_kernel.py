"""Sums of exponentials in place of the fractional kernel: what makes rough Heston a Markov process.

    K(t) = t^(alpha-1) / Gamma(alpha)   ~   sum_i w_i exp(-x_i t),   x_i, w_i >= 0.

K is the Laplace transform of a measure on all rates x, and the sum that of a measure on a few.

`bounded_l2_kernel` follows the idea of Bayer and Breneis (2023, their BL2): rates and weights minimise the L2
distance on [0, T], but no rate may exceed a bound. Without it the L2 distance, which sees hardly anything but the
singularity at 0, spends its rates there, where options see little. They search for the bound with steps and
tolerances; here it is the largest with which n rates are still the best of *all* measures on [0, bound], however many
rates those have. The problem is convex in the measure, with the gradient -2 q(x), q(x) = int_0^T exp(-x t) (K - sum)
dt: n rates are the best if q is nowhere above 0 on [0, bound]. As the bound is raised this fails at x = 0 first (the
tests look at all x), so that at the last bound q(0) = 0: the sum has exactly the kernel's integral over [0, T].

`geometric_kernel` is that of the lifted Heston model (Abi Jaber 2019, equation 19).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import root
from scipy.special import gamma, gammainc

__all__ = ["ExponentialKernel", "bounded_l2_kernel", "geometric_kernel", "repeated_integral"]

FloatArray = npt.NDArray[np.float64]

_LOWEST_RATE: Final = 1e-8
#: The bounded rates at H = 0.1 to three digits: the search goes from there to the H asked for.
_START_HURST: Final = 0.1
_RATES_AT_START: Final = (
    (1.762,),
    (0.7698, 30.34),
    (0.5437, 9.215, 169.6),
    (0.4387, 6.1, 38.58, 667.5),
    (0.3756, 4.818, 22.31, 125.2, 2149.0),
    (0.3325, 4.107, 16.42, 63.54, 356.0, 6050.0),
)
MAX_BOUNDED_FACTORS: Final = len(_RATES_AT_START)
_STEP: Final = 0.03
#: How far from 0 the conditions may end: rounding, in sums whose terms cancel.
_RESIDUAL: Final = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class ExponentialKernel:
    """sum_i weights[i] exp(-rates[i] t), t in years.

    Args:
        rates: per year, at least 0, strictly increasing. weights: above 0, as many.

    Raises:
        ValueError: values out of their range, or not as many of each.
    """

    rates: FloatArray
    weights: FloatArray

    def __post_init__(self) -> None:
        rates, weights = np.array(self.rates, np.float64), np.array(self.weights, np.float64)
        if rates.ndim != 1 or rates.size == 0 or rates.shape != weights.shape:
            raise ValueError(f"rates, weights: shapes {rates.shape}, {weights.shape}; as many of each, at least one")
        if not (np.all(np.isfinite(rates)) and rates[0] >= 0.0 and np.all(np.diff(rates) > 0.0)):
            raise ValueError("rates: must be finite, at least 0 and strictly increasing")
        if not (np.all(np.isfinite(weights)) and np.all(weights > 0.0)):
            raise ValueError("weights: must be finite and above 0")
        for name, array in (("rates", rates), ("weights", weights)):
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    def __len__(self) -> int:
        return int(self.rates.size)

    def __call__(self, t: npt.ArrayLike) -> FloatArray:
        """The kernel at t, of its shape."""
        return self.integral(t, 0)

    def integral(self, t: npt.ArrayLike, times: int) -> FloatArray:
        """The kernel integrated so many times from 0 to t, of the shape of t."""
        terms = repeated_integral(self.rates, np.asarray(t, np.float64)[..., None], times)
        return np.asarray(terms @ self.weights, np.float64)

    def l2_distance(self, hurst: float, horizon: float) -> float:
        """Root of int_0^horizon (K - sum)^2 dt over that of int K^2 dt, in closed form."""
        alpha = hurst + 0.5
        x, w = self.rates * horizon, self.weights * horizon ** (1.0 - alpha)
        whole = 1.0 / (2.0 * hurst * gamma(alpha) ** 2)
        return math.sqrt(max(_squared_distance(x, w, alpha) / whole, 0.0))


def repeated_integral(rates: FloatArray, t: FloatArray, times: int) -> FloatArray:
    """exp(-rates t) integrated `times` times from 0 to t: t^k sum_j (-rates t)^j / (j + k)!, k = times."""
    z = -rates * t
    # the recursion loses digits where z is small, the series converges there
    small = np.abs(z) < 0.5
    term = np.full(z.shape, 1.0 / math.factorial(times))
    series = term.copy()
    inside = np.where(small, z, 0.0)
    for j in range(1, 16):
        term = term * inside / (j + times)
        series += term
    outside = np.where(small, -1.0, z)
    value = np.exp(outside)
    for k in range(times):
        value = (value - 1.0 / math.factorial(k)) / outside
    return np.asarray(np.where(small, series, value) * t**times, np.float64)


def geometric_kernel(hurst: float, factors: int = 20, ratio: float = 2.5) -> ExponentialKernel:
    """Rates in geometric progression around 1 per year, each with its interval's mass at its mean.

    Args:
        hurst: H in (0, 1/2). factors: even, at least 2. ratio: of neighbouring rates, above 1; for 20 factors Abi
            Jaber takes 2.5. The fewer, the larger.

    Raises:
        ValueError: a value out of its range.
    """
    _check_hurst(hurst)
    if factors < 2 or factors % 2 or not (math.isfinite(ratio) and ratio > 1.0):
        raise ValueError(f"factors, ratio: {factors}, {ratio:g}; an even number from 2 on and one above 1 are needed")
    alpha = hurst + 0.5
    place = np.arange(1, factors + 1)
    mass = (ratio ** (1 - alpha) - 1) / (gamma(alpha) * gamma(2 - alpha))
    mean = (1 - alpha) / (2 - alpha) * (ratio ** (2 - alpha) - 1) / (ratio ** (1 - alpha) - 1)
    weights = mass * ratio ** ((alpha - 1) * (1 + factors / 2) + (1 - alpha) * place)
    return ExponentialKernel(mean * ratio ** (place - 1 - factors / 2), weights)


def bounded_l2_kernel(hurst: float, factors: int, horizon: float) -> ExponentialKernel:
    """The best kernel of so many rates for options up to `horizon`.

    Args:
        hurst: H in (0, 1/2). factors: 1 to 6. horizon: T in years, above 0.

    Raises:
        ValueError: a value out of its range.
        ArithmeticError: the search for the rates failed.
    """
    _check_hurst(hurst)
    if not 1 <= factors <= MAX_BOUNDED_FACTORS:
        raise ValueError(f"factors: {factors} is not from 1 to {MAX_BOUNDED_FACTORS}; geometric_kernel takes more")
    if not (math.isfinite(horizon) and horizon > 0.0):
        raise ValueError(f"horizon: {horizon:g} is not a finite number of years above 0")
    x, w = _on_unit_horizon(hurst, factors)
    return ExponentialKernel(x / horizon, w * horizon ** (hurst - 0.5))


def _check_hurst(hurst: float) -> None:
    if not 0.0 < hurst < 0.5:
        raise ValueError(f"hurst: {hurst:g} is outside (0, 0.5); at 1/2 the kernel is 1, a single rate of 0")


@lru_cache(maxsize=256)
def _on_unit_horizon(hurst: float, factors: int) -> tuple[FloatArray, FloatArray]:
    """K(Ts) = T^(alpha-1) K(s): one horizon does for all."""
    begin, end = math.log(0.5 - _START_HURST), math.log(0.5 - hurst)
    logs = _solve(np.log(_RATES_AT_START[factors - 1]), _START_HURST)
    # As H goes to 1/2 the lowest rate goes to 0 like 1/2 - H: in its logarithm the rates' are nearly straight lines.
    path = np.linspace(begin, end, 1 + max(math.ceil(abs(end - begin) / _STEP), 1))[1:]
    change = np.zeros(factors)
    for place in path[:-1]:
        found = _solve(logs + change, 0.5 - math.exp(place))
        logs, change = found, found - logs
    rates = np.exp(_solve(logs + change, hurst))
    return rates, _best_weights(rates, hurst + 0.5)


def _solve(logs: FloatArray, hurst: float) -> FloatArray:
    """Rates (their logarithms) at which q(0) = 0, and q' = 0 at all but the last, the bound."""
    alpha = hurst + 0.5

    def conditions(y: FloatArray) -> FloatArray:
        x = np.exp(y)
        w = _best_weights(x, alpha)
        at_zero = _gradient(np.zeros(1), x, w, alpha)
        return np.append((x ** (1.0 + alpha) * _gradient_slope(x, w, alpha))[:-1], at_zero) / (0.5 - hurst)

    found = root(conditions, logs, tol=1e-12)
    if not np.abs(found.fun).max() < _RESIDUAL:
        raise ArithmeticError(f"H = {hurst:g}, {logs.size} factors: the rates were not found ({found.message})")
    return np.asarray(found.x, np.float64)


def _best_weights(x: FloatArray, alpha: float) -> FloatArray:
    """Of the least distance for given rates: q is 0 at each of them."""
    return np.asarray(np.linalg.solve(_products(x[:, None] + x), _laplace(x, alpha)), np.float64)


def _gradient(at: FloatArray, x: FloatArray, w: FloatArray, alpha: float) -> FloatArray:
    """q at rates of at least 0."""
    return np.asarray(_laplace(at, alpha) - _products(at[:, None] + x) @ w, np.float64)


def _gradient_slope(x: FloatArray, w: FloatArray, alpha: float) -> FloatArray:
    """q' at the rates themselves."""
    s = x[:, None] + x
    # the derivative of (1 - exp(-s)) / s is exp(-s) / s - (1 - exp(-s)) / s^2
    of_sum = (np.exp(-s) - repeated_integral(s, np.ones(1), 1)) / s
    of_kernel = np.exp(-x) / (x * gamma(alpha)) - alpha / x * _laplace(x, alpha)
    return np.asarray(of_kernel - of_sum @ w, np.float64)


def _squared_distance(x: FloatArray, w: FloatArray, alpha: float) -> float:
    """int_0^1 (K - sum)^2."""
    whole = 1.0 / ((2.0 * alpha - 1.0) * gamma(alpha) ** 2)
    return float(whole - 2.0 * w @ _laplace(x, alpha) + w @ _products(x[:, None] + x) @ w)


def _products(s: FloatArray) -> FloatArray:
    """int_0^1 exp(-s t) dt."""
    return repeated_integral(s, np.ones(1), 1)


def _laplace(x: FloatArray, alpha: float) -> FloatArray:
    """int_0^1 exp(-x t) K(t) dt = x^-alpha P(alpha, x); 1 / Gamma(alpha + 1) at 0."""
    tiny = x < _LOWEST_RATE
    inside = np.where(tiny, 1.0, x)
    return np.asarray(np.where(tiny, 1.0 / gamma(alpha + 1.0), inside**-alpha * gammainc(alpha, inside)), np.float64)
