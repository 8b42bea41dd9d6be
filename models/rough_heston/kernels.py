"""Compiled steppers of the fractional Riccati equation, many Fourier arguments ("lanes") at once.

The equation is D^alpha h = F(h), F(h) = a + b h + c h^2, h(0) = 0 in the fractional sense, or h = I^alpha F(h). Both
steppers keep the history F(h_0), F(h_1) ... as rows of real and of imaginary parts, so that the long sums over the
history run over contiguous lanes; the logarithm of the characteristic function is the sum of the history with the
weights `hats` (see riccati.py).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complex128]


@njit(cache=True)
def trapezoid_weights(out: FloatArray, points: FloatArray, alpha: float) -> None:
    """Product-trapezoid rule: out[n, j] is the weight of f(points[j]) in I^alpha f(points[n]), for a piecewise
    linear f. Lower triangular; out is n x n and entered with zeros."""
    first, second = 1.0 / math.gamma(alpha + 1.0), 1.0 / math.gamma(alpha + 2.0)
    for n in range(1, points.size):
        near = points[n] ** alpha
        for j in range(n):
            far = near
            distance = points[n] - points[j]
            ahead = points[n] - points[j + 1]
            near = ahead**alpha if ahead > 0.0 else 0.0
            mean = second * (far * distance - near * ahead) / (distance - ahead)
            out[n, j] += first * far - mean
            out[n, j + 1] += mean - first * near


@njit(cache=True)
def rectangle_weights(out: FloatArray, points: FloatArray, alpha: float) -> None:
    """The same for a piecewise constant f that keeps each cell's left value (the predictor's rule)."""
    first = 1.0 / math.gamma(alpha + 1.0)
    for n in range(1, points.size):
        for j in range(n):
            out[n, j] = first * ((points[n] - points[j]) ** alpha - (points[n] - points[j + 1]) ** alpha)


@njit(cache=True)
def _history(
    real: FloatArray,
    imag: FloatArray,
    weights: FloatArray,
    scale: float,
    past_real: FloatArray,
    past_imag: FloatArray,
) -> None:
    """real, imag = scale * sum_j weights[j] past[j], four rows of the past at a time."""
    count, lanes = weights.size, real.size
    real[:] = 0.0
    imag[:] = 0.0
    whole = count - count % 4
    for j in range(0, whole, 4):
        w0, w1, w2, w3 = (
            scale * weights[j],
            scale * weights[j + 1],
            scale * weights[j + 2],
            scale * weights[j + 3],
        )
        for m in range(lanes):
            real[m] += (w0 * past_real[j, m] + w1 * past_real[j + 1, m]) + (
                w2 * past_real[j + 2, m] + w3 * past_real[j + 3, m]
            )
        for m in range(lanes):
            imag[m] += (w0 * past_imag[j, m] + w1 * past_imag[j + 1, m]) + (
                w2 * past_imag[j + 2, m] + w3 * past_imag[j + 3, m]
            )
    for j in range(whole, count):
        w0 = scale * weights[j]
        for m in range(lanes):
            real[m] += w0 * past_real[j, m]
            imag[m] += w0 * past_imag[j, m]


@njit(cache=True)
def implicit_trapezoid(
    out: ComplexArray,
    a: ComplexArray,
    b: ComplexArray,
    c: float,
    weights: FloatArray,
    scale: float,
    hats: FloatArray,
    past_real: FloatArray,
    past_imag: FloatArray,
) -> None:
    """out[m] = sum_n hats[n] F(h_n) with h_n from the implicit product-trapezoid rule.

    Each step solves h = S + w F(h), a quadratic, whose root is the one that tends to S + w F(0) as w falls to 0; it
    is written so that nothing cancels. `scale` (T^alpha) carries the weights from [0, 1] to [0, T]. past_real and
    past_imag are buffers of at least hats.size rows and out.size columns.
    """
    lanes = out.size
    real, imag = np.empty(lanes), np.empty(lanes)
    for m in range(lanes):
        past_real[0, m] = a[m].real
        past_imag[0, m] = a[m].imag
        out[m] = hats[0] * a[m]
    for n in range(1, hats.size):
        _history(real, imag, weights[n, :n], scale, past_real, past_imag)
        w = scale * weights[n, n]
        g = hats[n]
        for m in range(lanes):
            known = complex(real[m], imag[m]) + w * a[m]
            half = 0.5 * (1.0 - w * b[m])
            h = known / (half + np.sqrt(half * half - w * c * known))
            value = a[m] + (b[m] + c * h) * h
            past_real[n, m] = value.real
            past_imag[n, m] = value.imag
            out[m] += g * value


@njit(cache=True)
def adams(
    out: ComplexArray,
    a: ComplexArray,
    b: ComplexArray,
    c: float,
    predictor: FloatArray,
    corrector: FloatArray,
    scale: float,
    hats: FloatArray,
    past_real: FloatArray,
    past_imag: FloatArray,
) -> None:
    """The same by the explicit fractional Adams method (one prediction, one correction). It diverges where
    |b + 2 c h| times the step's power is large; the caller looks at what comes out."""
    lanes = out.size
    real, imag = np.empty(lanes), np.empty(lanes)
    guess = np.empty(lanes, np.complex128)
    for m in range(lanes):
        past_real[0, m] = a[m].real
        past_imag[0, m] = a[m].imag
        out[m] = hats[0] * a[m]
    for n in range(1, hats.size):
        _history(real, imag, predictor[n, :n], scale, past_real, past_imag)
        for m in range(lanes):
            guess[m] = complex(real[m], imag[m])
        _history(real, imag, corrector[n, :n], scale, past_real, past_imag)
        w = scale * corrector[n, n]
        for m in range(lanes):
            predicted = a[m] + (b[m] + c * guess[m]) * guess[m]
            h = complex(real[m], imag[m]) + w * predicted
            value = a[m] + (b[m] + c * h) * h
            past_real[n, m] = value.real
            past_imag[n, m] = value.imag
            out[m] += hats[n] * value


