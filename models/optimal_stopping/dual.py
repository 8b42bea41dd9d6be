"""An upper bound: the value of one who sees the whole path, less a martingale.

    sup E[Y_tau] <= E[max over i of (Y_i - M_i)] for every martingale M from 0 (Rogers 2002; Haugh and Kogan 2004),

with equality at the martingale of the optimal value. Here M_{i+1} - M_i = sum over k of z_ik h_k(innovation), h_k the
normalised Hermite polynomials, z_ik a function of the features at date i: regressed, without nested simulation, as in
Belomestny, Bender and Schoenmakers (2009). However bad the regression, M is a martingale, so that the bound holds up
to its standard error when it is taken on fresh paths; a bad one is only loose.
"""

from __future__ import annotations

import numpy as np

from models.optimal_stopping.longstaff_schwartz import StoppingRule
from models.optimal_stopping.problem import (
    FloatArray,
    MonteCarloValue,
    Sample,
    Simulate,
    generator,
    innovations,
    mean_of,
)
from models.optimal_stopping.ridge import Regression, RidgeFit, fit_ridge


def upper_bound(
    rule: StoppingRule,
    simulate: Simulate,
    regression: Regression | None = None,
    *,
    training_paths: int,
    fresh_paths: int,
    seed: int,
    order: int = 2,
) -> MonteCarloValue:
    """The dual bound by the martingale of the rule's value.

    Args:
        rule: from `fit_rule`; its features are used here too.
        simulate: must give innovations.
        regression: of the martingale; the defaults of `Regression` when None.
        training_paths: of the stream (seed, 2), for the martingale.
        fresh_paths: of the stream (seed, 3), for the bound.
        seed: of both.
        order: of the Hermite polynomials, 1 to 3.

    Raises:
        ValueError: `order` is out of its range, or the problem gives no innovations.
    """
    if order not in (1, 2, 3):
        raise ValueError(f"order: {order} is not 1, 2 or 3")
    fits = _martingale(rule, simulate(training_paths, generator((seed, 2))), regression or Regression(1e-4), order)
    stream = (seed, 3)
    sample = simulate(fresh_paths, generator(stream))
    noise = innovations(sample)
    compensator = np.zeros(fresh_paths)
    best = sample.rewards[:, 0].copy()
    for date, (features, fit) in enumerate(zip(rule.features.forward(sample.paths), fits)):
        slopes = np.atleast_2d(fit.predict(features))
        compensator += (slopes[1:] * _hermite(noise[:, date], order)).sum(axis=0)
        np.maximum(best, sample.rewards[:, date + 1] - compensator, out=best)
    return mean_of(best, stream)


def _martingale(rule: StoppingRule, sample: Sample, regression: Regression, order: int) -> list[RidgeFit]:
    """At each date functions of the features: the expected later reward, and what it owes to each h_k."""
    noise = innovations(sample)
    later = sample.rewards[:, -1].copy()
    fits = []
    dates = range(noise.shape[1] - 1, -1, -1)
    for date, features in zip(dates, rule.features.backward(sample.paths)):
        # Less its own expectation the later reward has the same product with h_k, and a smaller variance.
        expected = fit_ridge(features, later, regression).predict(features)
        fits.append(
            fit_ridge(
                features,
                np.concatenate([expected[None], (later - expected) * _hermite(noise[:, date], order)]),
                regression,
            )
        )
        reward = sample.rewards[:, date]
        stops = reward >= rule.continuation[date].predict(features)
        if rule.in_the_money:
            stops &= reward > 0
        later = np.where(stops, reward, later)
    return fits[::-1]


def _hermite(x: FloatArray, order: int) -> FloatArray:
    return np.stack([x, (x * x - 1) / np.sqrt(2), (x**3 - 3 * x) / np.sqrt(6)])[:order]
