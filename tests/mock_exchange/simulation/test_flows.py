"""What every order flow model must do, whatever it is: repeat itself, keep the book alive, get over clients."""

from __future__ import annotations

import pytest

from common.config import MockExchangeConfig
from common.messages import Side
from common.messages.orders import OrderStatus, TimeInForce
from services.mock_exchange.simulation.flows import flow_of
from services.mock_exchange.simulation.flows.zero_intelligence import ZeroIntelligenceFlow
from tests.mock_exchange.build import simulate
from tests.mock_exchange.simulation.build import FLOWS, SYMBOLS, begin, middle, run, symbol

every_flow = pytest.mark.parametrize("flow", FLOWS)


@every_flow
def test_one_seed_one_market(flow: str) -> None:
    books = [begin(symbol(flow=flow), seed) for seed in (3, 3, 4)]
    acts, again, other = (run(at_work, 20) for _, at_work in books)
    assert acts == again and books[0][0].depth() == books[1][0].depth()
    assert acts != other


@every_flow
def test_the_frames_are_the_same_however_time_is_cut(flow: str) -> None:
    config = MockExchangeConfig(
        seed=9, prehistory_days=0, symbols=tuple(item.model_copy(update={"flow": flow}) for item in SYMBOLS.values())
    )
    assert simulate(config, 3, step_s=0.02) == simulate(config, 3, step_s=0.5)


@every_flow
def test_acts_come_in_order_of_time_and_never_at_one_instant_twice(flow: str) -> None:
    _, at_work = begin(symbol(flow=flow), 5)
    times = [at for at, _ in run(at_work, 30)]
    assert times == sorted(times)
    assert len(set(times)) > 0.999 * len(times)


@every_flow
@pytest.mark.parametrize("name", sorted(SYMBOLS))
def test_the_book_is_deep_from_the_start_and_trades(flow: str, name: str) -> None:
    engine, at_work = begin(symbol(name, flow=flow), 1)
    depth = engine.depth()
    assert engine.order_count >= 2000 and min(len(depth.bids), len(depth.asks)) >= 300
    outcomes = [outcome for _, acts in run(at_work, 30) for outcome in acts]
    assert sum(len(outcome.trades) for outcome in outcomes) > 100
    assert not [outcome for outcome in outcomes if outcome.status is OrderStatus.REJECTED]


@every_flow
@pytest.mark.parametrize("rate", [20.0, 80.0, 400.0])
def test_orders_and_cancels_come_at_about_the_configured_rate(flow: str, rate: float) -> None:
    seconds = 8000 / rate
    _, at_work = begin(symbol(flow=flow, events_per_s=rate), 2)
    count = sum(len(outcomes) for _, outcomes in run(at_work, seconds))
    assert 0.75 < count / (rate * seconds) < 1.25


@every_flow
@pytest.mark.parametrize(("rate", "levels"), [(1.0, 10), (5000.0, 100)])
def test_quiet_and_busy_markets_live(flow: str, rate: float, levels: int) -> None:
    engine, at_work = begin(symbol(flow=flow, events_per_s=rate, levels_per_side=levels), 3)
    acts = run(at_work, 2000 / rate)
    assert len(acts) > 500
    touch = engine.touch()
    assert 0 < touch.bid_ticks < touch.ask_ticks


@every_flow
def test_the_book_neither_empties_nor_grows(flow: str) -> None:
    engine, at_work = begin(symbol(flow=flow, levels_per_side=200, events_per_s=300.0), 8)
    counts = []
    for until_s in range(30, 601, 30):
        run(at_work, until_s)
        counts.append(engine.order_count)
        assert engine.touch().bid_ticks and engine.touch().ask_ticks
    assert min(counts) > 200 and max(counts) < 1200
    assert at_work._liquidity.waiting < 3000


@every_flow
@pytest.mark.parametrize("side", list(Side))
def test_a_client_who_sweeps_a_side_is_forgotten(flow: str, side: Side) -> None:
    """All but a few far orders of one side go at once, through eight per cent of the price."""
    engine, at_work = begin(symbol(flow=flow), 6)
    run(at_work, 10)
    before = middle(engine)
    lots = sum(order[2] for order in engine.queue(side.opposite)) - 10
    at_work.observe(engine.market(side, lots))
    assert abs(middle(engine) / before - 1) > 0.03
    run(at_work, 40)
    touch = engine.touch()
    assert touch.ask_ticks - touch.bid_ticks < 1e-3 * before
    fair_ticks = at_work.fundamental_price / float(SYMBOLS["BTCUSDT"].tick_size)
    assert abs(middle(engine) / fair_ticks - 1) < 0.01
    near = [order for order in engine.queue(side.opposite) if abs(order[1] / fair_ticks - 1) < 0.005]
    assert len(near) > 12


@every_flow
def test_a_book_without_any_order_on_one_side_fills_up_again(flow: str) -> None:
    engine, at_work = begin(symbol(flow=flow), 6)
    run(at_work, 5)
    at_work.observe(engine.market(Side.BUY, 10**12))
    assert engine.best_ticks(Side.SELL) is None
    run(at_work, 30)
    assert engine.touch().ask_ticks - engine.touch().bid_ticks < 1e-3 * middle(engine)


@every_flow
def test_a_clients_wall_on_the_wrong_side_of_the_price_is_sold_into(flow: str) -> None:
    """A bid of a hundred usual orders, half a per cent above what everybody believes: a gift."""
    engine, at_work = begin(symbol(flow=flow), 7)
    run(at_work, 10)
    high = round(middle(engine) * 1.005)
    for order_id in [order[0] for order in engine.queue(Side.SELL) if order[1] <= high]:
        engine.cancel(order_id)
    wall = engine.limit(Side.BUY, high, 100 * round(2000 / (high * 0.01 * 0.00001)))
    at_work.observe(wall)
    assert wall.resting_lots
    run(at_work, 130)
    assert engine.remaining_lots(wall.order_id) < 0.7 * wall.resting_lots


@every_flow
def test_clients_trading_all_the_time_do_not_break_it(flow: str) -> None:
    engine, at_work = begin(symbol(flow=flow, levels_per_side=50), 9)
    for turn in range(300):
        run(at_work, turn / 10)
        side = Side.BUY if turn % 3 else Side.SELL
        at_work.observe(engine.market(side, 20_000))
        best = engine.best_ticks(side)
        if best:
            at_work.observe(engine.limit(side, best, 500, TimeInForce.GTC, post_only=True))
    run(at_work, 60)
    touch = engine.touch()
    assert 0 < touch.bid_ticks < touch.ask_ticks


def test_the_configuration_names_the_model() -> None:
    engine, _ = begin(symbol(), 1)
    flow = flow_of(symbol(), 1, engine, begin(symbol(), 1)[1]._fundamental)
    assert isinstance(flow, ZeroIntelligenceFlow)
    names = {type(begin(symbol(flow=flow), 1)[1]).__name__ for flow in FLOWS}
    assert names == {"ZeroIntelligenceFlow", "HawkesFlow", "ChiarellaFlow"}
