"""The Chiarella flow: demands become orders, orders make the price, the price comes back to its value."""

from __future__ import annotations

import math

import numpy as np
import pytest

from common.messages import Side
from common.messages.orders import TimeInForce
from models.chiarella import ChiarellaParameters
from services.mock_exchange.simulation.flows import chiarella
from services.mock_exchange.simulation.flows.chiarella import FARTHEST, PARAMETERS
from tests.mock_exchange.simulation.build import SECOND_NS, StillPrice, begin, middle, run, symbol

VALUE = 60_000.0
CONFIG = symbol(flow="chiarella")
MOVE = CONFIG.volatility_per_sqrt_s


def belief(flow) -> float:
    """Distance from the value, in moves of one second."""
    return math.log(flow.quoted_price / VALUE) / MOVE


def without(monkeypatch: pytest.MonkeyPatch, **changes: float) -> None:
    values = {name: getattr(PARAMETERS, name) for name in ("kappa", "beta", "gamma", "alpha", "sigma")}
    monkeypatch.setattr(chiarella, "PARAMETERS", ChiarellaParameters(**values | changes))


def test_trend_followers_are_strong_enough_to_overshoot() -> None:
    assert PARAMETERS.gain > PARAMETERS.critical_gain


def test_the_belief_moves_by_what_clients_trade_and_by_no_more_than_a_bound() -> None:
    engine, flow = begin(CONFIG, 1, StillPrice(VALUE))
    usual = flow._liquidity.typical_lots * math.exp(0.32)
    for side in Side:
        before = belief(flow)
        outcome = engine.market(side, round(usual))
        flow.observe(outcome)
        assert outcome.filled_lots == round(usual)
        assert belief(flow) - before == pytest.approx(side.sign * flow._impact, rel=1e-3)
    before = belief(flow)
    flow.observe(engine.market(Side.BUY, round(1000 * usual)))
    assert belief(flow) - before == pytest.approx(FARTHEST)
    before = belief(flow)
    flow.observe(engine.limit(Side.BUY, 1, 10, TimeInForce.GTC))
    assert belief(flow) == before, "an order that only waits tells nothing"


def test_the_trend_is_the_exponential_average_of_the_middles_changes() -> None:
    engine, flow = begin(CONFIG, 2, StillPrice(VALUE))
    times, mids = [0], [middle(engine)]
    while flow.next_ns < 20 * SECOND_NS:
        if flow._arrival_ns == flow.next_ns:  # an arrival looks at the book it finds
            times.append(flow.next_ns)
            mids.append(middle(engine))
        flow.step()
    changes = np.diff(np.log(mids)) / MOVE
    ages_s = (times[-1] - np.array(times[1:])) / SECOND_NS
    trend = float(np.sum(PARAMETERS.alpha * np.exp(-PARAMETERS.alpha * ages_s) * changes))
    assert flow._trend == pytest.approx(trend, rel=1e-9)


@pytest.mark.parametrize("news", [-5.0, 5.0])
def test_fundamentalists_bring_the_price_to_its_value(monkeypatch: pytest.MonkeyPatch, news: float) -> None:
    """Without trend followers what is left of a gap after t is exp(-kappa t), as far as the book fills the orders."""
    without(monkeypatch, beta=0.0)
    gaps = []
    for seed in range(16):
        value = StillPrice(VALUE)
        _, flow = begin(CONFIG, seed, value)
        run(flow, 2)
        value.price = VALUE * math.exp(news * MOVE)
        gaps.append([])
        for until_s in (2, 4, 20):
            run(flow, until_s)
            gaps[-1].append((news - belief(flow)) / news)
    left = np.mean(gaps, axis=0)
    found = math.log(left[0] / left[1]) / 2
    # 0.5 over 40 seeds; its standard error over 16 is about 0.08
    assert 0.65 * PARAMETERS.kappa < found < 1.9 * PARAMETERS.kappa
    assert abs(left[2]) < 0.15


def test_trend_followers_make_the_price_swing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Around a value that does not move: with them the distance to it is much larger than noise alone makes it."""

    def distance(seed: int) -> float:
        engine, flow = begin(CONFIG, seed, StillPrice(VALUE))
        distances = []
        for turn in range(600):
            run(flow, turn / 5)
            distances.append(math.log(middle(engine) * 0.01 / VALUE) / MOVE)
        return float(np.std(distances))

    with_them = [distance(seed) for seed in range(4)]
    without(monkeypatch, beta=0.0)
    alone = [distance(seed) for seed in range(4)]
    assert min(with_them) > 1.2 * max(alone)
    assert np.mean(alone) < 2.5, "kappa and sigma alone: a standard deviation of 0.9"
    assert max(with_them) < 10, "they saturate"


def test_without_fundamentalists_nothing_holds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the fundamental price does reaches the book through their orders alone."""
    without(monkeypatch, beta=0.0, kappa=1e-9)
    _, flow = begin(CONFIG, 3, StillPrice(VALUE))
    flow._liquidity.price = VALUE * math.exp(20 * MOVE)
    run(flow, 20)
    assert belief(flow) > 8


def test_fundamentalists_never_pay_more_than_the_value() -> None:
    _, flow = begin(CONFIG, 4, StillPrice(VALUE))
    value_ticks = VALUE / 0.01
    for _ in range(400):
        run(flow, flow.next_ns / SECOND_NS)
        outcomes = flow._fundamentalist()
        for trade in (trade for outcome in outcomes for trade in outcome.trades):
            assert trade.aggressor.sign * (value_ticks - trade.price_ticks) >= 0
