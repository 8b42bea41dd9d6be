"""The mock exchange as a process: usable without a configuration, ends at once, says what is wrong."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import time
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect

from tests.conftest import ROOT
from tests.mock_exchange.build import free_port, parse


async def start(*arguments: str, cwd: Path = ROOT) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.mock_exchange",
        *arguments,
        cwd=cwd,
        stderr=asyncio.subprocess.PIPE,
    )


async def wait_until_up(port: int) -> None:
    async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(30):
        while True:
            try:
                await client.get(f"http://127.0.0.1:{port}/api/v3/ping")
            except httpx.TransportError:
                await asyncio.sleep(0.05)
            else:
                return


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_port_and_seed_are_enough_and_a_signal_ends_it_at_once(number: signal.Signals) -> None:
    port, metrics = free_port(), free_port()
    process = await start(
        "--port", str(port), "--seed", "1", "--set", f"mock_exchange.metrics_address=127.0.0.1:{metrics}"
    )
    await wait_until_up(port)
    async with connect(f"ws://127.0.0.1:{port}/ws/btcusdt@depth@100ms", compression=None) as ws:
        assert parse(await ws.recv())["s"] == "BTCUSDT"
        began = time.monotonic()
        process.send_signal(number)
        _, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    assert time.monotonic() - began < 2.0
    assert b"Traceback" not in errors


async def test_a_taken_port_is_named_with_its_remedy() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = await start("--port", str(port))
        _, errors = await process.communicate()
    text = errors.decode()
    assert process.returncode == 4, text
    assert "mock_exchange.listen_address" in text and str(port) in text and "--set" in text
    assert "Traceback" not in text


async def test_a_missing_capture_is_named(tmp_path: Path) -> None:
    process = await start("--set", f'mock_exchange.replay_files=["{tmp_path}/nothing.gz"]')
    _, errors = await process.communicate()
    assert process.returncode == 4
    assert "mock_exchange.replay_files" in errors.decode() and "nothing.gz" in errors.decode()
