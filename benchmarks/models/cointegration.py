"""Cointegration on 1000 points beside statsmodels called directly, in turns; a scan beside `coint` on each pair."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from scipy.signal import lfilter
from statsmodels.tsa.stattools import coint
from statsmodels.tsa.vector_ar.vecm import VECM, coint_johansen

from benchmarks.models.turns import alone, in_turns
from benchmarks.report import Row
from models.cointegration import engle_granger, fit_vecm, johansen, rolling_z_score, scan_pairs


def run() -> list[Row]:
    """Rows in milliseconds."""
    rng = np.random.default_rng(1)
    walks = rng.standard_normal((1000, 10)).cumsum(axis=0)
    x = walks[:, 0]
    y = 5 + 2 * x + lfilter([1.0], [1.0, -0.8], rng.standard_normal(1000))
    levels = np.column_stack((y, x))
    value, floor = in_turns(lambda: engle_granger(y, x), lambda: (coint(y, x), coint(x, y)))
    name = "Engle-Granger, both directions, automatic lags, 1000 points"
    rows = [Row(name, "ms", value, floor, 1.0, "statsmodels coint, twice", "bar: 50 ms")]
    value, floor = in_turns(lambda: johansen(levels, det_order=0, k_ar_diff=1), lambda: coint_johansen(levels, 0, 1))
    note = "bar: 5 ms; checks of the legs included"
    rows.append(Row("Johansen, 1000 points", "ms", value, floor, 2.0, "statsmodels coint_johansen", note))
    value, floor = in_turns(
        lambda: fit_vecm(levels, k_ar_diff=1),
        lambda: VECM(levels, k_ar_diff=1, deterministic="ci").fit().pvalues_alpha,
    )
    rows.append(
        Row("VECM with errors, 1000 points", "ms", value, floor, 2.0, "statsmodels VECM, speeds' errors alone")
    )
    names = [str(j) for j in range(10)]
    value, floor = in_turns(
        lambda: scan_pairs(walks, names),
        lambda: [(coint(a, b), coint(b, a)) for a, b in combinations(walks.T, 2)],
        3,
    )
    rows.append(Row("scan of 45 pairs, 1000 points", "ms", value, floor, 1.0, "statsmodels coint, twice a pair"))
    value = alone(lambda: rolling_z_score(y, x, window=250))
    rows.append(Row("rolling z-score, window 250, 1000 points", "ms", value, 50.0, 1.0, "fifty milliseconds"))
    return rows
