"""Killed anywhere and restored from its journal, the stage goes on as if nothing had happened."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from common.messages import (
    ApprovedOrder,
    CancelOrder,
    ExecutionReport,
    OrderStatus,
    Purpose,
    Refusal,
    RefusalCode,
    Side,
    Signal,
    Source,
)
from common.stage import Output
from common.topics import TOPICS, Event, LossPolicy, topic_of
from services.risk_manager.stage import RiskStage
from tests.risk_manager.build import BTC, VENUE, Desk, alive, book, instrument, report, signal
from tests.risk_manager.venue import SYMBOLS, Venue, steps

Journal = list[tuple[Event, bool]]


def is_lossless(event: Output) -> bool:
    topic = TOPICS.get(topic_of(event))  # type: ignore[arg-type]
    return topic is not None and topic.policy is LossPolicy.LOSSLESS


class JournalledDesk(Desk):
    """A desk with a journal like the daemon's: lossless facts only, outputs after their input."""

    def __init__(self, **config: Any) -> None:
        self.journal: Journal = []
        super().__init__(**config)

    def tell(self, *events: object) -> list[Output]:
        outputs: list[Output] = []
        for event in events:
            answered = super().tell(event)
            if is_lossless(event):  # type: ignore[arg-type]
                self.journal.append((event, False))  # type: ignore[arg-type]
            self.journal += [(out, True) for out in answered if is_lossless(out)]  # type: ignore[misc]
            outputs += answered
        return outputs

    def reborn(self) -> JournalledDesk:
        """A new process after kill -9: the same journal and clock, nothing else."""
        desk = JournalledDesk(exchange=self.exchange, ready=False, **self.config.model_dump())
        for event, was_output in self.journal:
            desk.stage.restore(event, was_output=was_output)
        desk.journal = list(self.journal)
        desk.now_ns = self.now_ns
        return desk


def snapshot(stage: RiskStage) -> dict[str, object]:
    """All that must be equal: positions, orders, reservations, money, halt, counters."""
    orders = stage.portfolio.orders
    return dict(stage.stats()) | {
        "live": [(o.order_id, o.leaves_lots, o.limit_ticks, o.side, o.is_entry) for o in orders.all()],
        "reserved_lots": {s: orders.reserved_lots(f"{VENUE}.{s}") for s in SYMBOLS},
        "pnl_units": stage.portfolio.pnl_units,
    }


@settings(max_examples=100, deadline=None)
@given(
    st.lists(steps, max_size=40),
    st.lists(steps, max_size=25),
    st.sampled_from([5, 30, 5000]),
    st.booleans(),
)
def test_cut_anywhere_and_restored_it_goes_on_the_same(
    before: list[Any], after: list[Any], max_loss: int, allow_short: bool
) -> None:
    # The trailing stop's best mark is the one thing that starts again, so its stop is set out of reach.
    desk = JournalledDesk(
        allow_short=allow_short, max_loss_threshold=max_loss, stop_loss_percent=1, trailing_stop_percent=99
    )
    venue = Venue()
    for step in before:
        desk.wait(step[1] * 1_000_000 if step[0] == "wait" else 0)
        for fact in venue.facts(step):
            venue.accept(desk.tell(fact))
    twin = desk.reborn()

    def both(*facts: object) -> list[Output]:
        ours, theirs = desk.tell(*facts), twin.tell(*facts)
        assert ours == theirs
        return ours

    for d in (desk, twin):
        d.wait(60_000_000_000)  # past any wait for another exit; a restart takes its time too
    both(*(instrument(s) for s in SYMBOLS))
    # Nothing may be decided between the two publishers' returns, and the books come with the first of them.
    twin.tell(alive(Source.MARKET_DATA))
    twin.tell(*(book(*venue.touch[s], s) for s in SYMBOLS))
    desk.now_ns = twin.now_ns
    twin.tell(alive(Source.EXECUTION_ENGINE))
    desk.now_ns = twin.now_ns
    for symbol in SYMBOLS:
        venue.accept(both(book(*venue.touch[symbol], symbol)))
    assert snapshot(twin.stage) == snapshot(desk.stage)
    for step in after:
        for d in (desk, twin):
            d.wait(step[1] * 1_000_000 if step[0] == "wait" else 0)
        for fact in venue.facts(step):
            venue.accept(both(fact))
            assert snapshot(twin.stage) == snapshot(desk.stage)
    for step in [("signal", symbol, side, 50) for symbol in SYMBOLS for side in Side]:
        for fact in venue.facts(step):
            both(fact)


