"""The measures: closed forms, a second method for each, and what must hold of all."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import sqrtm

from models.price_discovery import (
    VECMParameters,
    component_shares,
    information_leadership_shares,
    information_shares,
    modified_information_shares,
    price_discovery_shares,
)
from models.price_discovery.ticks import FloatArray

BIVARIATE = [
    (0.3, 0.1, 1.0, 2.0, 0.5),
    (0.2, -0.05, 0.7, 0.3, -0.4),
    (1.0, 1.0, 1.0, 1.0, 0.0),
    (0.5, 0.1, 3, 1, 0.99),
]


def covariance_of(a: float, b: float, r: float) -> FloatArray:
    return np.array([[a * a, r * a * b], [r * a * b, b * b]])


@pytest.mark.parametrize(("w", "v", "a", "b", "r"), BIVARIATE)
def test_two_markets_in_closed_form(w: float, v: float, a: float, b: float, r: float) -> None:
    """Baillie, Booth, Tse and Zabotina (2002); Lien and Shrestha (2009); Putnins (2013), written out."""
    s = covariance_of(a, b, r)
    total = w * w * a * a + 2 * w * v * r * a * b + v * v * b * b
    first = (w * a + v * b * r) ** 2 / total
    last = w * w * a * a * (1 - r * r) / total
    found = information_shares([w, v], s)
    assert found.orders.tolist() == [[0, 1], [1, 0]]
    np.testing.assert_allclose(found.by_order, [[first, 1 - first], [last, 1 - last]], rtol=0, atol=1e-10)
    np.testing.assert_allclose(found.upper, [max(first, last), 1 - min(first, last)], rtol=0, atol=1e-10)
    np.testing.assert_allclose(found.midpoint, found.mean, rtol=0, atol=1e-10)
    # the root of [[1, r], [r, 1]] has d on its diagonal and e off it
    d, e = (math.sqrt(1 + r) + math.sqrt(1 - r)) / 2, (math.sqrt(1 + r) - math.sqrt(1 - r)) / 2
    modified = (w * a * d + v * b * e) ** 2 / total
    np.testing.assert_allclose(modified_information_shares([w, v], s), [modified, 1 - modified], rtol=0, atol=1e-10)
    component = component_shares([w, v])
    np.testing.assert_allclose(component, [w / (w + v), v / (w + v)], rtol=0, atol=1e-12)
    i = found.midpoint
    one, two = abs(i[0] / i[1] * component[1] / component[0]), abs(i[1] / i[0] * component[0] / component[1])
    np.testing.assert_allclose(information_leadership_shares(i, component)[0], one / (one + two), rtol=0, atol=1e-10)


@pytest.mark.parametrize(("alpha", "beta"), [(-0.1, 0.3), (0.0, 0.2), (-0.2, 0.0), (0.05, 0.3)])
def test_component_shares_of_a_model_in_closed_form(alpha: float, beta: float) -> None:
    found = price_discovery_shares(VECMParameters([[alpha], [beta]], covariance_of(1, 2, 0.3)))
    np.testing.assert_allclose(found.component, np.array([beta, -alpha]) / (beta - alpha), rtol=0, atol=1e-10)


def random_case(n: int, seed: int) -> tuple[FloatArray, FloatArray]:
    rng = np.random.default_rng(seed)
    half = rng.normal(size=(n, n + 2))
    return rng.normal(size=n), half @ half.T


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_every_order_against_conditional_variances(n: int) -> None:
    """A market's part is what knowing its innovation too explains of the trend's: regressions, no Cholesky."""
    w, s = random_case(n, n)

    def explained(known: tuple[int, ...]) -> float:
        if not known:
            return 0.0
        cross = s[list(known)] @ w
        return float(cross @ np.linalg.solve(s[np.ix_(known, known)], cross))

    found = information_shares(w, s)
    assert len(found.orders) == math.factorial(n)
    for order, shares in zip(itertools.permutations(range(n)), found.by_order, strict=True):
        for place, market in enumerate(order):
            part = explained(order[: place + 1]) - explained(order[:place])
            assert shares[market] == pytest.approx(part / (w @ s @ w), abs=1e-10)


@given(st.integers(2, 5), st.integers(0, 2**32), st.floats(-5, 5).filter(lambda x: abs(x) > 1e-3))
def test_what_holds_of_all_shares(n: int, seed: int, scale: float) -> None:
    w, s = random_case(n, seed)
    found, modified = information_shares(w, s), modified_information_shares(w, s)
    np.testing.assert_allclose(found.by_order.sum(axis=1), 1, atol=1e-12)
    assert (found.by_order >= 0).all() and (found.lower <= found.mean).all() and (found.mean <= found.upper).all()
    np.testing.assert_allclose([found.mean.sum(), modified.sum()], 1, atol=1e-12)
    # neither the weights' length and sign, nor the covariance's unit, nor the markets' numbering matter
    turn = np.random.default_rng(seed).permutation(n)
    moved = information_shares(scale * w[turn], scale**2 * s[np.ix_(turn, turn)])
    np.testing.assert_allclose(moved.lower, found.lower[turn], rtol=0, atol=1e-9)
    np.testing.assert_allclose(moved.upper, found.upper[turn], rtol=0, atol=1e-9)
    np.testing.assert_allclose(
        modified_information_shares(scale * w[turn], s[np.ix_(turn, turn)]), modified[turn], rtol=0, atol=1e-9
    )
    # nor the units of the prices' innovations, market by market, as long as the trend is the same
    units = np.exp(np.random.default_rng(seed).normal(size=n))
    other = information_shares(w / units, s * np.outer(units, units))
    np.testing.assert_allclose(other.by_order, found.by_order, rtol=0, atol=1e-9)


@pytest.mark.parametrize("n", [2, 3, 6])
def test_modified_shares_against_another_matrix_root(n: int) -> None:
    w, s = random_case(n, 10 + n)
    v = np.sqrt(np.diag(s))
    factor = v[:, None] * sqrtm(s / np.outer(v, v)).real
    np.testing.assert_allclose(factor @ factor.T, s, atol=1e-10)
    np.testing.assert_allclose(modified_information_shares(w, s), (w @ factor) ** 2 / (w @ s @ w), rtol=0, atol=1e-10)


def test_without_correlation_there_is_nothing_to_share_out() -> None:
    w, v = np.array([0.5, 0.2, 0.3]), np.array([1.0, 2.0, 0.5])
    found = information_shares(w, np.diag(v))
    expected = w**2 * v / (w**2 @ v)
    np.testing.assert_allclose(found.by_order, np.broadcast_to(expected, (6, 3)), rtol=0, atol=1e-12)
    np.testing.assert_allclose(modified_information_shares(w, np.diag(v)), expected, rtol=0, atol=1e-12)


def test_a_market_that_never_answers_finds_the_whole_price() -> None:
    found = price_discovery_shares(VECMParameters([[0.0], [0.4]], np.diag([1.0, 2.0])))
    for shares in (found.component, found.information.lower, found.information.upper, found.modified):
        np.testing.assert_allclose(shares, [1, 0], rtol=0, atol=1e-12)
    assert found.leadership is None  # the other has neither weight nor information: 0 by 0
    # correlated innovations: the follower may take what is common, and only that
    found = price_discovery_shares(VECMParameters([[0.0], [0.4]], covariance_of(1, 2, 0.6)))
    np.testing.assert_allclose(found.component, [1, 0], rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.information.lower, [1 - 0.36, 0], rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.information.upper, [1, 0.36], rtol=0, atol=1e-12)
    # leadership divides by the follower's weight, 0, and so names the follower: as defined, and said where it is used
    assert found.leadership is not None and found.leadership.tolist() == [0, 1]


def test_leadership_is_for_two_markets() -> None:
    three = VECMParameters([[-0.1, 0.0], [0.2, 0.0], [0.0, 0.2]], np.eye(3))
    assert price_discovery_shares(three).leadership is None
    for i, c in (([0.2, 0.3, 0.5], [0.2, 0.3, 0.5]), ([np.nan, 1], [0.5, 0.5])):
        with pytest.raises(ValueError, match="two finite numbers"):
            information_leadership_shares(i, c)
    with pytest.raises(ValueError, match="0 by 0"):
        information_leadership_shares([1.0, 0.0], [1.0, 0.0])


def test_what_has_no_shares_is_refused() -> None:
    for w in ([1.0], [0.0, 0.0], [np.nan, 1.0], 3.0):
        with pytest.raises(ValueError, match="weights"):
            information_shares(w, np.eye(2))
    with pytest.raises(ValueError, match="sum to 0"):
        component_shares([1.0, -1.0])
    for s in (np.eye(3), [[1.0, 2.0], [2.0, 1.0]], [[1.0, 0.1], [0.2, 1.0]], [1.0, 2.0], [[np.nan, 0], [0, 1.0]]):
        for function in (information_shares, modified_information_shares):
            with pytest.raises(ValueError, match="covariance"):
                function([0.5, 0.5], s)
    with pytest.raises(ValueError, match="at most 8"):
        information_shares(np.ones(9), np.eye(9))
    with pytest.raises(ValueError, match="not below 1"):
        price_discovery_shares(VECMParameters([[0.1], [-0.1]], np.eye(2)))
