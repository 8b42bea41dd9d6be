"""The matching engine's slow obvious twin: one flat list, sorted anew for every order."""

from __future__ import annotations

from dataclasses import dataclass, field

from common.messages import OrderStatus, Side, TimeInForce


@dataclass
class SlowOrder:
    order_id: int
    side: Side
    price: int
    lots: int


@dataclass
class SlowMatching:
    resting: list[SlowOrder] = field(default_factory=list)
    last_order_id: int = 0
    update_id: int = 0

    def levels(self, side: Side) -> list[tuple[int, int]]:
        totals: dict[int, int] = {}
        for order in self.resting:
            if order.side is side:
                totals[order.price] = totals.get(order.price, 0) + order.lots
        return sorted(totals.items(), reverse=side is Side.BUY)

    def order(
        self, side: Side, price: int | None, lots: int, tif: TimeInForce, post_only: bool = False
    ) -> tuple[OrderStatus, list[tuple[int, int, int]]]:
        """Status and trades as (maker id, price, lots)."""
        self.last_order_id += 1
        before = (self.levels(Side.BUY), self.levels(Side.SELL))
        makers = [
            o
            for o in sorted(self.resting, key=lambda o: (-o.price if side is Side.SELL else o.price, o.order_id))
            if o.side is not side and (price is None or (o.price <= price if side is Side.BUY else o.price >= price))
        ]
        if post_only and makers:
            return OrderStatus.REJECTED, []
        if tif is TimeInForce.FOK and sum(o.lots for o in makers) < lots:
            return OrderStatus.EXPIRED, []
        trades, left = [], lots
        for maker in makers:
            traded = min(left, maker.lots)
            if traded:
                trades.append((maker.order_id, maker.price, traded))
                maker.lots -= traded
                left -= traded
        self.resting = [o for o in self.resting if o.lots]
        if left and price is not None and tif is TimeInForce.GTC:
            self.resting.append(SlowOrder(self.last_order_id, side, price, left))
            status = OrderStatus.PARTIALLY_FILLED if trades else OrderStatus.NEW
        else:
            status = OrderStatus.EXPIRED if left else OrderStatus.FILLED
        self.update_id += before != (self.levels(Side.BUY), self.levels(Side.SELL))
        return status, trades

    def cancel(self, order_id: int) -> bool:
        kept = [o for o in self.resting if o.order_id != order_id]
        found = len(kept) < len(self.resting)
        self.resting = kept
        self.update_id += found
        return found
