"""Engle-Granger over many pairs, with the p-values that having looked at all of them leaves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from models.cointegration.engle_granger import EngleGranger, RelationTrend, engle_granger
from models.cointegration.half_life import HalfLife
from models.cointegration.lags import Criterion
from models.cointegration.multiple_testing import correct_p_values
from models.cointegration.series import many_legs
from models.ornstein_uhlenbeck import NotMeanRevertingError

Correction = Literal["raw", "holm", "benjamini_hochberg"]


@dataclass(frozen=True, slots=True)
class ScannedPair:
    """One pair. `raw` is `EngleGranger.p_value`, which allows for both directions; the others for all pairs as well.

    `half_life` is that of the stronger direction's residuals, None when their AR(1) slope is not inside (0, 1).
    """

    y: str
    x: str
    test: EngleGranger
    raw: float
    holm: float
    benjamini_hochberg: float
    half_life: HalfLife | None


@dataclass(frozen=True, slots=True)
class PairScan:
    """All pairs tested, the lowest raw p-value first."""

    pairs: tuple[ScannedPair, ...]
    trend: RelationTrend
    criterion: Criterion | None

    def significant(self, level: float = 0.05, correction: Correction = "holm") -> tuple[ScannedPair, ...]:
        """Those whose p-value under `correction` is at most `level`.

        Raises:
            ValueError: `level` is not inside (0, 1), or the correction is unknown.
        """
        if not 0 < level < 1:
            raise ValueError(f"level: {level!r} is not inside (0, 1)")
        if correction not in get_args(Correction):
            raise ValueError(f"correction: {correction!r}; there are {', '.join(get_args(Correction))}")
        return tuple(pair for pair in self.pairs if getattr(pair, correction) <= level)


def scan_pairs(
    levels: npt.ArrayLike,
    names: Sequence[str],
    *,
    pairs: Iterable[tuple[str, str]] | None = None,
    trend: RelationTrend = "c",
    criterion: Criterion | None = "aic",
    max_lags: int | None = None,
) -> PairScan:
    """Test pairs of legs and correct for their number.

    Args:
        levels: float64[n, k], prices or their logarithms, oldest first.
        names: of the k columns, all different.
        pairs: (y, x) by name, each pair once in either order; every pair when None. Choose them before looking at the
            prices: pairs left out after a look are tests made all the same.
        trend, criterion, max_lags: as `engle_granger`. p-values rest on large samples, corrections on their far tail:
            `simulate_family_wise_error` says what a scan of this size is worth.

    Raises:
        ValueError: as `engle_granger`, naming the pair; or a name or pair is doubled or unknown.
        ImportError: statsmodels is not installed.
    """
    panel = many_legs(levels)
    if len(names) != panel.shape[1] or len(set(names)) != len(names):
        raise ValueError(f"names: {len(names)}, {len(set(names))} different, for {panel.shape[1]} columns")
    column = {name: j for j, name in enumerate(names)}
    chosen = list(combinations(names, 2) if pairs is None else pairs)
    _check_pairs(chosen, column)
    tests = []
    for y, x in chosen:
        try:
            legs = panel[:, column[y]], panel[:, column[x]]
            tests.append(engle_granger(*legs, trend=trend, criterion=criterion, max_lags=max_lags))
        except ValueError as error:
            raise ValueError(f"pair {y}, {x}: {error}") from error
    corrected = correct_p_values([test.p_value for test in tests])
    values = np.column_stack((corrected.raw, corrected.holm, corrected.benjamini_hochberg)).tolist()
    scanned = [
        ScannedPair(y, x, test, raw, holm, benjamini_hochberg, _half_life(test))
        for (y, x), test, (raw, holm, benjamini_hochberg) in zip(chosen, tests, values, strict=True)
    ]
    # Far out p-values round to 0 alike; there the statistic tells them apart.
    return PairScan(tuple(sorted(scanned, key=lambda p: (p.raw, p.test.stronger.statistic))), trend, criterion)


def _check_pairs(chosen: list[tuple[str, str]], known: dict[str, int]) -> None:
    if not chosen:
        raise ValueError("pairs: there are none")
    seen: set[frozenset[str]] = set()
    for y, x in chosen:
        unknown = [name for name in (y, x) if name not in known]
        if unknown:
            raise ValueError(f"pairs: {unknown[0]!r} is not among the names")
        if y == x or frozenset((y, x)) in seen:
            raise ValueError(
                f"pairs: {y}, {x} is a leg with itself or there twice; both directions are tested anyway"
            )
        seen.add(frozenset((y, x)))


def _half_life(test: EngleGranger) -> HalfLife | None:
    try:
        return test.stronger.half_life()
    except NotMeanRevertingError:
        return None
