"""One side of a recorded book with clients' orders in it: levels sorted by price."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator

from common.messages.base import Side
from market.queue.level import QueuedOrder, QueueLevel


class QueueSide:
    """Bids or asks. Keys are prices times the side's sign, ascending: the best is last, where a list is cheap."""

    __slots__ = ("_keys", "_levels", "_own_keys", "_sign", "side")

    def __init__(self, side: Side) -> None:
        self.side = side
        self._sign = side.sign
        self._levels: dict[int, QueueLevel] = {}
        self._keys: list[int] = []
        #: Of the levels that hold clients' orders.
        self._own_keys: list[int] = []

    def get(self, price_ticks: int) -> QueueLevel | None:
        """The level at a price, if anything is there."""
        return self._levels.get(price_ticks)

    def open(self, price_ticks: int) -> QueueLevel:
        """The level at a price, made if need be. `settle` it afterwards."""
        level = self._levels.get(price_ticks)
        if level is None:
            level = self._levels[price_ticks] = QueueLevel()
            insort(self._keys, price_ticks * self._sign)
        return level

    def join(self, order: QueuedOrder) -> None:
        """Queue a client's order at its price."""
        level = self.open(order.price_ticks)
        if not level.orders:
            insort(self._own_keys, order.price_ticks * self._sign)
        level.join(order)

    def settle(self, price_ticks: int, level: QueueLevel, *, had_orders: bool) -> None:
        """Forget a level that has become empty. `had_orders`: clients' orders were there before it changed."""
        key = price_ticks * self._sign
        if had_orders and not level.orders:
            del self._own_keys[bisect_left(self._own_keys, key)]
        if level.is_empty:
            del self._levels[price_ticks]
            del self._keys[bisect_left(self._keys, key)]

    def reaches(self, price_ticks: int, limit_ticks: int | None) -> bool:
        """True when a taker limited so (None: at any price) trades with this side at `price_ticks`."""
        return limit_ticks is None or (price_ticks - limit_ticks) * self._sign >= 0

    def levels(self, limit_ticks: int | None = None) -> Iterator[tuple[int, QueueLevel]]:
        """(price_ticks, level) from the best to `limit_ticks`. Levels may be settled meanwhile once passed."""
        index = len(self._keys)
        while index:
            # Settled levels leave behind the index: they are better than what comes.
            index = min(index, len(self._keys)) - 1
            price = self._keys[index] * self._sign
            if not self.reaches(price, limit_ticks):
                return
            yield price, self._levels[price]

    def own_levels(self, limit_ticks: int) -> list[tuple[int, QueueLevel]]:
        """Levels with clients' orders from the best to `limit_ticks`."""
        found = []
        for key in reversed(self._own_keys):
            if not self.reaches(key * self._sign, limit_ticks):
                break
            found.append((key * self._sign, self._levels[key * self._sign]))
        return found

    def prices(self) -> list[int]:
        """Every price where anything is."""
        return list(self._levels)
