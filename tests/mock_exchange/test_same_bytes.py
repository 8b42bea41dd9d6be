"""One seed, twice: real processes on the virtual clock send byte-identical streams."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import pytest
import websockets

from tests.mock_exchange.build import free_port

ROOT = Path(__file__).resolve().parents[2]
STREAMS = [
    f"{symbol}@{kind}"
    for symbol in ("btcusdt", "ethusdt", "ethbtc")
    for kind in ("depth@100ms", "depth", "depth10@100ms", "trade", "aggTrade", "bookTicker", "kline_1m", "ticker")
]
FRAMES = 1500


async def first_frames(port: int) -> list[str]:
    """What one client that asks for everything at once is sent first."""
    url = f"ws://127.0.0.1:{port}/stream?streams={'/'.join(STREAMS)}"
    end = time.monotonic() + 30
    while True:
        try:
            async with websockets.connect(url, max_size=None) as socket:
                return [str(await socket.recv()) for _ in range(FRAMES)]
        except OSError:
            assert time.monotonic() < end, "the exchange does not answer"
            await asyncio.sleep(0.1)


def run(seed: int) -> list[str]:
    """The frames of a fresh process."""
    port, metrics = free_port(), free_port()
    command = [
        *(sys.executable, "-m", "services.mock_exchange", "--port", str(port), "--seed", str(seed)),
        *("--set", f"mock_exchange.metrics_address=127.0.0.1:{metrics}"),
        *("--set", "mock_exchange.clock=virtual"),
    ]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        return asyncio.run(first_frames(port))
    finally:
        process.terminate()
        process.communicate(timeout=10)


@pytest.mark.slow
def test_one_seed_gives_the_same_bytes_again_and_another_gives_others() -> None:
    first, again, other = run(7), run(7), run(8)
    assert first == again
    assert first != other
    kinds = {frame.split('"', 4)[3].partition("@")[2] for frame in first}
    assert {"depth@100ms", "trade", "bookTicker", "depth10@100ms"} <= kinds
