"""Estimates where it is known who leads, and what their errors are worth."""

from __future__ import annotations

import numpy as np
import pytest

from models.price_discovery import (
    PriceDiscoveryShares,
    VECMParameters,
    bootstrap_errors,
    fit_vecm,
    price_discovery_shares,
    simulate_vecm,
)
from models.price_discovery.ticks import FloatArray

#: Market one hardly answers to the difference, market two much: one leads.
LEADER = VECMParameters([[-0.02], [0.2]], [[1.0, 0.3], [0.3, 2.0]], [[[0.1, 0.1], [0.0, -0.2]]])
NAMES = ("component", "lower", "upper", "midpoint", "modified", "leadership")


def numbers(shares: PriceDiscoveryShares) -> FloatArray:
    of = shares.information
    assert shares.leadership is not None
    return np.array([shares.component, of.lower, of.upper, of.midpoint, shares.modified, shares.leadership])[:, 0]


@pytest.fixture(scope="module")
def estimates() -> FloatArray:
    """200 paths of 3000 steps: [path, measure], of market one."""
    paths = (simulate_vecm(LEADER, 3000, seed=seed) for seed in range(200))
    return np.array([numbers(price_discovery_shares(fit_vecm(each, 1).parameters)) for each in paths])


def test_the_leader_is_found_within_the_error_of_the_simulation(estimates: FloatArray) -> None:
    truth = numbers(price_discovery_shares(LEADER))
    spread = estimates.std(axis=0, ddof=1)
    # 4 standard errors of the mean; and a bias of the second order, a tenth of a spread
    assert (np.abs(estimates.mean(axis=0) - truth) < spread * (4 / np.sqrt(200) + 0.1)).all()
    assert (estimates[:, :5] > 0.5).mean() > 0.99


def test_bootstrap_errors_are_the_spread_of_repetition(estimates: FloatArray) -> None:
    found = []
    for seed in range(8):
        fit = fit_vecm(simulate_vecm(LEADER, 3000, seed=1000 + seed), 1)
        errors = bootstrap_errors(fit, replications=100, seed=seed)
        assert errors.failed == 0
        found.append([getattr(errors, name)[0] for name in NAMES])
    ratio = np.mean(found, axis=0) / estimates.std(axis=0, ddof=1)
    # the spread itself has an error of 5 %, the mean of eight errors, each of its own path, about 8 %
    assert (np.abs(ratio - 1) < 0.3).all(), ratio


def test_bootstrap_is_a_function_of_its_seed() -> None:
    fit = fit_vecm(simulate_vecm(LEADER, 500, seed=1), 1)
    one, same, other = (bootstrap_errors(fit, replications=10, seed=seed) for seed in (1, 1, 2))
    assert (one.midpoint == same.midpoint).all() and (one.midpoint != other.midpoint).any()
    three = VECMParameters([[-0.1, 0.0], [0.2, 0.0], [0.0, 0.2]], np.eye(3))
    errors = bootstrap_errors(fit_vecm(simulate_vecm(three, 500, seed=1), 0), replications=5, seed=1)
    assert errors.leadership is None and errors.component.shape == (3,)
    with pytest.raises(ValueError, match="replications"):
        bootstrap_errors(fit, replications=1, seed=1)


def test_what_did_not_converge_has_no_errors() -> None:
    gap = np.cumprod(np.full(300, 1.01))
    trend = np.cumsum(np.random.default_rng(1).standard_normal(300))
    noise = 0.01 * np.random.default_rng(2).standard_normal(300)
    with pytest.raises(ValueError, match="do not die out"):
        bootstrap_errors(fit_vecm(np.column_stack([trend + gap, trend - gap + noise]), 0), seed=1)


def delayed(delay: int, noise: tuple[float, float], length: int, seed: int) -> FloatArray:
    """One efficient price of unit steps: market one shows it at once, market two `delay` later; each with noise."""
    rng = np.random.default_rng(seed)
    efficient = np.cumsum(rng.standard_normal(length + delay))
    shown = np.column_stack([efficient[delay:], efficient[:length]])
    return shown + rng.standard_normal((length, 2)) * noise


@pytest.mark.parametrize(
    ("delay", "noise", "component", "lower", "upper", "modified", "leadership"),
    [
        # the same noise: the first to know leads by every measure
        (2, (0.5, 0.5), 0.99, 0.997, 1.000, 0.999, None),
        # the first to know is the noisier by far: component and information share miss it, leadership does not
        (1, (4.0, 0.5), 0.08, 0.08, 0.24, 0.15, 0.82),
        # equally fast: leadership names the noisier
        (0, (2.0, 0.5), 0.07, 0.014, 0.29, 0.11, 0.85),
    ],
)
def test_the_table_of_the_documentation(
    delay: int, noise: tuple[float, float], component: float, lower: float, upper: float, modified: float,
    leadership: float | None,
) -> None:  # fmt: skip
    found = price_discovery_shares(fit_vecm(delayed(delay, noise, 100_000, 1), 10).parameters)
    assert found.component[0] == pytest.approx(component, abs=0.03)
    assert found.information.lower[0] == pytest.approx(lower, abs=0.03)
    assert found.information.upper[0] == pytest.approx(upper, abs=0.03)
    assert found.modified[0] == pytest.approx(modified, abs=0.03)
    if leadership is not None and found.leadership is not None:
        assert found.leadership[0] == pytest.approx(leadership, abs=0.06)


def test_equal_speed_has_the_weights_of_precision() -> None:
    """With delay 0 the trend weighs each market by 1 / noise variance: a closed form of another kind."""
    found = price_discovery_shares(fit_vecm(delayed(0, (2.0, 1.0), 200_000, 3), 15).parameters)
    # the filter's gain on market one is 1/4 of that on two
    assert found.component[0] == pytest.approx(0.25 / 1.25, abs=0.02)
