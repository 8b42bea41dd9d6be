"""The daemon itself, killed between two answers: what it said is there when it comes back."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from common.config import MockExchangeConfig
from common.errors import ConfigError
from services.mock_exchange.service import serve
from tests.mock_exchange.build import free_port

ROOT = Path(__file__).resolve().parents[3]


@contextmanager
def exchange(state: Path) -> Iterator[str]:
    """A process of its own; killed at the end."""
    port = free_port()
    command = [
        *(sys.executable, "-m", "services.mock_exchange", "--port", str(port)),
        *("--set", f"mock_exchange.metrics_address=127.0.0.1:{free_port()}"),
        *("--set", f"mock_exchange.state_file={state}"),
    ]
    with (state.parent / "log").open("ab") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
    try:
        end = time.monotonic() + 40
        while True:
            try:
                httpx.get(f"http://127.0.0.1:{port}/api/v3/ping", trust_env=False)
                break
            except httpx.TransportError:
                assert process.poll() is None and time.monotonic() < end, (state.parent / "log").read_text()
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/api/v3"
    finally:
        process.kill()
        process.wait()


def send(method: str, url: str, **params: Any) -> Any:
    query = urlencode(params | {"timestamp": int(time.time() * 1000)})
    signature = hmac.new(b"tidewire-demo-secret", query.encode(), hashlib.sha256).hexdigest()
    headers = {"X-MBX-APIKEY": "tidewire-demo-key"}
    return httpx.request(method, f"{url}?{query}&signature={signature}", headers=headers, trust_env=False).json()


def test_what_was_answered_outlives_kill_9(tmp_path: Path) -> None:
    state = tmp_path / "state.sqlite"
    resting = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "price": "50000"}
    with exchange(state) as url:
        bought = send("POST", f"{url}/order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.5")
        placed = send("POST", f"{url}/order", **resting, quantity="0.01", newClientOrderId="keep-1")
        balances = send("GET", f"{url}/account")["balances"]
    assert (bought["status"], placed["status"]) == ("FILLED", "NEW")
    with exchange(state) as url:
        assert send("GET", f"{url}/account")["balances"] == balances
        assert [order["clientOrderId"] for order in send("GET", f"{url}/openOrders")] == ["keep-1"]
        trades = send("GET", f"{url}/myTrades", symbol="BTCUSDT")
        assert sum(Decimal(trade["qty"]) for trade in trades) == Decimal("0.5")
        assert send("DELETE", f"{url}/order", symbol="BTCUSDT", origClientOrderId="keep-1")["status"] == "CANCELED"


@pytest.mark.parametrize("settings", [{"clock": "virtual"}, {"replay_files": ("capture.gz",)}])
async def test_time_that_begins_anew_keeps_no_state(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as error:
        await serve(MockExchangeConfig(state_file="state.sqlite", **settings), asyncio.Event())
    assert error.value.key == "mock_exchange.state_file"
