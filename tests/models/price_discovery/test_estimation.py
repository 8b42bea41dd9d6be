"""Least squares with known relations: against statsmodels, in two ways, and on paths of known parameters."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm
from statsmodels.tsa.vector_ar.vecm import VECM

from models.price_discovery import VECMFit, VECMParameters, fit_vecm, select_lags, simulate_vecm
from models.price_discovery.ticks import FloatArray
from tests.models.price_discovery.test_vecm import THREE


def by_ols(prices: FloatArray, lags: int, constant: bool, relations: FloatArray) -> list[sm.OLS]:
    """statsmodels' OLS, an equation at a time, regressors put together row by row."""
    rows, wanted = [], []
    for k in range(lags + 1, len(prices)):
        row = list(relations.T @ prices[k - 1])
        for m in range(1, lags + 1):
            row += list(prices[k - m] - prices[k - m - 1])
        rows.append(row + [1.0] * constant)
        wanted.append(prices[k] - prices[k - 1])
    return [sm.OLS(column, np.array(rows)).fit() for column in np.array(wanted).T]


def coefficients(fit: VECMFit, values: object, equation: int) -> FloatArray:
    lagged = values.lagged[:, equation].ravel()  # type: ignore[attr-defined]
    last = values.constant[[equation]] if fit.has_constant else []  # type: ignore[attr-defined]
    return np.concatenate([values.adjustment[equation], lagged, last])  # type: ignore[attr-defined]


@pytest.mark.parametrize("lags", [0, 1, 3])
@pytest.mark.parametrize("constant", [True, False])
def test_equal_to_ols_with_known_relations(lags: int, constant: bool) -> None:
    prices = 100 + 0.01 * simulate_vecm(THREE, 1500, seed=lags)
    fit = fit_vecm(prices, lags, constant=constant)
    theirs = by_ols(prices, lags, constant, fit.parameters.cointegration)
    for k, model in enumerate(theirs):
        np.testing.assert_allclose(coefficients(fit, fit.parameters, k), model.params, rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(coefficients(fit, fit.errors, k), model.bse, rtol=1e-8)
        np.testing.assert_allclose(fit.parameters.covariance[k, k], model.scale, rtol=1e-9)
        np.testing.assert_allclose(fit.residuals[:, k], model.resid, atol=1e-10)
    assert fit.converged and fit.rows == 1500 - lags


@pytest.mark.parametrize(("deterministic", "constant"), [("n", False), ("co", True)])
def test_equal_to_statsmodels_vecm_at_the_relations_it_finds(deterministic: str, constant: bool) -> None:
    """Given Johansen's relations, maximum likelihood is least squares: everything must be the same."""
    prices = simulate_vecm(THREE, 3000, seed=8)
    theirs = VECM(prices, k_ar_diff=2, coint_rank=2, deterministic=deterministic).fit()
    ours = fit_vecm(prices, 2, constant=constant, cointegration=theirs.beta)
    p = ours.parameters
    np.testing.assert_allclose(p.adjustment, theirs.alpha, rtol=0, atol=1e-6)
    np.testing.assert_allclose(np.hstack(list(p.lagged)), theirs.gamma, rtol=0, atol=1e-6)
    if constant:
        np.testing.assert_allclose(p.constant, theirs.const.ravel(), rtol=0, atol=1e-6)
    width = 2 + 6 + constant
    np.testing.assert_allclose(p.covariance * (ours.rows - width) / ours.rows, theirs.sigma_u, rtol=0, atol=1e-6)
    assert ours.log_likelihood == pytest.approx(theirs.llf, abs=1e-6)
    # the long run of statsmodels' own vector autoregression, summed to where it no longer changes
    response = theirs.irf(1500).irfs[-1]
    np.testing.assert_allclose(p.long_run_impact, response, rtol=0, atol=1e-6)


def test_estimates_are_the_truth_within_their_errors() -> None:
    """60 paths: scores of every coefficient have mean 0 and variance 1, within 4.5 standard errors of 24 each."""
    scores = []
    for seed in range(60):
        fit = fit_vecm(simulate_vecm(THREE, 4000, seed=seed), 2)
        for k in range(3):
            gap = coefficients(fit, fit.parameters, k) - coefficients(fit, THREE, k)
            scores.append(gap / coefficients(fit, fit.errors, k))
    table = np.array(scores).reshape(60, -1)
    assert (np.abs(table.mean(axis=0)) < 4.5 / math.sqrt(60)).all()
    assert abs(np.square(table).mean() - 1) < 4.5 * math.sqrt(2 / table.size)


def test_the_number_of_lags_is_found() -> None:
    truth = VECMParameters([[-0.1], [0.1]], np.eye(2), [np.diag([0.3, 0.2]), np.diag([0.2, -0.2])])
    prices = simulate_vecm(truth, 4000, seed=5)
    assert select_lags(prices, 6) == 2
    assert 2 <= select_lags(prices, 6, criterion="aic") <= 6
    assert select_lags(simulate_vecm(VECMParameters([[-0.1], [0.1]], np.eye(2)), 4000, seed=5), 6) == 0


def test_prices_that_part_are_not_converged() -> None:
    rng = np.random.default_rng(2)
    # an error that is fed: the difference explodes
    gap = np.cumprod(np.full(300, 1.01))
    trend = np.cumsum(rng.standard_normal(300))
    fit = fit_vecm(np.column_stack([trend + gap, trend - gap + 0.01 * rng.standard_normal(300)]), 0)
    assert not fit.converged and "do not die out" in fit.reason


def test_what_cannot_be_fitted_is_refused() -> None:
    prices = simulate_vecm(THREE, 100, seed=1)
    hole = prices.copy()
    hole[7, 1] = np.nan
    fixed = prices.copy()
    fixed[:, 2] = 5.0
    same = prices[:, [0, 1, 1]]
    for table, message in (
        (hole, "row 7 is not finite"),
        (prices[:, :1], "at least 2 markets"),
        (prices[:3], "too few"),
        (prices[:8], "more are needed"),
        (fixed, "copies|is 0"),
        (same, "copies"),
        (prices[:, [0, 0]], "is 0 throughout"),
    ):
        with pytest.raises(ValueError, match=message):
            fit_vecm(table, 1)
    for lags in (-1, 0.5, True):
        with pytest.raises(ValueError, match="lags"):
            fit_vecm(prices, lags)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="cointegration"):
        fit_vecm(prices, 1, cointegration=[[1.0], [-1.0]])
    with pytest.raises(ValueError, match="criterion"):
        select_lags(prices, 1, criterion="hqic")  # type: ignore[arg-type]
