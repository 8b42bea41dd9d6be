"""A publisher and readers on real sockets, with messages small enough to read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import structlog
import zmq

from common.codec import Frame, split_frame
from common.config import BusConfig
from common.messages import (
    ExecType,
    ExecutionReport,
    FeedState,
    FeedStatus,
    OrderStatus,
    OrderType,
    Purpose,
    Side,
    Source,
    TradeTick,
    UpstreamStatus,
)
from common.records import RecordKind
from common.runtime.journal import Entry, Journal
from common.runtime.publisher import Publisher
from common.runtime.upstream import Upstream
from common.topics import Event


def trade(number: int) -> TradeTick:
    return TradeTick(
        event_ns=number,
        origin_ns=number,
        trace_id=number,
        venue="binance",
        symbol="BTCUSDT",
        trade_id=number,
        price_ticks=100,
        qty_lots=1,
        aggressor=Side.BUY,
    )


def feed_status(symbol: str, number: int) -> FeedStatus:
    return FeedStatus(
        event_ns=number,
        origin_ns=number,
        trace_id=0,
        venue="binance",
        symbol=symbol,
        state=FeedState.SYNCED,
        reason=str(number),
    )


def report(number: int) -> ExecutionReport:
    return ExecutionReport(
        event_ns=number,
        origin_ns=number,
        trace_id=number,
        venue="binance",
        symbol="BTCUSDT",
        report_id=f"r{number}",
        order_id=f"o{number}",
        strategy="s",
        purpose=Purpose.ENTRY,
        exec_type=ExecType.NEW,
        status=OrderStatus.NEW,
        side=Side.BUY,
        order_type=OrderType.MARKET,
        qty_lots=1,
        limit_ticks=0,
    )


@dataclass
class Reader:
    """An Upstream and what it delivered."""

    upstream: Upstream
    events: list[Event] = field(default_factory=list)
    aliveness: list[bool] = field(default_factory=list)

    def on_event(self, event: Event, _data: bytes, _frame: Frame | None) -> None:
        if isinstance(event, UpstreamStatus):
            self.aliveness.append(event.is_alive)
        else:
            self.events.append(event)


class Bus:
    """Makes publishers and readers of one publisher's addresses, and beats for them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.addresses = (f"ipc://{folder}/pub", f"ipc://{folder}/rep")
        self.config = BusConfig(heartbeat_interval_ms=20, heartbeat_misses=5, request_timeout_ms=200)
        self._open: list[Publisher | Upstream] = []
        self._beater = asyncio.create_task(self._beat())

    def publisher(self, source: Source, journal: Journal | None = None) -> Publisher:
        made = Publisher(source, self.config, epoch=time.time_ns(), journal=journal, status=lambda: {"service": "t"})
        made.open(self.context, "market_data", *self.addresses)
        self._open.append(made)
        return made

    def reader(self, source: Source, *topics: str, applied: dict[str, int] | None = None) -> Reader:
        reader = Reader.__new__(Reader)
        upstream = Upstream(
            source,
            topics,
            self.config,
            lambda *a: reader.on_event(*a),
            clock_ns=time.time_ns,
            applied=applied or {},
            log=structlog.get_logger(),
        )
        reader.__init__(upstream)  # type: ignore[misc]
        upstream.open(self.context, *self.addresses)
        self._open.append(upstream)
        return reader

    def stop(self, part: Publisher | Upstream) -> None:
        self._open.remove(part)
        part.close()

    def pause(self, part: Publisher) -> None:
        """Let it fall silent."""
        self._open.remove(part)

    def resume(self, part: Publisher) -> None:
        self._open.append(part)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(0.02)
            for part in self._open:
                if isinstance(part, Publisher):
                    part.heartbeat(time.time_ns())
                else:
                    part.tick()

    async def close(self) -> None:
        self._beater.cancel()
        for part in list(self._open):
            self.stop(part)
        await asyncio.sleep(0)
        self.context.destroy(linger=0)


@pytest.fixture
async def bus(tmp_path: Path) -> AsyncIterator[Bus]:
    made = Bus(tmp_path)
    yield made
    await made.close()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path / "journal", sync="os", segment_bytes=65_536)
    list(made.recover())
    yield made
    made.close()


def publish(publisher: Publisher, event: Event, journal: Journal | None = None, *, lose: bool = False) -> None:
    """As the driver does it; `lose` numbers and keeps the frame but does not send it."""
    data = publisher.frame(event, time.time_ns())
    if journal is not None:
        frame = split_frame(data)
        journal.append(0, [Entry(RecordKind.OUT, frame.topic, frame.envelope.sequence, data)])
    if not lose:
        publisher.send(data)


async def until(condition: Callable[[], bool], what: str, timeout_s: float = 5.0) -> None:
    """Wait for a condition; fail by naming it."""
    end = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"not within {timeout_s} s: {what}")
        await asyncio.sleep(0.005)
