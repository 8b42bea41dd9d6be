"""The synthetic past: the same each time, consistent in itself, and it ends where the market begins."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.mock_exchange.history.bars import (
    CLOSE,
    COUNT,
    FIRST_ID,
    HIGH,
    LAST_ID,
    LOTS,
    LOW,
    OPEN,
    QUOTE,
    START,
    TAKER_LOTS,
    TAKER_QUOTE,
)
from services.mock_exchange.history.prehistory import DAY_MINUTES, PastMarket, Prehistory
from services.mock_exchange.listing import Listing

LISTING = Listing("BTCUSDT", "BTC", "USDT", Decimal("0.01"), Decimal("0.00001"), Decimal(5))
MARKET = PastMarket(6_000_000, 0.003, 50.0, 4000.0, 3)


def past(symbol: str = "BTCUSDT", seed: int = 1) -> Prehistory:
    listing = Listing(symbol, "BTC", "USDT", LISTING.tick_size, LISTING.lot_size, LISTING.min_notional)
    return Prehistory(listing, MARKET, seed)


@pytest.fixture(scope="module")
def whole() -> np.ndarray:
    return past().rows(-3 * DAY_MINUTES, 0)


def test_it_covers_its_days_and_ends_at_the_first_price(whole) -> None:
    assert whole[:, START].tolist() == list(range(-3 * DAY_MINUTES, 0))
    assert whole[-1, CLOSE] == MARKET.first_ticks
    assert (whole[1:, OPEN] == whole[:-1, CLOSE]).all()


def test_bars_are_possible(whole) -> None:
    assert (whole[:, LOW] <= np.minimum(whole[:, OPEN], whole[:, CLOSE])).all()
    assert (whole[:, HIGH] >= np.maximum(whole[:, OPEN], whole[:, CLOSE])).all()
    assert (whole[:, LOW] > 0).all() and (whole[:, COUNT] > 0).all()
    assert (whole[:, LOTS] >= whole[:, COUNT]).all()
    assert (whole[:, TAKER_LOTS] >= 0).all() and (whole[:, TAKER_LOTS] <= whole[:, LOTS]).all()
    assert (whole[:, TAKER_QUOTE] >= 0).all() and (whole[:, TAKER_QUOTE] <= whole[:, QUOTE]).all()
    # A tick times a lot is 1e-7 of the quote asset, ten of its units.
    mean = whole[:, QUOTE] / whole[:, LOTS] / 10
    assert (mean >= whole[:, LOW] - 1).all() and (mean <= whole[:, HIGH] + 1).all()


def test_ids_are_counted_without_a_gap_up_to_the_live_ones(whole) -> None:
    assert whole[0, FIRST_ID] == 1
    assert (whole[:, LAST_ID] - whole[:, FIRST_ID] + 1 == whole[:, COUNT]).all()
    assert (whole[1:, FIRST_ID] == whole[:-1, LAST_ID] + 1).all()
    assert whole[-1, LAST_ID] == past().trade_count
    assert 0 < past().aggregate_count < past().trade_count


@settings(max_examples=30, deadline=None)
@given(st.integers(-4 * DAY_MINUTES, -1), st.integers(0, 3000))
def test_any_part_is_the_same_part_of_the_whole(whole, start, length) -> None:
    end = min(0, start + length)
    expected = whole[(whole[:, START] >= start) & (whole[:, START] < end)]
    assert np.array_equal(past().rows(start, end), expected)


def test_it_is_drawn_from_the_seed_and_the_symbol(whole) -> None:
    assert np.array_equal(past().rows(-100, 0), whole[-100:])
    assert not np.array_equal(past(seed=2).rows(-100, 0), whole[-100:])
    assert not np.array_equal(past(symbol="ETHUSDT").rows(-100, 0), whole[-100:])


def test_days_kept_or_made_again_are_the_same() -> None:
    one = past()
    first = one.rows(-10, 0)
    for day in range(3):
        one.rows(-(day + 1) * DAY_MINUTES, -day * DAY_MINUTES)
    assert np.array_equal(one.rows(-10, 0), first)


def test_prices_move_as_they_are_said_to(whole) -> None:
    moves = np.diff(np.log(whole[:, CLOSE]))
    assert 0.8 * MARKET.minute_volatility < moves.std() < 1.3 * MARKET.minute_volatility
    assert abs(np.log(whole[:, CLOSE] / MARKET.first_ticks)).max() < 0.2
    rises, bought = whole[:, CLOSE] > whole[:, OPEN], whole[:, TAKER_LOTS] / whole[:, LOTS]
    assert bought[rises].mean() > 0.52 > 0.48 > bought[~rises].mean()


def test_no_days_are_no_past() -> None:
    none = Prehistory(LISTING, PastMarket(6_000_000, 0.003, 50.0, 4000.0, 0), 1)
    assert none.trade_count == none.aggregate_count == 0
    assert len(none.rows(-100, 0)) == 0
