from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.config.sections import MomentumConfig
from common.messages import Side
from strategies.base import Opinion
from strategies.momentum import Momentum
from tests.strategies.build import INTERVAL_NS, snapshot

CONFIG = MomentumConfig(min_imbalance=0.05, cooldown_intervals=10, horizon_intervals=60)


def values(histogram: float, imbalance: float, atr: float = 2.0) -> dict[str, float]:
    return {
        "macd": 1.5,
        "macd_signal": 1.5 - histogram,
        "macd_histogram": histogram,
        "imbalance": imbalance,
        "atr": atr,
    }


def cross(before: float, after: float, imbalance: float, atr: float = 2.0) -> Opinion | None:
    strategy = Momentum(CONFIG)
    assert strategy.on_features(snapshot(values(before, imbalance), interval=0)) is None
    return strategy.on_features(snapshot(values(after, imbalance, atr), interval=1))


@pytest.mark.parametrize(
    ("before", "after", "imbalance", "side"),
    [
        (-1.0, 1.0, 0.05, Side.BUY),
        (0.0, 1.0, 0.5, Side.BUY),
        (1.0, -1.0, -0.05, Side.SELL),
        (0.0, -1.0, -0.5, Side.SELL),
        (-1.0, 1.0, 0.04, None),
        (-1.0, 1.0, -0.9, None),
        (1.0, -1.0, -0.04, None),
        (1.0, -1.0, 0.9, None),
        (1.0, 2.0, 0.9, None),
        (-1.0, -2.0, -0.9, None),
        (-1.0, 0.0, 0.9, None),
        (1.0, 0.0, -0.9, None),
    ],
)
def test_a_cross_the_book_agrees_with(before: float, after: float, imbalance: float, side: Side | None) -> None:
    opinion = cross(before, after, imbalance)
    assert (opinion and opinion.side) == side


@pytest.mark.parametrize(
    ("before", "after", "imbalance", "atr", "confidence"),
    [
        (0.0, 1.0, 0.2, 2.0, 0.5 + 0.125 + 0.05),
        (-1.0, 3.0, 1.0, 2.0, 1.0),
        (1.0, -1.0, -1.0, 0.0, 0.75),
    ],
)
def test_confidence_is_the_stated_formula(
    before: float, after: float, imbalance: float, atr: float, confidence: float
) -> None:
    opinion = cross(before, after, imbalance, atr)
    assert opinion is not None
    assert opinion.confidence == pytest.approx(confidence)


def test_it_says_why_and_for_how_long() -> None:
    opinion = cross(-0.25, 0.5, 0.31)
    assert opinion is not None
    assert opinion.reason == (
        "MACD 1.5 crossed above its signal 1 (histogram -0.25 -> +0.5) and the book agrees: imbalance +0.31"
    )
    assert opinion.horizon_ns == 60 * INTERVAL_NS
    assert opinion.features == values(0.5, 0.31)


def test_a_cross_over_a_hole_is_none() -> None:
    strategy = Momentum(CONFIG)
    strategy.on_features(snapshot(values(-1.0, 0.5), interval=0))
    strategy.reset()
    assert strategy.on_features(snapshot(values(1.0, 0.5), interval=1)) is None
    cold = Momentum(CONFIG)
    cold.on_features(snapshot(values(-1.0, 0.5), interval=0))
    cold.on_features(snapshot({}, interval=1))
    assert cold.on_features(snapshot(values(1.0, 0.5), interval=2)) is None


@pytest.mark.parametrize("missing", Momentum.needs)
def test_nothing_while_cold(missing: str) -> None:
    strategy = Momentum(CONFIG)
    strategy.on_features(snapshot(values(-1.0, 0.5), interval=0))
    now = values(1.0, 0.5)
    del now[missing]
    assert strategy.on_features(snapshot(now, interval=1)) is None


def test_cooldown_outlives_a_reset() -> None:
    strategy = Momentum(CONFIG)
    given_at = []
    for interval in range(26):
        if interval == 5:
            strategy.reset()
        up = interval % 2 == 1
        if strategy.on_features(snapshot(values(1.0 if up else -1.0, 0.5 if up else -0.5), interval)) is not None:
            given_at.append(interval)
    assert given_at == [1, 11, 21]


@given(
    before=st.floats(-1e6, 1e6),
    after=st.floats(-1e6, 1e6),
    imbalance=st.floats(-1, 1),
    atr=st.floats(0, 1e6),
)
def test_confidence_is_a_share_and_the_sides_mirror(
    before: float, after: float, imbalance: float, atr: float
) -> None:
    one, other = cross(before, after, imbalance, atr), cross(-before, -after, -imbalance, atr)
    assert (one is None) == (other is None)
    if one is not None and other is not None:
        assert 0.5 <= one.confidence <= 1
        assert one.confidence == other.confidence
        assert one.side is other.side.opposite
