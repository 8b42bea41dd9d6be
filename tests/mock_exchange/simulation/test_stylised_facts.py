"""What tells the order flow models apart, over seeds that were not chosen.

The bounds come from another twelve seeds (100 to 111, 150 s each): the mean and standard deviation given beside each
are of single seeds, and the bounds lie three to five standard deviations away.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from services.mock_exchange.simulation.flows import zero_intelligence
from services.mock_exchange.simulation.statistics.measures import autocorrelation, measure
from services.mock_exchange.simulation.statistics.tape import record
from tests.mock_exchange.simulation.build import StillPrice, begin, run, symbol

#: The first test to ask for them runs all: a dozen seconds.

SEEDS = range(1, 7)
SECONDS = 150.0


@lru_cache
def facts(flow: str, seed: int) -> dict:
    return measure(record([symbol(flow=flow)], SECONDS, seed)["BTCUSDT"])


def over_seeds(flow: str, name: str, key: str | None = None) -> np.ndarray:
    found = [facts(flow, seed)[name] for seed in SEEDS]
    return np.array(found if key is None else [table[key] for table in found])


def test_signs_of_trades_persist_under_hawkes_and_chiarella_flow() -> None:
    zero, hawkes, chiarella = (
        {lag: over_seeds(flow, "sign_autocorrelation", lag) for lag in ("1", "10")}
        for flow in ("zero-intelligence", "hawkes", "chiarella")
    )
    assert zero["1"].max() < 0.21  # 0.129 +- 0.017
    assert np.abs(zero["10"]).max() < 0.1  # 0.029 +- 0.018
    assert hawkes["1"].min() > 0.26  # 0.353 +- 0.022
    assert chiarella["1"].min() > 0.17  # 0.249 +- 0.020
    assert chiarella["10"].mean() > zero["10"].mean() + 0.05  # 0.144 +- 0.030: demand lasts for seconds


def test_takers_without_intelligence_have_no_memory() -> None:
    """What correlation of signs zero-intelligence has is the informed following a moving price."""
    assert zero_intelligence.INFORMED_SHARE > 0
    signs = []
    for seed in SEEDS:
        _, flow = begin(symbol(), seed, StillPrice(60_000.0))
        acts = [outcome for _, outcomes in run(flow, SECONDS) for outcome in outcomes if outcome.trades]
        signs.append([outcome.trades[0].aggressor.sign for outcome in acts])
    for lag in (1, 2, 5):
        found = np.mean([autocorrelation(series, lag) for series in signs])
        assert abs(found) < 4 / np.sqrt(sum(map(len, signs)))


def test_trades_come_in_clusters_under_hawkes_flow_alone() -> None:
    for window, zero, hawkes, chiarella in (("0.1s", 1.05, 2.0, 1.2), ("1s", 1.3, 2.6, 1.6)):
        assert over_seeds("zero-intelligence", "taker_fano_factor", window).max() < zero  # 0.84 +- 0.04, 0.79 +- 0.10
        assert over_seeds("hawkes", "taker_fano_factor", window).min() > hawkes  # 2.68 +- 0.16, 5.5 +- 0.8
        assert over_seeds("chiarella", "taker_fano_factor", window).max() < chiarella  # 1.06 +- 0.03, 1.02 +- 0.12
    assert over_seeds("hawkes", "taker_gap_variation").min() > 1.45  # 1.69 +- 0.05
    assert over_seeds("zero-intelligence", "taker_gap_variation").max() < 1.0  # 0.912 +- 0.015


def test_trend_followers_make_the_price_move_more_than_its_value_does() -> None:
    for horizon, least in (("0.5s", 1.1), ("1s", 1.1)):  # 1.40 +- 0.09, 1.49 +- 0.12
        assert over_seeds("chiarella", "volatility_to_fundamental", horizon).min() > least
    assert over_seeds("chiarella", "volatility_to_fundamental", "5s").mean() > 1.2  # 1.45 +- 0.19
    for flow in ("zero-intelligence", "hawkes"):
        for horizon in ("1s", "5s", "10s"):
            ratios = over_seeds(flow, "volatility_to_fundamental", horizon)
            assert ratios.min() > 0.75 and ratios.max() < 1.25  # 0.98 +- 0.06 at the widest


def test_the_excess_is_given_back() -> None:
    """Beyond the length of a swing the price goes where its value goes."""
    long = over_seeds("chiarella", "volatility_to_fundamental", "30s")
    short = over_seeds("chiarella", "volatility_to_fundamental", "1s")
    assert long.mean() < short.mean() - 0.15  # 1.13 +- 0.14 against 1.49 +- 0.12
    assert over_seeds("chiarella", "distance_to_fundamental_bps").max() < 17  # 9.1 +- 1.5: it never runs away


@pytest.mark.parametrize("flow", ["zero-intelligence", "hawkes", "chiarella"])
def test_moves_of_a_tenth_of_a_second_have_heavy_tails(flow: str) -> None:
    assert np.median(over_seeds(flow, "excess_kurtosis", "0.1s")) > 1.5  # 5.6 +- 8.6, 7.9 +- 3.1, 8.4 +- 3.1


@pytest.mark.parametrize(
    ("flow", "spread_bps", "per_taker"),
    # 1.72 +- 0.10, 1.12 +- 0.09, 1.37 +- 0.10; 3.51 +- 0.04, 5.24 +- 0.21, 3.17 +- 0.06
    [("zero-intelligence", 1.72, 3.51), ("hawkes", 1.12, 5.24), ("chiarella", 1.37, 3.17)],
)
def test_books_are_close_and_most_orders_do_not_trade(flow: str, spread_bps: float, per_taker: float) -> None:
    spreads = [table["mean_bps"] for table in over_seeds(flow, "spread")]
    assert np.mean(spreads) == pytest.approx(spread_bps, rel=0.2)
    assert over_seeds(flow, "messages_per_taker").mean() == pytest.approx(per_taker, rel=0.12)
    depths = facts(flow, 1)["depth_quote"]
    assert 2_000 < depths["1"] < 0.4 * depths["5"] < 0.4 * depths["20"]
    assert over_seeds(flow, "one_sided_share").max() == 0
