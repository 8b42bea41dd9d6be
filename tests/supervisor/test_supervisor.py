"""The supervisor over real child processes: readiness, deaths, refusals, deaf daemons, ends."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.supervisor.plan import RunPlan
from cli.supervisor.presenter import QuietPresenter
from cli.supervisor.supervisor import End, Supervisor
from cli.supervisor.watch import Watch
from dashboard.statuses import MOCK_EXCHANGE
from dashboard.terminal.state import RunView
from tests.supervisor.samples import good_statuses

FAKE = Path(__file__).with_name("fake_daemon.py")


class Recorder(QuietPresenter):
    """Remembers what it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.notices: list[str] = []
        self.views: list[RunView] = []

    def notice(self, line: str) -> None:
        self.notices.append(line)

    def show(self, view: RunView) -> None:
        self.views.append(view)


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [int(s.getsockname()[1]) for s in sockets]
    for s in sockets:
        s.close()
    return ports


def make_plan(folder: Path, habits: dict[str, list[str]] | None = None, **kw: Any) -> RunPlan:
    """A plan of fake daemons with a healthy run's statuses; `habits`: extra arguments by service."""
    statuses = good_statuses()
    if kw.get("is_replay"):
        statuses = {MOCK_EXCHANGE: {"stage": {"replay_done": True}}, **statuses}
    own = habits or {}
    ports = dict(zip(statuses, free_ports(len(statuses)), strict=True))
    return RunPlan(
        title="a test",
        folder=folder,
        commands={
            service: [
                sys.executable,
                str(FAKE),
                service,
                str(ports[service]),
                json.dumps(status),
                *own.get(service, []),
            ]
            for service, status in statuses.items()
        },
        addresses={service: f"127.0.0.1:{port}" for service, port in ports.items()},
        log_paths={service: folder / f"{service}.log" for service in statuses},
        **kw,
    )


def supervisor_of(plan: RunPlan) -> tuple[Supervisor, Recorder]:
    recorder = Recorder()
    return Supervisor(plan, recorder, dict(os.environ), ready_timeout_s=20.0), recorder


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(15):
        while not condition():
            await asyncio.sleep(0.02)


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


async def test_a_run_ends_by_its_duration_counted_from_readiness(tmp_path: Path) -> None:
    supervisor, recorder = supervisor_of(make_plan(tmp_path, duration_s=0.5))
    assert await supervisor.run() is End.DURATION
    summary = supervisor.summary()
    assert summary.exit_reasons == []
    assert 0.5 <= summary.seconds < 1.5
    assert summary.first_fill_s is not None
    assert any(not view.is_trading for view in recorder.views) and recorder.views[-1].is_trading
    assert all(h.pid and is_gone(h.pid) for h in recorder.views[-1].health)


async def test_a_replay_ends_when_it_is_fed_and_the_pipeline_stands_still(tmp_path: Path) -> None:
    supervisor, _ = supervisor_of(make_plan(tmp_path, is_replay=True))
    assert await asyncio.wait_for(supervisor.run(), 15) is End.REPLAYED
    assert supervisor.summary().replay_done is True


async def test_a_daemon_that_dies_is_started_again_and_counted(tmp_path: Path) -> None:
    habits = {"risk_manager": ["--die-after", "0.6", "1", str(tmp_path / "mark"), "--say", "last words"]}
    supervisor, recorder = supervisor_of(make_plan(tmp_path, habits, duration_s=2.5))
    assert await supervisor.run() is End.DURATION
    summary = supervisor.summary()
    assert summary.daemons_died == 1 and summary.exit_reasons == ["risk_manager died once"]
    assert summary.approvals == 4 and summary.positions_agree
    assert any("exit code 1" in n and "last words" in n and "starting it again" in n for n in recorder.notices)
    assert len({h.pid for view in recorder.views for h in view.health if h.service == "risk_manager" and h.pid}) == 2


async def test_a_refused_configuration_ends_the_run_with_the_daemons_own_words(tmp_path: Path) -> None:
    words = "risk.max_position_size: -1 is out of range. Give a number above 0"
    said = f"2025-10-14T20:15:32.456Z INFO [risk_manager] Started\n{words}"
    supervisor, recorder = supervisor_of(make_plan(tmp_path, {"risk_manager": ["--refuse", said]}))
    assert await asyncio.wait_for(supervisor.run(), 10) is End.REFUSED
    assert supervisor.refusal == words
    assert supervisor.watch.deaths["risk_manager"] == 0
    assert recorder.notices == []


