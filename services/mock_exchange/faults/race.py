"""The race between a fill and a cancel, won by the fill."""

from __future__ import annotations

from typing import Final

from common.messages.orders import TimeInForce
from services.mock_exchange.trading.book import TradingBook
from services.mock_exchange.trading.orders import Order

#: An order farther from the touch than this share of its price is out of everybody's reach.
REACH: Final = 0.01


def trade_first(book: TradingBook, order: Order, share: float) -> int:
    """Let somebody trade through to `share` of what is left of a resting order; the lots it got.

    Whoever comes takes what is ahead of the order too, as the queue has it: prices are not traded through.
    """
    best = book.touch().bid_ticks if order.side.sign > 0 else book.touch().ask_ticks
    if not order.book_id or not best or abs(best - order.price_ticks) > REACH * order.price_ticks:
        return 0
    wanted = max(1, int(order.left_lots * share))
    ahead = 0
    for resting in book.queue(order.side):
        if resting.book_id == order.book_id:
            before = order.executed_lots
            book.limit(order.side.opposite, order.price_ticks, ahead + wanted, TimeInForce.IOC)
            return order.executed_lots - before
        ahead += resting.lots
    return 0
