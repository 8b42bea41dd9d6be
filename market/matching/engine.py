"""The matching engine: orders in, trades and changed levels out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from common.messages.base import Side
from common.messages.orders import OrderStatus, TimeInForce
from market.matching.book_side import BookSide, PriceLevel, RestingOrder
from market.matching.events import Depth, DepthDiff, LevelChange, Outcome, Touch, Trade

_BUY: Final = Side.BUY
_GTC: Final = TimeInForce.GTC
#: A key below that of any price: a market order's limit.
_ANY_KEY: Final = -(1 << 62)
#: What NamedTuple's constructor calls; without its own frame a third of an order's time is saved.
_new: Final = tuple.__new__


def check_limit(price_ticks: int, time_in_force: TimeInForce, *, post_only: bool, display_lots: int) -> None:
    """Raises ValueError where a limit order's terms are nonsense."""
    if price_ticks <= 0:
        raise ValueError(f"a limit price must be positive, not {price_ticks} ticks")
    if display_lots < 0:
        raise ValueError(f"an iceberg shows a positive quantity, not {display_lots} lots")
    if (post_only or display_lots) and time_in_force is not TimeInForce.GTC:
        kind = "a post-only" if post_only else "an iceberg"
        raise ValueError(f"{kind} order waits in the book; it cannot be {time_in_force}")


