from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.config.sections import MeanReversionConfig
from common.messages import Side
from strategies.base import Opinion
from strategies.mean_reversion import FULL_STRETCH, MeanReversion
from tests.strategies.build import INTERVAL_NS, snapshot

CONFIG = MeanReversionConfig(rsi_low=30, rsi_high=70, cooldown_intervals=10, horizon_intervals=30)


def ask(rsi: float, percent: float, config: MeanReversionConfig = CONFIG, **more: float) -> Opinion | None:
    values = {"rsi": rsi, "bb_percent": percent, "bb_lower": 99.0, "bb_upper": 101.0, "bb_width": 0.02} | more
    return MeanReversion(config).on_features(snapshot(values))


@pytest.mark.parametrize(
    ("rsi", "percent", "side"),
    [
        (30.0, 0.0, Side.BUY),
        (20.0, -0.1, Side.BUY),
        (70.0, 1.0, Side.SELL),
        (90.0, 1.2, Side.SELL),
        (30.1, -0.1, None),
        (20.0, 0.01, None),
        (69.9, 1.5, None),
        (90.0, 0.99, None),
        (20.0, 1.5, None),
        (80.0, -0.5, None),
        (50.0, 0.5, None),
    ],
)
def test_both_must_agree(rsi: float, percent: float, side: Side | None) -> None:
    opinion = ask(rsi, percent)
    assert (opinion and opinion.side) == side


@pytest.mark.parametrize(
    ("rsi", "percent", "confidence"),
    [
        (30.0, 0.0, 0.5),
        (15.0, -FULL_STRETCH / 2, 0.75),
        (0.0, -FULL_STRETCH, 1.0),
        (0.0, -9.0, 1.0),
        (85.0, 1 + FULL_STRETCH / 2, 0.75),
        (100.0, 3.0, 1.0),
    ],
)
def test_confidence_is_the_stated_formula(rsi: float, percent: float, confidence: float) -> None:
    opinion = ask(rsi, percent)
    assert opinion is not None
    assert opinion.confidence == pytest.approx(confidence)


def test_it_says_why_and_for_how_long() -> None:
    opinion = ask(24.06, -0.12)
    assert opinion is not None
    assert opinion.reason == (
        "mid 100 is 12.0% of the band's width below the lower Bollinger band 99 and RSI 24.1 is at or under 30: "
        "expected to come back"
    )
    assert opinion.horizon_ns == 30 * INTERVAL_NS
    assert opinion.features["rsi"] == 24.06
    assert set(opinion.features) == set(MeanReversion.needs)


def test_a_market_that_stands_still_is_not_stretched() -> None:
    assert ask(0.0, 0.0, bb_width=0.0) is None


@pytest.mark.parametrize("missing", MeanReversion.needs)
def test_nothing_while_cold(missing: str) -> None:
    values = {"rsi": 10.0, "bb_percent": -1.0, "bb_lower": 99.0, "bb_upper": 101.0, "bb_width": 0.02}
    assert MeanReversion(CONFIG).on_features(snapshot(values)) is not None
    assert MeanReversion(CONFIG).on_features(snapshot({**values, missing: float("nan")})) is None
    del values[missing]
    assert MeanReversion(CONFIG).on_features(snapshot(values)) is None


def test_cooldown_outlives_a_reset() -> None:
    strategy = MeanReversion(CONFIG)
    values = {"rsi": 10.0, "bb_percent": -1.0, "bb_lower": 99.0, "bb_upper": 101.0, "bb_width": 0.02}
    given_at = []
    for interval in range(25):
        if interval == 5:
            strategy.reset()
        if strategy.on_features(snapshot(values, interval=interval)) is not None:
            given_at.append(interval)
    assert given_at == [0, 10, 20]


def test_its_settings_have_effect() -> None:
    config = MeanReversionConfig(rsi_low=40, rsi_high=60, cooldown_intervals=0, horizon_intervals=3)
    opinion = ask(39.0, -0.1, config)
    assert opinion is not None
    assert opinion.horizon_ns == 3 * INTERVAL_NS
    assert ask(61.0, 1.1, config) is not None


@given(rsi=st.floats(0, 100), percent=st.floats(-100, 100))
def test_confidence_is_a_share(rsi: float, percent: float) -> None:
    opinion = ask(rsi, percent)
    assert opinion is None or 0.5 <= opinion.confidence <= 1


@given(rsi=st.floats(0, 30), percent=st.floats(-5, 0))
def test_the_sides_mirror_each_other(rsi: float, percent: float) -> None:
    buy, sell = ask(rsi, percent), ask(100 - rsi, 1 - percent)
    assert buy is not None
    # 100 - rsi may round over the threshold
    if sell is not None:
        assert buy.confidence == pytest.approx(sell.confidence, abs=1e-9)
