"""Kernels of the order book. One book is one int64 array, its `block`:

    [capacity, bid count, ask count, 0 ...] | bid keys | bid lots | ask keys | ask lots      (each `capacity` words)

A key is +ticks for bids and -ticks for asks. Both sides are then sorted ascending with the best level at the END:
one code serves both, and a change near the touch moves little memory. Nothing here allocates; a kernel that lacks
room says FULL before it has changed anything, and the facade grows the block.

A quantity is absolute, 0 removes, removing an unknown level is normal. Entries are applied in the order given.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit

from common.messages.book import ASK_COUNT, ASK_DEPTH, BID_COUNT, BID_DEPTH, HEADER_WORDS, IntArray

#: Words in front of the levels.
HEAD: Final = 8
CAPACITY: Final = 0
COUNT: Final = 1
BIDS: Final = 0
ASKS: Final = 1

OK: Final = 0
#: The message might not fit: nothing was changed.
FULL: Final = 1
#: A price below 1 tick or a quantity below 0 lots: nothing was changed.
INVALID: Final = 2
_INT64_MAX: Final = 2**63 - 1


@njit(cache=True)
def find(block: IntArray, base: int, count: int, hint: int, key: int) -> int:
    """Index in [0, count] of the first key >= `key` among block[base : base + count], galloping from `hint`."""
    if hint < count and block[base + hint] < key:
        low, high, step = hint + 1, hint + 1, 1
        while high < count and block[base + high] < key:
            low = high + 1
            high += step
            step *= 2
        high = min(high, count)
    else:
        low, high, step = hint - 1, hint, 1
        while low >= 0 and block[base + low] >= key:
            high = low
            low -= step
            step *= 2
        low = max(low + 1, 0)
    while low < high:
        middle = (low + high) // 2
        if block[base + middle] < key:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True)
def check_side(
    block: IntArray, side: int, ticks: IntArray, ticks_at: int, lots: IntArray, lots_at: int, n: int
) -> int:
    """OK, INVALID, or FULL when `n` entries might take the side over the capacity."""
    room = block[CAPACITY] - block[COUNT + side]
    for i in range(n):
        if ticks[ticks_at + i] < 1 or lots[lots_at + i] < 0:
            return INVALID
        room -= lots[lots_at + i] > 0
    return FULL if room < 0 else OK


@njit(cache=True)
def apply_side(
    block: IntArray, side: int, ticks: IntArray, ticks_at: int, lots: IntArray, lots_at: int, n: int
) -> None:
    """Set ticks[ticks_at : ticks_at + n] of one side to the quantities at lots[lots_at]. Checked before."""
    capacity = block[CAPACITY]
    keys = HEAD + 2 * side * capacity
    quantities = keys + capacity
    count = block[COUNT + side]
    at = count
    for i in range(n):
        key = ticks[ticks_at + i] if side == BIDS else -ticks[ticks_at + i]
        quantity = lots[lots_at + i]
        at = find(block, keys, count, at, key)
        if at < count and block[keys + at] == key:
            if quantity > 0:
                block[quantities + at] = quantity
                continue
            count -= 1
            for j in range(at, count):
                block[keys + j] = block[keys + j + 1]
            for j in range(at, count):
                block[quantities + j] = block[quantities + j + 1]
        elif quantity > 0:
            for j in range(count, at, -1):
                block[keys + j] = block[keys + j - 1]
            for j in range(count, at, -1):
                block[quantities + j] = block[quantities + j - 1]
            block[keys + at] = key
            block[quantities + at] = quantity
            count += 1
    block[COUNT + side] = count


@njit(cache=True)
def apply(block: IntArray, bid_ticks: IntArray, bid_lots: IntArray, ask_ticks: IntArray, ask_lots: IntArray) -> int:
    """Apply one message to both sides, or change nothing and say why."""
    status = check_side(block, BIDS, bid_ticks, 0, bid_lots, 0, len(bid_ticks))
    if status == OK:
        status = check_side(block, ASKS, ask_ticks, 0, ask_lots, 0, len(ask_ticks))
    if status == OK:
        apply_side(block, BIDS, bid_ticks, 0, bid_lots, 0, len(bid_ticks))
        apply_side(block, ASKS, ask_ticks, 0, ask_lots, 0, len(ask_ticks))
    return status


@njit(cache=True)
def load_side(
    block: IntArray, side: int, ticks: IntArray, ticks_at: int, lots: IntArray, lots_at: int, n: int
) -> None:
    """Replace one side, whose count must be 0. What comes best first, as snapshots do, is copied; else applied."""
    is_best_first = True
    for i in range(n):
        better = i == 0 or (ticks[ticks_at + i] < ticks[ticks_at + i - 1]) == (side == BIDS)
        distinct = i == 0 or ticks[ticks_at + i] != ticks[ticks_at + i - 1]
        if lots[lots_at + i] == 0 or not better or not distinct:
            is_best_first = False
            break
    if not is_best_first:
        apply_side(block, side, ticks, ticks_at, lots, lots_at, n)
        return
    capacity = block[CAPACITY]
    keys = HEAD + 2 * side * capacity
    for i in range(n):
        block[keys + n - 1 - i] = ticks[ticks_at + i] if side == BIDS else -ticks[ticks_at + i]
        block[keys + capacity + n - 1 - i] = lots[lots_at + i]
    block[COUNT + side] = n


@njit(cache=True)
def load(block: IntArray, bid_ticks: IntArray, bid_lots: IntArray, ask_ticks: IntArray, ask_lots: IntArray) -> int:
    """Replace the whole book, or change nothing and say why."""
    bids, asks = block[COUNT + BIDS], block[COUNT + ASKS]
    block[COUNT + BIDS] = block[COUNT + ASKS] = 0
    status = check_side(block, BIDS, bid_ticks, 0, bid_lots, 0, len(bid_ticks))
    if status == OK:
        status = check_side(block, ASKS, ask_ticks, 0, ask_lots, 0, len(ask_ticks))
    if status != OK:
        block[COUNT + BIDS], block[COUNT + ASKS] = bids, asks
        return status
    load_side(block, BIDS, bid_ticks, 0, bid_lots, 0, len(bid_ticks))
    load_side(block, ASKS, ask_ticks, 0, ask_lots, 0, len(ask_ticks))
    return OK


@njit(cache=True)
def is_crossed(block: IntArray) -> bool:
    """True when the best bid is at or above the best ask."""
    capacity, bids, asks = block[CAPACITY], block[COUNT + BIDS], block[COUNT + ASKS]
    if bids == 0 or asks == 0:
        return False
    # An ask's key is its price negated: bid >= ask means bid + key >= 0.
    return bool(block[HEAD + bids - 1] + block[HEAD + 2 * capacity + asks - 1] >= 0)


@njit(cache=True)
def write_top(block: IntArray, words: IntArray, n: int) -> int:
    """Write the best `n` levels a side, and the four counts, in the layout of BookUpdate.

    `words` is int64 of at least words_needed(n, n); returns how many words are in use.
    """
    capacity = block[CAPACITY]
    at = HEADER_WORDS
    for side in range(2):
        count = block[COUNT + side]
        top = min(n, count)
        keys = HEAD + 2 * side * capacity + count - 1
        sign = 1 - 2 * side
        for i in range(top):
            words[at + i] = sign * block[keys - i]
            words[at + top + i] = block[keys + capacity - i]
        at += 2 * top
        words[BID_COUNT + side] = top
        words[BID_DEPTH + side] = count
    return at


@njit(cache=True)
def depth_for(block: IntArray, side: int, lots: int) -> tuple[int, int, bool]:
    """Walk `side` from its best level for `lots`: (lots filled, sum of ticks x lots, exact: no overflow)."""
    capacity, count = block[CAPACITY], block[COUNT + side]
    keys = HEAD + 2 * side * capacity
    filled, cost = 0, 0
    for i in range(count - 1, -1, -1):
        if filled == lots:
            break
        ticks = block[keys + i] if side == BIDS else -block[keys + i]
        take = min(block[keys + capacity + i], lots - filled)
        if take > (_INT64_MAX - cost) // ticks:
            return filled, cost, False
        filled += take
        cost += ticks * take
    return filled, cost, True


@njit(cache=True)
def top_lots(block: IntArray, side: int, n: int) -> float:
    """Sum of the quantities of the best `n` levels, as a float (it feeds a ratio)."""
    capacity, count = block[CAPACITY], block[COUNT + side]
    quantities = HEAD + (2 * side + 1) * capacity
    total = 0.0
    for i in range(count - 1, max(count - 1 - n, -1), -1):
        total += block[quantities + i]
    return total


def new_block(capacity: int) -> IntArray:
    """An empty book with room for `capacity` levels a side."""
    block = np.zeros(HEAD + 4 * capacity, np.int64)
    block[CAPACITY] = capacity
    return block


def warm_up() -> None:
    """Compile every kernel for the types used in production."""
    block = new_block(4)
    one, words = np.ones(1, np.int64), np.zeros(HEADER_WORDS + 4, np.int64)
    load(block, one, one, one + 1, one)
    apply(block, one, one, one + 1, one)
    is_crossed(block)
    write_top(block, words, 1)
    depth_for(block, BIDS, 1)
    top_lots(block, BIDS, 1)


assert (BID_COUNT + 1, BID_DEPTH + 1) == (ASK_COUNT, ASK_DEPTH), "write_top writes both sides by offset"
