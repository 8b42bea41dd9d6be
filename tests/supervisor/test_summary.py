"""The summary and the verdict: what the statuses add up to, and what makes a run a bad one."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.supervisor.summary import Summary, summarise
from dashboard.statuses import DaemonStatus, StatusLedger, add_up
from tests.supervisor.samples import LINE, good_statuses, ledger_of, read


def of(statuses: dict[str, dict[str, Any]], **kw: Any) -> Summary:
    return summarise(ledger_of(statuses), seconds=60.0, deaths=kw.pop("deaths", {}), **kw)


def test_a_healthy_run_is_good_and_says_all_of_it() -> None:
    summary = of(good_statuses())
    assert summary.exit_reasons == [] and summary.exit_code == 0
    line = summary.line()
    assert "\n" not in line
    said = json.loads(line)
    assert said["seconds"] == 60.0
    assert said["messages"] == {
        "book": 5000, "trade": 800, "status": 9, "signal": 6, "feature": 600, "order": 6, "risk": 60, "report": 12,
        "execution": 60,
    }  # fmt: skip
    assert said["gaps"]["book"] == {"seen": 1, "healed": 1, "missing": 3, "lost": 0, "open": 0}
    assert said["feed"]["gaps_seen"] == said["feed"]["gaps_healed"] == 2
    assert said["bbo"] == {"compared": 4000, "equal": 4000}
    assert (said["signals"], said["approvals"], said["orders"], said["fills"]) == (6, 4, 4, 4)
    assert said["refusals"] == {"ALREADY_POSITIONED": 2}
    assert (said["realised_pnl"], said["unrealised_pnl"], said["fees"]) == ("-0.41", "0.05", "0.96")
    assert said["latency"]["tick_to_order"]["p99_us"] == 310.0
    assert said["positions_agree"] is True and said["daemons_died"] == 0 and said["replay_done"] is None


def _no_topic_out(statuses: dict[str, Any]) -> None:
    statuses["signal_bridge"]["topics_out"].pop("signal")


def _not_delivered(statuses: dict[str, Any]) -> None:
    statuses["execution_engine"]["topics_in"]["order"] = read(0)


def _no_fill(statuses: dict[str, Any]) -> None:
    statuses["execution_engine"]["stage"]["fills"] = 0


def _bus_gap(statuses: dict[str, Any]) -> None:
    statuses["execution_engine"]["topics_in"]["order"]["gaps_seen"] = 1


def _feed_gap(statuses: dict[str, Any]) -> None:
    statuses["market_data"]["stage"]["gaps_healed"] = 1


def _positions(statuses: dict[str, Any]) -> None:
    statuses["execution_engine"]["stage"]["positions"] = [{**LINE, "qty_lots": 1599}]


def _silent(statuses: dict[str, Any]) -> None:
    statuses.pop("risk_manager")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_no_topic_out, "signal_bridge published no signal"),
        (_not_delivered, "no order reached execution_engine"),
        (_no_fill, "no order was filled"),
        (_bus_gap, "1 gap(s) of order stayed unhealed"),
        (_feed_gap, "1 gap(s) of the venue's feed stayed unhealed"),
        (_positions, "positions differ between risk and execution"),
        (_silent, "positions differ between risk and execution"),
    ],
)
def test_each_fault_alone_fails_the_run(spoil: Any, reason: str) -> None:
    statuses = good_statuses()
    spoil(statuses)
    summary = of(statuses)
    assert reason in summary.exit_reasons
    assert summary.exit_code == 1


def test_a_death_fails_the_run_and_is_counted() -> None:
    summary = of(good_statuses(), deaths={"risk_manager": 2, "market_data": 0})
    assert summary.exit_reasons == ["risk_manager died 2 times"]
    assert (summary.daemons_died, summary.deaths) == (2, {"risk_manager": 2})


def test_what_the_supervisor_holds_against_a_run_is_told() -> None:
    assert of(good_statuses(), troubles=("it never became ready",)).exit_reasons == ["it never became ready"]


def test_a_run_nobody_answered_in_is_a_bad_run_not_an_error() -> None:
    summary = summarise(StatusLedger(), seconds=0.0, deaths={})
    assert summary.exit_code == 1 and summary.positions_agree is False
    json.loads(summary.line())


def test_a_flat_untouched_line_equals_no_line() -> None:
    statuses = good_statuses()
    nothing = {**LINE, "symbol": "ETHUSDT", "qty_lots": 0, "cost_tick_lots": 0, "realised_tick_lots": 0, "fees_e8": 0}
    statuses["risk_manager"]["stage"]["positions"] = [nothing, LINE]
    assert of(statuses).positions_agree is True


def test_a_daemon_started_again_is_added_up_and_its_former_open_gap_is_not_held_against_it() -> None:
    statuses = good_statuses()
    ledger = ledger_of(statuses)
    former = deepcopy(statuses["signal_bridge"]) | {"pid": 55}
    former["topics_in"]["book"] = read(100, gaps_seen=1, missing=4)
    again = StatusLedger()
    again.record(DaemonStatus.model_validate(former))
    for service in statuses:
        again.record(ledger.lives(service)[-1])
    totals = add_up(again)
    assert totals.signals == 12
    assert totals.messages["signal"] == 12
    assert totals.delivered["book"] == 5100
    assert totals.gaps["book"].seen == 2 and totals.gaps["book"].open == 0
    assert totals.messages["book"] == 5000


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 1000)), min_size=1, max_size=40))
def test_any_order_of_status_replies_sums_the_last_of_each_life(replies: list[tuple[int, int]]) -> None:
    ledger = StatusLedger()
    last: dict[int, int] = {}
    for pid, signals in replies:
        ledger.record(DaemonStatus(service="signal_bridge", pid=pid, stage={"signals": signals}))
        last[pid] = signals
    assert add_up(ledger).signals == sum(last.values())
    latest = ledger.latest("signal_bridge")
    assert latest is not None and latest.pid == replies[-1][0]


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_the_verdict_is_good_exactly_when_no_gap_is_open(book: int, order: int, feed: int) -> None:
    statuses = good_statuses()
    statuses["signal_bridge"]["topics_in"]["book"] = read(5000, gaps_seen=60, gaps_healed=60 - book)
    statuses["execution_engine"]["topics_in"]["order"] = read(6, gaps_seen=60, gaps_healed=60 - order)
    statuses["market_data"]["stage"] |= {"gaps_seen": 60, "gaps_healed": 60 - feed}
    assert (of(statuses).exit_code == 0) == (book == order == feed == 0)
