"""The depth walk against a twin that lays every lot out singly, and the memory of what was taken."""

from __future__ import annotations

from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from common.messages import Side
from services.execution_engine.liquidity import LevelFill, Liquidity
from tests.execution_engine.build import Level, book

SIDES = st.sampled_from(list(Side))


@st.composite
def ladders(draw: st.DrawFn) -> tuple[list[Level], list[Level]]:
    """Bids and asks, best first, not crossed, few lots a level so that orders walk deep."""
    mid = draw(st.integers(50, 60))
    lots = st.integers(1, 6)
    bids = sorted(draw(st.sets(st.integers(mid - 15, mid), min_size=1, max_size=8)), reverse=True)
    asks = sorted(draw(st.sets(st.integers(mid + 1, mid + 15), min_size=1, max_size=8)))
    return [(p, draw(lots)) for p in bids], [(p, draw(lots)) for p in asks]


def slow_walk(levels: list[Level], taken: dict[int, int], side: Side, limit: int | None, qty: int) -> list[LevelFill]:
    """Every displayed lot as one entry, less what was taken of its level; the first `qty` within the limit."""
    singles = [p for p, lots in levels for _ in range(max(0, lots - taken.get(p, 0)))]
    if limit is not None:
        singles = [p for p in singles if (p <= limit if side is Side.BUY else p >= limit)]
    return [LevelFill(p, len(list(group))) for p, group in groupby(singles[:qty])]


@given(
    ladder=ladders(),
    orders=st.lists(st.tuples(SIDES, st.one_of(st.none(), st.integers(35, 75)), st.integers(1, 25)), max_size=6),
)
def test_walking_equals_taking_single_lots(
    ladder: tuple[list[Level], list[Level]], orders: list[tuple[Side, int | None, int]]
) -> None:
    liquidity = Liquidity()
    liquidity.observe(book(*ladder))
    taken: dict[Side, dict[int, int]] = {Side.BUY: {}, Side.SELL: {}}
    for side, limit, qty in orders:
        levels = ladder[1] if side is Side.BUY else ladder[0]
        got = liquidity.walk(side, limit, qty)
        assert got == slow_walk(levels, taken[side], side, limit, qty)
        liquidity.take(side, got)
        for price, lots in got:
            taken[side][price] = taken[side].get(price, 0) + lots
            assert taken[side][price] <= dict(levels)[price]


@given(first=ladders(), second=ladders(), qty=st.integers(1, 30), hidden=st.integers(0, 3))
def test_what_was_taken_comes_back_only_where_the_level_changed(
    first: tuple[list[Level], list[Level]], second: tuple[list[Level], list[Level]], qty: int, hidden: int
) -> None:
    liquidity = Liquidity()
    liquidity.observe(book(*first))
    got = dict(liquidity.walk(Side.BUY, None, qty))
    liquidity.take(Side.BUY, [LevelFill(*fill) for fill in got.items()])
    liquidity.observe(book(*second, hidden_levels=hidden))
    available = dict(liquidity.walk(Side.BUY, None, 10**6))
    before = dict(first[1])
    for price, lots in second[1]:
        expected = lots - got.get(price, 0) if before.get(price) == lots else lots
        assert available.get(price, 0) == expected


def test_a_level_out_of_sight_is_not_forgotten() -> None:
    liquidity = Liquidity()
    liquidity.observe(book([(99, 1)], [(101, 1), (102, 5)]))
    liquidity.take(Side.BUY, [LevelFill(101, 1), LevelFill(102, 5)])
    liquidity.observe(book([(98, 1)], [(100, 2)], hidden_levels=4))
    liquidity.observe(book([(99, 1)], [(102, 5)]))
    assert liquidity.walk(Side.BUY, None, 9) == []


def test_a_level_that_was_gone_is_new_when_it_returns() -> None:
    liquidity = Liquidity()
    liquidity.observe(book([(99, 1)], [(101, 5)]))
    liquidity.take(Side.BUY, [LevelFill(101, 5)])
    liquidity.observe(book([(99, 1)], [(103, 2)]))
    liquidity.observe(book([(99, 1)], [(101, 5)]))
    assert liquidity.walk(Side.BUY, None, 9) == [LevelFill(101, 5)]


def test_fills_of_an_earlier_life_stay_taken_until_the_level_changes() -> None:
    liquidity = Liquidity()
    liquidity.restore_take(Side.SELL, 99, 3, 1, is_maker=False)
    liquidity.observe(book([(99, 5)], [(101, 1)]))
    assert liquidity.walk(Side.SELL, None, 9) == [LevelFill(99, 2)]
    liquidity.observe(book([(99, 6)], [(101, 1)]))
    assert liquidity.walk(Side.SELL, None, 9) == [LevelFill(99, 6)]


def test_what_resting_orders_got_on_the_latest_book_is_taken_from_its_best_levels() -> None:
    liquidity = Liquidity()
    liquidity.restore_take(Side.BUY, 105, 9, 1, is_maker=True)
    liquidity.restore_take(Side.BUY, 103, 4, 2, is_maker=True)
    liquidity.observe(book([(99, 5)], [(101, 3), (103, 5), (105, 5)]))
    assert liquidity.walk(Side.BUY, None, 99) == [LevelFill(103, 4)]
    liquidity.observe(book([(99, 5)], [(101, 2), (103, 5)]))
    assert liquidity.walk(Side.BUY, None, 99) == [LevelFill(101, 2), LevelFill(103, 4)]
