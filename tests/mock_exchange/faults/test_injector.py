"""What the injector does to frames and requests, and that its account says so."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.mock_exchange.faults.injector import Injector
from services.mock_exchange.faults.plan import FaultPlan
from services.mock_exchange.faults.requests import UNHARMED

MS, SECOND = 1_000_000, 1_000_000_000
BASE = 1_700_000_000 * SECOND
ORDER = "POST /api/v3/order"


def injector(*faults: dict[str, Any], seed: int = 1) -> Injector:
    named = [{"id": f"f{number}"} | fault for number, fault in enumerate(faults)]
    return Injector(FaultPlan.model_validate({"seed": seed, "faults": named}))


def test_without_faults_nothing_is_touched() -> None:
    calm = injector()
    assert calm.on_frame("a@trade", "x", BASE).texts == ("x",) and calm.on_request(ORDER, BASE) is UNHARMED
    assert calm.skew_ns(BASE) == 0 and calm.halted(BASE) == frozenset()


def test_a_fault_acts_in_its_window_and_not_more_often_than_it_may() -> None:
    some = injector({"kind": "drop", "after_s": 1, "for_s": 2, "most": 3, "target": "*"})
    sent = [bool(some.on_frame("a@trade", "x", BASE + tenth * SECOND // 10).texts) for tenth in range(40)]
    assert [tenth for tenth, went in enumerate(sent) if not went] == [10, 11, 12]
    assert [entry.id for entry in some.account.log] == ["f0-1", "f0-2", "f0-3"]
    assert [entry.time_ns - BASE for entry in some.account.log] == [SECOND, 11 * SECOND // 10, 12 * SECOND // 10]


def test_a_window_ends_by_time() -> None:
    some = injector({"kind": "drop", "after_s": 1, "for_s": 0.2, "target": "*"})
    sent = [bool(some.on_frame("a@trade", "x", BASE + tenth * SECOND // 10).texts) for tenth in range(20)]
    assert [tenth for tenth, went in enumerate(sent) if not went] == [10, 11]


def test_targets_are_patterns() -> None:
    some = injector({"kind": "drop", "target": "btcusdt@*"}, {"kind": "dropped_request", "target": "* /api/v3/order"})
    assert not some.on_frame("btcusdt@trade", "x", BASE).texts and some.on_frame("ethusdt@trade", "x", BASE).texts
    assert some.on_request("DELETE /api/v3/order", BASE).is_dropped
    assert not some.on_request("GET /api/v3/openOrders", BASE).is_dropped


@pytest.mark.parametrize("frames", ["lost", "late"])
def test_a_stall_silences_all_it_covers_at_once(frames: str) -> None:
    some = injector({"kind": "stall", "stall_s": 1, "frames": frames, "target": "btc*", "most": 1})
    sent: dict[str, list[str]] = {"btc@a": [], "btc@b": [], "eth@a": []}
    for tenth in range(15):
        for channel, into in sent.items():
            into += some.on_frame(channel, str(tenth), BASE + tenth * SECOND // 10).texts
    everything = [str(tenth) for tenth in range(15)]
    assert sent["eth@a"] == everything
    assert sent["btc@a"] == sent["btc@b"] == (everything if frames == "late" else everything[10:])
    assert len(some.account.log) == 1


def test_frames_kept_by_a_stall_come_out_at_the_end_of_all() -> None:
    some = injector({"kind": "stall", "stall_s": 100, "frames": "late", "target": "*"})
    for number in range(5):
        assert not some.on_frame("a", str(number), BASE).texts
    assert some.flush() == [("a", str(number)) for number in range(5)] and some.flush() == []


def test_faults_of_a_request_add_up_until_it_is_refused() -> None:
    slow = {"kind": "request_latency", "latency": {"mean_ms": 7}}
    some = injector(slow, slow, {"kind": "lost_ack", "answer": "503", "target": "*"}, {"kind": "server_error"}, slow)
    fate = some.on_request(ORDER, BASE)
    assert fate.wait_ns == 14 * MS and fate.refused is not None and fate.refused.status == 503
    assert fate.lost is not None and fate.lost.answer == "503"
    assert some.account.counts == Counter(request_latency=2, lost_ack=1, server_error=1)


@pytest.mark.parametrize(
    ("latency", "mean_ms", "least_ms", "most_ms"),
    [
        ({"distribution": "constant", "mean_ms": 5}, 5, 5, 5),
        ({"distribution": "uniform", "mean_ms": 20, "jitter": 10}, 20, 10, 30),
        ({"distribution": "exponential", "mean_ms": 20}, 20, 0, 1000),
        ({"distribution": "lognormal", "mean_ms": 20, "jitter": 0.5}, 20, 0, 1000),
    ],
)
def test_latencies_have_their_distribution(latency: dict, mean_ms: float, least_ms: float, most_ms: float) -> None:
    some = injector({"kind": "delayed_ack", "latency": latency})
    waits = np.array([some.on_request(ORDER, BASE).answer_wait_ns for _ in range(4000)]) / MS
    # Five standard errors of the widest of them.
    assert waits.mean() == pytest.approx(mean_ms, abs=5 * max(1e-6, waits.std()) / np.sqrt(len(waits)) + 1e-5)
    assert waits.min() >= least_ms - 1e-5 and waits.max() <= most_ms


def test_the_clock_and_halts_stand_while_they_act() -> None:
    some = injector(
        {"kind": "clock_skew", "skew_ms": 1500, "after_s": 1, "for_s": 1},
        {"kind": "halt", "symbol": "X", "after_s": 2},
    )
    assert [some.skew_ns(BASE + second * SECOND) for second in range(3)] == [0, 1500 * MS, 0]
    assert [some.halted(BASE + second * SECOND) for second in range(4)] == [set(), set(), {"X"}, {"X"}]
    assert [entry.kind for entry in some.account.take_news()] == ["clock_skew", "halt"]
    assert some.account.take_news() == []


def test_a_plan_taken_up_later_counts_its_times_from_then() -> None:
    some = injector()
    some.take_up(
        FaultPlan.model_validate({"faults": [{"id": "x", "kind": "drop", "after_s": 1, "target": "*"}]}), BASE
    )
    assert some.on_frame("a", "x", BASE + SECOND - 1).texts and not some.on_frame("a", "x", BASE + SECOND).texts


@given(st.integers(0, 2**32), st.lists(st.sampled_from(["a@depth", "b@depth", "a@trade"]), max_size=200))
def test_one_seed_one_fate_and_every_frame_is_accounted_for(seed: int, channels: list[str]) -> None:
    faults = [{"kind": kind, "share": 0.2, "target": "*"} for kind in ("drop", "duplicate", "reorder")]
    runs = []
    for _ in range(2):
        some = injector(*faults, seed=seed)
        sent = [(c, t) for n, c in enumerate(channels) for t in some.on_frame(c, str(n), BASE).texts] + some.flush()
        runs.append((sent, list(some.account.log)))
    assert runs[0] == runs[1]
    counts = some.account.counts
    assert len(sent) == len(channels) - counts["drop"] + counts["duplicate"]
    assert len(set(sent)) == len(channels) - counts["drop"]
