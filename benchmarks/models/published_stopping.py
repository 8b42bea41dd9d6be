"""Published tables of stopping problems beside ours: `python -m benchmarks.models.published_stopping [put|fbm]`.

Longstaff and Schwartz (2001), table 1: a put with strike 40 and rate 6%, exercised 50 times a year; their finite
difference value, the closed-form European value, their simulated value and its standard error (100,000 paths, half of
them antithetic). Becker, Cheridito and Jentzen (2019), section 4.3: E[X_tau] of a fractional Brownian motion on 100
dates in [0, 1]; their lower bound. Where the figures come from, and what is checked: docs/models/optimal_stopping.md.
"""

from __future__ import annotations

import math
import sys
from typing import Final

import numpy as np

from models.optimal_stopping import (
    GaussianStep,
    Regression,
    SignatureFeatures,
    StateFeatures,
    bermudan_put,
    dynamic_program,
    fractional_brownian_motion,
    solve,
    upper_bound,
)
from models.optimal_stopping.problem import FloatArray

STRIKE: Final = 40.0
RATE: Final = 0.06
DATES_PER_YEAR: Final = 50

#: (spot, volatility, years): (finite differences, European, simulated, its standard error).
PUTS: Final = {
    (36, 0.2, 1): (4.478, 3.844, 4.472, 0.010),
    (36, 0.2, 2): (4.840, 3.763, 4.821, 0.012),
    (36, 0.4, 1): (7.101, 6.711, 7.091, 0.020),
    (36, 0.4, 2): (8.508, 7.700, 8.488, 0.024),
    (38, 0.2, 1): (3.250, 2.852, 3.244, 0.009),
    (38, 0.2, 2): (3.745, 2.991, 3.735, 0.011),
    (38, 0.4, 1): (6.148, 5.834, 6.139, 0.019),
    (38, 0.4, 2): (7.670, 6.979, 7.669, 0.022),
    (40, 0.2, 1): (2.314, 2.066, 2.313, 0.009),
    (40, 0.2, 2): (2.885, 2.356, 2.879, 0.010),
    (40, 0.4, 1): (5.312, 5.060, 5.308, 0.018),
    (40, 0.4, 2): (6.920, 6.326, 6.921, 0.022),
    (42, 0.2, 1): (1.617, 1.465, 1.617, 0.007),
    (42, 0.2, 2): (2.212, 1.841, 2.206, 0.010),
    (42, 0.4, 1): (4.582, 4.379, 4.588, 0.017),
    (42, 0.4, 2): (6.248, 5.736, 6.243, 0.021),
    (44, 0.2, 1): (1.110, 1.017, 1.118, 0.007),
    (44, 0.2, 2): (1.690, 1.429, 1.675, 0.009),
    (44, 0.4, 1): (3.948, 3.783, 3.957, 0.017),
    (44, 0.4, 2): (5.647, 5.202, 5.622, 0.021),
}

#: Hurst exponent: lower bound.
FRACTIONAL: Final = {
    0.01: 1.518,
    0.05: 1.293,
    0.10: 1.048,
    0.15: 0.838,
    0.20: 0.658,
    0.25: 0.501,
    0.30: 0.369,
    0.35: 0.255,
    0.40: 0.155,
    0.45: 0.067,
    0.50: 0.000,
    0.55: 0.057,
    0.60: 0.115,
    0.65: 0.163,
    0.70: 0.206,
    0.75: 0.242,
    0.80: 0.276,
    0.85: 0.308,
    0.90: 0.336,
    0.95: 0.365,
    1.00: 0.395,
}


def put_by_dynamic_program(spot: float, volatility: float, years: int, nodes: int = 2400) -> float:
    """The put with exactly these dates, without simulation."""
    dates = DATES_PER_YEAR * years
    dt = years / dates

    def reward(logs: FloatArray, date: int) -> FloatArray:
        return np.maximum(STRIKE - np.exp(logs), 0.0) * math.exp(-RATE * dt * date)

    step = GaussianStep((RATE - volatility**2 / 2) * dt, 1.0, volatility * math.sqrt(dt))
    return dynamic_program(step, reward, dates, math.log(spot), nodes=nodes, width=6.0)


def put_rows(paths: int, seed: int) -> None:
    """Table 1, row by row."""
    print(
        "| S | sigma | T | published f.d. | exact here | published simulated (s.e.) | fresh paths here (s.e.) "
        "| against exact |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for (spot, volatility, years), (lattice, _, simulated, error) in PUTS.items():
        exact = put_by_dynamic_program(spot, volatility, years)
        problem = bermudan_put(spot, STRIKE, RATE, volatility, years, DATES_PER_YEAR * years)
        ours = solve(
            problem,
            StateFeatures(3, STRIKE, "laguerre"),
            Regression(1e-9),
            in_the_money=True,
            training_paths=paths,
            fresh_paths=paths,
            seed=seed,
        ).lower
        print(
            f"| {spot} | {volatility} | {years} | {lattice:.3f} | {exact:.4f} | {simulated:.3f} ({error:.3f}) "
            f"| {ours.value:.4f} ({ours.standard_error:.4f}) | {(ours.value / exact - 1):+.2%} |",
            flush=True,
        )


def fractional_rows(paths: int, seed: int) -> None:
    """Section 4.3, row by row: ridge on level 5 signatures, on level 4 with random units, and the dual bound.

    Noise is taken out of both rules by a martingale.
    """
    print(
        "| H | published | level 5, linear (s.e.) | of published | 50 random units (s.e.) | of published "
        "| dual bound (s.e.) |"
    )
    print("|---|---|---|---|---|---|---|")
    for hurst, published in FRACTIONAL.items():
        problem = fractional_brownian_motion(hurst, 100)
        linear, bent = (
            solve(
                problem,
                SignatureFeatures(level),
                regression,
                martingale=Regression(1e-2),
                training_paths=paths,
                fresh_paths=2 * paths,
                seed=seed,
            )
            for level, regression in ((5, Regression(1e-4)), (4, Regression(1e-2, hidden=50, seed=seed)))
        )
        bound = upper_bound(
            bent.rule, problem, Regression(0.1), training_paths=paths, fresh_paths=paths // 2, seed=seed, order=1
        )
        cells = []
        for lower in (linear.lower, bent.lower):
            share = f"{lower.value / published:.1%}" if published else "-"
            cells += [f"{lower.value:.4f} ({lower.standard_error:.4f})", share]
        print(
            f"| {hurst:.2f} | {published:.3f} | {' | '.join(cells)} "
            f"| {bound.value:.4f} ({bound.standard_error:.4f}) |",
            flush=True,
        )


def main() -> int:
    """Print the table asked for, or both."""
    asked = sys.argv[1:] or ["put", "fbm"]
    if "put" in asked:
        put_rows(paths=100_000, seed=20010101)
    if "fbm" in asked:
        fractional_rows(paths=16_000, seed=20190101)
    return 0


if __name__ == "__main__":
    sys.exit(main())
