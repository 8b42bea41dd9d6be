"""`tidewire run` as a user starts it, without a terminal."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from tests.conftest import ROOT
from tests.rig import Rig, run_tidewire

pytestmark = pytest.mark.slow


def test_a_bounded_run_trades_and_ends_well(make_rig: Callable[..., Rig]) -> None:
    code, summary, said = run_tidewire(make_rig(), "--duration", "15", "--seed", "7")
    assert code == 0, said
    assert summary["seconds"] >= 15
    for topic in ("book", "trade", "signal", "order", "report"):
        assert summary["messages"][topic] > 0, topic
    assert summary["orders"] > 0 and summary["fills"] > 0
    assert summary["signals"] == summary["approvals"] + sum(summary["refusals"].values()) or summary["approvals"] > 0
    assert summary["positions_agree"] is True and summary["daemons_died"] == 0
    assert all(gap["seen"] == gap["healed"] and gap["lost"] == 0 for gap in summary["gaps"].values())
    assert summary["bbo"]["compared"] > 100 and summary["bbo"]["equal"] == summary["bbo"]["compared"]
    assert 0 < summary["latency"]["tick_to_order"]["p50_us"] <= summary["latency"]["tick_to_order"]["p99_us"]


def test_ctrl_c_stops_everything_within_five_seconds_with_a_summary(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()
    command = [sys.executable, "-m", "cli.main", "run", *rig.config_flags]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        rig.wait(lambda: bool(rig.status("execution_engine").get("ready")), "trading")
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        start = time.monotonic()
        out, _ = process.communicate(timeout=15)
        took_s = time.monotonic() - start
    finally:
        process.kill()
    assert took_s < 5, out.decode()
    assert json.loads(out.decode().strip().splitlines()[-1])["seconds"] >= 1
    assert not rig.status("market_data"), "a daemon is still there"
