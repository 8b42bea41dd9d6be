"""What the mock exchange's tests share: a server, a capture of our own making, a book kept as a client keeps it."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx

from common.config import MockExchangeConfig
from common.config.mock_accounts import MockLimitsConfig
from services.mock_exchange.exchange import Frame
from services.mock_exchange.service import serve
from services.mock_exchange.simulation.simulated_exchange import SimulatedExchange

START_NS = 1_700_000_000_000_000_000
SECOND_NS = 1_000_000_000


def is_event_stream(channel: str) -> bool:
    """Trades, the touch and the diffs: what a book and its clients are kept by."""
    return channel.endswith(("@trade", "@aggTrade", "@bookTicker", "@depth", "@depth@100ms"))


def simulate(
    config: MockExchangeConfig,
    seconds: float,
    step_s: float = 0.05,
    wanted: Callable[[str], bool] = is_event_stream,
    start_ns: int = START_NS,
) -> list[Frame]:
    """All frames of the wanted channels of a simulated market from `start_ns` on, advanced in steps."""
    exchange = SimulatedExchange(config)
    exchange.make_only(wanted)
    frames = []
    for step in range(int(seconds / step_s) + 1):
        frames += exchange.advance(start_ns + int(step * step_s * SECOND_NS))
    return frames


class ClientBook:
    """A local book by the venue's numbered rules (venues.md 2.3), as a careful client keeps it."""

    def __init__(self, snapshot: dict[str, Any]) -> None:
        self.update_id: int = snapshot["lastUpdateId"]
        self.sides = {"b": dict(snapshot["bids"]), "a": dict(snapshot["asks"])}
        self.gaps = 0

    def apply(self, event: dict[str, Any]) -> bool:
        """False for events the book already holds."""
        if event["u"] <= self.update_id:
            return False
        self.gaps += event["U"] > self.update_id + 1
        for side, levels in self.sides.items():
            for price, qty in event[side]:
                if float(qty):
                    levels[price] = qty
                else:
                    levels.pop(price, None)
        self.update_id = event["u"]
        return True

    def best(self) -> tuple[str, str, str, str]:
        bid = max(self.sides["b"], key=float)
        ask = min(self.sides["a"], key=float)
        return bid, self.sides["b"][bid], ask, self.sides["a"][ask]

    def levels(self) -> dict[str, list[list[str]]]:
        bids = sorted(self.sides["b"].items(), key=lambda level: -float(level[0]))
        asks = sorted(self.sides["a"].items(), key=lambda level: float(level[0]))
        return {"bids": [list(level) for level in bids], "asks": [list(level) for level in asks]}


def own_capture(seconds: float = 4.0, snapshot_after_s: float = 0.35, with_snapshot: bool = True) -> bytes:
    """A capture in the recorder's format, made from simulated flow; the snapshot lies behind a few diffs."""
    exchange = SimulatedExchange(MockExchangeConfig(seed=5))
    lines = []
    kinds = {"btcusdt@depth@100ms", "btcusdt@trade", "btcusdt@bookTicker"}
    step_ns = 10_000_000
    for number in range(int(seconds * 100)):
        now_ns = START_NS + number * step_ns
        lines += [
            f'{frame.time_ns} {{"stream":"{frame.stream}","data":{frame.payload}}}'
            for frame in exchange.advance(now_ns)
            if frame.stream in kinds
        ]
        if with_snapshot and number == int(snapshot_after_s * 100):
            lines.append(f"{now_ns} {exchange.snapshot('BTCUSDT', 1000)}")
    return gzip.compress("\n".join(lines).encode() + b"\n")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A running mock exchange."""

    def __init__(self, config: MockExchangeConfig, client: httpx.AsyncClient) -> None:
        self.http = f"http://{config.listen_address}"
        self.ws = f"ws://{config.listen_address}"
        self.metrics = f"http://{config.metrics_address}"
        self.client = client

    async def get(self, url: str) -> Any:
        return (await self.client.get(url)).json()

    async def stage(self) -> dict[str, Any]:
        stage: dict[str, Any] = (await self.get(f"{self.metrics}/status"))["stage"]
        return stage

    async def snapshot(self, symbol: str = "BTCUSDT", limit: int = 5000, prefix: str = "/api/v3") -> Any:
        return await self.get(f"{self.http}{prefix}/depth?symbol={symbol}&limit={limit}")

    async def is_up(self) -> bool:
        try:
            return (await self.client.get(f"{self.metrics}/readyz")).status_code == 200
        except httpx.TransportError:
            return False


@asynccontextmanager
async def running(**settings: Any) -> AsyncIterator[Server]:
    """Serve on free ports for the length of the block. Nobody runs out of weight unless a test sets `limits`."""
    settings.setdefault("limits", MockLimitsConfig(request_weight_per_minute=10**9))
    config = MockExchangeConfig(
        listen_address=f"127.0.0.1:{free_port()}", metrics_address=f"127.0.0.1:{free_port()}", **settings
    )
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(config, stop))
    async with httpx.AsyncClient(trust_env=False) as client:
        server = Server(config, client)
        try:
            async with asyncio.timeout(20):
                while not serving.done() and not await server.is_up():
                    await asyncio.sleep(0.02)
            yield server
        finally:
            stop.set()
            await serving


def parse(text: str | bytes) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(text)
    return message
