"""Parameters found again from their own smiles; standard errors against repeated fits; what is said when it fails."""

from __future__ import annotations

import numpy as np
import pytest

from models.rough_heston import ForwardVariance, RiccatiError, RoughHeston, calibration, implied_vol_surface
from models.rough_heston.calibration import SmileQuotes, calibrate
from models.rough_heston.pricing import out_of_the_money_prices

CURVE = ForwardVariance((0.1, 0.5, 1.5), (0.03, 0.04, 0.05))
TRUE = RoughHeston(hurst=0.08, nu=0.35, rho=-0.75, variance=CURVE)
MATURITIES = np.array(CURVE.times)
MONEYNESS = np.linspace(-1.5, 1.2, 9) * 0.2 * np.sqrt(MATURITIES)[:, None]
VOLS = implied_vol_surface(TRUE, MONEYNESS, MATURITIES)


def quotes(noise: float = 0.0, seed: int = 0) -> SmileQuotes:
    vols = VOLS + noise * np.random.default_rng(seed).standard_normal(VOLS.shape)
    return SmileQuotes(np.repeat(MATURITIES, MONEYNESS.shape[1]), MONEYNESS.ravel(), vols.ravel())


@pytest.mark.parametrize("start", [(0.15, 0.4, -0.6), (0.45, 1.0, 0.5), (0.02, 0.1, -0.1)])
def test_finds_the_parameters_with_the_curve_given(start: tuple[float, float, float]) -> None:
    fit = calibrate(quotes(), variance=CURVE, start=start)
    assert fit.converged and fit.at_bounds == ()
    found = (fit.model.hurst, fit.model.nu, fit.model.rho)
    assert found == pytest.approx((TRUE.hurst, TRUE.nu, TRUE.rho), rel=1e-5)
    assert fit.rmse < 1e-8
    np.testing.assert_allclose(fit.model_vols, VOLS.ravel(), atol=1e-8)


def test_finds_parameters_and_curve() -> None:
    fit = calibrate(quotes())
    assert fit.converged
    assert isinstance(fit.model.variance, ForwardVariance)
    assert fit.model.variance.values == pytest.approx(CURVE.values, rel=1e-5)
    assert fit.model.hurst == pytest.approx(TRUE.hurst, rel=1e-4)
    assert set(fit.standard_errors) == {"hurst", "nu", "rho", "variance[0]", "variance[1]", "variance[2]"}


def test_standard_errors_are_the_spread_of_repeated_fits() -> None:
    """Twenty noisy surfaces: spread over stated error, within what twenty draws allow (chi-square, 1e-4 each way)."""
    fits = [calibrate(quotes(0.001, seed), variance=CURVE) for seed in range(20)]
    assert all(fit.converged for fit in fits)
    for name in ("hurst", "nu", "rho"):
        found = np.array([getattr(fit.model, name) for fit in fits])
        stated = np.array([fit.standard_errors[name] for fit in fits])
        assert 0.45 < found.std(ddof=1) / stated.mean() < 1.7
        assert abs(found.mean() - getattr(TRUE, name)) < 4.0 * stated.mean() / np.sqrt(20)


def test_weights_scale_out_and_choose() -> None:
    noisy = quotes(0.001, 5)
    same = SmileQuotes(noisy.maturities, noisy.log_moneyness, noisy.vols, np.full(noisy.vols.size, 3.0))
    one, other = calibrate(noisy, variance=CURVE), calibrate(same, variance=CURVE)
    assert one.model.nu == pytest.approx(other.model.nu, rel=1e-5)
    assert one.standard_errors["nu"] == pytest.approx(other.standard_errors["nu"], rel=1e-3)
    broken = noisy.vols.copy()
    broken[3] += 0.1
    weights = np.ones(broken.size)
    weights[3] = 1e-6
    fit = calibrate(SmileQuotes(noisy.maturities, noisy.log_moneyness, broken, weights), variance=CURVE)
    assert abs(fit.model.rho - TRUE.rho) < 5.0 * fit.standard_errors["rho"]


def test_says_that_it_did_not_converge() -> None:
    fit = calibrate(quotes(), variance=CURVE, max_iterations=1)
    assert not fit.converged and "maximum number" in fit.reason


def test_keeps_the_best_when_a_trial_cannot_be_priced(monkeypatch: pytest.MonkeyPatch) -> None:
    priced = 0

    def breaks_later(*arguments: object) -> object:
        nonlocal priced
        priced += 1
        if priced > 20:
            raise RiccatiError("too extreme")
        return out_of_the_money_prices(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(calibration, "out_of_the_money_prices", breaks_later)
    fit = calibrate(quotes(), variance=CURVE)
    assert not fit.converged and "could not be priced: too extreme" in fit.reason
    assert all(np.isnan(error) for error in fit.standard_errors.values())
    priced = 20
    with pytest.raises(RiccatiError, match="the start could not be priced"):
        calibrate(quotes(), variance=CURVE)


def test_a_parameter_on_its_bound_has_no_error() -> None:
    """A straight line far too steep for any correlation drives rho to its end."""
    k = np.linspace(-0.1, 0.1, 7)
    fit = calibrate(SmileQuotes(np.full(7, 0.5), k, 0.2 - 1.2 * k), variance=ForwardVariance((1.0,), (0.04,)))
    assert fit.at_bounds and all(np.isnan(fit.standard_errors[name]) for name in fit.at_bounds)


def test_bad_quotes() -> None:
    one = np.ones(1)
    with pytest.raises(ValueError, match="vectors of one length"):
        SmileQuotes(one, np.zeros(2), one)
    with pytest.raises(ValueError, match="vols: every value must be above 0"):
        SmileQuotes(one, 0 * one, -one)
    with pytest.raises(ValueError, match="maturities: every value must be finite"):
        SmileQuotes(np.nan * one, 0 * one, one)
    with pytest.raises(ValueError, match="does not depend on its volatility"):
        SmileQuotes(0.01 * one, 3.0 * one, 0.1 * one)
    with pytest.raises(ValueError, match="2 are given and 3 parameters"):
        calibrate(SmileQuotes(np.ones(2), np.array([0.0, 0.1]), np.full(2, 0.2)), variance=CURVE)
    with pytest.raises(ValueError, match="start"):
        calibrate(quotes(), variance=CURVE, start=(0.6, 0.4, -0.5))
