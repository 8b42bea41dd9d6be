"""One side of an order-by-order book: price levels, and in each a first-in first-out queue.

The engine reads and changes these directly: a call a step would cost as much as the step.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Final

from common.messages.base import Side
from market.matching.events import Level

#: Orders that have left may fill this many places of a queue, or half of it if that is more.
_MAX_GONE: Final = 32


class RestingOrder:
    """An order in the book. An iceberg shows `display_lots` at a time and hides the rest; 0: everything is shown.

    It shows something as long as it rests.
    """

    __slots__ = ("display_lots", "hidden_lots", "order_id", "price_ticks", "shown_lots", "side")

    def __init__(self, order_id: int, side: Side, price_ticks: int, lots: int, display_lots: int = 0) -> None:
        self.order_id = order_id
        self.side = side
        self.price_ticks = price_ticks
        self.display_lots = display_lots
        if display_lots and lots > display_lots:
            self.shown_lots = display_lots
            self.hidden_lots = lots - display_lots
        else:
            self.shown_lots = lots
            self.hidden_lots = 0

    @property
    def remaining_lots(self) -> int:
        """Shown and hidden."""
        return self.shown_lots + self.hidden_lots


class PriceLevel:
    """The queue at one price: oldest first. An order that was cancelled stays in it, showing nothing, until its turn.

    `qty_lots` is what is shown; there is always some while an order is there.
    """

    __slots__ = ("gone", "hidden_lots", "price_ticks", "qty_lots", "queue")

    def __init__(self, price_ticks: int) -> None:
        self.price_ticks = price_ticks
        self.queue: deque[RestingOrder] = deque()
        #: Orders of the queue that have left.
        self.gone = 0
        self.qty_lots = 0
        self.hidden_lots = 0


class BookSide:
    """Bids or asks. `keys` are prices times `sign`, ascending: the best is last, where a list is cheap to change."""

    __slots__ = ("changed", "keys", "levels", "side", "sign")

    def __init__(self, side: Side) -> None:
        self.side = side
        self.sign = side.sign
        #: By price.
        self.levels: dict[int, PriceLevel] = {}
        self.keys: list[int] = []
        #: Prices whose total has changed since they were last asked for.
        self.changed: set[int] = set()

    @property
    def best_ticks(self) -> int | None:
        """Highest bid or lowest ask."""
        return self.keys[-1] * self.sign if self.keys else None

    def qty_at(self, price_ticks: int) -> int:
        """Lots shown at a price; 0 when none."""
        level = self.levels.get(price_ticks)
        return level.qty_lots if level else 0

    def add(self, order: RestingOrder) -> int:
        """Queue `order` behind all others at its price; the level's new total."""
        price = order.price_ticks
        level = self.levels.get(price)
        if level is None:
            level = self.levels[price] = PriceLevel(price)
            insort(self.keys, price * self.sign)
        level.queue.append(order)
        level.qty_lots += order.shown_lots
        level.hidden_lots += order.hidden_lots
        self.changed.add(price)
        return level.qty_lots

    def reduce(self, order: RestingOrder, lots: int) -> int | None:
        """Take `lots` out of an order, hidden ones first; it keeps its place. The level's new total if it changed."""
        price = order.price_ticks
        level = self.levels[price]
        if order.hidden_lots:
            hidden = min(lots, order.hidden_lots)
            order.hidden_lots -= hidden
            level.hidden_lots -= hidden
            lots -= hidden
            if not lots:
                return None
        order.shown_lots -= lots
        level.qty_lots -= lots
        self.changed.add(price)
        if not level.qty_lots:
            del self.levels[price]
            del self.keys[bisect_left(self.keys, price * self.sign)]
        elif not order.shown_lots:
            level.gone += 1
            if level.gone > _MAX_GONE and level.gone * 2 > len(level.queue):
                level.queue = deque(order for order in level.queue if order.shown_lots)
                level.gone = 0
        return level.qty_lots

    def is_reached_by(self, limit_ticks: int) -> bool:
        """True when an order of the other side, limited so, would trade here."""
        return bool(self.keys) and self.keys[-1] >= limit_ticks * self.sign

    def lots_within(self, limit_ticks: int, enough_lots: int) -> int:
        """Lots at `limit_ticks` or better, hidden ones too, counted until `enough_lots` are found."""
        found = 0
        for key in reversed(self.keys):
            if found >= enough_lots or key < limit_ticks * self.sign:
                break
            level = self.levels[key * self.sign]
            found += level.qty_lots + level.hidden_lots
        return found

    def top(self, count: int | None = None) -> list[Level]:
        """The best `count` levels (None: all) as shown, best first."""
        levels, sign = self.levels, self.sign
        return [(key * sign, levels[key * sign].qty_lots) for key in islice(reversed(self.keys), count)]

    def orders(self) -> Iterator[RestingOrder]:
        """Every resting order, best price first, oldest first within a price."""
        for key in reversed(self.keys):
            for order in self.levels[key * self.sign].queue:
                if order.shown_lots:
                    yield order