async def test_a_daemon_that_cannot_live_ends_the_run(tmp_path: Path) -> None:
    plan = make_plan(tmp_path)
    commands = dict(plan.commands) | {"signal_bridge": [sys.executable, "-c", "raise SystemExit('cannot')"]}
    supervisor, _ = supervisor_of(RunPlan("t", tmp_path, commands, plan.addresses, plan.log_paths))
    for child in supervisor.watch.children.values():
        child._backoff.first_s, child._backoff.cap_s, child._backoff.most_in_a_row = 0.01, 0.02, 3
    assert await asyncio.wait_for(supervisor.run(), 15) is End.GAVE_UP
    summary = supervisor.summary()
    assert summary.exit_code == 1 and summary.daemons_died == 3
    assert "died too often" in summary.exit_reasons[0]


async def test_never_ready_is_an_end_too(tmp_path: Path) -> None:
    plan = make_plan(tmp_path)
    commands = dict(plan.commands) | {"signal_bridge": [sys.executable, "-c", "import time; time.sleep(60)"]}
    supervisor = Supervisor(
        RunPlan("t", tmp_path, commands, plan.addresses, plan.log_paths), Recorder(), os.environ, ready_timeout_s=1.5
    )
    assert await asyncio.wait_for(supervisor.run(), 15) is End.NEVER_READY
    assert supervisor.summary().seconds == 0.0


async def test_stopping_takes_less_than_five_seconds_though_two_daemons_are_deaf(tmp_path: Path) -> None:
    supervisor, recorder = supervisor_of(
        make_plan(tmp_path, {"market_data": ["--deaf"], "execution_engine": ["--deaf"]})
    )
    task = asyncio.create_task(supervisor.run())
    await until(lambda: bool(recorder.views) and recorder.views[-1].is_trading)
    asked = time.monotonic()
    supervisor.stop.set()
    assert await task is End.ASKED
    assert time.monotonic() - asked < 5.0
    assert supervisor.summary().exit_reasons == []
    assert sorted(n.partition(":")[0] for n in recorder.notices) == ["execution_engine", "market_data"]
    assert all(h.pid and is_gone(h.pid) for h in recorder.views[-1].health)


async def test_hurry_kills_at_once(tmp_path: Path) -> None:
    supervisor, recorder = supervisor_of(make_plan(tmp_path, {"market_data": ["--deaf"]}))
    task = asyncio.create_task(supervisor.run())
    await until(lambda: bool(recorder.views) and recorder.views[-1].is_trading)
    asked = time.monotonic()
    supervisor.hurry.set()
    supervisor.stop.set()
    assert await task is End.ASKED
    assert time.monotonic() - asked < 1.5


async def test_another_systems_answer_on_the_same_port_does_not_count(tmp_path: Path) -> None:
    plan = make_plan(tmp_path)
    supervisor, _ = supervisor_of(plan)
    other, _ = supervisor_of(plan)
    task = asyncio.create_task(other.run())
    await until(lambda: other.watch.all_ready)
    supervisor.watch.children["market_data"]._process = None
    await supervisor.watch.poll(["market_data"])
    assert supervisor.watch.ledger.latest("market_data") is None
    other.stop.set()
    await task


async def test_warnings_in_the_logs_are_surfaced_and_a_storm_is_counted(tmp_path: Path) -> None:
    line = "2025-10-14T20:15:32.456Z WARNING [signal_bridge.model] No model file"
    habits = {"signal_bridge": ["--say", f"{line}\nall is well"], "market_data": ["--say", "\n".join([line] * 40)]}
    supervisor, recorder = supervisor_of(make_plan(tmp_path, habits, duration_s=0.3))
    await supervisor.run()
    shown = "20:15:32 WARNING [signal_bridge.model] No model file"
    assert recorder.notices.count(shown) == 1 + 4
    assert not any("all is well" in n for n in recorder.notices)


async def test_what_is_only_the_commotion_of_starting_is_not_told_unless_it_lasts(tmp_path: Path) -> None:
    lines = [f"2025-10-14T20:15:32.456Z WARNING [market_data.{c}] Not reached" for c in ("feed", "clock")]
    plan = make_plan(tmp_path)
    plan.log_paths["market_data"].write_text("\n".join(lines) + "\n")
    recorder = Recorder()
    watch = Watch(plan, recorder)
    watch.read_logs()
    assert recorder.notices == ["20:15:32 WARNING [market_data.clock] Not reached"]
    watch._began_s -= 60
    watch.read_logs()
    assert recorder.notices[1:] == ["20:15:32 WARNING [market_data.feed] Not reached"]


@pytest.mark.parametrize("code", [0, 7])
async def test_any_unasked_exit_is_a_death(tmp_path: Path, code: int) -> None:
    habits = {"signal_bridge": ["--die-after", "0.5", str(code), str(tmp_path / "mark")]}
    supervisor, _ = supervisor_of(make_plan(tmp_path, habits, duration_s=1.5))
    await supervisor.run()
    assert supervisor.summary().deaths == {"signal_bridge": 1}
