"""The plan's document: what is accepted, and what a wrong one is told."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import ConfigError
from services.mock_exchange.faults.plan import FaultPlan, read_plan

ONE_OF_EACH: list[dict[str, Any]] = [
    {"kind": "drop"},
    {"kind": "duplicate"},
    {"kind": "reorder"},
    {"kind": "truncate", "target": "*@trade"},
    {"kind": "frame_latency", "latency": {"mean_ms": 3}},
    {"kind": "stall", "stall_s": 1, "frames": "late"},
    {"kind": "disconnect", "most": 1},
    {"kind": "request_latency", "latency": {"distribution": "lognormal", "mean_ms": 20, "jitter": 0.5}},
    {"kind": "delayed_ack", "latency": {"distribution": "uniform", "mean_ms": 20, "jitter": 5}},
    {"kind": "server_error", "status": 502, "body": "html"},
    {"kind": "rate_limited", "status": 418, "retry_after_s": 120},
    {"kind": "lost_ack", "target": "POST /api/v3/order", "answer": "-1007"},
    {"kind": "dropped_request", "share": 0.1},
    {"kind": "fill_before_cancel", "fill_share": 0.25},
    {"kind": "stale_snapshot", "age_s": 4},
    {"kind": "clock_skew", "skew_ms": -1500},
    {"kind": "halt", "symbol": "ETHBTC", "after_s": 5, "for_s": 2.5},
]


def document(*faults: dict[str, Any], **more: Any) -> bytes:
    named = [{"id": f"f{number}"} | fault for number, fault in enumerate(faults)]
    return json.dumps({"faults": named} | more).encode()


def test_every_kind_is_read() -> None:
    plan = read_plan(document(*ONE_OF_EACH, seed=7), "plan.json")
    assert plan.seed == 7 and [fault.kind for fault in plan.faults] == [fault["kind"] for fault in ONE_OF_EACH]
    assert plan.faults[-1].from_ns == 5 * 10**9 and plan.faults[-1].until_ns == 7_500_000_000


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"{", "is not JSON"),
        (b"[]", "the document"),
        (document({"kind": "drop", "shares": 1}), r"faults\.0\.drop\.shares"),
        (document({"kind": "explode"}), r"faults\.0: .*explode.*does not match"),
        (document({"kind": "drop", "share": 1.5}), r"faults\.0\.drop\.share: .*less than or equal to 1"),
        (document({"kind": "halt"}), r"faults\.0\.halt\.symbol: Field required"),
        (document({"kind": "drop", "id": "x"}, {"kind": "drop", "id": "x"}), "'x' is there twice"),
        (document({"kind": "drop", "id": "a b"}), r"faults\.0\.drop\.id"),
        (document({"kind": "lost_ack", "answer": "503 "}), r"faults\.0\.lost_ack\.answer"),
    ],
)
def test_a_wrong_plan_is_told_where_and_what(text: bytes, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as error:
        read_plan(text, "plan.json")
    assert error.value.key == "plan.json" and "docs/faults.md" in error.value.remedy


LEAVES = st.none() | st.booleans() | st.floats() | st.text()


@given(st.recursive(LEAVES, lambda some: st.lists(some) | st.dictionaries(st.text(), some)))
def test_no_document_does_more_than_be_refused(content: Any) -> None:
    with suppress(ConfigError):
        assert isinstance(read_plan(json.dumps(content).encode(), "p"), FaultPlan)
