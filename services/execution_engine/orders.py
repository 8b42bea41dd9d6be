"""The order book-keeping: every order this engine has taken in, and what has become of it.

The client order id is the approval's `order_id`: it derives from facts, so the same approval seen twice is the same
order. Orders that live are kept whole; of the ended ones the latest are kept whole (late fills, questions) and the
ids of many more, so that an approval that comes again is known. An id older than that is harmless: its
`valid_until_ns` has long passed, and an order past it is never sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from common.messages import ApprovedOrder, CancelOrder, ExecType, ExecutionReport, OrderStatus
from common.units import NS_PER_S
from services.execution_engine.order_states import IllegalTransition, next_status

#: Ended orders kept whole.
ENDED_KEPT: Final = 4_096
#: Order ids remembered.
IDS_KEPT: Final = 200_000
#: Later than any time there is.
FAR_FUTURE_NS: Final = 2**63 - 1


class Order:
    """One order and its progress. Changed by `OrderTable.apply` alone."""

    __slots__ = ("approved", "cancel", "cum_qty_lots", "qty_lots", "report_ids", "status")

    def __init__(self, approved: ApprovedOrder) -> None:
        self.approved = approved
        #: What is asked of the venue; a reduce-only order may ask for less than was approved.
        self.qty_lots = approved.qty_lots
        self.status: OrderStatus | None = None
        self.cum_qty_lots = 0
        self.report_ids: set[str] = set()
        #: Risk's wish to have it gone, if any.
        self.cancel: CancelOrder | None = None

    @property
    def is_open(self) -> bool:
        """True until the order has ended."""
        return self.status is None or not self.status.is_terminal

    @property
    def leaves_lots(self) -> int:
        """What may still fill."""
        return self.qty_lots - self.cum_qty_lots if self.is_open else 0

    @property
    def may_have_been_sent(self) -> bool:
        """False when nothing was said of it yet, or at once its end."""
        return self.status is not None and (self.is_open or len(self.report_ids) > 1)

    def sent_by_ns(self) -> Iterator[int]:
        """The latest local times at which its request, and that to cancel it, may have gone out.

        Reports carry no time of sending, so it is bounded by what is known: an order is never sent after
        `valid_until_ns`; a cancel, which goes before all orders, waits one window of the rate limit at most unless
        there are more cancels than tokens, and one that has not worked yet may be on its way just now.
        """
        if self.may_have_been_sent:
            yield self.approved.valid_until_ns
            if self.cancel is not None:
                yield FAR_FUTURE_NS if self.is_open else self.cancel.origin_ns + NS_PER_S

    def status_after(self, exec_type: ExecType, last_qty_lots: int = 0) -> OrderStatus:
        """Where a report would lead. Raises IllegalTransition."""
        completes = self.cum_qty_lots + last_qty_lots == self.qty_lots
        return next_status(self.status, exec_type, completes=completes)


class OrderTable:
    """All orders by id."""

    def __init__(self, *, ended_kept: int = ENDED_KEPT, ids_kept: int = IDS_KEPT) -> None:
        self._open: dict[str, Order] = {}
        self._ended: dict[str, Order] = {}
        self._ids: dict[str, None] = {}
        self._ended_kept = ended_kept
        self._ids_kept = ids_kept
        self._counts: Counter[OrderStatus] = Counter()
        self.accepted = 0

    def accept(self, approved: ApprovedOrder) -> Order | None:
        """Take in an approval; None when its order id is known already."""
        order_id = approved.order_id
        if order_id in self._ids or order_id in self._open:
            return None
        self._ids[order_id] = None
        if len(self._ids) > self._ids_kept:
            del self._ids[next(iter(self._ids))]
        order = self._open[order_id] = Order(approved)
        self.accepted += 1
        return order

    def get(self, order_id: str) -> Order | None:
        """The order, if it is open or among the latest ended ones."""
        return self._open.get(order_id) or self._ended.get(order_id)

    def open_orders(self) -> tuple[Order, ...]:
        """Every order that has not ended, oldest first."""
        return tuple(self._open.values())

    def open_ids(self) -> tuple[str, ...]:
        """Their ids."""
        return tuple(self._open)

    def sent_by_ns(self) -> list[int]:
        """Of every request that may have gone out, the latest local time at which it did; in no order."""
        return [at_ns for orders in (self._ended, self._open) for o in orders.values() for at_ns in o.sent_by_ns()]

    def counts(self) -> dict[str, int]:
        """Orders by status, the ended ones of all times included."""
        return {status.value: n for status, n in sorted(self._counts.items()) if n}

    def apply(self, report: ExecutionReport) -> bool:
        """Take in one report; False when it says nothing new (seen before, or overtaken by later facts).

        Raises:
            IllegalTransition: the table forbids it, a fill is missing before it, it fills more than was ordered, or
                it is about an order that is not known. Nothing was changed.
        """
        order = self.get(report.order_id)
        if order is None:
            raise IllegalTransition(f"report {report.report_id} is about the unknown order {report.order_id}")
        if report.report_id in order.report_ids:
            return False
        is_trade = report.exec_type is ExecType.TRADE
        if is_trade and report.cum_qty_lots <= order.cum_qty_lots:
            return False
        self._check_quantity(order, report)
        after = order.status_after(report.exec_type, report.last_qty_lots)
        if after is order.status and not is_trade:
            return False
        if after is not report.status:
            raise IllegalTransition(f"report {report.report_id} says {report.status}; the table says {after}")
        self._advance(order, report)
        return True

    @staticmethod
    def _check_quantity(order: Order, report: ExecutionReport) -> None:
        filled = report.last_qty_lots if report.exec_type is ExecType.TRADE else 0
        if report.cum_qty_lots > order.cum_qty_lots + filled:
            raise IllegalTransition(
                f"report {report.report_id} counts {report.cum_qty_lots} lots filled, we know of "
                f"{order.cum_qty_lots + filled}: a fill between is missing"
            )
        if report.cum_qty_lots < order.cum_qty_lots + filled and filled:
            raise IllegalTransition(f"report {report.report_id} overlaps fills that are counted already")
        if report.cum_qty_lots > order.qty_lots:
            raise IllegalTransition(f"report {report.report_id} fills more than the {order.qty_lots} lots ordered")

    def _advance(self, order: Order, report: ExecutionReport) -> None:
        if order.status is None:
            order.qty_lots = report.qty_lots
        else:
            self._counts[order.status] -= 1
        self._counts[report.status] += 1
        was_open = order.is_open
        order.report_ids.add(report.report_id)
        order.status = report.status
        order.cum_qty_lots = max(order.cum_qty_lots, report.cum_qty_lots)
        if was_open and not order.is_open:
            self._end(order)

    def _end(self, order: Order) -> None:
        order_id = order.approved.order_id
        del self._open[order_id]
        self._ended[order_id] = order
        if len(self._ended) > self._ended_kept:
            del self._ended[next(iter(self._ended))]
