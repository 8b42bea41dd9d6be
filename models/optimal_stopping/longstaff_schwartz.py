"""Stopping rules by regression, and what they are worth on paths they have not seen.

Longstaff and Schwartz (2001): from the last date back, regress what the paths get later (by the rule learnt so far)
on the features of the date; stop where the reward is at least that. With `StateFeatures` it is their method; with
`SignatureFeatures` that of Bayer, Pelizzari and Schoenmakers (2023), section 3.1, for processes with a memory.

The rule has seen the future of its own training paths, so their mean is no value of anything: above the true one once
the features are many. A rule's value is its mean on fresh paths. It is a lower bound of the problem's value.

What is regressed is mostly noise: what a path meets later. Where a problem gives its innovations, the noise can be
taken out of it, and of the value too, by a martingale M with M_{i+1} - M_i = z_i innovation_i, z_i a function of the
features at date i that is learnt on the way back (Alfonsi, Kebaier and Lelong 2026). M has the expectation 0 at every
stopping time, however bad z is, so that nothing is biased by it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.optimal_stopping.features import Features
from models.optimal_stopping.problem import (
    FloatArray,
    IntArray,
    MonteCarloValue,
    Sample,
    Simulate,
    generator,
    innovations,
    mean_of,
)
from models.optimal_stopping.ridge import Regression, RidgeFit, fit_ridge


@dataclass(frozen=True, slots=True)
class StoppingRule:
    """Stop at the first date where the reward is at least the continuation value; at the last date in any case.

    Args:
        features: the map the continuation values are functions of.
        continuation: of the dates 0 .. N - 1.
        in_the_money: never stop where the reward is 0 or less before the last date.
        training_mean: of the training paths under the rule: a diagnostic, biased upward; not a value.
        slopes: z of the dates 0 .. N - 1 when a martingale was learnt, else None.
    """

    features: Features
    continuation: tuple[RidgeFit, ...]
    in_the_money: bool
    training_mean: float
    slopes: tuple[RidgeFit, ...] | None = None

    def stopping_dates(self, sample: Sample) -> IntArray:
        """int64[n], the date at which each path is stopped; nothing after that date is looked at.

        Raises:
            ValueError: the sample has other dates than the rule.
        """
        n, points = sample.paths.shape
        if points - 1 != len(self.continuation):
            raise ValueError(f"sample: {points} dates; the rule has {len(self.continuation) + 1}")
        dates = np.full(n, points - 1, dtype=np.int64)
        going = np.ones(n, dtype=np.bool_)
        for date, (features, fit) in enumerate(zip(self.features.forward(sample.paths), self.continuation)):
            reward = sample.rewards[:, date]
            stops = going & (reward >= fit.predict(features))
            if self.in_the_money:
                stops &= reward > 0
            dates[stops] = date
            going &= ~stops
        return dates

    def stopped_martingale(self, sample: Sample, dates: IntArray) -> FloatArray:
        """float64[n], M at the date at which each path is stopped: of expectation 0.

        Raises:
            ValueError: no martingale was learnt, or the sample has no innovations.
        """
        if self.slopes is None:
            raise ValueError("slopes: the rule was fitted without a martingale")
        noise = innovations(sample)
        total = np.zeros(len(dates))
        for date, (features, fit) in enumerate(zip(self.features.forward(sample.paths), self.slopes)):
            total += np.where(dates > date, fit.predict(features) * noise[:, date], 0.0)
        return total


@dataclass(frozen=True, slots=True)
class Solution:
    """A rule and its value on fresh paths, a lower bound up to its standard error."""

    rule: StoppingRule
    lower: MonteCarloValue


def fit_rule(
    sample: Sample,
    features: Features,
    regression: Regression | None = None,
    *,
    in_the_money: bool = False,
    martingale: Regression | None = None,
) -> StoppingRule:
    """Learn a rule from training paths.

    Args:
        sample: the training paths.
        features: the map.
        regression: how; the defaults of `Regression` when None.
        in_the_money: regress only on paths with a reward above 0, and stop only there. For options, whose reward is 0
            elsewhere; not for rewards of either sign.
        martingale: how z is learnt; no noise is taken out when None.

    Raises:
        ValueError: a martingale is asked for and the sample has no innovations.
    """
    regression = regression or Regression()
    rewards = sample.rewards
    later = rewards[:, -1].copy()
    noise = None if martingale is None else innovations(sample)
    fits: list[RidgeFit] = []
    slopes: list[RidgeFit] = []
    for back, values in enumerate(features.backward(sample.paths)):
        reward = rewards[:, -2 - back]
        if martingale is not None and noise is not None:
            # `later` has lost the noise of all later dates already; now that of this date goes.
            now = noise[:, -1 - back]
            expected = fit_ridge(values, later, martingale).predict(values)
            slopes.append(fit_ridge(values, (later - expected) * now, martingale))
            later -= slopes[-1].predict(values) * now
        of_interest = reward > 0 if in_the_money else np.ones(len(later), dtype=np.bool_)
        seen = of_interest if of_interest.sum() > values.shape[0] else np.ones(len(later), dtype=np.bool_)
        fits.append(fit_ridge(values[:, seen], later[seen], regression))
        stops = of_interest & (reward >= fits[-1].predict(values))
        later = np.where(stops, reward, later)
    learnt = tuple(reversed(slopes)) if martingale is not None else None
    return StoppingRule(features, tuple(reversed(fits)), in_the_money, float(later.mean()), learnt)


def value_rule(rule: StoppingRule, simulate: Simulate, *, paths: int, seed: int) -> MonteCarloValue:
    """What the rule brings on fresh paths: of the stream (seed, 1), from which no rule is trained.

    When the rule has a martingale, less that at the stopping times: the same expectation, a smaller standard error.
    """
    stream = (seed, 1)
    sample = simulate(paths, generator(stream))
    dates = rule.stopping_dates(sample)
    rewards = _stopped(sample.rewards, dates)
    if rule.slopes is not None:
        rewards = rewards - rule.stopped_martingale(sample, dates)
    return mean_of(rewards, stream)


def solve(
    simulate: Simulate,
    features: Features,
    regression: Regression | None = None,
    *,
    in_the_money: bool = False,
    martingale: Regression | None = None,
    training_paths: int,
    fresh_paths: int,
    seed: int,
) -> Solution:
    """Learn a rule from the stream (seed, 0) and value it on the stream (seed, 1).

    Raises:
        ValueError: a number of paths below 2; a martingale is asked for and the problem gives no innovations.
    """
    if training_paths < 2 or fresh_paths < 2:
        raise ValueError(f"training_paths, fresh_paths: {training_paths}, {fresh_paths}; both must be at least 2")
    sample = simulate(training_paths, generator((seed, 0)))
    rule = fit_rule(sample, features, regression, in_the_money=in_the_money, martingale=martingale)
    return Solution(rule, value_rule(rule, simulate, paths=fresh_paths, seed=seed))


def _stopped(rewards: FloatArray, dates: IntArray) -> FloatArray:
    result: FloatArray = rewards[np.arange(len(dates)), dates]
    return result
