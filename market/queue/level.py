"""One price of a recorded side: what the recording shows there, and the clients' orders queued among it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from common.messages.base import Side
from market.matching.book_side import RestingOrder
from market.queue.cancels import CancelRule


class QueuedOrder(RestingOrder):
    """A client's order with its estimated place: recorded lots that trade before it does."""

    __slots__ = ("ahead_lots", "credited_lots")

    def __init__(self, order_id: int, side: Side, price_ticks: int, lots: int, display_lots: int = 0) -> None:
        super().__init__(order_id, side, price_ticks, lots, display_lots)
        self.ahead_lots = 0
        #: Of the cancels that last moved it forward, those that may yet turn out to be trades.
        self.credited_lots = 0


class Part(NamedTuple):
    """Lots of a level given to a taker: by a client's order, or (None) by the recorded queue."""

    order: QueuedOrder | None
    qty_lots: int
    remaining_lots: int


class QueueLevel:
    """The queue at one price.

    `recorded_lots` is the quantity last reported. `printed_lots` of it traded since, and `taken_lots` of it went to
    clients; neither is shown by a report yet. `credit_lots` left at the last report without a trade, so far.
    """

    __slots__ = ("credit_lots", "orders", "printed_lots", "recorded_lots", "shown_lots", "taken_lots")

    def __init__(self) -> None:
        self.recorded_lots = 0
        self.printed_lots = 0
        self.taken_lots = 0
        self.credit_lots = 0
        #: Clients' orders, first in first out.
        self.orders: dict[int, QueuedOrder] = {}
        #: What they show.
        self.shown_lots = 0

    @property
    def available_lots(self) -> int:
        """Recorded lots a client's taker may still have."""
        return max(0, self.recorded_lots - self.printed_lots - self.taken_lots)

    @property
    def visible_lots(self) -> int:
        """Recorded and clients' lots, as a client sees the level."""
        return self.available_lots + self.shown_lots

    @property
    def is_empty(self) -> bool:
        """Nothing left to remember."""
        return not (self.recorded_lots or self.orders)

    def queue(self) -> Iterator[tuple[int, int]]:
        """(order id, lots, hidden ones too) in the order of the queue; recorded lots under 0."""
        available, told = self.available_lots, 0
        for order in self.orders.values():
            if (step := min(order.ahead_lots, available) - told) > 0:
                told += step
                yield 0, step
            yield order.order_id, order.remaining_lots
        if available > told:
            yield 0, available - told

    def join(self, order: QueuedOrder) -> None:
        """Queue a client's order behind everything that is there."""
        order.ahead_lots, order.credited_lots = self.available_lots, 0
        self.orders[order.order_id] = order
        self.shown_lots += order.shown_lots

    def reduce(self, order: QueuedOrder, lots: int) -> bool:
        """Take `lots` out of an order, the hidden ones first; its place is kept. True when fewer are shown."""
        hidden = min(lots, order.hidden_lots)
        order.hidden_lots -= hidden
        order.shown_lots -= lots - hidden
        self.shown_lots -= lots - hidden
        if not order.shown_lots:
            del self.orders[order.order_id]
        return lots > hidden

    def report(self, qty_lots: int, rule: CancelRule) -> None:
        """The recording shows the level anew. What it lost beyond the trades printed was cancelled."""
        expected = max(0, self.recorded_lots - self.printed_lots)
        cancelled = max(0, expected - qty_lots)
        # Cancelled lots may have been those a client already had: then nothing else is missing.
        self.taken_lots = min(qty_lots, max(0, self.taken_lots - cancelled))
        self.recorded_lots, self.printed_lots, self.credit_lots = qty_lots, 0, cancelled
        available, least = self.available_lots, 0
        for order in self.orders.values():
            ahead = order.ahead_lots
            behind = max(0, expected - ahead)
            gone = min(ahead, max(rule(cancelled, ahead, behind), cancelled - behind)) if cancelled else 0
            # Never before an order of ours that is ahead of it.
            order.ahead_lots = least = min(available, max(least, ahead - gone))
            order.credited_lots = max(0, ahead - order.ahead_lots)

    def take(self, lots: int) -> list[Part]:
        """A client takes up to `lots` here, in the order of the queue."""
        parts: list[Part] = []
        available, eaten, left = self.available_lots, 0, lots
        queue = deque(self.orders.values())
        while left and queue:
            order = queue.popleft()
            step = min(left, max(0, min(order.ahead_lots, available) - eaten))
            if step:
                eaten += step
                left -= step
                parts.append(Part(None, step, 0))
            if left:
                got = min(left, order.shown_lots)
                left -= got
                if self._fill(order, got, available):
                    queue.append(order)
                parts.append(Part(order, got, order.remaining_lots))
        if left and (step := min(left, available - eaten)):
            eaten += step
            parts.append(Part(None, step, 0))
        self.taken_lots += eaten
        for order in self.orders.values():
            order.ahead_lots = max(0, order.ahead_lots - eaten)
        return parts

    def hit(self, lots: int, printed_lots: int) -> list[Part]:
        """A recorded taker reaches this price with `lots` left of the `printed_lots` that traded here.

        Only clients' parts are told. A trade printed after the report that already showed its lots gone moves an
        order no farther than that report did.
        """
        explained = min(printed_lots, self.credit_lots)
        self.credit_lots -= explained
        available, own = self.available_lots, 0
        parts: list[Part] = []
        queue = deque(self.orders.values())
        while queue:
            order = queue[0]
            used = min(order.credited_lots, explained)
            reach = lots - used - own - order.ahead_lots
            if reach <= 0:
                break
            queue.popleft()
            got = min(reach, order.shown_lots)
            own += got
            order.ahead_lots, order.credited_lots = 0, order.credited_lots - used
            if self._fill(order, got, available):
                queue.append(order)
            parts.append(Part(order, got, order.remaining_lots))
        self.printed_lots = min(self.recorded_lots, self.printed_lots + printed_lots - explained)
        for order in queue:
            used = min(order.credited_lots, explained)
            order.credited_lots -= used
            order.ahead_lots = min(self.available_lots, max(0, order.ahead_lots - max(0, lots - used - own)))
        return parts

    def sweep(self, lots: int) -> list[Part]:
        """Whoever comes trades past this price, or against it: clients' orders get up to `lots`, in their order."""
        parts: list[Part] = []
        queue = deque(self.orders.values())
        while lots and queue:
            order = queue.popleft()
            got = min(lots, order.shown_lots)
            lots -= got
            if self._fill(order, got, self.available_lots):
                queue.append(order)
            parts.append(Part(order, got, order.remaining_lots))
        return parts

    def _fill(self, order: QueuedOrder, lots: int, behind_lots: int) -> bool:
        """Take `lots` of what an order shows. True when its next slice has joined the queue, behind `behind_lots`."""
        order.shown_lots -= lots
        self.shown_lots -= lots
        if order.shown_lots:
            return False
        del self.orders[order.order_id]
        if not order.hidden_lots:
            return False
        order.shown_lots = min(order.display_lots, order.hidden_lots)
        order.hidden_lots -= order.shown_lots
        self.shown_lots += order.shown_lots
        order.ahead_lots, order.credited_lots = behind_lots, 0
        self.orders[order.order_id] = order
        return True
