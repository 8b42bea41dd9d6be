"""pyorderbook: limit orders and cancels through its book."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final

from pyorderbook import Book, ask, bid

from benchmarks.peers.worker import Load, Run


class OrdersRun:
    """See worker.Run. An event is "sign price lots"; with no lots, `price` is the number of the order to cancel.

    Orders are objects of its own, made beforehand.
    """

    def __init__(self, load: Load) -> None:
        logging.getLogger("pyorderbook.book").setLevel(logging.CRITICAL)
        self._symbol = load.symbols[0]
        self._book = Book()
        orders: list[Any] = []
        self._calls: list[tuple[Callable[[Any], object], Any]] = []
        for kind, symbol, text in load.events:
            sign, price, lots = map(int, text.split())
            if lots:
                orders.append((bid if sign > 0 else ask)(symbol, price, lots))
                call = (self._book.match, orders[-1])
            else:
                call = (self._book.cancel, orders[price])
                orders.append(None)
            if kind == "snapshot":
                call[0](call[1])
            else:
                self._calls.append(call)

    def go(self) -> None:
        for call, order in self._calls:
            call(order)

    def top(self) -> dict[str, list[str]]:
        best = []
        for pick, levels in zip((max, min), self._book.level_map[self._symbol].values(), strict=True):
            # A level whose orders were all cancelled stays in its map until it is reached.
            price = pick(price for price, level in levels.items() if level.orders)
            best += [price, sum(order.quantity for order in levels[price].orders.values())]
        return {self._symbol: [str(value) for value in best]}


PATHS: Final[dict[str, Callable[[Load], Run]]] = {"orders": OrdersRun}
