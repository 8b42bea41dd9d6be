"""One account's orders and trades on one symbol, the closed ones up to a bound."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final

from services.mock_exchange.trading.orders import Fill, Order, OrderRef, PreventedMatch

#: Closed orders, trades and prevented matches kept, of each the latest so many.
HISTORY: Final = 10_000


class Journal:
    """Finds orders by id and by client id; the client id of an open order goes before that of a closed one."""

    __slots__ = ("_by_client", "_closed", "_history", "_orders", "open", "prevented", "trades")

    def __init__(self, history: int = HISTORY) -> None:
        self._history = history
        self._orders: dict[int, Order] = {}
        self._by_client: dict[str, Order] = {}
        self._closed: deque[Order] = deque()
        self.open: dict[int, Order] = {}
        self.trades: deque[tuple[Order, Fill]] = deque(maxlen=history)
        self.prevented: deque[PreventedMatch] = deque(maxlen=history)

    def __iter__(self) -> Iterator[Order]:
        """Every order known, the oldest first."""
        return iter(self._orders.values())

    def add(self, order: Order) -> None:
        """A new order with its id."""
        self._orders[order.order_id] = self.open[order.order_id] = self._by_client[order.client_order_id] = order

    def close(self, order: Order) -> None:
        """It cannot trade any more; the oldest such order may be forgotten for it."""
        del self.open[order.order_id]
        self._closed.append(order)
        if len(self._closed) > self._history:
            oldest = self._closed.popleft()
            del self._orders[oldest.order_id]
            if self._by_client.get(oldest.client_order_id) is oldest:
                del self._by_client[oldest.client_order_id]

    def rename(self, order: Order, client_order_id: str) -> None:
        """An amended order's new client id."""
        self._name(order, order.client_order_id, client_order_id)
        order.client_order_id = client_order_id

    def restore(self, orders: Iterable[Order], closed: Iterable[Order]) -> None:
        """Know what was known before a restart: orders by id, and the closed ones in the order of their ends.

        Client ids are given again in the order in which they were given: the latest order goes by its id.
        """
        named: list[tuple[int, int, int, str, str, Order]] = []
        for order in orders:
            self._orders[order.order_id] = order
            if order.status.is_open:
                self.open[order.order_id] = order
            steps = order.amendments
            first = steps[0].old_client_order_id if steps else order.client_order_id
            named.append((order.created_ns, 0, order.order_id, first, first, order))
            named += [
                (step.time_ns, step.execution_id, 0, step.old_client_order_id, step.new_client_order_id, order)
                for step in steps
            ]
        self._closed.extend(closed)
        for _, _, _, old_id, new_id, order in sorted(named, key=lambda row: row[:3]):
            self._name(order, old_id, new_id)

    def is_in_use(self, client_order_id: str) -> bool:
        """An open order has that client id."""
        order = self._by_client.get(client_order_id)
        return order is not None and order.status.is_open

    def find(self, which: OrderRef) -> Order | None:
        """The order meant; with both ids both must fit."""
        if which.order_id is None:
            return self._by_client.get(which.client_order_id or "")
        order = self._orders.get(which.order_id)
        if order is None or which.client_order_id not in (None, order.client_order_id):
            return None
        return order

    def find_open(self, which: OrderRef) -> Order | None:
        """The same, if it can still trade."""
        order = self.find(which)
        return order if order is not None and order.status.is_open else None

    def _name(self, order: Order, old_id: str, new_id: str) -> None:
        if self._by_client.get(old_id) is order:
            del self._by_client[old_id]
        self._by_client[new_id] = order
