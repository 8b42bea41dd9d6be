"""One side of an order-by-order book: price levels, and in each a first-in first-out queue."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Iterator
from itertools import islice

from common.messages.base import Side
from market.matching.events import Level


class RestingOrder:
    """An order in the book. An iceberg shows `display_lots` at a time and hides the rest; 0: everything is shown."""

    __slots__ = ("display_lots", "hidden_lots", "order_id", "price_ticks", "shown_lots", "side")

    def __init__(self, order_id: int, side: Side, price_ticks: int, lots: int, display_lots: int = 0) -> None:
        self.order_id = order_id
        self.side = side
        self.price_ticks = price_ticks
        self.display_lots = display_lots
        self.shown_lots = min(lots, display_lots) if display_lots else lots
        self.hidden_lots = lots - self.shown_lots

    @property
    def remaining_lots(self) -> int:
        """Shown and hidden."""
        return self.shown_lots + self.hidden_lots


class PriceLevel:
    """The queue at one price. An OrderedDict gives both ends: oldest first, and any id out at once.

    `qty_lots` is what is shown; there is always some while an order is there.
    """

    __slots__ = ("hidden_lots", "orders", "qty_lots")

    def __init__(self) -> None:
        self.orders: OrderedDict[int, RestingOrder] = OrderedDict()
        self.qty_lots = 0
        self.hidden_lots = 0

    @property
    def oldest(self) -> RestingOrder:
        """The order whose turn it is."""
        return next(iter(self.orders.values()))


class BookSide:
    """Bids or asks. Prices are kept sorted so that the best is last, where a list is cheap to change."""

    __slots__ = ("_keys", "_levels", "_sign", "side")

    def __init__(self, side: Side) -> None:
        self.side = side
        self._sign = side.sign
        self._levels: dict[int, PriceLevel] = {}
        self._keys: list[int] = []

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def best_ticks(self) -> int | None:
        """Highest bid or lowest ask."""
        return self._keys[-1] * self._sign if self._keys else None

    def level(self, price_ticks: int) -> PriceLevel | None:
        """The queue at a price, if there is one."""
        return self._levels.get(price_ticks)

    def qty_at(self, price_ticks: int) -> int:
        """Lots shown at a price; 0 when none."""
        level = self._levels.get(price_ticks)
        return level.qty_lots if level else 0

    def add(self, order: RestingOrder) -> None:
        """Queue `order` behind all others at its price."""
        level = self._levels.get(order.price_ticks)
        if level is None:
            level = self._levels[order.price_ticks] = PriceLevel()
            insort(self._keys, order.price_ticks * self._sign)
        level.orders[order.order_id] = order
        level.qty_lots += order.shown_lots
        level.hidden_lots += order.hidden_lots

    def trade(self, order: RestingOrder, lots: int) -> None:
        """Take `lots` of what an order shows. When that is gone its next slice goes to the end of the queue."""
        level = self._levels[order.price_ticks]
        order.shown_lots -= lots
        level.qty_lots -= lots
        if order.shown_lots:
            return
        if not order.hidden_lots:
            self._drop(level, order)
            return
        slice_lots = min(order.display_lots, order.hidden_lots)
        order.shown_lots = slice_lots
        order.hidden_lots -= slice_lots
        level.qty_lots += slice_lots
        level.hidden_lots -= slice_lots
        level.orders.move_to_end(order.order_id)

    def reduce(self, order: RestingOrder, lots: int) -> bool:
        """Take `lots` out of an order, the hidden ones first; its place is kept. True when fewer are shown."""
        level = self._levels[order.price_ticks]
        hidden = min(lots, order.hidden_lots)
        order.hidden_lots -= hidden
        level.hidden_lots -= hidden
        order.shown_lots -= lots - hidden
        level.qty_lots -= lots - hidden
        if not order.shown_lots:
            self._drop(level, order)
        return lots > hidden

    def _drop(self, level: PriceLevel, order: RestingOrder) -> None:
        del level.orders[order.order_id]
        if not level.orders:
            del self._levels[order.price_ticks]
            del self._keys[bisect_left(self._keys, order.price_ticks * self._sign)]

    def is_reached_by(self, limit_ticks: int | None) -> bool:
        """True when an order of the other side, limited so (None: at any price), would trade here."""
        return bool(self._keys) and (limit_ticks is None or self._keys[-1] >= limit_ticks * self._sign)

    def lots_within(self, limit_ticks: int | None, enough_lots: int) -> int:
        """Lots at `limit_ticks` or better, hidden ones too, counted until `enough_lots` are found."""
        found = 0
        for key in reversed(self._keys):
            if found >= enough_lots or (limit_ticks is not None and key < limit_ticks * self._sign):
                break
            level = self._levels[key * self._sign]
            found += level.qty_lots + level.hidden_lots
        return found

    def top(self, count: int | None = None) -> list[Level]:
        """The best `count` levels (None: all) as shown, best first."""
        prices = (key * self._sign for key in islice(reversed(self._keys), count))
        return [(price, self._levels[price].qty_lots) for price in prices]

    def orders(self) -> Iterator[RestingOrder]:
        """Every resting order, best price first, oldest first within a price."""
        for key in reversed(self._keys):
            yield from self._levels[key * self._sign].orders.values()
