"""Books in another exchange's guise: sorted, uncrossed, nothing appears from nowhere."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from market.matching import Depth
from services.mock_exchange.lab.shaping import Shape, made_up, shaped

gaps = st.lists(st.tuples(st.integers(1, 50), st.integers(1, 10**6)), max_size=30)
shapes = st.builds(Shape, st.integers(-500_000, 500_000), st.integers(10, 100_000), st.integers(1, 1_000_000))


@st.composite
def depths(draw: st.DrawFn) -> Depth:
    """Any book: its best bid is below its best ask."""
    best_bid = draw(st.integers(1, 10**7))
    bids, asks = [], []
    price = best_bid + 1
    for gap, lots in draw(gaps):
        price -= gap
        if price > 0:
            bids.append((price, lots))
    price = best_bid
    for gap, lots in draw(gaps):
        price += gap
        asks.append((price, lots))
    return Depth(7, bids, asks)


def assert_is_a_book(depth: Depth) -> None:
    assert all(before > after for (before, _), (after, _) in pairwise(depth.bids))
    assert all(before < after for (before, _), (after, _) in pairwise(depth.asks))
    assert all(price > 0 and lots > 0 for price, lots in (*depth.bids, *depth.asks))
    if depth.bids and depth.asks:
        assert depth.bids[0][0] < depth.asks[0][0]


@given(depths(), shapes)
def test_a_shaped_book_is_sorted_and_uncrossed(depth: Depth, shape: Shape) -> None:
    found = shaped(depth, shape)
    assert_is_a_book(found)
    assert found.update_id == depth.update_id
    assert len(found.asks) <= len(depth.asks) and len(found.bids) <= len(depth.bids)
    assert sum(lots for _, lots in found.asks) == sum(shape.lots(lots) for _, lots in depth.asks)


@given(depths())
def test_no_shape_is_the_very_book(depth: Depth) -> None:
    assert shaped(depth, Shape(0, 1000, 1000)) == depth


@given(depths(), st.integers(1000, 100_000))
def test_a_wider_spread_is_at_least_as_wide(depth: Depth, permille: int) -> None:
    found = shaped(depth, Shape(0, permille, 1000))
    if found.bids and found.asks:
        spread = depth.asks[0][0] - depth.bids[0][0]
        assert found.asks[0][0] - found.bids[0][0] >= spread * permille // 1000


def test_an_offset_moves_every_price_by_its_share() -> None:
    depth = Depth(1, [(999_999, 5)], [(1_000_001, 5)])
    found = shaped(depth, Shape(200, 1000, 400))
    assert found == Depth(1, [(1_000_199, 2)], [(1_000_201, 2)])


def test_levels_that_fall_together_are_one() -> None:
    found = shaped(Depth(1, [(90, 1), (89, 2), (80, 4)], [(110, 8), (111, 16)]), Shape(0, 10, 1000))
    assert found.bids == [(99, 7)] and found.asks == [(101, 24)]


@given(st.integers(1, 10**8), st.integers(0, 10**6), st.integers(1, 100), shapes)
def test_a_made_up_book_is_a_book(price: int, lots: int, levels: int, shape: Shape) -> None:
    found = made_up(price, lots, levels, 3, shape)
    assert_is_a_book(found)
    assert len(found.asks) == levels and all(price < ask for ask, _ in found.asks)
    assert all(bid < price for bid, _ in found.bids)
