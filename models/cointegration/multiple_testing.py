"""Corrections for having tested many pairs.

Not by statsmodels' `multipletests`: it collects garbage at every call, a tenth of a second each time in a simulation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import false_discovery_control

from models.cointegration.series import FloatArray


@dataclass(frozen=True, slots=True)
class CorrectedPValues:
    """float64[m] each, in the order given.

    `holm` (Holm 1979): rejecting those at most q keeps the chance of even one false rejection at most q, however the
    tests depend on each other. `benjamini_hochberg` (1995): the expected share of false ones among the rejected is at
    most q, for tests independent or positively dependent; pairs that share legs are not sure to be that.
    """

    raw: FloatArray
    holm: FloatArray
    benjamini_hochberg: FloatArray


def correct_p_values(p_values: npt.ArrayLike) -> CorrectedPValues:
    """Both corrections of float64[m] p-values, m >= 1.

    Raises:
        ValueError: there are none, or one is not in [0, 1].
    """
    raw = np.array(p_values, np.float64)
    if raw.ndim != 1 or raw.size == 0:
        raise ValueError(f"p_values: shape {raw.shape}; one row of at least one is needed")
    if not ((raw >= 0) & (raw <= 1)).all():
        raise ValueError("p_values: one is not in [0, 1]")
    order = np.argsort(raw)
    # The smallest counts for all m tests, the next for m - 1, ...; none is below one before it.
    stepped = np.maximum.accumulate(raw[order] * np.arange(raw.size, 0, -1))
    holm = np.empty_like(raw)
    holm[order] = np.minimum(stepped, 1.0)
    return CorrectedPValues(raw, holm, np.asarray(false_discovery_control(raw, method="bh"), np.float64))
