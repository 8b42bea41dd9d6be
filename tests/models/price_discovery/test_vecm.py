"""The model: its long run, its roots, its paths."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.price_discovery import VECMParameters, common_trend_weights, price_differences, simulate_vecm
from models.price_discovery.vecm import path
from tests.models.price_discovery import naive

THREE = VECMParameters(
    adjustment=[[-0.05, -0.02], [0.2, 0.01], [0.03, 0.3]],
    covariance=[[1.0, 0.3, 0.2], [0.3, 2.0, 0.1], [0.2, 0.1, 1.5]],
    lagged=[
        [[0.1, 0.05, 0.0], [0.1, -0.2, 0.0], [0.0, 0.1, -0.1]],
        [[0.0, 0.0, 0.02], [0.05, 0.0, 0.0], [0.0, 0.0, 0.1]],
    ],
    constant=[0.01, -0.02, 0.03],
)


def test_the_long_run_is_where_an_impulse_ends() -> None:
    """Against the equation itself, run for 2000 steps without further shocks."""
    still = VECMParameters(THREE.adjustment, THREE.covariance, THREE.lagged)
    for market in range(3):
        shocks = np.zeros((2000, 3))
        shocks[0, market] = 1.0
        end = path(still, shocks, np.zeros((3, 3)))[-1]
        np.testing.assert_allclose(still.long_run_impact[:, market], end, rtol=0, atol=1e-10)


def test_the_long_run_with_other_relations() -> None:
    # p_1 - 2 p_2 is stationary: the second price moves half as far
    odd = VECMParameters([[-0.1], [0.2]], np.eye(2), cointegration=[[1.0], [-2.0]])
    shocks = np.zeros((500, 2))
    shocks[0] = [1.0, 3.0]
    end = path(odd, shocks, np.zeros((1, 2)))[-1]
    np.testing.assert_allclose(odd.long_run_impact @ shocks[0], end, atol=1e-10)
    assert end[0] == pytest.approx(2 * end[1], abs=1e-12)


def test_the_long_run_in_closed_form() -> None:
    two = VECMParameters([[-0.1], [0.3]], np.eye(2), lagged=[[[0.2, 0.1], [0.0, -0.1]]])
    # A_perp = (0.3, 0.1) and B_perp = (1, 1): 0.3 (1 - 0.3) + 0.1 (1 + 0.1) = 0.32
    np.testing.assert_allclose(two.long_run_impact, [[0.3 / 0.32, 0.1 / 0.32]] * 2, rtol=0, atol=1e-12)


def test_roots_of_one_step_in_closed_form() -> None:
    # the difference is an AR(1) with coefficient 1 + a_1 - a_2
    for a, b in ((-0.1, 0.3), (0.0, 1.5), (-2.5, 0.1)):
        two = VECMParameters([[a], [b]], np.eye(2))
        np.testing.assert_allclose(two.roots, [abs(1 + a - b)], atol=1e-12)
        assert two.cointegrated == (abs(1 + a - b) < 1)


def test_roots_are_the_rate_at_which_differences_die() -> None:
    still = VECMParameters(THREE.adjustment, THREE.covariance, THREE.lagged)
    shocks = np.zeros((110, 3))
    shocks[0] = [1.0, -1.0, 2.0]
    gaps = np.abs(path(still, shocks, np.zeros((3, 3))) @ price_differences(3)).max(axis=1)
    assert THREE.roots.size == 8 and THREE.cointegrated
    assert (gaps[100] / gaps[60]) ** (1 / 40) == pytest.approx(THREE.roots[0], abs=1e-3)


@given(st.integers(2, 4), st.integers(0, 3), st.integers(0, 2**32))
def test_compiled_path_is_the_slow_path(n: int, lags: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    made = VECMParameters(
        rng.normal(0, 0.2, (n, n - 1)),
        np.eye(n),
        rng.normal(0, 0.1, (lags, n, n)),
        rng.normal(size=n),
        rng.normal(size=(n, n - 1)),
    )
    shocks, history = rng.normal(size=(12, n)), rng.normal(size=(lags + 1, n))
    np.testing.assert_allclose(path(made, shocks, history), naive.path(made, shocks, history), rtol=1e-9, atol=1e-9)


def test_simulated_innovations_have_the_covariance() -> None:
    prices = simulate_vecm(THREE, 40_000, seed=3, start=[5.0, 6.0, 7.0])
    assert prices.shape == (40_001, 3) and prices[0].tolist() == [5, 6, 7]
    changes, gaps = np.diff(prices, axis=0), prices[:-1] @ THREE.cointegration
    explained = THREE.constant + gaps @ THREE.adjustment.T
    explained[1:] += changes[:-1] @ THREE.lagged[0].T
    explained[2:] += changes[:-2] @ THREE.lagged[1].T
    shocks = changes - explained
    # var of a sample covariance: (s_ii s_jj + s_ij^2) / n
    s = THREE.covariance
    error = np.sqrt((np.outer(np.diag(s), np.diag(s)) + s**2) / len(shocks))
    assert (np.abs(np.cov(shocks.T) - s) < 4 * error).all()
    np.testing.assert_array_equal(prices, simulate_vecm(THREE, 40_000, seed=3, start=[5.0, 6.0, 7.0]))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"adjustment": [[0.1]]}, "adjustment: shape"),
        ({"adjustment": [0.1, 0.2]}, "adjustment: shape"),
        ({"adjustment": [[np.nan], [0.1]]}, "adjustment: not every value is finite"),
        ({"covariance": [[1.0, 0.0]]}, "covariance: shape"),
        ({"covariance": np.empty((0, 0))}, "covariance: shape"),
        ({"covariance": [[1.0, 0.5], [0.2, 1.0]]}, "not symmetric"),
        ({"covariance": [[1.0, 1.0], [1.0, 1.0]]}, "not positive definite"),
        ({"lagged": [[0.1, 0.2], [0.1, 0.2]]}, "lagged: shape"),
        ({"lagged": [[[0.1]]]}, "lagged: shape"),
        ({"constant": [1.0]}, "constant: shape"),
        ({"cointegration": [[0.0], [0.0]]}, "not linearly independent"),
    ],
)
def test_what_is_no_model_is_refused(changes: dict[str, object], message: str) -> None:
    good: dict[str, object] = {"adjustment": [[-0.1], [0.1]], "covariance": np.eye(2)}
    with pytest.raises(ValueError, match=message):
        VECMParameters(**{**good, **changes})  # type: ignore[arg-type]


def test_more_than_one_trend_and_none_are_refused() -> None:
    with pytest.raises(ValueError, match="more than one common trend"):
        common_trend_weights([[0.1, 0.2], [0.1, 0.2], [0.2, 0.4]])
    with pytest.raises(ValueError, match="more than one common trend"):
        _ = VECMParameters([[0.0], [0.0]], np.eye(2)).long_run_impact
    with pytest.raises(ValueError, match="integrated twice"):
        _ = VECMParameters([[-0.1], [0.1]], np.eye(2), lagged=[np.eye(2)]).long_run_impact
    for bad in ([[0.1, 0.2]], [[np.inf], [0.1]], 3.0):
        with pytest.raises(ValueError, match="adjustment"):
            common_trend_weights(bad)
    with pytest.raises(ValueError, match="at least 2"):
        price_differences(1)
    for steps, start in ((0, None), (5, [1.0])):
        with pytest.raises(ValueError):
            simulate_vecm(THREE, steps, seed=1, start=start)
