"""The book-keeping: whatever is reported, in whatever order, quantities only grow and ends are ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.messages import ExecType, OrderStatus
from services.execution_engine.order_states import TRANSITIONS, IllegalTransition
from services.execution_engine.orders import OrderTable
from tests.execution_engine.build import approved, report

STATUSES = st.sampled_from(list(OrderStatus))
EVENTS = st.tuples(
    st.sampled_from(list(ExecType)), STATUSES, st.integers(0, 6), st.integers(0, 12), st.integers(0, 8)
)
ORDER = approved(qty_lots=10)


@given(st.lists(EVENTS, max_size=40))
def test_random_reports_never_leave_the_table(events: list[tuple[ExecType, OrderStatus, int, int, int]]) -> None:
    table = OrderTable()
    order = table.accept(ORDER)
    assert order is not None
    for exec_type, status, last, cum, number in events:
        before, cum_before, was_open = order.status, order.cum_qty_lots, order.is_open
        try:
            applied = table.apply(report(ORDER, number, exec_type, status, last=last, cum=cum))
        except IllegalTransition:
            applied = False
        assert order.cum_qty_lots >= cum_before
        assert order.cum_qty_lots <= ORDER.qty_lots
        if not applied:
            assert (order.status, order.cum_qty_lots) == (before, cum_before)
            continue
        assert (before, exec_type) in TRANSITIONS
        assert was_open or order.status is before
        assert (order.cum_qty_lots > cum_before) == (exec_type is ExecType.TRADE)
        assert (order.status is OrderStatus.FILLED) <= (order.cum_qty_lots == ORDER.qty_lots)
    assert sum(table.counts().values()) == (order.status is not None)
    assert (ORDER.order_id in table.open_ids()) == order.is_open


@given(st.data())
def test_legal_lives_told_with_repetitions_end_where_they_end_without(data: st.DataObject) -> None:
    """Draw a life step by step from the table, then tell it again with every report repeated and shuffled in late."""
    plain, noisy = OrderTable(), OrderTable()
    order, twin = plain.accept(ORDER), noisy.accept(ORDER)
    assert order is not None and twin is not None
    told = []
    for number in range(data.draw(st.integers(1, 12))):
        legal = [x for (s, x) in TRANSITIONS if s is order.status]
        exec_type = data.draw(st.sampled_from(sorted(legal)))
        left = ORDER.qty_lots - order.cum_qty_lots
        if exec_type is ExecType.TRADE and left == 0:
            continue
        last = data.draw(st.integers(1, left)) if exec_type is ExecType.TRADE else 0
        cum = order.cum_qty_lots + last
        told.append(report(ORDER, number, exec_type, order.status_after(exec_type, last), last=last, cum=cum))
        plain.apply(told[-1])
        noisy.apply(told[-1])
        again = data.draw(st.sampled_from(told))
        assert noisy.apply(again) is False
    assert (twin.status, twin.cum_qty_lots) == (order.status, order.cum_qty_lots)
    assert noisy.counts() == plain.counts()


def test_a_late_fill_counts_and_the_order_stays_canceled() -> None:
    table = OrderTable()
    order = table.accept(ORDER)
    assert order is not None
    table.apply(report(ORDER, 1, ExecType.PENDING_NEW, OrderStatus.PENDING_NEW))
    table.apply(report(ORDER, 2, ExecType.CANCELED, OrderStatus.CANCELED))
    assert table.apply(report(ORDER, 3, ExecType.TRADE, OrderStatus.CANCELED, last=10, cum=10))
    assert (order.status, order.cum_qty_lots, order.leaves_lots) == (OrderStatus.CANCELED, 10, 0)


def test_a_missing_fill_is_an_error_that_changes_nothing() -> None:
    table = OrderTable()
    order = table.accept(ORDER)
    assert order is not None
    table.apply(report(ORDER, 1, ExecType.PENDING_NEW, OrderStatus.PENDING_NEW))
    with pytest.raises(IllegalTransition, match="missing"):
        table.apply(report(ORDER, 2, ExecType.TRADE, OrderStatus.PARTIALLY_FILLED, last=2, cum=5))
    with pytest.raises(IllegalTransition, match="missing"):
        table.apply(report(ORDER, 2, ExecType.CANCELED, OrderStatus.CANCELED, cum=5))
    assert order.cum_qty_lots == 0


def test_a_report_about_a_stranger_is_an_error() -> None:
    with pytest.raises(IllegalTransition, match="unknown order"):
        OrderTable().apply(report(ORDER, 1, ExecType.PENDING_NEW, OrderStatus.PENDING_NEW))


def test_memory_is_bounded_and_ids_are_remembered_longer_than_orders() -> None:
    table = OrderTable(ended_kept=3, ids_kept=10)
    for n in range(20):
        order = approved(f"o-{n}")
        assert table.accept(order) is not None
        table.apply(report(order, 1, ExecType.REJECTED, OrderStatus.REJECTED))
        assert table.accept(order) is None
    assert [n for n in range(20) if table.get(f"o-{n}")] == [17, 18, 19]
    assert all(table.accept(approved(f"o-{n}")) is None for n in range(10, 20))
    assert table.accept(approved("o-0")) is not None
    assert table.counts() == {"REJECTED": 20}


def test_an_open_order_is_known_however_many_came_after() -> None:
    table = OrderTable(ids_kept=2)
    table.accept(ORDER)
    for n in range(5):
        table.accept(approved(f"later-{n}"))
    assert table.accept(ORDER) is None


def test_a_fill_told_twice_under_two_names_counts_once() -> None:
    table = OrderTable()
    order = table.accept(ORDER)
    assert order is not None
    table.apply(report(ORDER, 1, ExecType.PENDING_NEW, OrderStatus.PENDING_NEW))
    assert table.apply(report(ORDER, 2, ExecType.TRADE, OrderStatus.PARTIALLY_FILLED, last=4, cum=4))
    assert not table.apply(report(ORDER, 3, ExecType.TRADE, OrderStatus.PARTIALLY_FILLED, last=4, cum=4))
    assert order.cum_qty_lots == 4