@njit(cache=True)
def markovian_trapezoid(
    out: ComplexArray,
    a: ComplexArray,
    b: ComplexArray,
    c: float,
    kernel: FloatArray,
    decay: FloatArray,
    left: FloatArray,
    right: FloatArray,
    hats: FloatArray,
    states: ComplexArray,
) -> None:
    """The same for a kernel that is a sum of exponentials with weights `kernel`: the history is a state each.

    decay, left and right are of shape (steps, factors): what is left of a state after a step, and the weights of F at
    its ends. `states` is a buffer of shape (lanes, factors).
    """
    states[:] = 0.0
    past = a.copy()
    for m in range(out.size):
        out[m] = hats[0] * a[m]
    for n in range(decay.shape[0]):
        w = 0.0
        for i in range(kernel.size):
            w += kernel[i] * right[n, i]
        for m in range(out.size):
            known = w * a[m]
            for i in range(kernel.size):
                states[m, i] = decay[n, i] * states[m, i] + left[n, i] * past[m]
                known += kernel[i] * states[m, i]
            half = 0.5 * (1.0 - w * b[m])
            h = known / (half + np.sqrt(half * half - w * c * known))
            value = a[m] + (b[m] + c * h) * h
            for i in range(kernel.size):
                states[m, i] += right[n, i] * value
            past[m] = value
            out[m] += hats[n + 1] * value


def warm_up() -> None:
    """Compile every kernel for the types it is called with."""
    points = np.linspace(0.0, 1.0, 7)
    corrector, predictor = np.zeros((7, 7)), np.zeros((7, 7))
    trapezoid_weights(corrector, points, 0.6)
    rectangle_weights(predictor, points, 0.6)
    out, lanes = np.empty(2, np.complex128), np.full(2, -1.0 + 0.0j)
    past_real, past_imag = np.empty((7, 2)), np.empty((7, 2))
    hats = np.full(7, 0.1)
    implicit_trapezoid(out, lanes, lanes, 0.1, corrector, 1.0, hats, past_real, past_imag)
    adams(out, lanes, lanes, 0.1, predictor, corrector, 1.0, hats, past_real, past_imag)
    parts, kernel = np.full((6, 2), 0.1), np.ones(2)
    markovian_trapezoid(out, lanes, lanes, 0.1, kernel, parts, parts, parts, hats, np.empty((2, 2), np.complex128))
