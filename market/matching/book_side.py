"""One side of an order-by-order book: price levels, and in each a first-in first-out queue."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Iterator
from itertools import islice

from common.messages.base import Side
from market.matching.events import Level


class RestingOrder:
    """An order in the book."""

    __slots__ = ("order_id", "price_ticks", "remaining_lots", "side")

    def __init__(self, order_id: int, side: Side, price_ticks: int, remaining_lots: int) -> None:
        self.order_id = order_id
        self.side = side
        self.price_ticks = price_ticks
        self.remaining_lots = remaining_lots


class PriceLevel:
    """The queue at one price. An OrderedDict gives both ends: oldest first, and any id out at once."""

    __slots__ = ("orders", "qty_lots")

    def __init__(self) -> None:
        self.orders: OrderedDict[int, RestingOrder] = OrderedDict()
        self.qty_lots = 0

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
        """Lots resting at a price; 0 when none."""
        level = self._levels.get(price_ticks)
        return level.qty_lots if level else 0

    def add(self, order: RestingOrder) -> None:
        """Queue `order` behind all others at its price."""
        level = self._levels.get(order.price_ticks)
        if level is None:
            level = self._levels[order.price_ticks] = PriceLevel()
            insort(self._keys, order.price_ticks * self._sign)
        level.orders[order.order_id] = order
        level.qty_lots += order.remaining_lots

    def take(self, order: RestingOrder, lots: int) -> None:
        """Remove `lots` of a resting order; the order leaves when nothing remains, an empty level with it."""
        level = self._levels[order.price_ticks]
        order.remaining_lots -= lots
        level.qty_lots -= lots
        if order.remaining_lots == 0:
            del level.orders[order.order_id]
            if not level.orders:
                del self._levels[order.price_ticks]
                key = order.price_ticks * self._sign
                del self._keys[bisect_left(self._keys, key)]

    def is_reached_by(self, limit_ticks: int | None) -> bool:
        """True when an order of the other side, limited so (None: at any price), would trade here."""
        return bool(self._keys) and (limit_ticks is None or self._keys[-1] >= limit_ticks * self._sign)

    def lots_within(self, limit_ticks: int | None, enough_lots: int) -> int:
        """Lots at `limit_ticks` or better, counted until `enough_lots` are found."""
        found = 0
        for key in reversed(self._keys):
            if found >= enough_lots or (limit_ticks is not None and key < limit_ticks * self._sign):
                break
            found += self._levels[key * self._sign].qty_lots
        return found

    def top(self, count: int | None = None) -> list[Level]:
        """The best `count` levels (None: all), best first."""
        prices = (key * self._sign for key in islice(reversed(self._keys), count))
        return [(price, self._levels[price].qty_lots) for price in prices]

    def orders(self) -> Iterator[RestingOrder]:
        """Every resting order, best price first, oldest first within a price."""
        for key in reversed(self._keys):
            yield from self._levels[key * self._sign].orders.values()
