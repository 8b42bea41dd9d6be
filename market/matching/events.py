"""What a matching engine answers: trades, changed levels, views of the book.

Prices are integer ticks, quantities integer lots. Levels are (price_ticks, qty_lots) pairs, best first.
"""

from __future__ import annotations

from typing import NamedTuple

from common.messages.base import Side
from common.messages.orders import OrderStatus

Level = tuple[int, int]


class Trade(NamedTuple):
    """One maker meets one taker, at the maker's price."""

    trade_id: int
    price_ticks: int
    qty_lots: int
    maker_id: int
    taker_id: int
    aggressor: Side
    #: What the maker still has in the book, hidden lots too; 0 when it is filled.
    maker_remaining_lots: int


class LevelChange(NamedTuple):
    """A level's new total as shown; 0 lots when the level is gone."""

    side: Side
    price_ticks: int
    qty_lots: int


class Outcome(NamedTuple):
    """What became of one order, cancel or reduction.

    `status` is NEW (also of a reduction) or PARTIALLY_FILLED when `resting_lots` wait in the book, FILLED, EXPIRED
    (the rest of an IOC or market order, or a FOK that could not be filled whole), REJECTED (post-only that would
    take) or CANCELED.
    `update_id` is the book's id after it; it has risen by one exactly if `changes` is not empty.
    """

    order_id: int
    status: OrderStatus
    filled_lots: int
    resting_lots: int
    trades: tuple[Trade, ...]
    changes: tuple[LevelChange, ...]
    update_id: int


class Touch(NamedTuple):
    """Best bid and best ask; ticks and lots are 0 on an empty side."""

    bid_ticks: int
    bid_lots: int
    ask_ticks: int
    ask_lots: int


class Depth(NamedTuple):
    """Levels of both sides at one update id."""

    update_id: int
    bids: list[Level]
    asks: list[Level]


class DepthDiff(NamedTuple):
    """Every level that changed in the book changes `first_update_id`..`last_update_id`, as its new total."""

    first_update_id: int
    last_update_id: int
    bids: list[Level]
    asks: list[Level]