def traded() -> tuple[JournalledDesk, Signal, ApprovedOrder, ExecutionReport]:
    desk = JournalledDesk()
    s = signal()
    order = desk.order(s)
    fill = report(order, OrderStatus.PARTIALLY_FILLED, last=100, price=10_000)
    desk.tell(fill)
    return desk, s, order, fill


def test_a_signal_answered_before_the_crash_is_not_answered_again() -> None:
    desk, s, order, _ = traded()
    desk.refusal(refused := signal())
    desk.tell(report(order, OrderStatus.EXPIRED, cum=100))
    twin = desk.reborn()
    twin.make_ready()
    assert twin.refusal(s).code is RefusalCode.DUPLICATE
    assert twin.refusal(refused).code is RefusalCode.DUPLICATE


def test_a_report_replayed_after_the_crash_changes_nothing() -> None:
    desk, _, order, fill = traded()
    twin = desk.reborn()
    twin.make_ready()
    assert twin.tell(fill) == []
    assert twin.held() == 100
    assert twin.stage.portfolio.orders.reserved_lots(f"{VENUE}.{BTC}") == order.qty_lots - 100


def test_an_approval_in_the_journal_twice_reserves_once() -> None:
    desk, _, order, _ = traded()
    twin = desk.reborn()
    twin.stage.restore(order, was_output=True)
    assert twin.stage.portfolio.orders.reserved_lots(f"{VENUE}.{BTC}") == order.qty_lots - 100
    assert len(twin.stage.portfolio.orders) == 1


def test_an_order_of_unknown_fate_keeps_its_reservation_over_a_restart() -> None:
    desk, _, order, _ = traded()
    desk.tell(report(order, OrderStatus.UNKNOWN, cum=100))
    twin = desk.reborn()
    twin.make_ready()
    assert twin.refusal(signal(Side.SELL)).code is RefusalCode.ORDER_PENDING
    assert twin.stage.stats()["open_orders"] == 1


def test_an_exit_on_its_way_at_the_crash_is_not_sent_again() -> None:
    desk, _, order, _ = traded()
    desk.tell(report(order, OrderStatus.EXPIRED, cum=100))
    stop = desk.order(book(9_000, 9_001))
    twin = desk.reborn()
    twin.make_ready()
    assert twin.tell(book(9_000, 9_001)) == []
    twin.fill(stop, 9_000)
    assert twin.held() == 0


def test_without_its_own_journal_reports_alone_rebuild_positions_and_live_orders() -> None:
    _, _, order, fill = traded()
    second = report(order, OrderStatus.PARTIALLY_FILLED, last=50, cum=150, price=10_000)
    fresh = Desk()
    fresh.tell(fill, second)
    assert fresh.held() == 150
    assert fresh.stage.portfolio.orders.reserved_lots(f"{VENUE}.{BTC}") == order.qty_lots - 150
    late = Desk()
    late.tell(second)  # the first is beyond what is still kept: what it filled is no longer reserved
    assert late.stage.portfolio.orders.reserved_lots(f"{VENUE}.{BTC}") == order.qty_lots - 150


def test_the_trailing_stop_starts_again_at_entry_and_first_mark() -> None:
    desk = JournalledDesk()
    desk.enter(price=10_000)
    desk.tell(book(12_000, 12_001))
    twin = desk.reborn()
    twin.make_ready()  # the first mark is back at 10000
    assert twin.tell(book(9_851, 9_852)) == []
    assert twin.order(book(9_850, 9_851)).purpose is Purpose.TRAILING_STOP


def test_restoring_says_nothing_and_ignores_what_it_does_not_know() -> None:
    desk, s, *_ = traded()
    twin = desk.reborn()
    before = twin.stage.stats()
    for fact in (s, book(1, 2), instrument(), alive(Source.MARKET_DATA)):
        twin.stage.restore(fact, was_output=False)
    assert twin.stage.stats() == before
    assert twin.stage.deadline_ns() is None


def test_the_lossless_types_are_those_restore_knows() -> None:
    """A new one must be given its place in restore()."""
    assert set(TOPICS["order"].types) == {ApprovedOrder, CancelOrder, Refusal}
    assert set(TOPICS["report"].types) == {ExecutionReport}
