"""Bars: what traded within a span of time, as integers, and how finer bars add up to coarser ones.

Prices are ticks, quantities lots, quote volumes 1e-8 of the quote asset with each trade's value cut to it
(trading/amounts.py). Bars in which nothing traded are not stored; they are made where they are shown.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]

START, OPEN, HIGH, LOW, CLOSE, LOTS, QUOTE, COUNT, TAKER_LOTS, TAKER_QUOTE, FIRST_ID, LAST_ID = range(12)
COLUMNS: Final = 12
#: Quote volumes of many bars are added in two halves: their sum may exceed what 64 bits hold.
_HALF_BITS: Final = 32
_HALF: Final = (1 << _HALF_BITS) - 1


class Bar(NamedTuple):
    """One bar; `start_ms` up to, not including, `end_ms`. Without trades all four prices are the close before it."""

    start_ms: int
    end_ms: int
    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    lots: int = 0
    quote: int = 0
    trades: int = 0
    #: Bought by aggressors.
    taker_lots: int = 0
    taker_quote: int = 0
    #: Ids of the trades in it; -1 without any.
    first_id: int = -1
    last_id: int = -1


def flat(start_ms: int, end_ms: int, ticks: int) -> Bar:
    """A bar without a trade."""
    return Bar(start_ms, end_ms, ticks, ticks, ticks, ticks)


class OpenBar:
    """A bar that is still filling."""

    __slots__ = (
        "close",
        "count",
        "first_id",
        "high",
        "last_id",
        "lots",
        "low",
        "open",
        "quote",
        "start_ms",
        "taker_lots",
        "taker_quote",
    )

    def __init__(self, start_ms: int, ticks: int, trade_id: int) -> None:
        self.start_ms = start_ms
        self.open = self.high = self.low = self.close = ticks
        self.lots = self.quote = self.count = self.taker_lots = self.taker_quote = 0
        self.first_id = self.last_id = trade_id

    def add(self, trade_id: int, ticks: int, lots: int, quote: int, taker_buys: bool) -> None:
        """Take in the next trade."""
        if ticks > self.high:
            self.high = ticks
        elif ticks < self.low:
            self.low = ticks
        self.close = ticks
        self.lots += lots
        self.quote += quote
        self.count += 1
        self.last_id = trade_id
        if taker_buys:
            self.taker_lots += lots
            self.taker_quote += quote

    def row(self) -> tuple[int, ...]:
        """As the stored columns."""
        return (
            self.start_ms,
            self.open,
            self.high,
            self.low,
            self.close,
            self.lots,
            self.quote,
            self.count,
            self.taker_lots,
            self.taker_quote,
            self.first_id,
            self.last_id,
        )


def total(rows: Rows, start_ms: int, end_ms: int) -> Bar:
    """One bar of rows in order of time, at least one."""
    lots, count, taker_lots = (int(rows[:, column].sum()) for column in (LOTS, COUNT, TAKER_LOTS))
    quote, taker_quote = (int((rows[:, c] >> _HALF_BITS).sum()) << _HALF_BITS for c in (QUOTE, TAKER_QUOTE))
    return Bar(
        start_ms,
        end_ms,
        int(rows[0, OPEN]),
        int(rows[:, HIGH].max()),
        int(rows[:, LOW].min()),
        int(rows[-1, CLOSE]),
        lots,
        quote + int((rows[:, QUOTE] & _HALF).sum()),
        count,
        taker_lots,
        taker_quote + int((rows[:, TAKER_QUOTE] & _HALF).sum()),
        int(rows[0, FIRST_ID]),
        int(rows[-1, LAST_ID]),
    )


def joined(earlier: Bar, later: Bar) -> Bar:
    """Two bars that follow each other, as one."""
    if not later.trades:
        return earlier._replace(end_ms=later.end_ms)
    if not earlier.trades:
        return later._replace(start_ms=earlier.start_ms)
    return Bar(
        earlier.start_ms,
        later.end_ms,
        earlier.open_ticks,
        max(earlier.high_ticks, later.high_ticks),
        min(earlier.low_ticks, later.low_ticks),
        later.close_ticks,
        earlier.lots + later.lots,
        earlier.quote + later.quote,
        earlier.trades + later.trades,
        earlier.taker_lots + later.taker_lots,
        earlier.taker_quote + later.taker_quote,
        earlier.first_id,
        later.last_id,
    )


def grouped(rows: Rows, keys: NDArray[np.int64]) -> dict[int, tuple[int, ...]]:
    """Rows in order of time added up by their keys (non-decreasing): the stored columns, by key."""
    if not len(rows):
        return {}
    firsts = np.flatnonzero(np.diff(keys, prepend=keys[0] - 1))
    lasts = np.append(firsts[1:], len(rows)) - 1
    sums = {c: np.add.reduceat(rows[:, c], firsts).tolist() for c in (LOTS, COUNT, TAKER_LOTS)}
    for column in (QUOTE, TAKER_QUOTE):
        high = np.add.reduceat(rows[:, column] >> _HALF_BITS, firsts).tolist()
        low = np.add.reduceat(rows[:, column] & _HALF, firsts).tolist()
        sums[column] = [(h << _HALF_BITS) + part for h, part in zip(high, low, strict=True)]
    columns = (
        rows[firsts, START].tolist(),
        rows[firsts, OPEN].tolist(),
        np.maximum.reduceat(rows[:, HIGH], firsts).tolist(),
        np.minimum.reduceat(rows[:, LOW], firsts).tolist(),
        rows[lasts, CLOSE].tolist(),
        sums[LOTS],
        sums[QUOTE],
        sums[COUNT],
        sums[TAKER_LOTS],
        sums[TAKER_QUOTE],
        rows[firsts, FIRST_ID].tolist(),
        rows[lasts, LAST_ID].tolist(),
    )
    return dict(zip(keys[firsts].tolist(), zip(*columns, strict=True), strict=True))
