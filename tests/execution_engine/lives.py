"""A stage with a journal, that can be killed and started again, and a witness of all it ever published."""

from __future__ import annotations

from typing import Any

from common.config import ExecutionConfig
from common.messages import ApprovedOrder, BookUpdate, CancelOrder, ExecutionReport, Instrument
from common.topics import Event
from market.position import PositionLedger
from services.execution_engine.orders import OrderTable
from services.execution_engine.stage import ExecutionStage
from tests.execution_engine.build import T0, instrument, market_data

LOSSLESS_IN = (ApprovedOrder, CancelOrder)


class Lives:
    """Drives stages one after another over one journal, as the driver does."""

    def __init__(self, *, is_ready: bool = True, **config: Any) -> None:
        self.config = ExecutionConfig(**config)
        self.now = T0
        self.journal: list[list[tuple[Event, bool]]] = []
        self.stage = ExecutionStage(self.config)
        self.instrument: Instrument = instrument()
        self.last_book: BookUpdate | None = None
        self.outputs: list[Event] = []
        if is_ready:
            self.make_ready()

    def make_ready(self) -> None:
        """Market data joins: its instruments, its latest book, and then the word that it is there."""
        self.give(self.instrument)
        if self.last_book is not None:
            self.give(self.last_book)
        self.give(market_data())

    def give(self, event: Event, after_ns: int = 0) -> list[ExecutionReport]:
        self.now += after_ns
        self.keep_deadlines()
        if isinstance(event, BookUpdate):
            self.last_book = event
        return self._record(event, self.stage.handle(event, self.now))

    def wait(self, ns: int) -> list[ExecutionReport]:
        """Let time pass, deadlines kept on the way."""
        end, reports = self.now + ns, []
        while (due := self.stage.deadline_ns()) is not None and due <= end:
            self.now = max(self.now, due)
            reports += self._record(None, self.stage.on_deadline(self.now))
            later = self.stage.deadline_ns()
            assert later is None or later > self.now, "a deadline that stays due would spin"
        self.now = end
        return reports

    def keep_deadlines(self) -> list[ExecutionReport]:
        return self.wait(0)

    def _record(self, event: Event | None, outputs: Any) -> list[ExecutionReport]:
        outputs = list(outputs)
        self.outputs += outputs
        reports = [o for o in outputs if isinstance(o, ExecutionReport)]
        batch: list[tuple[Event, bool]] = [(event, False)] if isinstance(event, LOSSLESS_IN) else []
        batch += [(report, True) for report in reports]
        if batch:
            self.journal.append(batch)
        return reports

    def kill(self, *, lose_outputs: int = 0, is_ready: bool = True) -> None:
        """A new life from the journal; `lose_outputs` of the last batch's reports never reached it (nor anybody)."""
        if lose_outputs and self.journal:
            last = self.journal[-1]
            kept = max(len(last) - lose_outputs, sum(not was_output for _, was_output in last))
            self.journal[-1] = last[:kept]
        self.stage = ExecutionStage(self.config)
        for batch in self.journal:
            for event, was_output in batch:
                self.stage.restore(event, was_output=was_output)
        if is_ready:
            self.make_ready()

    @property
    def reports(self) -> list[ExecutionReport]:
        return [
            e for batch in self.journal for e, was_output in batch if was_output and isinstance(e, ExecutionReport)
        ]

    def check(self) -> OrderTable:
        """What must hold of everything published in all lives; gives the table that the reports alone lead to."""
        table, ledger = OrderTable(), PositionLedger()
        seen: set[str] = set()
        for batch in self.journal:
            for event, _ in batch:
                if isinstance(event, ApprovedOrder):
                    table.accept(event)
                if isinstance(event, ExecutionReport):
                    assert event.report_id not in seen
                    seen.add(event.report_id)
                    assert table.apply(event), event
                    if event.last_qty_lots:
                        ledger.apply_fill(
                            event.venue,
                            event.symbol,
                            event.side,
                            event.last_qty_lots,
                            event.last_price_ticks,
                            event.fee_e8,
                        )
        stats = self.stage.stats()
        assert stats["positions"] == [line.model_dump() for line in ledger.lines()]
        assert stats["orders_by_status"] == table.counts()
        assert stats["illegal_transitions"] == 0, stats["last_illegal_transition"]
        assert stats["orders"] == table.accepted
        return table