class MatchingEngine:
    """A continuous double auction of one instrument with price-time priority.

    Best price first, oldest order first within a price, trades at the resting order's price. An iceberg shows one
    slice at a time; each slice queues anew, and hidden lots trade before any worse price does. Depth, touch and level
    totals are what is shown. The engine numbers orders, trades and book changes itself, each 1, 2, 3, ...: an
    accepted order that changes several levels is one change. Who owns an order is the caller's business.
    """

    __slots__ = ("_asks", "_bids", "_drained_id", "_orders", "last_order_id", "last_trade_id", "update_id")

    def __init__(self) -> None:
        self._bids = BookSide(Side.BUY)
        self._asks = BookSide(Side.SELL)
        self._orders: dict[int, RestingOrder] = {}
        self._drained_id = 0
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
        """Trade up to `qty_lots` at `price_ticks` or better; what is left waits (GTC) or expires (IOC, FOK).

        FOK trades all or nothing, hidden lots included. Post-only never takes: it is rejected instead. Of what waits
        only `display_lots` are shown at a time (0: all).

        Raises:
            ValueError: a price or quantity that is not positive, a negative `display_lots`, or an IOC or FOK that is
                post-only or an iceberg.
        """
        if price_ticks <= 0 or post_only or display_lots:
            check_limit(price_ticks, time_in_force, post_only=post_only, display_lots=display_lots)
        order_id = self._accept(qty_lots)
        own, other = (self._bids, self._asks) if side is _BUY else (self._asks, self._bids)
        trades: tuple[Trade, ...] = ()
        changes: tuple[LevelChange, ...] = ()
        left, status = qty_lots, OrderStatus.NEW
        if other.keys and other.keys[-1] >= price_ticks * other.sign:
            if post_only:
                return self._outcome(order_id, OrderStatus.REJECTED)
            if time_in_force is TimeInForce.FOK and other.lots_within(price_ticks, qty_lots) < qty_lots:
                return self._outcome(order_id, OrderStatus.EXPIRED)
            trades, changes, left = self._match(other, price_ticks * other.sign, order_id, side, qty_lots)
            status = OrderStatus.PARTIALLY_FILLED if left else OrderStatus.FILLED
        if not left:
            return self._outcome(order_id, status, qty_lots, 0, trades, changes)
        if time_in_force is not _GTC:
            return self._outcome(order_id, OrderStatus.EXPIRED, qty_lots - left, 0, trades, changes)
        order = self._orders[order_id] = RestingOrder(order_id, side, price_ticks, left, display_lots)
        total = own.add(order)
        changes += (_new(LevelChange, (side, price_ticks, total)),)
        return self._outcome(order_id, status, qty_lots - left, left, trades, changes)

    def market(self, side: Side, qty_lots: int) -> Outcome:
        """Trade up to `qty_lots` at any price; what the book cannot fill expires.

        Raises:
            ValueError: a quantity that is not positive.
        """
        order_id = self._accept(qty_lots)
        other = self._asks if side is _BUY else self._bids
        trades, changes, left = self._match(other, _ANY_KEY, order_id, side, qty_lots)
        status = OrderStatus.EXPIRED if left else OrderStatus.FILLED
        return self._outcome(order_id, status, qty_lots - left, 0, trades, changes)

    def cancel(self, order_id: int) -> Outcome | None:
        """Take a resting order out of the book; None when no such order rests."""
        order = self._orders.pop(order_id, None)
        if order is None:
            return None
        return self._shrink(order, order.shown_lots + order.hidden_lots, OrderStatus.CANCELED, 0)

    def reduce(self, order_id: int, left_lots: int) -> Outcome | None:
        """Leave `left_lots` of a resting order in its place, hidden lots going first; None when no such order rests.

        Raises:
            ValueError: `left_lots` is not positive or not less than what remains.
        """
        order = self._orders.get(order_id)
        if order is None:
            return None
        if not 0 < left_lots < order.remaining_lots:
            raise ValueError(f"{left_lots} lots do not make order {order_id} of {order.remaining_lots} lots smaller")
        return self._shrink(order, order.remaining_lots - left_lots, OrderStatus.NEW, left_lots)

    def remaining_lots(self, order_id: int) -> int:
        """What of an order rests in the book, hidden lots too; 0 when nothing does."""
        order = self._orders.get(order_id)
        return order.remaining_lots if order else 0

    def shown_lots(self, order_id: int) -> int:
        """What a resting order shows, which is what it can trade before others have their turn; 0 when none rests."""
        order = self._orders.get(order_id)
        return order.shown_lots if order else 0

    def queue(self, side: Side) -> Iterator[tuple[int, int, int]]:
        """(order_id, price_ticks, lots) of resting orders as found: best price first, then as queued.

        `lots` counts hidden ones, which trade only after the rest of their level. The book must not change meanwhile.
        """
        for order in self._side(side).orders():
            yield order.order_id, order.price_ticks, order.remaining_lots

    @property
    def order_count(self) -> int:
        """Orders resting in the book."""
        return len(self._orders)

    def best_ticks(self, side: Side) -> int | None:
        """Highest bid (BUY) or lowest ask (SELL)."""
        return self._side(side).best_ticks

    def touch(self) -> Touch:
        """Best bid and ask."""
        bids, asks = self._bids, self._asks
        bid, ask = bids.best_ticks or 0, asks.best_ticks or 0
        return Touch(bid, bids.qty_at(bid), ask, asks.qty_at(ask))

    def depth(self, levels: int | None = None) -> Depth:
        """The best `levels` of both sides (None: the full book) and the id they stand for."""
        return Depth(self.update_id, self._bids.top(levels), self._asks.top(levels))

    def drain_changes(self) -> DepthDiff | None:
        """Every level changed since last asked, with its present total; None when the book has not changed."""
        if self._drained_id == self.update_id:
            return None
        bids, asks = (
            [(price, book.qty_at(price)) for price in sorted(book.changed, reverse=book.side is _BUY)]
            for book in (self._bids, self._asks)
        )
        diff = DepthDiff(self._drained_id + 1, self.update_id, bids, asks)
        self._drained_id = self.update_id
        self._bids.changed.clear()
        self._asks.changed.clear()
        return diff

    def _side(self, side: Side) -> BookSide:
        return self._bids if side is _BUY else self._asks

    def _accept(self, qty_lots: int) -> int:
        if qty_lots <= 0:
            raise ValueError(f"an order's quantity must be positive, not {qty_lots} lots")
        self.last_order_id += 1
        return self.last_order_id

    def _shrink(self, order: RestingOrder, lots: int, status: OrderStatus, left_lots: int) -> Outcome:
        total = self._side(order.side).reduce(order, lots)
        if total is None:
            return self._outcome(order.order_id, status, 0, left_lots)
        change: LevelChange = _new(LevelChange, (order.side, order.price_ticks, total))
        return self._outcome(order.order_id, status, 0, left_lots, (), (change,))

    def _match(
        self, other: BookSide, limit_key: int, taker_id: int, aggressor: Side, left: int
    ) -> tuple[tuple[Trade, ...], tuple[LevelChange, ...], int]:
        """Trade with `other` down to `limit_key`: trades, levels changed, lots left."""
        keys, orders, trade_id = other.keys, self._orders, self.last_trade_id
        trades: list[Trade] = []
        changes: list[LevelChange] = []
        while left and keys and keys[-1] >= limit_key:
            price = keys[-1] * other.sign
            level = other.levels[price]
            queue = level.queue
            while left and level.qty_lots:
                maker = queue[0]
                lots = maker.shown_lots
                if lots > left:
                    lots = left
                    maker.shown_lots -= lots
                else:
                    queue.popleft()
                    if not lots:
                        level.gone -= 1
                        continue
                    maker.shown_lots = 0
                    if maker.hidden_lots:
                        self._show_next(level, maker)
                    else:
                        del orders[maker.order_id]
                level.qty_lots -= lots
                left -= lots
                trade_id += 1
                remaining = maker.shown_lots + maker.hidden_lots
                trades.append(_new(Trade, (trade_id, price, lots, maker.order_id, taker_id, aggressor, remaining)))
            if not level.qty_lots:
                keys.pop()
                del other.levels[price]
            other.changed.add(price)
            changes.append(_new(LevelChange, (other.side, price, level.qty_lots)))
        self.last_trade_id = trade_id
        return tuple(trades), tuple(changes), left

    def _show_next(self, level: PriceLevel, iceberg: RestingOrder) -> None:
        """An iceberg's next slice goes to the end of its level's queue."""
        lots = iceberg.shown_lots = min(iceberg.display_lots, iceberg.hidden_lots)
        iceberg.hidden_lots -= lots
        level.hidden_lots -= lots
        level.qty_lots += lots
        level.queue.append(iceberg)

    def _outcome(
        self,
        order_id: int,
        status: OrderStatus,
        filled_lots: int = 0,
        resting_lots: int = 0,
        trades: tuple[Trade, ...] = (),
        changes: tuple[LevelChange, ...] = (),
    ) -> Outcome:
        if changes:
            self.update_id += 1
        return _new(Outcome, (order_id, status, filled_lots, resting_lots, trades, changes, self.update_id))
