"""Statistics of tapes made by hand, where the answer is known."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.mock_exchange.simulation.statistics.measures import (
    autocorrelation,
    fano_factor,
    measure,
    signature,
    spread,
    volatility,
)
from services.mock_exchange.simulation.statistics.tape import DEPTH_LEVELS, SAMPLE_NS, WARM_UP_S, Tape, record
from services.mock_exchange.simulation.statistics.triangles import edges, spells, triangle
from tests.mock_exchange.simulation.build import SECOND_NS, SYMBOLS, symbol


def tape(touches: list[tuple[float, int, int]], end_s: float = 10.0, **changes: Any) -> Tape:
    """(seconds, bid, ask), prices of a tick of 1."""
    samples = int(end_s * SECOND_NS / SAMPLE_NS) + 1
    columns = {
        "symbol": "A",
        "tick_size": 1.0,
        "lot_size": 1.0,
        "start_ns": 0,
        "end_ns": int(end_s * SECOND_NS),
        "touch_ns": np.array([round(at * SECOND_NS) for at, _, _ in touches]),
        "bid_ticks": np.array([bid for _, bid, _ in touches]),
        "ask_ticks": np.array([ask for _, _, ask in touches]),
        "taker_ns": np.array([], np.int64),
        "taker_signs": np.array([], np.int64),
        "taker_lots": np.array([], np.int64),
        "depth": np.ones((samples, len(DEPTH_LEVELS))),
        "fundamental": np.zeros(samples),
        "orders": 0,
        "cancels": 0,
        "fills": 0,
        "one_sided": 0.0,
    }
    return Tape(**columns | changes)


def test_autocorrelation_is_numpys_about_one_mean() -> None:
    values = np.random.default_rng(1).standard_normal(500).cumsum()
    around = values - values.mean()
    assert autocorrelation(values, 3) == pytest.approx((around[3:] * around[:-3]).sum() / (around**2).sum())
    assert autocorrelation([1, -1] * 200, 1) == pytest.approx(-1, abs=0.01)
    assert math.isnan(autocorrelation([1, 1, 1, 1], 1)) and math.isnan(autocorrelation([1, 2], 5))


def test_fano_factor_of_clockwork_chance_and_clusters() -> None:
    end = 1000 * SECOND_NS
    rng = np.random.default_rng(2)
    even = np.arange(SECOND_NS // 20, end, SECOND_NS // 10)
    chance = np.sort(rng.integers(0, end, 10_000))
    assert fano_factor(even, 0, end, SECOND_NS) == 0
    assert fano_factor(chance, 0, end, SECOND_NS) == pytest.approx(1, abs=4 * math.sqrt(2 / 1000))
    assert fano_factor(np.repeat(chance[rng.random(10_000) < 0.2], 5), 0, end, SECOND_NS) == pytest.approx(
        5, rel=0.25
    )
    assert math.isnan(fano_factor([], 0, end, SECOND_NS))
    assert math.isnan(fano_factor(chance, 0, end, end))


def test_the_spread_counts_how_long_it_held() -> None:
    found = spread(tape([(0, 99, 101), (1, 95, 105), (2, 99, 101)]))
    assert found["mean_ticks"] == pytest.approx((9 * 2 + 1 * 10) / 10)
    assert found["median_ticks"] == 2
    assert found["mean_bps"] == pytest.approx(1e4 * 2.8 / 100)


@given(st.lists(st.floats(-0.01, 0.01), min_size=2, max_size=50), st.floats(0.1, 10))
def test_volatility_scales_with_the_root_of_time(moves: list[float], step_s: float) -> None:
    path = np.cumsum([0.0, *moves])
    assert volatility(path, step_s) * math.sqrt(step_s) == pytest.approx(
        math.sqrt(float(np.mean(np.square(np.diff(path))))), abs=1e-12
    )


def test_the_signature_of_a_price_that_bounces_falls_with_the_horizon() -> None:
    touches = [(k / 10, 99 + k % 2 * 2, 101 + k % 2 * 2) for k in range(601)]
    drift = np.linspace(0, 1e-3, 601)
    own, ratios = signature(tape(touches, 60.0, fundamental=drift))
    assert own["0.1s"] > 5 * own["5s"] == 0
    assert ratios["0.1s"] == pytest.approx(own["0.1s"] / 1e4 / volatility(drift, 0.1))
    assert "30s" not in own, "less than four moves are no volatility"


def test_the_middle_on_a_grid_is_the_last_one_known() -> None:
    found = tape([(0, 99, 101), (0.15, 199, 201), (3.0, 399, 401)], 4.0).log_mid_every(SECOND_NS)
    np.testing.assert_allclose(np.exp(found), [100, 200, 200, 400, 400])


def test_a_triangle_pays_when_the_touches_say_so() -> None:
    """Cross A/B at 2, A at 200, B at 100. At 3 s A falls to 180: buy A, sell it for B, sell B."""
    cross = tape([(0, 199, 201)], tick_size=0.01)
    dear = tape([(0, 19900, 20100), (3.0, 17900, 18100), (4.5, 19900, 20100)], tick_size=0.01)
    cheap = tape([(0, 9950, 10050)], tick_size=0.01)
    times, edge = edges(cross, dear, cheap)
    assert times.tolist() == [0, 3 * SECOND_NS, 4.5 * SECOND_NS]
    assert edge[1] == pytest.approx(1.99 * 99.5 / 181 - 1)
    assert edge[0] < 0 and edge[2] < 0
    found = triangle(cross, dear, cheap)
    assert found["share_of_time"]["0bps"] == pytest.approx(0.15)
    assert found["share_of_time"]["10bps"] == pytest.approx(0.15)
    assert found["spells_per_minute"]["0bps"] == pytest.approx(6)
    assert found["median_spell_s"]["0bps"] == found["longest_spell_s"]["0bps"] == pytest.approx(1.5)
    assert found["greatest_edge_bps"] == pytest.approx(1e4 * edge[1])


def test_the_round_the_other_way_pays_too() -> None:
    cross = tape([(0, 199, 201)], tick_size=0.01)
    dear = tape([(0, 21900, 22100)], tick_size=0.01)
    cheap = tape([(0, 9950, 10050)], tick_size=0.01)
    assert edges(cross, dear, cheap)[1][0] == pytest.approx(219 / (2.01 * 100.5) - 1)


def test_spells_are_cut_where_it_stops_paying() -> None:
    times = np.array([0, 1, 2, 3, 4]) * SECOND_NS
    pays = np.array([True, False, True, True, False])
    np.testing.assert_allclose(spells(times, pays, 9 * SECOND_NS), [1, 2])
    np.testing.assert_allclose(spells(times, ~pays, 9 * SECOND_NS), [1, 5])
    assert spells(times, np.zeros(5, bool), 9 * SECOND_NS).size == 0


def test_a_tape_has_what_happened_in_its_window() -> None:
    seconds = 30.0
    found = record([symbol()], seconds, 1)["BTCUSDT"]
    begin_ns, end_ns = int(WARM_UP_S * SECOND_NS), int((WARM_UP_S + seconds) * SECOND_NS)
    assert (found.start_ns, found.end_ns) == (begin_ns, end_ns) and found.seconds == seconds
    assert found.touch_ns[0] == begin_ns and (np.diff(found.touch_ns) > 0).all() and found.touch_ns[-1] <= end_ns
    assert (found.bid_ticks < found.ask_ticks).all()
    assert begin_ns <= found.taker_ns[0] and found.taker_ns[-1] <= end_ns
    assert set(found.taker_signs) == {-1, 1} and (found.taker_lots > 0).all()
    samples = int(seconds * SECOND_NS / SAMPLE_NS) + 1
    assert found.depth.shape == (samples, 4) and found.fundamental.shape == (samples,)
    assert (np.diff(found.depth, axis=1) > 0).all()
    assert found.fills >= found.taker_ns.size
    again = record([symbol()], seconds, 1)["BTCUSDT"]
    np.testing.assert_array_equal(found.touch_ns, again.touch_ns)


def test_tapes_of_a_market_are_those_of_its_symbols_in_any_order() -> None:
    one = record(list(SYMBOLS.values()), 12, 3)
    other = record(list(SYMBOLS.values())[::-1], 12, 3)
    assert list(one) == list(other)[::-1]
    for name in one:
        np.testing.assert_array_equal(one[name].touch_ns, other[name].touch_ns)


def test_what_cannot_be_measured_is_refused_or_nan() -> None:
    with pytest.raises(ValueError, match="not above 0"):
        record([symbol()], 0.0, 1)
    found = measure(tape([(0, 99, 101)], fundamental=np.linspace(0, 1e-3, 101)))
    assert math.isnan(found["taker_gap_variation"]) and math.isnan(found["sign_autocorrelation"]["1"])
    assert math.isnan(found["excess_kurtosis"]["1s"]) and found["takers_per_s"] == 0
