"""Sums of bars against sums of Python's own integers, beyond what 64 bits hold."""

from __future__ import annotations

from itertools import groupby

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.mock_exchange.history.bars import Bar, grouped, joined, total

COUNTS = st.integers(1, 10**6)
ROW = st.tuples(
    st.integers(1, 10**9),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.integers(1, 10**12),
    st.integers(1, 2**62),
    COUNTS,
    st.integers(0, 10**12),
    st.integers(0, 2**62),
    st.integers(0, 3),
)


def made(drawn: list[tuple[int, ...]]) -> tuple[list[Bar], np.ndarray, np.ndarray]:
    bars, keys, next_id, key = [], [], 1, 0
    for number, (middle, up, down, lots, quote, trades, taker, taker_quote, step) in enumerate(drawn):
        low = max(1, middle - down)
        bars.append(
            Bar(
                number,
                number + 1,
                middle,
                middle + up,
                low,
                low,
                lots,
                quote,
                trades,
                taker,
                taker_quote,
                next_id,
                next_id + trades - 1,
            )
        )
        next_id += trades
        key += step
        keys.append(key)
    rows = np.array([(bar.start_ms, *bar[2:]) for bar in bars], np.int64)
    return bars, rows, np.array(keys, np.int64)


def slow(bars: list[Bar]) -> Bar:
    return Bar(
        bars[0].start_ms, bars[-1].end_ms, bars[0].open_ticks, max(b.high_ticks for b in bars),
        min(b.low_ticks for b in bars), bars[-1].close_ticks, sum(b.lots for b in bars), sum(b.quote for b in bars),
        sum(b.trades for b in bars), sum(b.taker_lots for b in bars), sum(b.taker_quote for b in bars),
        bars[0].first_id, bars[-1].last_id,
    )  # fmt: skip


@given(st.lists(ROW, min_size=1, max_size=30))
def test_totals_groups_and_joins_add_up(drawn) -> None:
    bars, rows, keys = made(drawn)
    whole = slow(bars)
    assert total(rows, whole.start_ms, whole.end_ms) == whole
    groups = grouped(rows, keys)
    for key, members in groupby(zip(keys.tolist(), bars, strict=True), key=lambda pair: pair[0]):
        expected = slow([bar for _, bar in members])
        assert groups.pop(key) == (expected.start_ms, *expected[2:])
    assert not groups
    for cut in range(1, len(bars)):
        assert joined(slow(bars[:cut]), slow(bars[cut:])) == whole


def test_a_bar_without_trades_only_adds_time() -> None:
    some = Bar(0, 60, 10, 12, 9, 11, 5, 50, 2, 1, 10, 7, 8)
    none = Bar(60, 120, 11, 11, 11, 11)
    assert joined(some, none) == some._replace(end_ms=120)
    assert joined(none, some._replace(start_ms=120, end_ms=180)) == some._replace(start_ms=60, end_ms=180)


def test_no_rows_make_no_groups() -> None:
    assert grouped(np.empty((0, 12), np.int64), np.empty(0, np.int64)) == {}
