"""Conditional orders: which of them a trade's price sets off.

A stop waits for a price. A trailing one follows the market once its stop price, if it has one, was reached, and goes
off when the market has come back by its delta from the best price since.
"""

from __future__ import annotations

from typing import Final

from common.messages.base import Side
from services.mock_exchange.trading.orders import Order, SpotType

_BPS: Final = 10_000


def is_reached(order: Order, price_ticks: int) -> bool:
    """The market is at the order's stop price or beyond it."""
    is_stop_loss = order.type in (SpotType.STOP_LOSS, SpotType.STOP_LOSS_LIMIT)
    waits_for_rise = is_stop_loss == (order.side is Side.BUY)
    return price_ticks >= order.stop_ticks if waits_for_rise else price_ticks <= order.stop_ticks


class Triggers:
    """The orders of one symbol that wait, oldest first."""

    __slots__ = ("_best", "_waiting")

    def __init__(self) -> None:
        self._waiting: dict[int, Order] = {}
        #: Best price since a trailing order began to follow.
        self._best: dict[int, int] = {}

    def add(self, order: Order, last_ticks: int, now_ns: int) -> None:
        """Wait. A trailing order without a stop price follows from the last price on."""
        self._waiting[order.order_id] = order
        if order.trailing_delta_bps and not order.stop_ticks:
            self._follow(order, last_ticks, now_ns)

    def best_ticks(self, order: Order) -> int | None:
        """The best price since a trailing order began to follow; None before."""
        return self._best.get(order.order_id)

    def restore(self, order: Order, best_ticks: int | None) -> None:
        """Wait as before a restart."""
        self._waiting[order.order_id] = order
        if best_ticks is not None:
            self._best[order.order_id] = best_ticks

    def remove(self, order: Order) -> None:
        """It waits no more, if it did."""
        self._waiting.pop(order.order_id, None)
        self._best.pop(order.order_id, None)

    def on_price(self, price_ticks: int, now_ns: int) -> list[Order]:
        """A trade at `price_ticks`: the orders that go off, which no longer wait."""
        if not self._waiting:
            return []
        fired = [order for order in self._waiting.values() if self._goes_off(order, price_ticks, now_ns)]
        for order in fired:
            self.remove(order)
        return fired

    def _goes_off(self, order: Order, price_ticks: int, now_ns: int) -> bool:
        if not order.trailing_delta_bps:
            return is_reached(order, price_ticks)
        best = self._best.get(order.order_id)
        if best is None:
            if is_reached(order, price_ticks):
                self._follow(order, price_ticks, now_ns)
            return False
        if order.side is Side.BUY:
            best = self._best[order.order_id] = min(best, price_ticks)
            return price_ticks * _BPS >= best * (_BPS + order.trailing_delta_bps)
        best = self._best[order.order_id] = max(best, price_ticks)
        return price_ticks * _BPS <= best * (_BPS - order.trailing_delta_bps)

    def _follow(self, order: Order, price_ticks: int, now_ns: int) -> None:
        self._best[order.order_id] = price_ticks
        order.trailing_since_ns = now_ns
