"""Against statsmodels, a free search of the likelihood, own regressions given the relation, and a known system."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize
from statsmodels.tsa.vector_ar.vecm import VECM

from models.cointegration import Deterministic, VECMFit, fit_vecm
from tests.models.cointegration.made_up import error_correcting, hourly_logs, pair, walks

ALPHA, BETA = np.array([[-0.1], [0.04]]), np.array([[1.0], [-1.5]])
GAMMA = np.array([[0.2, 0.0], [0.1, 0.1]])


def known(seed: int, n: int = 2000) -> np.ndarray:
    return error_correcting(seed, n, ALPHA, BETA, GAMMA)


def regression(levels: np.ndarray, spread: np.ndarray, lags: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Least squares of differences on last spread and lagged differences: weights, residuals, inverse of X'X."""
    d = np.diff(levels, axis=0)
    columns = [spread[lags:-1], *(d[lags - i : len(d) - i] for i in range(1, lags + 1))]
    design = np.column_stack(columns)
    weights = np.linalg.lstsq(design, d[lags:])[0]
    return weights, d[lags:] - design @ weights, np.linalg.inv(design.T @ design)


@pytest.mark.parametrize("deterministic", ["n", "ci", "co"])
@pytest.mark.parametrize("k_ar_diff", [0, 1, 3])
def test_equals_statsmodels(deterministic: Deterministic, k_ar_diff: int) -> None:
    levels = known(1, 400) + 20
    ours = fit_vecm(levels, k_ar_diff=k_ar_diff, deterministic=deterministic)
    theirs = VECM(levels, k_ar_diff=k_ar_diff, deterministic=deterministic).fit()
    for name, value in {
        "alpha": theirs.alpha,
        "alpha_errors": theirs.stderr_alpha,
        "alpha_p_values": theirs.pvalues_alpha,
        "beta": theirs.beta,
        "beta_errors": theirs.stderr_beta,
        "gamma": theirs.gamma,
        "sigma": theirs.sigma_u,
        "log_likelihood": theirs.llf,
    }.items():
        np.testing.assert_allclose(getattr(ours, name), value, rtol=1e-6, atol=1e-300, err_msg=name)
    expected = theirs.const_coint.item() if deterministic == "ci" else 0.0
    assert ours.constants.tolist() == [pytest.approx(expected, rel=1e-6)]
    assert (ours.observations, ours.converged) == (399 - k_ar_diff, True)


def test_the_relation_is_where_a_free_search_finds_the_likelihood_highest() -> None:
    levels = known(2, 500) + 10
    found = fit_vecm(levels, k_ar_diff=1)

    def loss(at: np.ndarray) -> float:
        residuals = regression(levels, levels[:, 0] - at[0] * levels[:, 1] + at[1], 1)[1]
        return float(np.linalg.slogdet(residuals.T @ residuals / len(residuals))[1])

    options = {"xatol": 1e-10, "fatol": 1e-14, "maxiter": 4000}
    best = minimize(loss, [1.4, 5.0], method="Nelder-Mead", options=options)
    assert best.success
    # A maximum of a smooth function is known to the root of its precision.
    assert (found.hedge_ratio, found.constants[0]) == pytest.approx(best.x, rel=1e-5)
    n = found.observations
    assert found.log_likelihood == pytest.approx(-n * (np.log(2 * np.pi) + 1) - n / 2 * best.fun, rel=1e-9)


def test_speeds_by_own_regressions_given_the_relation() -> None:
    levels = known(3, 500)
    found = fit_vecm(levels, k_ar_diff=1)
    weights, residuals, inverse = regression(levels, found.spread(levels)[:, 0], 1)
    np.testing.assert_allclose(found.alpha[:, 0], weights[0], rtol=1e-6)
    np.testing.assert_allclose(found.gamma, weights[1:].T, rtol=1e-6)
    sigma = residuals.T @ residuals / len(residuals)
    np.testing.assert_allclose(found.sigma, sigma, rtol=1e-6)
    np.testing.assert_allclose(found.alpha_errors[:, 0], np.sqrt(inverse[0, 0] * np.diag(sigma)), rtol=1e-6)


def test_a_known_system_over_many_samples() -> None:
    """200 samples of 1000: estimates over their errors have mean 0 and deviation 1 within Monte Carlo error."""
    fits = [fit_vecm(known(seed, 1000), k_ar_diff=1) for seed in range(200)]
    scores = np.array([(f.alpha - ALPHA).ravel() / f.alpha_errors.ravel() for f in fits])
    scores = np.column_stack((scores, [(f.hedge_ratio - 1.5) / f.hedge_ratio_error for f in fits]))
    assert np.abs(scores.std(axis=0) - 1).max() < 4 / np.sqrt(400)
    # Speeds are a little too high in samples of this size, the ratio is not.
    assert np.abs(scores[:, :2].mean(axis=0)).max() < 0.5 and abs(scores[:, 2].mean()) < 3 / np.sqrt(200)


def test_which_leg_moves_and_how_long_it_takes() -> None:
    found = fit_vecm(known(4, 20_000), k_ar_diff=1)
    assert found.closes_gap.tolist() == [[True], [True]]
    a1, a2 = np.eye(2) + ALPHA @ BETA.T + GAMMA, -GAMMA
    companion = np.block([[a1, a2], [np.eye(2), np.zeros((2, 2))]])
    truth = np.sort(np.abs(np.linalg.eigvals(companion)))[::-1][1:]
    np.testing.assert_allclose(found.roots, truth, atol=0.05)
    assert found.half_life == pytest.approx(-np.log(2) / np.log(truth[0]), rel=0.1)


def test_without_lags_the_gap_is_an_autoregression() -> None:
    found = fit_vecm(np.column_stack(pair(5, 2000)), k_ar_diff=0)
    b = 1 + (found.beta.T @ found.alpha).item()
    assert found.roots.tolist() == pytest.approx([b])
    assert found.half_life == pytest.approx(-np.log(2) / np.log(b))


def test_a_gap_that_grows_has_no_half_life() -> None:
    found = fit_vecm(np.column_stack(pair(6, 300, b=1.02)), k_ar_diff=0)
    assert found.roots[0] > 1 and found.half_life is None


def test_several_relations() -> None:
    levels = walks(7, 400, 3)
    found = fit_vecm(levels, k_ar_diff=1, rank=2)
    assert found.beta.shape == (3, 2) and found.roots.shape == (5,) and found.spread(levels).shape == (400, 2)
    np.testing.assert_allclose(found.beta[:2], np.eye(2), atol=1e-12)
    with pytest.raises(ValueError, match="two legs and one relation"):
        _ = found.hedge_ratio


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"rank": 0}, "rank"),
        ({"rank": 2}, "rank"),
        ({"deterministic": "li"}, "deterministic"),
        ({"k_ar_diff": -1}, "k_ar"),
    ],
)
def test_bad_arguments(arguments: dict[str, object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        fit_vecm(walks(1), **{"k_ar_diff": 1, **arguments})  # type: ignore[arg-type]


@pytest.mark.recorded
def test_wrapped_bitcoin_follows_bitcoin(recorded: Path) -> None:
    found = fit_vecm(hourly_logs(recorded, "WBTC", "BTC"), k_ar_diff=2)
    assert isinstance(found, VECMFit)
    assert abs(found.hedge_ratio - 1) < 3 * found.hedge_ratio_error < 0.01
    assert found.half_life is not None and 1 < found.half_life < 12
