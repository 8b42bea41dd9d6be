"""The Hawkes flow: the process it states, and acts that are exactly its events."""

from __future__ import annotations

import numpy as np
import pytest

from common.messages import Side
from models.hawkes import Events, HawkesSimulator, fit
from services.mock_exchange.simulation.flows.hawkes import (
    HAWKES_SHARE,
    KIND_SHARES,
    TAKEN,
    branching_matrix,
    parameters_of,
)
from services.mock_exchange.simulation.flows.liquidity import NEAR_ORDERS, generator_of
from tests.mock_exchange.simulation.build import SECOND_NS, StillPrice, begin, run, symbol


@pytest.mark.parametrize("rate", [0.5, 80.0, 5000.0])
def test_the_process_is_stationary_and_has_the_rates_it_states(rate: float) -> None:
    process = parameters_of(rate)
    assert process.spectral_radius == pytest.approx(0.778, abs=0.001)
    assert (process.baseline > 0).all()
    np.testing.assert_allclose(process.stationary_intensity, rate * np.repeat(np.array(KIND_SHARES) / 2, 2))
    np.testing.assert_allclose(process.branching_matrix, branching_matrix())


def test_both_sides_are_treated_alike() -> None:
    matrix = branching_matrix()
    mirrored = [1, 0, 3, 2, 5, 4]
    np.testing.assert_array_equal(matrix, matrix[np.ix_(mirrored, mirrored)])
    assert matrix[0, 0] > 10 * matrix[0, 1], "buys bring buys"
    assert sum(KIND_SHARES) == pytest.approx(1)


def process_of(config, seed: int, until_s: float) -> tuple[np.ndarray, np.ndarray]:
    rng = generator_of(config.symbol, seed).spawn(1)[0]
    simulator = HawkesSimulator(parameters_of(config.events_per_s * TAKEN * HAWKES_SHARE), rng)
    return simulator.advance(until_s)


def test_takers_are_the_processes_market_orders_and_nobody_else() -> None:
    config = symbol(flow="hawkes")
    _, flow = begin(config, 4)
    takers = [
        (at, outcome.trades[0].aggressor) for at, outcomes in run(flow, 60) for outcome in outcomes if outcome.trades
    ]
    times, kinds = process_of(config, 4, 60.0)
    stamps = (times * SECOND_NS).astype(np.int64) + 1
    events = {(int(at), Side.SELL if kind else Side.BUY) for at, kind in zip(stamps, kinds) if kind < 2}
    assert set(takers) <= events
    assert len(takers) > 0.85 * len(events), "the rest found no quote near enough"


def test_clients_do_not_move_its_times() -> None:
    """Arrivals are the process's own; only what they find in the book changes."""
    engine, flow = begin(symbol(flow="hawkes"), 4)
    _, alone = begin(symbol(flow="hawkes"), 4)
    process, _ = process_of(symbol(flow="hawkes"), 4, 20.0)
    stamps = set(((process * SECOND_NS).astype(np.int64) + 1).tolist())
    seen = {at for at, _ in run(alone, 20)} & stamps
    engine.market(Side.BUY, 1_000_000)
    assert {at for at, _ in run(flow, 20)} & stamps == seen == {at for at in stamps if at <= 20 * SECOND_NS}


def test_a_fit_to_the_trades_finds_that_buys_bring_buys() -> None:
    """What a student would do with the stream: trades of one side in one instant are one event of two kinds."""
    _, flow = begin(symbol(flow="hawkes"), 5)
    takers = [
        (at / SECOND_NS, outcome.trades[0].aggressor is Side.SELL)
        for at, outcomes in run(flow, 400)
        for outcome in outcomes
        if outcome.trades
    ]
    times, sides = (np.array(column) for column in zip(*takers))
    found = fit(Events(times, 400.0, sides.astype(np.int64)), kernels=1)
    matrix = found.parameters.branching_matrix
    errors = found.errors.branching.sum(axis=2)
    for side in (0, 1):
        assert matrix[side, side] - 4 * errors[side, side] > np.nan_to_num(matrix[side, 1 - side])
        assert 0.3 < matrix[side, side] < 0.75
    assert found.stationary


def test_as_many_orders_rest_near_the_touch_as_should() -> None:
    """Cancels take their share of what rests: the book comes back to its size from far too many and far too few."""
    for begins_with in (0, 400):
        _, flow = begin(symbol(flow="hawkes"), 6, StillPrice(60_000.0))
        for near in flow._near.values():
            del near[begins_with:]
        while sum(map(len, flow._near.values())) < begins_with:
            flow._rest(Side.BUY)
            flow._rest(Side.SELL)
        run(flow, 60)
        counts = []
        for until_s in range(60, 120):
            run(flow, until_s)
            counts.append(sum(map(len, flow._near.values())))
        assert 0.6 * NEAR_ORDERS < np.mean(counts) < 1.6 * NEAR_ORDERS


def test_cancels_first_take_what_the_price_has_passed() -> None:
    price = StillPrice(60_000.0)
    engine, flow = begin(symbol(flow="hawkes"), 6, price)
    run(flow, 5)
    flow._liquidity.price = price.price * 1.01
    passed = [order_id for ticks, order_id in flow._near[Side.SELL] if ticks < 6_060_000]
    assert len(passed) > 10
    flow._cancel(Side.SELL)
    assert not any(engine.remaining_lots(order_id) for order_id in passed)
