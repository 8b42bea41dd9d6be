"""The error of a whole scan, held by the corrections and not held without."""

from __future__ import annotations

import numpy as np
import pytest

from models.cointegration import scan_pairs, simulate_family_wise_error


def test_family_wise_error_is_held() -> None:
    """80 scans of 10 pairs. Raw, some pair passes in a fifth of them and more; corrected, in 5% and 3 errors."""
    found = simulate_family_wise_error(legs=5, observations=500, simulations=80, seed=3)
    bound = 0.05 + 3 * np.sqrt(0.05 * 0.95 / 80)
    assert (found.pairs, found.simulations, found.seed) == (10, 80, 3)
    assert found.raw.rate > 0.2
    assert found.holm.rate <= found.benjamini_hochberg.rate <= bound
    assert found.single.rate < bound
    assert found.raw.standard_error == pytest.approx(np.sqrt(found.raw.rate * (1 - found.raw.rate) / 80))


def test_a_simulated_threshold_holds_where_p_values_do_not() -> None:
    """Few values with bounce, Schwarz's lags: Holm errs too often; under another seed's threshold, as said."""
    setting = {"legs": 4, "observations": 100, "bounce": 1.0, "criterion": "bic"}
    known = simulate_family_wise_error(**setting, simulations=300, seed=1)  # type: ignore[arg-type]
    other = simulate_family_wise_error(**setting, simulations=300, seed=2, level=known.threshold)  # type: ignore[arg-type]
    assert known.holm.rate > 0.1
    # Both the threshold and the check have the error of 300 scans.
    assert abs(other.raw.rate - 0.05) < 3 * np.sqrt(2 * 0.05 * 0.95 / 300)


def test_it_scans_as_the_scan_does() -> None:
    walks = np.random.default_rng(5).standard_normal((2, 100, 3)).cumsum(axis=1)
    scans = [scan_pairs(levels, ["A", "B", "C"]) for levels in walks]
    found = simulate_family_wise_error(legs=3, observations=100, simulations=2, seed=5, level=0.5)
    assert found.single.rate == sum(len(scan.significant(0.5, "raw")) for scan in scans) / 6
    assert found.holm.rate == sum(bool(scan.significant(0.5, "holm")) for scan in scans) / 2
    again = simulate_family_wise_error(legs=3, observations=100, simulations=2, seed=5, level=0.5)
    assert repr(found) == repr(again)
    assert np.isnan(found.threshold_error), "two scans say nothing about a quantile"


def test_the_threshold_has_an_honest_error() -> None:
    """Over seeds thresholds spread as one run says, within what twenty of them can tell (chi-squared, 1e-4)."""
    runs = [simulate_family_wise_error(legs=2, observations=60, simulations=60, seed=s, level=0.2) for s in range(20)]
    spread = np.std([run.threshold for run in runs], ddof=1)
    stated = np.sqrt(np.mean([run.threshold_error**2 for run in runs]))
    assert 0.45 < spread / stated < 1.7


@pytest.mark.parametrize(
    "arguments",
    [{"legs": 1}, {"simulations": 1}, {"level": 1.0}, {"bounce": -0.1}, {"bounce": np.nan}, {"observations": 9}],
)
def test_bad_arguments(arguments: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(arguments))}|at least 20"):
        simulate_family_wise_error(**{"legs": 3, "observations": 50, "simulations": 2, "seed": 1, **arguments})  # type: ignore[arg-type]
