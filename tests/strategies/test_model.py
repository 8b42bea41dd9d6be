from __future__ import annotations

import pytest

from common.messages import Side
from models.linear import LinearModel, logistic
from strategies.base import Opinion
from strategies.model import COOLDOWN_INTERVALS, HORIZON_INTERVALS, ModelStrategy
from tests.strategies.build import INTERVAL_NS, snapshot

MODEL = LinearModel(weights={"rsi": -0.1, "imbalance": 2.0}, bias=0.0, mean={"rsi": 50.0})


def ask(rsi: float, imbalance: float = 0.0, threshold: float = 0.6) -> Opinion | None:
    return ModelStrategy(MODEL, threshold).on_features(snapshot({"rsi": rsi, "imbalance": imbalance}))


@pytest.mark.parametrize(
    ("rsi", "side"), [(45.0, Side.BUY), (55.0, Side.SELL), (47.0, None), (53.0, None), (50.0, None)]
)
def test_the_threshold_decides(rsi: float, side: Side | None) -> None:
    # At RSI 45 the log odds are 0.5, the probability 62.2 %; at 47 they are 0.3 and 57.4 %.
    opinion = ask(rsi)
    assert (opinion and opinion.side) == side


def test_exactly_at_the_threshold_it_speaks() -> None:
    assert ask(45.0, threshold=logistic(0.5)) is not None


def test_confidence_is_the_probability_of_its_side() -> None:
    buy, sell = ask(40.0), ask(60.0)
    assert buy is not None and sell is not None
    assert buy.confidence == pytest.approx(logistic(1.0))
    assert sell.confidence == pytest.approx(logistic(1.0))


def test_it_says_why_led_by_what_weighs_most() -> None:
    opinion = ask(49.0, 0.5)
    assert opinion is not None
    assert (
        opinion.reason
        == "the model gives a rise 75.0%, at or over 60.0%; led by imbalance 0.5 (+1.00), rsi 49 (+0.10)"
    )
    assert opinion.features == {"rsi": 49.0, "imbalance": 0.5}
    assert opinion.horizon_ns == HORIZON_INTERVALS * INTERVAL_NS


@pytest.mark.parametrize("values", [{}, {"rsi": 10.0}, {"rsi": float("nan"), "imbalance": 1.0}])
def test_nothing_while_a_feature_is_missing(values: dict[str, float]) -> None:
    assert ModelStrategy(MODEL, 0.6).on_features(snapshot(values)) is None


def test_cooldown() -> None:
    strategy = ModelStrategy(MODEL, 0.6)
    given_at = [
        i
        for i in range(2 * COOLDOWN_INTERVALS + 1)
        if strategy.on_features(snapshot({"rsi": 10.0, "imbalance": 0.0}, interval=i)) is not None
    ]
    assert given_at == [0, COOLDOWN_INTERVALS, 2 * COOLDOWN_INTERVALS]
