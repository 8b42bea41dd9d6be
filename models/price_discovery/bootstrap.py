"""Standard errors of price discovery shares: a residual bootstrap of the whole estimate (Efron 1979; Sapp 2002).

Innovations are drawn with replacement from the fitted residuals, rows together; prices are made from them with the
fitted parameters, and everything is fitted again. It supposes that innovations are independent over time: with
volatility in clusters the errors are too small.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.price_discovery.estimation import VECMFit, fit_vecm
from models.price_discovery.shares import price_discovery_shares
from models.price_discovery.ticks import FloatArray
from models.price_discovery.vecm import path


@dataclass(frozen=True, slots=True, eq=False)
class ShareErrors:
    """Standard errors, float64[n] each; `leadership` only for two markets.

    `failed` of the `replications` did not follow one trend and are left out: many of them make the errors too small.
    """

    component: FloatArray
    lower: FloatArray
    upper: FloatArray
    midpoint: FloatArray
    modified: FloatArray
    leadership: FloatArray | None
    replications: int
    failed: int
    seed: int


def bootstrap_errors(fitted: VECMFit, *, replications: int = 200, seed: int) -> ShareErrors:
    """Standard deviations of the shares over the replications.

    Raises:
        ValueError: fewer than 2 replications; a fit that did not converge; fewer than 2 replications that did.
    """
    if replications < 2:
        raise ValueError(f"replications: {replications}; at least 2 are needed")
    if not fitted.converged:
        raise ValueError(f"fitted: {fitted.reason}")
    parameters, rows = fitted.parameters, fitted.rows
    rng = np.random.default_rng(seed)
    pool = fitted.residuals - fitted.residuals.mean(axis=0)
    # residuals of least squares are smaller than innovations by the parameters that were fitted
    pool *= np.sqrt(np.diag(parameters.covariance) / np.square(pool).mean(axis=0))
    draws: list[FloatArray] = []
    n = parameters.prices
    for _ in range(replications):
        prices = path(parameters, pool[rng.integers(rows, size=rows)], fitted.prices[: parameters.lags + 1])
        again = fit_vecm(
            prices, parameters.lags, constant=fitted.has_constant, cointegration=parameters.cointegration
        )
        if again.converged:
            shares = price_discovery_shares(again.parameters)
            lead = shares.leadership if shares.leadership is not None else np.full(n, np.nan)
            of = shares.information
            draws.append(np.array([shares.component, of.lower, of.upper, of.midpoint, shares.modified, lead]))
    if len(draws) < 2:
        raise ValueError(f"fitted: only {len(draws)} of {replications} replications follow one trend; it is too weak")
    errors = np.std(draws, axis=0, ddof=1)
    return ShareErrors(
        component=errors[0],
        lower=errors[1],
        upper=errors[2],
        midpoint=errors[3],
        modified=errors[4],
        leadership=errors[5] if n == 2 else None,
        replications=replications,
        failed=replications - len(draws),
        seed=seed,
    )
