"""Outcomes and waits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.execution_engine.retry import Step, backoff_ns, next_step


@pytest.mark.parametrize(
    ("status", "code", "message", "order_step", "read_step"),
    [
        (200, None, "", Step.DONE, Step.DONE),
        (None, None, "", Step.QUERY, Step.RETRY),
        (503, None, "", Step.QUERY, Step.RETRY),
        (502, -1001, "", Step.QUERY, Step.RETRY),
        (400, -1007, "Timeout waiting for response", Step.QUERY, Step.RETRY),
        (503, -1008, "Server is currently overloaded", Step.RETRY, Step.RETRY),
        (429, -1015, "Too many new orders", Step.RETRY, Step.RETRY),
        (429, None, "", Step.RETRY, Step.RETRY),
        (418, -1003, "banned until", Step.RETRY, Step.RETRY),
        (400, -1013, "Filter failure: LOT_SIZE", Step.REFUSE, Step.REFUSE),
        (400, -1121, "Invalid symbol.", Step.REFUSE, Step.REFUSE),
        (401, -2015, "Invalid API-key", Step.REFUSE, Step.REFUSE),
        (400, -2010, "Account has insufficient balance", Step.REFUSE, Step.REFUSE),
        (400, -2010, "Duplicate order sent.", Step.QUERY, Step.QUERY),
        (404, None, "<html>", Step.QUERY, Step.REFUSE),
    ],
)
def test_outcomes(status: int | None, code: int | None, message: str, order_step: Step, read_step: Step) -> None:
    assert next_step(status, code, message, is_read=False) is order_step
    assert next_step(status, code, message, is_read=True) is read_step


@given(st.one_of(st.none(), st.integers(300, 599)), st.one_of(st.none(), st.integers(-5000, -1000)))
def test_an_order_is_only_sent_again_when_the_venue_said_it_is_not_there(
    status: int | None, code: int | None
) -> None:
    if next_step(status, code, is_read=False) is Step.RETRY:
        assert status is not None and (status in (418, 429) or code in (-1003, -1008, -1015, -1021, -1034))


@given(st.text(min_size=1, max_size=36), st.integers(1, 200), st.integers(1, 10**10), st.integers(1, 10**12))
def test_waits_are_bounded_and_repeatable(order_id: str, attempt: int, base: int, cap: int) -> None:
    wait = backoff_ns(order_id, attempt, base_ns=base, cap_ns=cap)
    assert 0 <= wait <= min(cap, base * 2 ** (attempt - 1))
    assert wait == backoff_ns(order_id, attempt, base_ns=base, cap_ns=cap)


def test_waits_spread_over_the_whole_range_and_double() -> None:
    for attempt in (1, 2, 3):
        bound = 1000 * 2 ** (attempt - 1)
        waits = [backoff_ns(f"o-{n}", attempt, base_ns=1000, cap_ns=10**9) for n in range(2000)]
        assert abs(sum(waits) / len(waits) - bound / 2) < bound * 0.03
        assert min(waits) < bound * 0.01 and max(waits) > bound * 0.99
