"""A recorded book that clients trade in: takers meet what was recorded, resting orders wait in its queues.

Nothing a client does changes the recording, so all rules say what would have been likely, and lean to the side of
fewer fills:

* A taker walks the book best price first: recorded lots and clients' orders of a level in the order of its queue.
  Recorded lots taken stay taken while the recording may still show them: a level that grows offers its growth anew,
  and of one that is cancelled away the taken lots are the first to go.
* A resting order joins behind all that is at its price. Trades printed there use up what is ahead, then fill it.
  Lots that leave without a trade are spread over ahead and behind (cancels.py).
* A print beyond an order's price fills it first, up to the lots printed. So does a recorded level of the other side
  that comes to its price: up to the lots shown there, which are then taken.
* Clients' orders meet each other by price and time, an iceberg's slices as in MatchingEngine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from common.messages.base import Side
from common.messages.orders import OrderStatus, TimeInForce
from market.matching.engine import check_limit
from market.matching.events import Depth, Level, LevelChange, Outcome, Touch, Trade
from market.queue.cancels import CancelRule, proportional
from market.queue.level import Part, QueuedOrder
from market.queue.queue_side import QueueSide

#: Number of whoever was recorded, where a client's order has its own.
RECORDED: Final = 0


class RecordedBook:
    """The calls of MatchingEngine against a recorded book, and the recording's own events.

    Orders, trades and book changes are numbered 1, 2, 3, ...; the recorded counterparty of a trade is order 0.

    Args:
        cancel_rule: how cancels are spread over a queue.
    """

    __slots__ = (
        "_orders",
        "_rule",
        "_sides",
        "_touched",
        "last_order_id",
        "last_trade_id",
        "update_id",
    )

    def __init__(self, cancel_rule: CancelRule = proportional) -> None:
        self._rule = cancel_rule
        self._sides = {side: QueueSide(side) for side in Side}
        self._orders: dict[int, QueuedOrder] = {}
        self._touched: dict[tuple[Side, int], None] = {}
        self.update_id = 0
        self.last_order_id = 0
        self.last_trade_id = 0

    def limit(
        self,
        side: Side,
        price_ticks: int,
        qty_lots: int,
        time_in_force: TimeInForce = TimeInForce.GTC,
        *,
        post_only: bool = False,
        display_lots: int = 0,
    ) -> Outcome:
        """As MatchingEngine.limit. FOK counts recorded and clients' lots.

        Raises:
            ValueError: as MatchingEngine.limit.
        """
        check_limit(price_ticks, time_in_force, post_only=post_only, display_lots=display_lots)
        order_id = self._accept(qty_lots)
        if post_only and self._lots_within(side.opposite, price_ticks, 1):
            return self._outcome(order_id, OrderStatus.REJECTED)
        if time_in_force is TimeInForce.FOK and self._lots_within(side.opposite, price_ticks, qty_lots) < qty_lots:
            return self._outcome(order_id, OrderStatus.EXPIRED)
        trades, left = self._take(order_id, side, price_ticks, qty_lots)
        if left and time_in_force is TimeInForce.GTC:
            order = self._orders[order_id] = QueuedOrder(order_id, side, price_ticks, left, display_lots)
            self._sides[side].join(order)
            self._touched[side, price_ticks] = None
            status = OrderStatus.PARTIALLY_FILLED if trades else OrderStatus.NEW
            return self._outcome(order_id, status, qty_lots - left, left, trades)
        status = OrderStatus.EXPIRED if left else OrderStatus.FILLED
        return self._outcome(order_id, status, qty_lots - left, 0, trades)

    def market(self, side: Side, qty_lots: int) -> Outcome:
        """As MatchingEngine.market: what the recorded book cannot fill expires.

        Raises:
            ValueError: a quantity that is not positive.
        """
        order_id = self._accept(qty_lots)
        trades, left = self._take(order_id, side, None, qty_lots)
        return self._outcome(
            order_id, OrderStatus.EXPIRED if left else OrderStatus.FILLED, qty_lots - left, 0, trades
        )

    def cancel(self, order_id: int) -> Outcome | None:
        """Take a client's order out; None when no such order rests."""
        order = self._orders.pop(order_id, None)
        if order is None:
            return None
        self._shrink(order, order.remaining_lots)
        return self._outcome(order_id, OrderStatus.CANCELED)

    def reduce(self, order_id: int, left_lots: int) -> Outcome | None:
        """Leave `left_lots` of a client's order in its place; None when no such order rests.

        Raises:
            ValueError: `left_lots` is not positive or not less than what remains.
        """
        order = self._orders.get(order_id)
        if order is None:
            return None
        if not 0 < left_lots < order.remaining_lots:
            raise ValueError(f"{left_lots} lots do not make order {order_id} of {order.remaining_lots} lots smaller")
        self._shrink(order, order.remaining_lots - left_lots)
        return self._outcome(order_id, OrderStatus.NEW, 0, left_lots)

    def on_level(self, side: Side, price_ticks: int, qty_lots: int) -> Outcome | None:
        """The recording shows a level's total anew (0: gone). None unless a client's order traded with it."""
        return self._told(self._level(side, price_ticks, qty_lots))

    def on_snapshot(self, bids: Iterable[Level], asks: Iterable[Level]) -> Outcome | None:
        """The whole recorded book anew; what is not in it is gone. None unless a client's order traded with it."""
        trades: list[Trade] = []
        for side, levels in ((Side.BUY, bids), (Side.SELL, asks)):
            shown = dict(levels)
            for price in self._sides[side].prices():
                if price not in shown:
                    self._level(side, price, 0)
            for price, lots in shown.items():
                trades += self._level(side, price, lots)
        return self._told(trades)

    def on_trade(self, price_ticks: int, qty_lots: int, aggressor: Side) -> Outcome:
        """A trade was printed. Its trades are clients' orders, then what is left of the print as it was recorded."""
        book = self._sides[aggressor.opposite]
        trades: list[Trade] = []
        left = qty_lots
        for price, level in book.own_levels(price_ticks):
            if price != price_ticks and left:
                parts = level.sweep(left)
                left -= sum(part.qty_lots for part in parts)
                trades += self._trades(RECORDED, aggressor, price, parts)
                book.settle(price, level, had_orders=True)
        level_hit = book.get(price_ticks)
        if level_hit is not None:
            had_orders = bool(level_hit.orders)
            parts = level_hit.hit(left, qty_lots)
            left -= sum(part.qty_lots for part in parts)
            self._touched[book.side, price_ticks] = None
            trades += self._trades(RECORDED, aggressor, price_ticks, parts)
            book.settle(price_ticks, level_hit, had_orders=had_orders)
        if left:
            self.last_trade_id += 1
            trades.append(Trade(self.last_trade_id, price_ticks, left, RECORDED, RECORDED, aggressor, 0))
        return self._outcome(RECORDED, OrderStatus.FILLED, qty_lots, 0, tuple(trades))

    def remaining_lots(self, order_id: int) -> int:
        """What of a client's order rests in the book, hidden lots too; 0 when nothing does."""
        order = self._orders.get(order_id)
        return order.remaining_lots if order else 0

    def shown_lots(self, order_id: int) -> int:
        """What a client's resting order shows; 0 when it does not rest."""
        order = self._orders.get(order_id)
        return order.shown_lots if order else 0

    def ahead_lots(self, order_id: int) -> int:
        """Recorded lots estimated to trade before a client's resting order; 0 when it does not rest."""
        order = self._orders.get(order_id)
        return order.ahead_lots if order else 0

    @property
    def order_count(self) -> int:
        """Clients' orders resting in the book."""
        return len(self._orders)

    def queue(self, side: Side) -> Iterator[tuple[int, int, int]]:
        """As MatchingEngine.queue; recorded lots between clients' orders as order RECORDED."""
        for price, level in self._sides[side].levels():
            for order_id, lots in level.queue():
                yield order_id, price, lots

    def best_ticks(self, side: Side) -> int | None:
        """Highest bid (BUY) or lowest ask (SELL), recorded or a client's."""
        return next((price for price, _ in self._visible(side)), None)

    def touch(self) -> Touch:
        """Best bid and ask, recorded and clients' lots."""
        bid, ask = (next(self._visible(side), (0, 0)) for side in Side)
        return Touch(*bid, *ask)

    def depth(self, levels: int | None = None) -> Depth:
        """The best `levels` of both sides (None: the full book), recorded and clients' lots."""
        bids, asks = (list(islice(self._visible(side), levels)) for side in Side)
        return Depth(self.update_id, bids, asks)

    def _visible(self, side: Side) -> Iterator[Level]:
        return ((price, lots) for price, level in self._sides[side].levels() if (lots := level.visible_lots))

    def _accept(self, qty_lots: int) -> int:
        if qty_lots <= 0:
            raise ValueError(f"an order's quantity must be positive, not {qty_lots} lots")
        self.last_order_id += 1
        return self.last_order_id

    def _lots_within(self, side: Side, limit_ticks: int | None, enough_lots: int) -> int:
        found = 0
        for _, level in self._sides[side].levels(limit_ticks):
            found += level.available_lots + sum(order.remaining_lots for order in level.orders.values())
            if found >= enough_lots:
                break
        return found

    def _take(self, taker_id: int, side: Side, limit_ticks: int | None, left: int) -> tuple[tuple[Trade, ...], int]:
        book = self._sides[side.opposite]
        trades: list[Trade] = []
        for price, level in book.levels(limit_ticks):
            had_orders = bool(level.orders)
            parts = level.take(left)
            left -= sum(part.qty_lots for part in parts)
            trades += self._trades(taker_id, side, price, parts)
            book.settle(price, level, had_orders=had_orders)
            if not left:
                break
        return tuple(trades), left

    def _level(self, side: Side, price_ticks: int, qty_lots: int) -> list[Trade]:
        book = self._sides[side]
        level = book.get(price_ticks)
        if level is None:
            if not qty_lots:
                return []
            level = book.open(price_ticks)
        self._touched[side, price_ticks] = None
        level.report(qty_lots, self._rule)
        trades: list[Trade] = []
        others = self._sides[side.opposite]
        for price, other in others.own_levels(price_ticks):
            parts = other.sweep(level.available_lots)
            level.taken_lots += sum(part.qty_lots for part in parts)
            trades += self._trades(RECORDED, side, price, parts)
            others.settle(price, other, had_orders=True)
        book.settle(price_ticks, level, had_orders=False)
        return trades

    def _shrink(self, order: QueuedOrder, lots: int) -> None:
        book = self._sides[order.side]
        level = book.open(order.price_ticks)
        if level.reduce(order, lots):
            self._touched[order.side, order.price_ticks] = None
        book.settle(order.price_ticks, level, had_orders=True)

    def _trades(self, taker_id: int, aggressor: Side, price_ticks: int, parts: list[Part]) -> list[Trade]:
        trades = []
        for order, lots, remaining in parts:
            maker_id = RECORDED if order is None else order.order_id
            self.last_trade_id += 1
            trades.append(Trade(self.last_trade_id, price_ticks, lots, maker_id, taker_id, aggressor, remaining))
            if order is not None and not remaining:
                del self._orders[maker_id]
        if parts:
            self._touched[aggressor.opposite, price_ticks] = None
        return trades

    def _told(self, trades: list[Trade]) -> Outcome | None:
        if trades:
            lots = sum(trade.qty_lots for trade in trades)
            return self._outcome(RECORDED, OrderStatus.FILLED, lots, 0, tuple(trades))
        self.update_id += bool(self._touched)
        self._touched.clear()
        return None

    def _outcome(
        self,
        order_id: int,
        status: OrderStatus,
        filled_lots: int = 0,
        resting_lots: int = 0,
        trades: tuple[Trade, ...] = (),
    ) -> Outcome:
        changes = []
        for side, price in self._touched:
            level = self._sides[side].get(price)
            changes.append(LevelChange(side, price, level.visible_lots if level else 0))
        self.update_id += bool(changes)
        self._touched.clear()
        return Outcome(order_id, status, filled_lots, resting_lots, trades, tuple(changes), self.update_id)
