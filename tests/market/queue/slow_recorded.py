"""The recorded book's slow obvious twin: flat lists, everything searched and summed anew, takers lot by lot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from common.messages import Side, TimeInForce

#: (maker id, price, lots, maker's rest)
SlowTrade = tuple[int, int, int, int]


@dataclass
class SlowOrder:
    order_id: int
    side: Side
    price: int
    shown: int
    hidden: int
    display: int
    ahead: int = 0
    credit: int = 0


@dataclass
class SlowLevel:
    recorded: int = 0
    printed: int = 0
    taken: int = 0
    credit: int = 0

    @property
    def available(self) -> int:
        return max(0, self.recorded - self.printed - self.taken)


@dataclass
class SlowRecorded:
    rule: Callable[[int, int, int], int]
    #: In the order of their queues; an iceberg's new slice moves to the end.
    orders: list[SlowOrder] = field(default_factory=list)
    levels: dict[tuple[Side, int], SlowLevel] = field(default_factory=dict)
    last_order_id: int = 0

    def at(self, side: Side, price: int) -> SlowLevel:
        return self.levels.setdefault((side, price), SlowLevel())

    def own(self, side: Side, price: int) -> list[SlowOrder]:
        return [o for o in self.orders if (o.side, o.price) == (side, price)]

    def visible(self, side: Side) -> list[tuple[int, int]]:
        prices = {p for s, p in self.levels if s is side} | {o.price for o in self.orders if o.side is side}
        totals = [(p, self.at(side, p).available + sum(o.shown for o in self.own(side, p))) for p in prices]
        return sorted((t for t in totals if t[1]), reverse=side is Side.BUY)

    def fill(self, order: SlowOrder, lots: int, available: int) -> SlowTrade:
        order.shown -= lots
        if not order.shown:
            self.orders.remove(order)
            if order.hidden:
                order.shown = min(order.display, order.hidden)
                order.hidden -= order.shown
                order.ahead, order.credit = available, 0
                self.orders.append(order)
        return order.order_id, order.price, lots, order.shown + order.hidden

    def order(
        self, side: Side, price: int | None, lots: int, tif: TimeInForce, post_only: bool = False, display: int = 0
    ) -> list[SlowTrade]:
        self.last_order_id += 1
        other = side.opposite
        reached = [p for p, _ in self.visible(other) if price is None or (price - p) * side.sign >= 0]
        hidden = sum(o.hidden for p in reached for o in self.own(other, p))
        total = sum(lots for p, lots in self.visible(other) if p in reached) + hidden
        if (post_only and reached) or (tif is TimeInForce.FOK and total < lots):
            return []
        trades: list[SlowTrade] = []
        for p in reached:
            lots -= self.take(other, p, lots, trades)
        if lots and price is not None and tif is TimeInForce.GTC:
            shown = min(lots, display or lots)
            order = SlowOrder(self.last_order_id, side, price, shown, lots - shown, display)
            order.ahead = self.at(side, price).available
            self.orders.append(order)
        return trades

    def take(self, side: Side, price: int, lots: int, trades: list[SlowTrade]) -> int:
        """One lot after the other: the first order with nothing ahead gives it, else the recorded queue does."""
        level = self.at(side, price)
        for got in range(lots):
            queue = self.own(side, price)
            if queue and (queue[0].ahead == 0 or level.available == 0):
                trades.append(self.fill(queue[0], 1, level.available))
            elif level.available:
                level.taken += 1
                trades.append((0, price, 1, 0))
                for order in queue:
                    order.ahead = max(0, order.ahead - 1)
            else:
                return got
        return lots

    def cancel(self, order_id: int) -> None:
        self.orders = [o for o in self.orders if o.order_id != order_id]

    def reduce(self, order_id: int, left: int) -> None:
        for o in self.orders:
            if o.order_id == order_id and left < o.shown + o.hidden:
                o.shown = min(o.shown, left)
                o.hidden = left - o.shown

    def sweep(self, side: Side, price: int, lots: int, trades: list[SlowTrade]) -> int:
        got = 0
        while got < lots and (queue := self.own(side, price)):
            trades.append(self.fill(queue[0], 1, self.at(side, price).available))
            got += 1
        return got

    def own_prices(self, side: Side, limit: int) -> list[int]:
        prices = {o.price for o in self.orders if o.side is side and (o.price - limit) * side.sign >= 0}
        return sorted(prices, reverse=side is Side.BUY)

    def on_level(self, side: Side, price: int, lots: int) -> list[SlowTrade]:
        level, trades = self.at(side, price), []
        expected = max(0, level.recorded - level.printed)
        gone = max(0, expected - lots)
        level.taken = min(lots, max(0, level.taken - gone))
        level.recorded, level.printed, level.credit = lots, 0, gone
        before = 0
        for order in self.own(side, price):
            behind = max(0, expected - order.ahead)
            left = max(self.rule(gone, order.ahead, behind), gone - behind) if gone else 0
            ahead = order.ahead - min(left, order.ahead)
            ahead = min(max(ahead, before), level.available)
            order.credit = max(0, order.ahead - ahead)
            order.ahead = before = ahead
        for p in self.own_prices(side.opposite, price):
            level.taken += self.sweep(side.opposite, p, level.available, trades)
        return trades

    def on_trade(self, price: int, lots: int, aggressor: Side) -> list[SlowTrade]:
        trades: list[SlowTrade] = []
        side, left = aggressor.opposite, lots
        for p in self.own_prices(side, price):
            if p != price:
                left -= self.sweep(side, p, left, trades)
        level = self.at(side, price)
        explained = min(lots, level.credit)
        level.credit -= explained
        available, own = level.available, 0
        done: list[SlowOrder] = []
        while queue := [o for o in self.own(side, price) if o not in done]:
            order = queue[0]
            used = min(order.credit, explained)
            reach = left - used - own - order.ahead
            if reach <= 0:
                break
            got = min(reach, order.shown)
            was_shown = order.shown
            order.ahead, order.credit = 0, order.credit - used
            trades.append(self.fill(order, got, available))
            own += got
            if got < was_shown:
                done.append(order)
        level.printed = min(level.recorded, level.printed + lots - explained)
        for order in self.own(side, price):
            if order not in done:
                used = min(order.credit, explained)
                order.credit -= used
                order.ahead = min(level.available, max(0, order.ahead - max(0, left - used - own)))
        if left > own:
            trades.append((0, price, left - own, 0))
        return trades
