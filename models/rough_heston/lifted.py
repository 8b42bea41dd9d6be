"""Rough Heston with few factors: a Markov process, for which there are state equations, PDEs and fast simulation.

With a sum of exponentials in place of the fractional kernel,

    V_t = g0(t) + sum_i w_i U_i(t),   dU_i = (-x_i U_i - lam V_t) dt + nu sqrt(V_t) dB_t,   U_i(0) = 0,

and the fractional Riccati equation becomes n ordinary ones (Abi Jaber and El Euch 2019): psi_i' = -x_i psi_i + F(h),
h = sum_i w_i psi_i, psi(0) = 0, with the same F and the same ln phi = int g0(T-s) F(h(s)) ds.

g0 follows the kernel. A model by V0 and theta keeps them, g0 = V0 + lam theta int K, as the lifted model is defined;
its forward variance is then nearly, not exactly, that of the rough one. A curve is kept, g0 = xi + lam K * xi.

Each step of the solver takes F as straight between its ends and integrates the exponentials exactly, so that no rate
is too large for it, and solves the same quadratic as the fractional rule. h is smooth here: on the mesh T (j/N)^2 the
error goes as N^-2, N^-4, N^-6.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from models.rough_heston.exponential_kernel import (
    ExponentialKernel,
    bounded_l2_kernel,
    geometric_kernel,
    repeated_integral,
)
from models.rough_heston.parameters import RoughHeston
from models.rough_heston.tanh_sinh import unit_rule
from models.rough_heston.variance import ForwardVariance, MeanReversion

__all__ = ["HestonModel", "LiftedHeston"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LiftedHeston:
    """A rough model with its kernel replaced; prices and characteristic function take it in place of the rough one.

    Args:
        model: the rough model that it stands for; its hurst enters by the kernel alone.
        kernel: the sum of exponentials.
    """

    model: RoughHeston
    kernel: ExponentialKernel

    @classmethod
    def bounded_l2(cls, model: RoughHeston, factors: int, horizon: float) -> LiftedHeston:
        """With the kernel of least L2 distance up to `horizon` years (Bayer and Breneis 2023): few factors do.

        Raises:
            ValueError, ArithmeticError: as `bounded_l2_kernel`.
        """
        return cls(model, bounded_l2_kernel(model.hurst, factors, horizon))

    @classmethod
    def geometric(cls, model: RoughHeston, factors: int = 20, ratio: float = 2.5) -> LiftedHeston:
        """With rates in geometric progression (Abi Jaber 2019): one kernel for all maturities.

        Raises:
            ValueError: as `geometric_kernel`.
        """
        return cls(model, geometric_kernel(model.hurst, factors, ratio))

    @property
    def nu(self) -> float:
        """Volatility of variance, of the rough model."""
        return self.model.nu

    @property
    def rho(self) -> float:
        """Correlation of price and variance."""
        return self.model.rho

    @property
    def lam(self) -> float:
        """Speed of mean reversion."""
        return self.model.lam

    def total_variance(self, t: npt.ArrayLike) -> FloatArray:
        """E int_0^t V of the rough model: the scale of the Fourier integrals, nothing more."""
        return self.model.total_variance(t)

    def source_integrals(self, t: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
        """The first and the second integral of g0, from 0 to t."""
        times = np.asarray(t, np.float64)
        curve, lam, kernel = self.model.variance, self.model.lam, self.kernel
        if isinstance(curve, MeanReversion):
            return (
                curve.v0 * times + lam * curve.theta * kernel.integral(times, 2),
                0.5 * curve.v0 * times**2 + lam * curve.theta * kernel.integral(times, 3),
            )
        if isinstance(curve, ForwardVariance):
            knots, jumps, bends = curve.pieces
            since = np.maximum(times[..., None] - knots, 0.0)
            first, second = (
                kernel.integral(since, k) @ jumps + kernel.integral(since, k + 1) @ bends for k in (2, 3)
            )
            return (
                curve.fractional_integral(times, 1.0) + lam * first,
                curve.fractional_integral(times, 2.0) + lam * second,
            )
        left, right, weights = unit_rule()
        values = curve.forward_variance(times[..., None] * left, self.model.alpha, lam)
        until = times[..., None] * right
        return (
            times * ((values * (1.0 + lam * kernel.integral(until, 1))) @ weights),
            times * ((values * (until + lam * kernel.integral(until, 2))) @ weights),
        )

    def step_weights(self, steps: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Of every step of these lengths, and every rate: what is left of psi, and the weights of F at both ends."""
        rates, lengths = self.kernel.rates, steps[:, None]
        whole = repeated_integral(rates, lengths, 1)
        # int exp(-x (d - s)) s / d ds is the second integral of exp(-x t), over d
        right = repeated_integral(rates, lengths, 2) / lengths
        return np.exp(-rates * lengths), whole - right, right


#: What prices and characteristic functions are made of.
HestonModel: TypeAlias = RoughHeston | LiftedHeston
