"""Depth frames to fifty stream clients."""

from __future__ import annotations

import asyncio
import time
from typing import Final

import uvloop
import websockets

from benchmarks.mock_exchange.servers import Server, serving
from benchmarks.report import Row, median_of

CLIENTS: Final = 50
SECONDS: Final = 4.0
REPETITIONS: Final = 3
_STREAMS: Final = "/".join(
    f"{symbol}@{kind}"
    for symbol in ("btcusdt", "ethusdt", "ethbtc")
    for kind in ("depth@100ms", "trade", "bookTicker")
)


async def _read(port: int, until_s: float) -> int:
    count = 0
    url = f"ws://127.0.0.1:{port}/stream?streams={_STREAMS}"
    async with websockets.connect(url, compression=None, max_queue=None) as link:
        try:
            async with asyncio.timeout_at(until_s):
                while True:
                    await link.recv()
                    count += 1
        except TimeoutError:
            return count


async def _read_all(port: int) -> int:
    until_s = asyncio.get_running_loop().time() + SECONDS
    return sum(await asyncio.gather(*(_read(port, until_s) for _ in range(CLIENTS))))


def _measure(server: Server) -> tuple[float, float]:
    """(us of the server's processor time a frame, frames a second to all clients together)."""
    began_s, cpu_s = time.perf_counter(), server.cpu_s()
    frames = uvloop.run(_read_all(server.port))
    return (server.cpu_s() - cpu_s) / frames * 1e6, frames / (time.perf_counter() - began_s)


def stream_rows() -> list[Row]:
    """Ours makes its market as well; the floor has its frame ready."""
    found: dict[str, list[tuple[float, float]]] = {"ours": [], "bare": []}
    with serving("ours") as ours, serving("bare") as bare:
        for _ in range(REPETITIONS):
            found["ours"].append(_measure(ours))
            found["bare"].append(_measure(bare))
    value, floor = (median_of(cpu for cpu, _ in found[kind]) for kind in ("ours", "bare"))
    rate, bare_rate = (median_of(rate for _, rate in found[kind]) for kind in ("ours", "bare"))
    note = f"{rate:,.0f} frames/s to {CLIENTS} clients; bare {bare_rate:,.0f} at its own pace"
    return [
        Row(f"a frame to one of {CLIENTS} stream clients", "us", value, floor, 1.5, "same uvicorn, frame ready", note)
    ]
