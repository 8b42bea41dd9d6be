"""The one place where reports are made, and where made or journalled reports move orders and positions.

A report id is the order's id, what happened and the quantity filled by then: no two reports of one life agree in all
three, the same fact told again has the same id, and a life that begins without its journal and tells another story
(an order filled before, EXPIRED now) does not hide it behind an id that is known already.
`trace_id` and `origin_ns` are those of the message that caused it: the approval, or the cancel.
"""

from __future__ import annotations

from common.messages import ApprovedOrder, CancelOrder, ExecType, ExecutionReport, ExecutionState
from market.position import PositionLedger
from services.execution_engine.order_states import IllegalTransition
from services.execution_engine.orders import Order, OrderTable
from services.execution_engine.paper_broker import BrokerEvent


class Reporter:
    """Orders, positions and what has been said about them."""

    def __init__(self) -> None:
        self.table = OrderTable()
        self.ledger = PositionLedger()
        self.fills = 0
        self.illegal_transitions = 0
        self.last_illegal = ""
        #: Set when a fill or an end has changed what `state` says; whoever publishes it clears it.
        self.has_news = False
        self._event_ns = 0

    def own(
        self, order: Order, exec_type: ExecType, cause: ApprovedOrder | CancelOrder, reason: str, qty_lots: int = 0
    ) -> list[ExecutionReport]:
        """What we decided ourselves: the intent, or the end of an order that was never sent.

        `qty_lots` is what will be asked of the venue, where it differs from what was approved.
        """
        return self._say(order, exec_type, cause, reason, BrokerEvent("", exec_type, cause.event_ns), qty_lots)

    def venue(self, order: Order, event: BrokerEvent, fee_asset: str) -> list[ExecutionReport]:
        """What the venue says."""
        cause: ApprovedOrder | CancelOrder = order.approved
        reason = event.reason
        if event.exec_type is ExecType.CANCELED and order.cancel is not None:
            cause, reason = order.cancel, order.cancel.reason
        return self._say(order, event.exec_type, cause, reason, event, 0, fee_asset)

    def _say(
        self,
        order: Order,
        exec_type: ExecType,
        cause: ApprovedOrder | CancelOrder,
        reason: str,
        event: BrokerEvent,
        qty_lots: int,
        fee_asset: str = "",
    ) -> list[ExecutionReport]:
        """One report, applied to our own books; none when the state table forbids it or it says nothing new."""
        approved, cum_qty_lots = order.approved, order.cum_qty_lots + event.last_qty_lots
        try:
            report = ExecutionReport(
                event_ns=event.event_ns,
                origin_ns=cause.origin_ns,
                trace_id=cause.trace_id,
                venue=approved.venue,
                symbol=approved.symbol,
                report_id=f"{approved.order_id}.{exec_type}.{cum_qty_lots}",
                order_id=approved.order_id,
                venue_order_id=f"paper-{approved.order_id}" if event.order_id else "",
                strategy=approved.strategy,
                purpose=approved.purpose,
                exec_type=exec_type,
                status=order.status_after(exec_type, event.last_qty_lots),
                side=approved.side,
                order_type=approved.order_type,
                qty_lots=qty_lots or order.qty_lots,
                limit_ticks=approved.limit_ticks,
                last_qty_lots=event.last_qty_lots,
                last_price_ticks=event.last_price_ticks,
                cum_qty_lots=cum_qty_lots,
                fee_e8=event.fee_e8,
                fee_asset=fee_asset if event.last_qty_lots else "",
                is_maker=event.is_maker,
                reason=reason,
            )
            return [report] if self.apply(report) else []
        except IllegalTransition as problem:
            self.illegal_transitions += 1
            self.last_illegal = str(problem)
            return []

    def apply(self, report: ExecutionReport) -> bool:
        """Move order and position; False when the report says nothing new. Raises IllegalTransition."""
        if not self.table.apply(report):
            return False
        self._event_ns = max(self._event_ns, report.event_ns)
        if report.exec_type is ExecType.TRADE:
            self.fills += 1
            self.ledger.apply_fill(
                report.venue, report.symbol, report.side, report.last_qty_lots, report.last_price_ticks, report.fee_e8
            )
        self.has_news |= report.last_qty_lots > 0 or report.status.is_terminal
        return True

    def state(self, now_ns: int) -> ExecutionState:
        """Our own view, now."""
        return ExecutionState(
            event_ns=self._event_ns,
            origin_ns=now_ns,
            trace_id=0,
            positions=self.ledger.lines(),
            orders=self.table.counts(),
            open_order_ids=self.table.open_ids(),
        )
