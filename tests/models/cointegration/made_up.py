"""Seeded pairs whose relation is known, random walks that have none, and the recorded hourly closes of 82 coins."""

from __future__ import annotations

import lzma
from pathlib import Path

import numpy as np
from scipy.signal import lfilter


def pair(
    seed: int, n: int = 500, ratio: float = 2.0, b: float = 0.8, correlation: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """y = 5 + ratio x + u: x a random walk, u an AR(1) of weight b whose shocks correlate with those of x."""
    rng = np.random.default_rng(seed)
    steps, own = rng.standard_normal((2, n))
    shocks = correlation * steps + np.sqrt(1 - correlation**2) * own
    x = 50 + steps.cumsum()
    return 5 + ratio * x + lfilter([1.0], [1.0, -b], shocks), x


def walks(seed: int, n: int = 500, legs: int = 2) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, legs)).cumsum(axis=0)


def error_correcting(seed: int, n: int, alpha: np.ndarray, beta: np.ndarray, gamma: np.ndarray) -> np.ndarray:
    """d X_t = alpha beta' X_{t-1} + gamma d X_{t-1} + e, float[n, k]."""
    rng = np.random.default_rng(seed)
    levels = np.zeros((n, alpha.shape[0]))
    for t in range(2, n):
        pull = alpha @ (beta.T @ levels[t - 1]) + gamma @ (levels[t - 1] - levels[t - 2])
        levels[t] = levels[t - 1] + pull + rng.standard_normal(alpha.shape[0])
    return levels


def hourly_logs(recorded: Path, *coins: str) -> np.ndarray:
    """Logarithms of closes float[2007, coins], 2021-01-07 to 2021-03-31."""
    with lzma.open(recorded / "pob" / "cryptos_hourly_20210107_20210331.csv.xz", "rt") as file:
        names = file.readline().strip().replace('"', "").split(",")[1:]
        closes = np.array([[float(x) for x in line.split(",")[1:]] for line in file])
    return np.log(closes[:, [names.index(coin) for coin in coins]])
