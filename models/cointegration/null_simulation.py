"""How often a scan cries wolf: random walks that share nothing, scanned again and again.

Under this complete null every rejection is false, so the family-wise error is the share of scans with at least one,
and the false discovery rate is the same number.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.stats.mstats import mjci

from models.cointegration.engle_granger import RelationTrend, engle_granger
from models.cointegration.lags import Criterion
from models.cointegration.multiple_testing import correct_p_values


@dataclass(frozen=True, slots=True)
class ErrorRate:
    """A share of simulated scans, with its Monte Carlo standard error."""

    rate: float
    standard_error: float


@dataclass(frozen=True, slots=True)
class FamilyWiseError:
    """Share of scans with a false rejection at `level`, without a correction and with either.

    `single` is the share of pairs rejected raw: the size of one test (its error takes pairs as independent).
    `threshold` is the raw p-value that the smallest of a scan undercuts in `level` of the simulations: a scan of this
    size that takes pairs below it errs that often whatever the p-values are worth (Westfall and Young 1993);
    `threshold_error` is its Monte Carlo standard error (Maritz and Jarrett 1978), NaN where fewer than two scans are
    below it.
    """

    raw: ErrorRate
    holm: ErrorRate
    benjamini_hochberg: ErrorRate
    single: ErrorRate
    threshold: float
    threshold_error: float
    level: float
    legs: int
    pairs: int
    observations: int
    simulations: int
    bounce: float
    seed: int


def simulate_family_wise_error(
    *,
    legs: int,
    observations: int,
    simulations: int,
    seed: int,
    level: float = 0.05,
    bounce: float = 0.0,
    trend: RelationTrend = "c",
    criterion: Criterion | None = "aic",
    max_lags: int | None = None,
) -> FamilyWiseError:
    """Scan all pairs of independent Gaussian random walks with steps of variance 1, `simulations` times.

    Args:
        legs: walks in a scan, at least 2; they make legs (legs - 1) / 2 pairs.
        observations: values of each.
        simulations: scans, at least 2.
        seed: of the walks.
        level: at which a p-value rejects, inside (0, 1).
        bounce: deviation of what each value is off its walk by itself, as trades are between bid and ask; at least 0.
        trend, criterion, max_lags: as `scan_pairs`.

    Raises:
        ValueError: an argument is out of its range.
        ImportError: statsmodels is not installed.
    """
    if legs < 2 or simulations < 2 or not 0 < level < 1:
        raise ValueError(
            f"legs, simulations, level: {legs}, {simulations}, {level}; at least 2, at least 2, inside (0, 1)"
        )
    if not (math.isfinite(bounce) and bounce >= 0):
        raise ValueError(f"bounce: {bounce!r} is below 0 or not finite")
    rng = np.random.default_rng(seed)
    pairs = list(combinations(range(legs), 2))
    false = np.zeros((simulations, 3), dtype=np.bool_)
    smallest = np.empty(simulations)
    single = 0
    for scan in range(simulations):
        walks = rng.standard_normal((observations, legs)).cumsum(axis=0)
        if bounce > 0:
            walks += bounce * rng.standard_normal(walks.shape)
        corrected = correct_p_values(
            [
                engle_granger(walks[:, i], walks[:, j], trend=trend, criterion=criterion, max_lags=max_lags).p_value
                for i, j in pairs
            ]
        )
        three = (corrected.raw, corrected.holm, corrected.benjamini_hochberg)
        false[scan] = [bool((values <= level).any()) for values in three]
        smallest[scan] = corrected.raw.min()
        single += int((corrected.raw <= level).sum())
    raw, holm, benjamini_hochberg = (_rate(int(column.sum()), simulations) for column in false.T)
    return FamilyWiseError(
        raw,
        holm,
        benjamini_hochberg,
        _rate(single, simulations * len(pairs)),
        float(np.quantile(smallest, level)),
        float(mjci(smallest, [level])[0]),
        level,
        legs,
        len(pairs),
        observations,
        simulations,
        bounce,
        seed,
    )


def _rate(count: int, of: int) -> ErrorRate:
    rate = count / of
    return ErrorRate(rate, math.sqrt(rate * (1 - rate) / of))
