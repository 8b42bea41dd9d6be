"""Against statsmodels pair by pair, planted pairs among walks, and recorded coins."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests
from statsmodels.tsa.stattools import coint

from models.cointegration import PairScan, scan_pairs
from tests.models.cointegration.made_up import hourly_logs, pair, walks

NAMES = ["A", "B", "C", "D", "E"]


def planted(seed: int) -> np.ndarray:
    """A and C belong together, the rest are walks."""
    y, x = pair(seed, 600)
    others = walks(seed + 1, 600, 3)
    return np.column_stack((y, others[:, 0], x, others[:, 1:]))


def equal(scan: PairScan, levels: np.ndarray, names: list[str], criterion: str) -> None:
    raw = []
    for found in scan.pairs:
        y, x = levels[:, names.index(found.y)], levels[:, names.index(found.x)]
        both = coint(y, x, autolag=criterion)[1], coint(x, y, autolag=criterion)[1]
        raw.append(min(1.0, 2 * min(both)))
    assert [found.raw for found in scan.pairs] == pytest.approx(raw, rel=1e-6, abs=1e-12)
    for name, method in (("holm", "holm"), ("benjamini_hochberg", "fdr_bh")):
        expected = multipletests(raw, method=method)[1]
        assert [getattr(found, name) for found in scan.pairs] == pytest.approx(expected, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("criterion", ["aic", "bic"])
def test_every_pair_equals_statsmodels(criterion: str) -> None:
    levels = planted(1)
    scan = scan_pairs(levels, NAMES, criterion=criterion)  # type: ignore[arg-type]
    assert len({(found.y, found.x) for found in scan.pairs}) == 10
    raw = [found.raw for found in scan.pairs]
    assert raw == sorted(raw)
    equal(scan, levels, NAMES, criterion)


def test_a_planted_pair_is_found_and_no_other() -> None:
    """20 scans: the planted pair in each; others in few, since Holm holds at most 1 in 20 on average."""
    false = 0
    for seed in range(20):
        kept = scan_pairs(planted(10 * seed), NAMES).significant()
        assert (kept[0].y, kept[0].x) == ("A", "C")
        life = kept[0].half_life
        assert life is not None and life.steps == pytest.approx(-np.log(2) / np.log(0.8), rel=0.6)
        false += len(kept) > 1
    assert false <= 4


def test_fewer_pairs_cost_less_correction() -> None:
    levels = planted(3)
    every = scan_pairs(levels, NAMES)
    few = scan_pairs(levels, NAMES, pairs=[("B", "D"), ("C", "A")])
    assert len(few.pairs) == 2
    by_name = {frozenset((found.y, found.x)): found for found in every.pairs}
    for found in few.pairs:
        other = by_name[frozenset((found.y, found.x))]
        assert found.raw == pytest.approx(other.raw, rel=1e-9)
        assert found.raw <= found.holm <= other.holm


def test_a_spread_that_does_not_revert_has_no_half_life() -> None:
    """White noise: its slope on the last value is below 0 as often as above."""
    scans = [scan_pairs(np.column_stack(pair(seed, 300, b=0.0)), ["A", "B"]).pairs[0] for seed in range(12)]
    slopes = [np.polyfit(s.test.stronger.residuals[:-1], s.test.stronger.residuals[1:], 1)[0] for s in scans]
    assert [s.half_life is None for s in scans] == [slope <= 0 for slope in slopes]
    assert 0 < sum(slope <= 0 for slope in slopes) < 12


@pytest.mark.parametrize(
    ("names", "pairs", "reason"),
    [
        (["A", "B"], None, "names"),
        (["A", "B", "A"], None, "names"),
        (["A", "B", "C"], [], "none"),
        (["A", "B", "C"], [("A", "X")], "'X'"),
        (["A", "B", "C"], [("A", "A")], "itself"),
        (["A", "B", "C"], [("A", "B"), ("B", "A")], "twice"),
    ],
)
def test_bad_names_and_pairs(names: list[str], pairs: list[tuple[str, str]] | None, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        scan_pairs(walks(1, 100, 3), names, pairs=pairs)


def test_collinear_legs_are_named() -> None:
    levels = walks(1, 100, 3)
    levels[:, 2] = 2 * levels[:, 0]
    with pytest.raises(ValueError, match=r"pair A, C: .*collinear"):
        scan_pairs(levels, ["A", "B", "C"])


def test_bad_questions() -> None:
    scan = scan_pairs(walks(1, 100, 2), ["A", "B"])
    with pytest.raises(ValueError, match="level"):
        scan.significant(0.0)
    with pytest.raises(ValueError, match="correction"):
        scan.significant(0.05, "bonferroni")  # type: ignore[arg-type]


@pytest.mark.recorded
def test_of_recorded_coins_only_the_wrapped_one_survives(recorded: Path) -> None:
    """21 pairs of seven coins: some pass uncorrected, and after Holm the one that redemption holds together."""
    coins = ["BTC", "WBTC", "ETH", "LTC", "XRP", "EOS", "ETC"]
    levels = hourly_logs(recorded, *coins)
    scan = scan_pairs(levels, coins)
    equal(scan, levels, coins, "aic")
    assert [(found.y, found.x) for found in scan.significant()] == [("BTC", "WBTC")]
    assert len(scan.significant(correction="raw")) > 1
