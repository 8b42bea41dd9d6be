"""Order flow: repeatable from its seed, plausible, in balance."""

from __future__ import annotations

import statistics

import numpy as np
import pytest

from common.config import MockExchangeConfig
from common.messages import Side
from market.matching import MatchingEngine
from services.mock_exchange.simulation.flows.zero_intelligence import ZeroIntelligenceFlow
from services.mock_exchange.simulation.fundamental import fundamentals_of

SYMBOLS = {item.symbol: item for item in MockExchangeConfig().symbols}
SECOND_NS = 1_000_000_000


def flow_of(symbol: str, seed: int, engine: MatchingEngine, **changes: object) -> ZeroIntelligenceFlow:
    prices = fundamentals_of(tuple(SYMBOLS.values()), seed)
    return ZeroIntelligenceFlow(SYMBOLS[symbol].model_copy(update=changes), seed, engine, prices[symbol])


def run(
    symbol: str, seed: int, seconds: float, **changes: object
) -> tuple[list, MatchingEngine, ZeroIntelligenceFlow]:
    engine = MatchingEngine()
    flow = flow_of(symbol, seed, engine, **changes)
    acts = []
    while flow.next_ns <= seconds * SECOND_NS:
        acts.append((flow.next_ns, flow.step()))
    return acts, engine, flow


def test_one_seed_one_market() -> None:
    acts, engine, _ = run("BTCUSDT", 3, 20)
    again, engine_again, _ = run("BTCUSDT", 3, 20)
    assert acts == again and engine.depth() == engine_again.depth()
    assert acts != run("BTCUSDT", 4, 20)[0]


def test_symbols_of_one_seed_differ() -> None:
    first = run("BTCUSDT", 3, 5)[0]
    second = run("ETHUSDT", 3, 5)[0]
    assert [at for at, _ in first] != [at for at, _ in second]


@pytest.mark.parametrize("symbol", sorted(SYMBOLS))
def test_the_book_is_deep_from_the_start(symbol: str) -> None:
    engine = MatchingEngine()
    flow_of(symbol, 1, engine)
    depth = engine.depth()
    assert engine.order_count >= 2000
    assert min(len(depth.bids), len(depth.asks)) >= 300
    price = float(SYMBOLS[symbol].start_price)
    tick = float(SYMBOLS[symbol].tick_size)
    assert depth.bids[0][0] * tick == pytest.approx(price, rel=2e-3)
    assert depth.bids[-1][0] * tick < 0.93 * price and depth.asks[-1][0] * tick > 1.07 * price


@pytest.mark.parametrize("symbol", sorted(SYMBOLS))
def test_a_minute_has_trades_a_close_spread_and_a_price_that_moves(symbol: str) -> None:
    engine = MatchingEngine()
    flow = flow_of(symbol, 11, engine)
    spreads, mids, trades, at_ns = [], [], 0, 0
    while flow.next_ns <= 60 * SECOND_NS:
        while at_ns < flow.next_ns:
            touch = engine.touch()
            assert 0 < touch.bid_ticks < touch.ask_ticks
            spreads.append(touch.ask_ticks - touch.bid_ticks)
            mids.append((touch.ask_ticks + touch.bid_ticks) / 2)
            at_ns += SECOND_NS // 10
        trades += sum(len(outcome.trades) for outcome in flow.step())
    mid = statistics.median(mids)
    assert trades > 300
    assert statistics.median(spreads) <= max(1, 3e-4 * mid)
    moves = np.diff(np.log(mids))
    assert np.mean(moves != 0) > 0.3
    assert 0.5 < np.std(moves) * np.sqrt(10) / SYMBOLS[symbol].volatility_per_sqrt_s < 3


def test_orders_and_cancels_come_at_about_the_configured_rate() -> None:
    acts, _, _ = run("BTCUSDT", 2, 30, events_per_s=300.0)
    count = sum(len(outcomes) for _, outcomes in acts)
    assert 0.7 < count / (30 * 300) < 1.3


def test_the_book_neither_empties_nor_grows() -> None:
    acts, engine, flow = run("BTCUSDT", 8, 900, levels_per_side=200, events_per_s=300.0)
    assert 200 < engine.order_count < 1200
    assert flow._liquidity.waiting < 3000
    assert len(acts) > 10_000
    assert all(engine.best_ticks(side) for side in Side)
