"""Fundamental prices: a function of seed, name and time alone, with the configured correlations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.config import MockExchangeConfig
from services.mock_exchange.simulation.fundamental import (
    CROSS_STRAY,
    GRID_NS,
    MAX_LAG_NS,
    RegimePath,
    fundamentals_of,
)

SYMBOLS = MockExchangeConfig().symbols
NAMES = [item.symbol for item in SYMBOLS]
SECOND_NS = 1_000_000_000


def moves(name: str, seed: int, seconds: int, lag_ns: int = 0) -> np.ndarray:
    price = fundamentals_of(SYMBOLS, seed, lag_ns)[name]
    return np.diff([price.log_at(second * SECOND_NS) for second in range(seconds)])


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(0, 60 * SECOND_NS), min_size=1, max_size=40), st.sampled_from([s.symbol for s in SYMBOLS])
)
def test_the_price_at_a_time_does_not_depend_on_when_it_was_asked(times: list[int], name: str) -> None:
    asked = fundamentals_of(SYMBOLS, 7)[name]
    times.sort()
    alone = [fundamentals_of(SYMBOLS, 7)[name].price_at(time_ns) for time_ns in times]
    assert [asked.price_at(time_ns) for time_ns in times] == alone


def test_a_late_venue_reads_the_same_price_later() -> None:
    lag_ns = 700_000_000
    here, there = fundamentals_of(SYMBOLS, 3)["ETHUSDT"], fundamentals_of(SYMBOLS, 3, lag_ns)["ETHUSDT"]
    assert there.price_at(0) == here.price_at(0)
    for time_ns in range(0, 40 * SECOND_NS, SECOND_NS):
        assert there.price_at(time_ns + lag_ns) == here.price_at(time_ns)


def test_too_far_back_is_refused_rather_than_made_up() -> None:
    path = RegimePath(1, "market")
    path.at(10 * MAX_LAG_NS)
    path.at(9 * MAX_LAG_NS + GRID_NS)
    with pytest.raises(ValueError, match="too far back"):
        path.at(7 * MAX_LAG_NS)


def test_correlation_is_as_configured() -> None:
    bitcoin, ether = moves("BTCUSDT", 5, 20_000), moves("ETHUSDT", 5, 20_000)
    # Moves within a spell hang together: some 4,000 spells count as independent, hence the width.
    assert np.corrcoef(bitcoin, ether)[0, 1] == pytest.approx(0.8, abs=0.05)


def test_a_cross_follows_the_quotient_and_strays_little() -> None:
    prices = fundamentals_of(SYMBOLS, 9)
    strays = [
        prices["ETHBTC"].log_at(t) - prices["ETHUSDT"].log_at(t) + prices["BTCUSDT"].log_at(t)
        for t in range(0, 4000 * SECOND_NS, SECOND_NS // 2)
    ]
    assert np.std(strays) == pytest.approx(CROSS_STRAY, rel=0.15)


def test_the_path_wanders_but_comes_home_and_has_both_regimes() -> None:
    path = RegimePath(1, "market")
    values, drifts = [], set()
    for second in range(3600):
        values.append(path.at(second * SECOND_NS))
        drifts.add(np.sign(path.drift))
    assert drifts == {-1.0, 0.0, 1.0}
    assert -400 < min(values) < -1 and 1 < max(values) < 400
    assert 0.7 < np.std(np.diff(values)) < 1.5


def test_a_cross_that_cannot_be_is_refused() -> None:
    cross = SYMBOLS[2].model_dump()
    for change, words in (
        ({"cross_of": ("ETHUSDT", "XRPUSDT")}, "not listed by itself"),
        ({"start_price": "0.06"}, "begins at 0.06"),
    ):
        with pytest.raises(ValueError, match=words):
            MockExchangeConfig.model_validate(
                {"symbols": [SYMBOLS[0].model_dump(), SYMBOLS[1].model_dump(), cross | change]}
            )
