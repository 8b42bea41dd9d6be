"""The live driver with a stage small enough to see through, on real sockets and a real HTTP port."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from common.config import BusConfig, ExecutionConfig, JournalConfig, MarketDataConfig, RiskConfig, SystemConfig
from common.errors import HaltError
from common.messages import (
    ApprovedOrder,
    ExecutionState,
    OrderType,
    Purpose,
    Side,
    Source,
    TimeInForce,
    UpstreamStatus,
)
from common.records import RecordKind
from common.runtime.driver import LiveDriver
from common.runtime.input_log import INPUT_LOG_NAMES
from common.runtime.publisher import Publisher
from common.stage import Command, Output
from common.topics import Event
from lab.driver import read_turns, replay
from tests.runtime.conftest import Bus, publish, report, until

NEVER = 2**62


class Wish(Command):
    pass


class Echo:
    """Answers each order with a report, once; wishes for something; fails on quantity 13."""

    def __init__(self) -> None:
        self.seen: list[int] = []
        self.restored: list[str] = []
        self.alive: list[bool] = []
        self.due: int | None = None

    def handle(self, event: Event, now_ns: int) -> Iterable[Output]:
        if isinstance(event, UpstreamStatus):
            self.alive.append(event.is_alive)
        if isinstance(event, ApprovedOrder):
            if event.qty_lots == 13:
                raise RuntimeError("an unlucky number")
            self.seen.append(event.qty_lots)
            self.due = now_ns + 5_000_000
            yield Wish()
            yield report(event.qty_lots)

    def deadline_ns(self) -> int | None:
        return self.due

    def on_deadline(self, now_ns: int) -> Iterable[Output]:
        self.due = None
        yield ExecutionState(event_ns=0, origin_ns=0, trace_id=0, orders={"seen": len(self.seen)})

    def restore(self, event: Event, *, was_output: bool) -> None:
        self.restored.append(f"{type(event).__name__} {'out' if was_output else 'in'}")

    def stats(self) -> Mapping[str, object]:
        return {"seen": len(self.seen), "by_kind": {"a": 1}, "pnl": "-1.5", "positions": []}


def order(lots: int) -> ApprovedOrder:
    return ApprovedOrder(
        event_ns=1,
        origin_ns=1,
        trace_id=lots,
        venue="binance",
        symbol="BTCUSDT",
        order_id=f"o{lots}",
        strategy="s",
        purpose=Purpose.ENTRY,
        side=Side.BUY,
        order_type=OrderType.MARKET,
        time_in_force=TimeInForce.IOC,
        qty_lots=lots,
        valid_until_ns=NEVER,
    )


def make_config(bus: Bus, folder: Path) -> SystemConfig:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        metrics = f"127.0.0.1:{free.getsockname()[1]}"
    publish_address, reply_address = bus.addresses
    return SystemConfig(
        market_data=MarketDataConfig(zmq_publish_address=f"ipc://{folder}/m", zmq_reply_address=f"ipc://{folder}/n"),
        risk=RiskConfig(zmq_publish_address=publish_address, zmq_reply_address=reply_address),
        execution=ExecutionConfig(
            zmq_publish_address=f"ipc://{folder}/x",
            zmq_reply_address=f"ipc://{folder}/y",
            metrics_address=metrics,
        ),
        bus=BusConfig(heartbeat_interval_ms=20, heartbeat_misses=5, request_timeout_ms=200),
        journal=JournalConfig(directory=str(folder / "state"), record_inputs=True),
    )


def make_driver(config: SystemConfig, stage: Echo, wishes: list[Command]) -> LiveDriver:
    reads = {Source.RISK_MANAGER: ("order",)}
    return LiveDriver(Source.EXECUTION_ENGINE, stage, config, reads=reads, perform=wishes.append)


@pytest.fixture
async def risk(bus: Bus) -> Publisher:
    return bus.publisher(Source.RISK_MANAGER)


async def test_turns_deadlines_metrics_and_recovery(bus: Bus, risk: Publisher, tmp_path: Path) -> None:
    config, stage, wishes = make_config(bus, tmp_path), Echo(), []
    async with make_driver(config, stage, wishes) as driver:
        await until(lambda: driver.is_ready, "joined")
        for lots in (1, 2, 13, 3):
            publish(risk, order(lots))
        await until(lambda: stage.seen == [1, 2, 3], "all but the unlucky one")
        await until(lambda: driver.status()["topics_out"]["execution"]["messages"] == 1, "the deadline")
        status = driver.status()
        assert (status["stage_errors"], len(wishes)) == (1, 3)
        assert status["topics_in"]["order"]["messages"] == 4
        assert status["latency"]["tick_to_order"]["count"] == 4
        await _check_http(config)
    again = Echo()
    async with make_driver(config, again, wishes) as driver:
        assert again.restored[:2] == ["ApprovedOrder in", "ExecutionReport out"]
        assert again.restored.count("ExecutionReport out") == 3
        await until(lambda: driver.is_ready, "joined again")
        publish(risk, order(4))
        await until(lambda: again.seen == [4], "only what is new")
        assert driver.publisher.last_sequence("report") == 4, "numbers go on over the restart"
        assert driver.status()["topics_in"]["order"]["messages"] == 1
    second_life = max((tmp_path / "state" / "execution_engine").glob(INPUT_LOG_NAMES))
    log = read_turns(second_life.read_bytes())
    assert log[0][0].kind is RecordKind.RESTORED_IN and len([turn for turn in log if len(turn) > 1]) == 2
    assert list(replay({Source.EXECUTION_ENGINE: Echo()}, {Source.EXECUTION_ENGINE: log})) == []


async def _check_http(config: SystemConfig) -> None:
    base = f"http://{config.execution.metrics_address}"
    async with httpx.AsyncClient(base_url=base) as client:
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/readyz")).status_code == 200
        assert (await client.get("/status")).json()["service"] == "execution_engine"
        text = (await client.get("/metrics")).text
    families = {family.name: family for family in text_string_to_metric_families(text)}
    received = families["tidewire_received_messages"].samples
    assert [s.value for s in received if s.labels["topic"] == "order"] == [4.0]
    assert families["tidewire_execution_engine_pnl"].samples[0].value == -1.5
    buckets = [s for s in families["tidewire_latency_seconds"].samples if s.labels.get("hop") == "order_handle"]
    counts = [s.value for s in buckets if s.name.endswith("_bucket")]
    assert counts == sorted(counts) and counts[-1] == 4.0


async def test_nothing_is_published_that_could_not_be_journalled(bus: Bus, risk: Publisher, tmp_path: Path) -> None:
    config, stage, wishes = make_config(bus, tmp_path), Echo(), []
    async with make_driver(config, stage, wishes) as driver:
        await until(lambda: driver.is_ready, "joined")
        running = asyncio.create_task(driver.run(asyncio.Event()))

        def full(*_a: object) -> None:
            raise HaltError("disk full")

        works = driver._journal.append  # type: ignore[union-attr]
        driver._journal.append = full  # type: ignore[method-assign, union-attr]
        publish(risk, order(5))
        with pytest.raises(HaltError, match="disk full"):
            await asyncio.wait_for(running, 5)
        driver._journal.append = works  # type: ignore[method-assign, union-attr]
        publish(risk, order(6))
        await asyncio.sleep(0.2)
        assert stage.seen == [5], "no turn after a halt: its outputs would carry numbers the journal does not know"
        assert wishes == [], "nothing may be sent that is not on file"
        assert not driver.is_ready


async def test_a_silent_publisher_is_gone_and_comes_back(bus: Bus, tmp_path: Path) -> None:
    config, stage = make_config(bus, tmp_path), Echo()
    async with make_driver(config, stage, []) as driver:
        assert not driver.is_ready
        first = bus.publisher(Source.RISK_MANAGER)
        await until(lambda: stage.alive == [True], "there")
        bus.stop(first)
        await until(lambda: stage.alive == [True, False] and not driver.is_ready, "gone")
        bus.publisher(Source.RISK_MANAGER)
        await until(lambda: stage.alive == [True, False, True] and driver.is_ready, "back")


async def test_what_the_daemon_logged_replays_equal_and_a_change_is_found(
    bus: Bus, risk: Publisher, tmp_path: Path
) -> None:
    config = make_config(bus, tmp_path)
    async with make_driver(config, Echo(), []) as driver:
        await until(lambda: driver.is_ready, "joined")
        for lots in range(20, 40):
            publish(risk, order(lots))
        await until(lambda: driver.status()["topics_out"]["report"]["messages"] == 20, "reports")
    log = read_turns(next((tmp_path / "state" / "execution_engine").glob(INPUT_LOG_NAMES)).read_bytes())
    assert list(replay({Source.EXECUTION_ENGINE: Echo()}, {Source.EXECUTION_ENGINE: log})) == []

    class Changed(Echo):
        def handle(self, event: Event, now_ns: int) -> Iterable[Output]:
            for output in super().handle(event, now_ns):
                is_target = not isinstance(output, Command) and output.trace_id == 30
                yield report(99) if is_target else output

    found = list(replay({Source.EXECUTION_ENGINE: Changed()}, {Source.EXECUTION_ENGINE: log}))
    assert len(found) == 1 and found[0].source is Source.EXECUTION_ENGINE
