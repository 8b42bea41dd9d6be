"""Price discovery: two series of 100,000 ticks, and a VECM beside statsmodels' in turns."""

from __future__ import annotations

import numpy as np
from statsmodels.tsa.vector_ar.vecm import VECM

from benchmarks.models.turns import alone, in_turns
from benchmarks.report import Row
from models.price_discovery import (
    VECMParameters,
    bootstrap_errors,
    fit_vecm,
    hayashi_yoshida,
    hayashi_yoshida_covariance,
    lead_lag,
    price_discovery_shares,
    sample,
    simulate_lagged_pair,
    simulate_vecm,
)
from models.price_discovery.kernels import warm_up

MS = 10**6


def run() -> list[Row]:
    """Rows in milliseconds."""
    warm_up()
    x, y = simulate_lagged_pair(0.6, 5 * MS, spacing=(MS, MS), window=100_000 * MS, seed=1)
    size = f"{len(x):,} x {len(y):,} ticks"
    rows = []

    value = alone(lambda: hayashi_yoshida_covariance(x, y, 5 * MS))
    rows.append(Row(f"Hayashi-Yoshida, one lag, {size}", "ms", value, 10.0, 1.0, "the bar"))
    value = alone(lambda: hayashi_yoshida(x, y))
    rows.append(Row("Hayashi-Yoshida, correlation with errors", "ms", value, 10.0, 1.0, "the bar of one lag"))
    grid = np.arange(-100, 101) * MS
    value = alone(lambda: lead_lag(x, y, grid), 5)
    rows.append(Row(f"Lead-lag contrast, {grid.size} lags", "ms", value, 10.0 * grid.size, 1.0, "the bar, each lag"))
    value = alone(lambda: sample([x, y], 10 * MS))
    rows.append(Row("previous ticks on a grid of 10,000", "ms", value, 10.0, 1.0, "the bar of one lag"))

    truth = VECMParameters(
        np.array([[-0.02], [0.2]]), np.array([[1.0, 0.3], [0.3, 2.0]]), np.array([np.eye(2) * 0.1] * 5)
    )
    prices = simulate_vecm(truth, 10_000, seed=1)
    value, floor = in_turns(
        lambda: fit_vecm(prices, 5), lambda: VECM(prices, k_ar_diff=5, deterministic="co").fit(), 7
    )
    note = "ours with standard errors and known relations; theirs estimates the relation"
    rows.append(Row("VECM, 2 markets x 10,000 rows, 5 lags", "ms", value, floor, 1.0, "statsmodels VECM.fit", note))
    fitted = fit_vecm(prices, 5)
    value = alone(lambda: price_discovery_shares(fitted.parameters))
    rows.append(Row("Price discovery shares, 2 markets", "ms", value, 10.0, 1.0, "ten milliseconds"))
    value = alone(lambda: bootstrap_errors(fitted, replications=100, seed=1), 3)
    rows.append(Row("Bootstrap of the shares, 100 fits", "ms", value, 100 * floor, 1.0, "statsmodels VECM.fit x 100"))
    return rows
