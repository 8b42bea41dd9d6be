"""The matching engine's slow obvious twin: one flat list, searched anew for every trade."""

from __future__ import annotations

from dataclasses import dataclass, field

from common.messages import OrderStatus, Side, TimeInForce


@dataclass
class SlowOrder:
    order_id: int
    side: Side
    price: int
    shown: int
    hidden: int
    display: int
    #: Counts up with every order and every slice that joins a queue.
    place: int

    @property
    def lots(self) -> int:
        return self.shown + self.hidden


@dataclass
class SlowMatching:
    resting: list[SlowOrder] = field(default_factory=list)
    last_order_id: int = 0
    last_place: int = 0
    update_id: int = 0

    def levels(self, side: Side) -> list[tuple[int, int]]:
        totals: dict[int, int] = {}
        for order in self.resting:
            if order.side is side:
                totals[order.price] = totals.get(order.price, 0) + order.shown
        return sorted(totals.items(), reverse=side is Side.BUY)

    def queue(self, side: Side) -> list[tuple[int, int, int]]:
        makers = [o for o in self.resting if o.side is side]
        makers.sort(key=lambda o: (-side.sign * o.price, o.place))
        return [(o.order_id, o.price, o.lots) for o in makers]

    def order(
        self, side: Side, price: int | None, lots: int, tif: TimeInForce, post_only: bool = False, display: int = 0
    ) -> tuple[OrderStatus, list[tuple[int, int, int]]]:
        """Status and trades as (maker id, price, lots)."""
        self.last_order_id += 1
        reached = [o for o in self.resting if self._meet(o, side, price)]
        if post_only and reached:
            return OrderStatus.REJECTED, []
        if tif is TimeInForce.FOK and sum(o.lots for o in reached) < lots:
            return OrderStatus.EXPIRED, []
        trades, left = [], lots
        while left and reached:
            maker = min(reached, key=lambda o: (side.sign * o.price, o.place))
            traded = min(left, maker.shown)
            trades.append((maker.order_id, maker.price, traded))
            maker.shown -= traded
            left -= traded
            if not maker.shown:
                self._show(maker)
            reached = [o for o in reached if o.lots]
        self.resting = [o for o in self.resting if o.lots]
        rests = left > 0 and price is not None and tif is TimeInForce.GTC
        self.update_id += bool(trades) or rests
        if rests:
            self.resting.append(SlowOrder(self.last_order_id, side, price, 0, left, display or left, 0))
            self._show(self.resting[-1])
            return (OrderStatus.PARTIALLY_FILLED if trades else OrderStatus.NEW), trades
        return (OrderStatus.EXPIRED if left else OrderStatus.FILLED), trades

    def _meet(self, maker: SlowOrder, side: Side, price: int | None) -> bool:
        return maker.side is not side and (price is None or (price - maker.price) * side.sign >= 0)

    def _show(self, order: SlowOrder) -> None:
        order.shown = min(order.display, order.hidden)
        order.hidden -= order.shown
        self.last_place += 1
        order.place = self.last_place

    def reduce(self, order_id: int, left: int) -> OrderStatus | None:
        """None: refused."""
        for order in self.resting:
            if order.order_id == order_id:
                if not 0 < left < order.lots:
                    return None
                shown = min(order.shown, left)
                self.update_id += shown < order.shown
                order.shown, order.hidden = shown, left - shown
                return OrderStatus.NEW
        return OrderStatus.UNKNOWN

    def cancel(self, order_id: int) -> bool:
        kept = [o for o in self.resting if o.order_id != order_id]
        found = len(kept) < len(self.resting)
        self.resting = kept
        self.update_id += found
        return found
