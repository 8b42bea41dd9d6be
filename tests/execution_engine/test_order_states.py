"""The state table: what random events can and cannot do to an order."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.messages import ExecType, OrderStatus
from services.execution_engine.order_states import TRANSITIONS, IllegalTransition, next_status
from services.execution_engine.state_diagram import as_markdown

PAGE = Path(__file__).resolve().parents[2] / "docs" / "order_states.md"


def test_every_status_can_be_reached_and_every_live_one_can_end() -> None:
    reached = set(TRANSITIONS.values()) | {next_status(s, x, completes=True) for s, x in TRANSITIONS}
    assert reached == set(OrderStatus)
    for status in OrderStatus:
        if not status.is_terminal:
            ends = {after for (before, _), after in TRANSITIONS.items() if before is status}
            assert OrderStatus.CANCELED in ends and OrderStatus.EXPIRED in ends


def test_terminal_is_terminal() -> None:
    for (before, exec_type), after in TRANSITIONS.items():
        if before is not None and before.is_terminal:
            assert after is before
            assert next_status(before, exec_type, completes=True) is before


def test_nothing_but_an_answer_leads_out_of_unknown() -> None:
    assert (OrderStatus.UNKNOWN, ExecType.UNKNOWN) not in TRANSITIONS
    assert (OrderStatus.UNKNOWN, ExecType.PENDING_NEW) not in TRANSITIONS
    assert [b for (b, x) in TRANSITIONS if x is ExecType.UNKNOWN] == [OrderStatus.PENDING_NEW]


def test_an_order_is_never_intended_twice() -> None:
    assert [b for (b, x) in TRANSITIONS if x is ExecType.PENDING_NEW] == [None]


@given(st.sampled_from([None, *OrderStatus]), st.sampled_from(list(ExecType)), st.booleans())
def test_what_is_not_in_the_table_raises(status: OrderStatus | None, exec_type: ExecType, completes: bool) -> None:
    if (status, exec_type) in TRANSITIONS:
        assert isinstance(next_status(status, exec_type, completes=completes), OrderStatus)
    else:
        with pytest.raises(IllegalTransition, match=exec_type):
            next_status(status, exec_type, completes=completes)


def test_the_page_tells_what_the_table_says() -> None:
    assert PAGE.read_text() == as_markdown(), "docs/order_states.md is stale; the page says how to write it anew"
