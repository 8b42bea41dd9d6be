"""The matching engine: orders in, trades and changed levels out."""

from __future__ import annotations

from collections.abc import Iterator

from common.messages.base import Side
from common.messages.orders import OrderStatus, TimeInForce
from market.matching.book_side import BookSide, RestingOrder
from market.matching.events import Depth, DepthDiff, LevelChange, Outcome, Touch, Trade


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

    __slots__ = (
        "_changed",
        "_drained_id",
        "_orders",
        "_sides",
        "_touched",
        "last_order_id",
        "last_trade_id",
        "update_id",
    )

    def __init__(self) -> None:
        self._sides = {side: BookSide(side) for side in Side}
        self._orders: dict[int, RestingOrder] = {}
        self._touched: dict[tuple[Side, int], None] = {}
        self._changed: dict[Side, set[int]] = {side: set() for side in Side}
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
        check_limit(price_ticks, time_in_force, post_only=post_only, display_lots=display_lots)
        order_id = self._accept(qty_lots)
        other = self._sides[side.opposite]
        if post_only and other.is_reached_by(price_ticks):
            return self._outcome(order_id, OrderStatus.REJECTED)
        if time_in_force is TimeInForce.FOK and other.lots_within(price_ticks, qty_lots) < qty_lots:
            return self._outcome(order_id, OrderStatus.EXPIRED)
        trades, left = self._match(order_id, side, price_ticks, qty_lots)
        if left and time_in_force is TimeInForce.GTC:
            order = RestingOrder(order_id, side, price_ticks, left, display_lots)
            self._orders[order_id] = order
            self._sides[side].add(order)
            self._touched[side, price_ticks] = None
            status = OrderStatus.PARTIALLY_FILLED if trades else OrderStatus.NEW
            return self._outcome(order_id, status, qty_lots - left, left, trades)
        status = OrderStatus.EXPIRED if left else OrderStatus.FILLED
        return self._outcome(order_id, status, qty_lots - left, 0, trades)

    def market(self, side: Side, qty_lots: int) -> Outcome:
        """Trade up to `qty_lots` at any price; what the book cannot fill expires.

        Raises:
            ValueError: a quantity that is not positive.
        """
        order_id = self._accept(qty_lots)
        trades, left = self._match(order_id, side, None, qty_lots)
        status = OrderStatus.EXPIRED if left else OrderStatus.FILLED
        return self._outcome(order_id, status, qty_lots - left, 0, trades)

    def cancel(self, order_id: int) -> Outcome | None:
        """Take a resting order out of the book; None when no such order rests."""
        order = self._orders.pop(order_id, None)
        if order is None:
            return None
        self._sides[order.side].reduce(order, order.remaining_lots)
        self._touched[order.side, order.price_ticks] = None
        return self._outcome(order_id, OrderStatus.CANCELED)

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
        if self._sides[order.side].reduce(order, order.remaining_lots - left_lots):
            self._touched[order.side, order.price_ticks] = None
        return self._outcome(order_id, OrderStatus.NEW, 0, left_lots)

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
        for order in self._sides[side].orders():
            yield order.order_id, order.price_ticks, order.remaining_lots

    @property
    def order_count(self) -> int:
        """Orders resting in the book."""
        return len(self._orders)

    def best_ticks(self, side: Side) -> int | None:
        """Highest bid (BUY) or lowest ask (SELL)."""
        return self._sides[side].best_ticks

    def touch(self) -> Touch:
        """Best bid and ask."""
        bids, asks = self._sides[Side.BUY], self._sides[Side.SELL]
        bid, ask = bids.best_ticks or 0, asks.best_ticks or 0
        return Touch(bid, bids.qty_at(bid), ask, asks.qty_at(ask))

    def depth(self, levels: int | None = None) -> Depth:
        """The best `levels` of both sides (None: the full book) and the id they stand for."""
        return Depth(self.update_id, self._sides[Side.BUY].top(levels), self._sides[Side.SELL].top(levels))

    def drain_changes(self) -> DepthDiff | None:
        """Every level changed since last asked, with its present total; None when the book has not changed."""
        if self._drained_id == self.update_id:
            return None
        levels = {
            side: [(price, book.qty_at(price)) for price in sorted(self._changed[side], reverse=side is Side.BUY)]
            for side, book in self._sides.items()
        }
        diff = DepthDiff(self._drained_id + 1, self.update_id, levels[Side.BUY], levels[Side.SELL])
        self._drained_id = self.update_id
        for prices in self._changed.values():
            prices.clear()
        return diff

    def _accept(self, qty_lots: int) -> int:
        if qty_lots <= 0:
            raise ValueError(f"an order's quantity must be positive, not {qty_lots} lots")
        self.last_order_id += 1
        return self.last_order_id

    def _match(self, taker_id: int, side: Side, limit_ticks: int | None, left: int) -> tuple[tuple[Trade, ...], int]:
        other = self._sides[side.opposite]
        trades: list[Trade] = []
        while left and other.is_reached_by(limit_ticks):
            price = other.best_ticks
            level = other.level(price) if price is not None else None
            assert price is not None and level is not None
            self._touched[other.side, price] = None
            while left and level.qty_lots:
                maker = level.oldest
                lots = min(left, maker.shown_lots)
                other.trade(maker, lots)
                left -= lots
                self.last_trade_id += 1
                remaining = maker.remaining_lots
                trades.append(Trade(self.last_trade_id, price, lots, maker.order_id, taker_id, side, remaining))
                if not remaining:
                    del self._orders[maker.order_id]
        return tuple(trades), left

    def _outcome(
        self,
        order_id: int,
        status: OrderStatus,
        filled_lots: int = 0,
        resting_lots: int = 0,
        trades: tuple[Trade, ...] = (),
    ) -> Outcome:
        changes = tuple(LevelChange(s, price, self._sides[s].qty_at(price)) for s, price in self._touched)
        if changes:
            self.update_id += 1
            for side, price in self._touched:
                self._changed[side].add(price)
            self._touched.clear()
        return Outcome(order_id, status, filled_lots, resting_lots, trades, changes, self.update_id)
