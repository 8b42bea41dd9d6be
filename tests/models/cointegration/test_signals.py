"""Positions by hand, as states of a machine, without the future, and at Bertram's levels."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.cointegration import Hedge, PairSignal, Position, Thresholds, half_life, rolling_z_score
from models.ornstein_uhlenbeck import OUParameters, optimal_return_thresholds, simulate
from tests.models.cointegration.made_up import pair

SCORES = st.lists(st.one_of(st.floats(-5, 5), st.sampled_from([-2.0, -0.5, 0.5, 2.0, math.nan])), max_size=50)


def test_by_hand() -> None:
    z = [0.0, -1.9, -2.0, -1.0, -0.5, -0.4, 2.5, 1.0, 0.5, -3.0, math.nan, -3.0, 2.0, -2.0]
    expected = [0, 0, 1, 1, 0, 0, -1, -1, 0, 1, 0, 1, -1, 1]
    assert Thresholds(2.0, 0.5).positions(z).tolist() == expected
    assert Thresholds(2.0).positions([-2.0, -0.1, 0.0, 1.9, 2.0, 0.1, 0.0]).tolist() == [1, 1, 0, 0, -1, -1, 0]
    assert Thresholds(2.0, -2.0).positions([0.0, -2.0, 1.9, 2.0, -1.9, -2.0]).tolist() == [0, 1, 1, -1, -1, 1]
    assert Thresholds(2.0).positions([-1.0], held=1).tolist() == [1]


@given(z=SCORES, entry=st.floats(0.1, 4), part=st.floats(-1, 0.99), cut=st.integers(0, 50))
def test_positions_follow_the_rules_and_only_the_past(z: list[float], entry: float, part: float, cut: int) -> None:
    rules = Thresholds(entry, part * entry)
    held = rules.positions(z)
    before = 0
    for score, now in zip(z, held.tolist(), strict=True):
        if math.isnan(score):
            assert now == 0
        elif abs(score) >= entry:
            assert now == (-1 if score > 0 else 1)
        elif now != 0:
            assert now == before and (score < -rules.exit_z if now == 1 else score > rules.exit_z)
        before = now
    begin = rules.positions(z[:cut])
    assert begin.tolist() == held[:cut].tolist()
    if cut < len(z):
        last = begin.tolist()[-1] if cut else 0
        assert rules.positions(z[cut:], held=last).tolist() == held[cut:].tolist()
    # The mirror image of the scores holds the mirror image.
    assert rules.positions([-score for score in z]).tolist() == (-held).tolist()


def test_levels_are_where_positions_turn() -> None:
    signal = PairSignal(Hedge(2.0, 1.0, None, "static", 0), mean=0.5, deviation=4.0, thresholds=Thresholds(2.0, 0.25))
    assert signal.levels == (-7.5, -0.5, 1.5, 8.5)
    x = 10.0
    # (held before, held at the level, a move off it that is not enough)
    turns: list[tuple[Position, Position, float]] = [(0, 1, 0.01), (1, 0, -0.01), (-1, 0, 0.01), (0, -1, -0.01)]
    for level, (before, after, off) in zip(signal.levels, turns, strict=True):
        y = level + 2.0 * x + 1.0
        assert signal.position(before, y, x) == after
        assert signal.position(before, y + off, x) == before


def test_fitted_on_the_past_used_on_what_comes() -> None:
    y, x = pair(1, 1000)
    signal = PairSignal.fit(y[:700], x[:700], Thresholds(1.5, 0.0))
    assert signal.z(y[:700], x[:700]).mean() == pytest.approx(0.0, abs=1e-9)
    assert signal.z(y[:700], x[:700]).std(ddof=1) == pytest.approx(1.0, rel=1e-9)
    later = signal.positions(y[700:], x[700:])
    assert set(later.tolist()) == {-1, 0, 1}
    held, one_by_one = 0, []
    for a, b in zip(y[700:], x[700:], strict=True):
        held = signal.position(held, float(a), float(b))  # type: ignore[arg-type]
        one_by_one.append(held)
    assert one_by_one == later.tolist()
    spread = signal.spread(y, x)
    # Spread moves are earned by what was held before them: a reverting one pays.
    assert float((later[:-1] * np.diff(spread[700:])).sum()) > 0


def test_rolling_scores_are_flat_until_there_is_a_past() -> None:
    y, x = pair(2, 400)
    held = Thresholds(1.5).positions(rolling_z_score(y, x, window=100).z)
    assert not held[:100].any() and held[100:].any()


def test_levels_of_the_highest_return() -> None:
    process = OUParameters(0.1, 3.0, 0.5)
    best = optimal_return_thresholds(process, 0.2)
    rules = Thresholds.highest_return(process, 0.2)
    signal = PairSignal(Hedge(1.0, 0.0, None, "static", 0), process.theta, process.stationary_deviation, rules)
    low, leave_long, leave_short, high = signal.levels
    assert (low, leave_short) == pytest.approx((best.entry, best.entry), rel=1e-9)
    assert (high, leave_long) == pytest.approx((best.exit, best.exit), rel=1e-6)


def test_trading_at_those_levels_earns_what_is_said() -> None:
    """Both sides of a cycle earn: twice Bertram's rate, within 4 Monte Carlo errors over 40 paths of fine steps."""
    process, cost, dt, steps = OUParameters(1.0, 0.0, 1.0), 0.3, 0.001, 200_000
    rules = Thresholds.highest_return(process, cost)
    best = optimal_return_thresholds(process, cost)
    paths = simulate(process, dt, steps, seed=4, paths=40)
    rates = []
    for path in paths:
        held = rules.positions(path / process.stationary_deviation)
        earned = float((held[:-1] * np.diff(path)).sum())
        turns = np.count_nonzero(np.diff(held))
        rates.append((earned - cost * turns) / (steps * dt))
    error = np.std(rates, ddof=1) / np.sqrt(len(rates))
    assert np.mean(rates) == pytest.approx(2 * best.return_rate, abs=4 * error + 0.01 * best.return_rate)


def test_from_recorded_spread_to_thresholds_in_one_line() -> None:
    y, x = pair(3, 2000)
    process = half_life(y - 2 * x).process
    rules = Thresholds.highest_return(process, cost=0.5)
    assert 0 < rules.entry_z < 3 and rules.exit_z == -rules.entry_z


@pytest.mark.parametrize(
    ("entry", "leave"),
    [(0.0, 0.0), (-1.0, 0.0), (math.inf, 0.0), (math.nan, 0.0), (2.0, 2.0), (2.0, -2.1), (2.0, math.nan)],
)
def test_bad_thresholds(entry: float, leave: float) -> None:
    with pytest.raises(ValueError, match=r"entry_z|exit_z"):
        Thresholds(entry, leave)


@pytest.mark.parametrize(("mean", "deviation"), [(math.nan, 1.0), (0.0, 0.0), (0.0, -1.0), (0.0, math.inf)])
def test_bad_moments(mean: float, deviation: float) -> None:
    with pytest.raises(ValueError, match="mean, deviation"):
        PairSignal(Hedge(1.0, 0.0, None, "static", 0), mean, deviation, Thresholds(2.0))
