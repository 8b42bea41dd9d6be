"""Against statsmodels, canonical correlations by singular values, the VECM's estimate, and the rank test's size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from statsmodels.tsa.vector_ar.vecm import coint_johansen, select_coint_rank

from models.cointegration import DeterministicOrder, engle_granger, fit_vecm, johansen
from tests.models.cointegration.made_up import error_correcting, hourly_logs, pair, walks

#: Two relations among four legs.
BETA = np.array([[1.0, 0.0], [-0.5, 1.0], [0.0, -2.0], [0.3, 0.4]])
ALPHA = np.array([[-0.3, 0.0], [0.1, -0.2], [0.0, 0.15], [0.0, 0.0]])


def four_legs(seed: int, n: int = 600) -> np.ndarray:
    return error_correcting(seed, n, ALPHA, BETA, 0.2 * np.eye(4))


@pytest.mark.parametrize("det_order", [-1, 0, 1])
@pytest.mark.parametrize("k_ar_diff", [1, 3])
def test_equals_statsmodels(det_order: DeterministicOrder, k_ar_diff: int) -> None:
    for levels in (four_legs(1), np.column_stack(pair(2)) * np.array([1e4, 1e-2]), walks(3, 300, 3)):
        ours = johansen(levels, det_order=det_order, k_ar_diff=k_ar_diff)
        theirs = coint_johansen(levels, det_order, k_ar_diff)
        np.testing.assert_allclose(ours.eigenvalues, theirs.eig, rtol=1e-6)
        np.testing.assert_allclose(ours.eigenvectors, theirs.evec, rtol=1e-6)
        np.testing.assert_allclose(ours.trace_statistics, theirs.trace_stat, rtol=1e-6)
        np.testing.assert_allclose(ours.max_eigen_statistics, theirs.max_eig_stat, rtol=1e-6)
        np.testing.assert_array_equal(ours.trace_critical_values, theirs.trace_stat_crit_vals[:, [2, 1, 0]])
        np.testing.assert_array_equal(ours.max_eigen_critical_values, theirs.max_eig_stat_crit_vals[:, [2, 1, 0]])
        assert (ours.det_order, ours.k_ar_diff) == (det_order, k_ar_diff)
        for level in (0.01, 0.05, 0.1):
            rank = select_coint_rank(levels, det_order, k_ar_diff, "trace", level).rank
            assert ours.rank(level) == rank
            rank = select_coint_rank(levels, det_order, k_ar_diff, "maxeig", level).rank
            assert ours.rank(level, "max_eigen") == rank


@pytest.mark.parametrize("k_ar_diff", [1, 2, 4])
@pytest.mark.parametrize("constant", [False, True])
def test_eigenvalues_are_squared_canonical_correlations(k_ar_diff: int, constant: bool) -> None:
    """Of differences and lagged levels, both cleared of lagged differences: cosines of angles between two planes."""
    levels = four_legs(4, 400)
    d = np.diff(levels, axis=0)
    rows = len(d) - k_ar_diff
    known = [d[k_ar_diff - lag : len(d) - lag] for lag in range(1, k_ar_diff + 1)]
    if constant:
        known.append(np.ones((rows, 1)))

    def basis(values: np.ndarray) -> np.ndarray:
        if known:
            plane = np.linalg.qr(np.column_stack(known))[0]
            values = values - plane @ (plane.T @ values)
        return np.linalg.qr(values)[0]

    cosines = np.linalg.svd(basis(d[k_ar_diff:]).T @ basis(levels[k_ar_diff:-1]), compute_uv=False)
    found = johansen(levels, det_order=0 if constant else -1, k_ar_diff=k_ar_diff)
    assert found.observations == rows
    # statsmodels shifts by the mean of all values, which changes nothing once a constant is in.
    np.testing.assert_allclose(found.eigenvalues, cosines**2, rtol=1e-8)
    logs = -rows * np.log1p(-(cosines**2))
    np.testing.assert_allclose(found.max_eigen_statistics, logs, rtol=1e-8)
    np.testing.assert_allclose(found.trace_statistics, logs[::-1].cumsum()[::-1], rtol=1e-8)


def test_the_relations_of_a_known_system() -> None:
    found = johansen(four_legs(5, 3000), det_order=0, k_ar_diff=1)
    assert [found.rank(level, s) for level in (0.01, 0.05) for s in ("trace", "max_eigen")] == [2] * 4
    space, _ = np.linalg.qr(BETA)
    relations, _ = np.linalg.qr(found.eigenvectors[:, :2])
    assert np.linalg.svd(space.T @ relations, compute_uv=False).min() > 0.9999


def test_weights_are_those_of_the_error_correction_model() -> None:
    levels = np.column_stack(pair(6))
    found = johansen(levels, det_order=0, k_ar_diff=2)
    other = fit_vecm(levels, k_ar_diff=2, deterministic="co")
    np.testing.assert_allclose(found.weights(), other.beta[:, 0], rtol=1e-7)
    assert -found.weights()[1] == pytest.approx(engle_granger(*levels.T).y_on_x.hedge_ratio, rel=0.02)


@pytest.mark.parametrize(
    ("det_order", "drift", "low", "high"),
    # Where the critical values fit: 5% within 3 Monte Carlo errors of 1.1%. Where they do not: what the docs say.
    [(-1, 0.0, 0.017, 0.083), (0, 0.3, 0.017, 0.083), (0, 0.0, 0.07, 0.15), (1, 0.0, 0.13, 0.26)],
)
def test_size_of_the_rank(det_order: DeterministicOrder, drift: float, low: float, high: float) -> None:
    """400 pairs of walks of 400 values; the trend of drifting legs is `drift` a step."""
    trend = drift * np.arange(400)[:, None]
    tests = [johansen(walks(500 + s, 400) + trend, det_order=det_order, k_ar_diff=1) for s in range(400)]
    assert low < np.mean([test.rank() > 0 for test in tests]) < high


def test_power_of_the_rank() -> None:
    """With drift the second unit root is rejected in its 5%; without it in a third, and the rank is then 2."""
    drift = 0.3 * np.arange(400)[:, None] * np.array([2.0, 1.0])
    for trend, least, most in ((drift, 88, 99), (0.0, 55, 80)):
        ranks = [johansen(np.column_stack(pair(s, 400)) + trend, det_order=0, k_ar_diff=1).rank() for s in range(100)]
        assert 0 not in ranks and least <= ranks.count(1) <= most


def test_statsmodels_without_lagged_differences_is_still_another_regression() -> None:
    """Legs in reverse give it the lagged level it should have taken: once both agree, 0 may be allowed."""
    levels = four_legs(7)
    cosines = np.linalg.svd(
        np.linalg.qr(np.diff(levels, axis=0))[0].T @ np.linalg.qr(levels[:-1])[0], compute_uv=False
    )
    np.testing.assert_allclose(coint_johansen(levels[::-1], -1, 0).eig, cosines**2, rtol=1e-8)
    assert abs(coint_johansen(levels, -1, 0).eig - cosines**2).max() > 1e-3


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"det_order": 2}, "det_order"),
        ({"k_ar_diff": -1}, "k_ar_diff"),
        ({"k_ar_diff": 0}, "another regression"),
        ({"k_ar_diff": 20}, "twice as many rows"),
    ],
)
def test_bad_arguments(arguments: dict[str, int], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        johansen(walks(1, 100), **{"det_order": 0, "k_ar_diff": 1, **arguments})  # type: ignore[arg-type]


def test_bad_legs_and_questions() -> None:
    with pytest.raises(ValueError, match="13 legs"):
        johansen(walks(1, 300, 13), det_order=0, k_ar_diff=1)
    found = johansen(walks(1), det_order=0, k_ar_diff=1)
    with pytest.raises(ValueError, match="level"):
        found.rank(0.2)
    with pytest.raises(ValueError, match="statistic"):
        found.rank(0.05, "lambda")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="relation: 2"):
        found.weights(2)


@pytest.mark.recorded
def test_wrapped_bitcoin_follows_bitcoin(recorded: Path) -> None:
    found = johansen(hourly_logs(recorded, "WBTC", "BTC", "ETH"), det_order=0, k_ar_diff=2)
    assert found.rank(0.01) == found.rank(0.01, "max_eigen") == 1
    np.testing.assert_allclose(found.weights(), [1.0, -1.0, 0.0], atol=0.01)
