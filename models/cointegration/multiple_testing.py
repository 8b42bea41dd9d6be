"""Corrections for having tested many pairs, by statsmodels' `multipletests`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.cointegration.library import import_statsmodels
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
        ImportError: statsmodels is not installed.
    """
    raw = np.array(p_values, np.float64)
    if raw.ndim != 1 or raw.size == 0:
        raise ValueError(f"p_values: shape {raw.shape}; one row of at least one is needed")
    if not ((raw >= 0) & (raw <= 1)).all():
        raise ValueError("p_values: one is not in [0, 1]")
    correct = import_statsmodels("stats.multitest").multipletests
    return CorrectedPValues(raw, *(np.asarray(correct(raw, method=name)[1]) for name in ("holm", "fdr_bh")))
