"""A mock exchange for the length of a block: a process of its own on free ports, stopped whatever happens in it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from common.runtime.orphan import PARENT_VARIABLE

_ROOT: Final = Path(__file__).resolve().parents[1]
_POLL_S: Final = 0.1
_STOP_S: Final = 10.0


class MockExchangeError(RuntimeError):
    """It did not come up; the message holds what it said."""


@dataclass(slots=True)
class MockExchange:
    """Where it is, HOST:PORT each, and its exit code once it has ended."""

    address: str
    metrics_address: str
    exit_code: int | None = None

    def get(self, path: str, **params: str | int) -> Any:
        """The answer to a REST request, as parsed JSON.

        Raises:
            httpx.HTTPError: it cannot be reached, or refuses.
        """
        return httpx.get(f"http://{self.address}{path}", params=params).raise_for_status().json()

    def status(self) -> Any:
        """What it says of itself: clients, frames, what was damaged on purpose."""
        return httpx.get(f"http://{self.metrics_address}/status").raise_for_status().json()


@contextmanager
def mock_exchange(settings: Mapping[str, Any] | None = None, *, start_s: float = 30.0) -> Iterator[MockExchange]:
    """Start one, wait until it serves, and stop it (SIGTERM) behind the block; it also ends with this process.

    Args:
        settings: of its section, such as {"seed": 7, "damage.drop": 0.05}; docs/configuration.md lists them.
        start_s: how long it may take to come up.

    Raises:
        MockExchangeError: it ended, or did not serve in time.
    """
    exchange = MockExchange(*_free_addresses())
    addresses = {"listen_address": exchange.address, "metrics_address": exchange.metrics_address}
    flags: list[str] = []
    for key, value in {**(settings or {}), **addresses}.items():
        flags += ["--set", f"mock_exchange.{key}={value if isinstance(value, str) else json.dumps(value)}"]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as log:
        process = subprocess.Popen(  # noqa: S603 - our own module, by this very interpreter
            [sys.executable, "-m", "services.mock_exchange", *flags],
            cwd=_ROOT,
            env={**os.environ, PARENT_VARIABLE: str(os.getpid())},
            stdout=log,
            stderr=log,
        )
        try:
            _wait(exchange, process, start_s)
            yield exchange
        except MockExchangeError as error:
            log.seek(0)
            raise MockExchangeError(f"{error}: {log.read().strip() or 'it said nothing'}") from None
        finally:
            exchange.exit_code = _stop(process)


def _free_addresses() -> tuple[str, str]:
    """Two that nobody listens on at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        return f"127.0.0.1:{one.getsockname()[1]}", f"127.0.0.1:{two.getsockname()[1]}"


def _wait(exchange: MockExchange, process: subprocess.Popen[bytes], start_s: float) -> None:
    deadline_s = time.monotonic() + start_s
    while time.monotonic() < deadline_s:
        if process.poll() is not None:
            raise MockExchangeError(f"the mock exchange ended with exit code {process.returncode}")
        try:
            exchange.get("/api/v3/ping")
            return
        except httpx.TransportError:
            time.sleep(_POLL_S)
    raise MockExchangeError(f"the mock exchange did not serve within {start_s:g} s")


def _stop(process: subprocess.Popen[bytes]) -> int:
    process.terminate()
    try:
        return process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
