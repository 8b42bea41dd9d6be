"""Orders through REST and the WebSocket API: place one far from the market, cancel it, again and again."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import urlencode

import uvloop
import websockets

from benchmarks.mock_exchange.servers import Server, serving
from benchmarks.report import Row, median_of

KEY: Final = "tidewire-demo-key"
SECRET: Final = b"tidewire-demo-secret"
CONNECTIONS: Final = 4
#: Place and cancel, per connection.
PAIRS: Final = 250
REPETITIONS: Final = 3
_ORDER: Final = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "price": "50000",
    "quantity": "0.001",
    "newOrderRespType": "RESULT",
}


def _signed(text: str) -> str:
    return hmac.new(SECRET, text.encode(), hashlib.sha256).hexdigest()


def sign_parameters(params: dict[str, Any]) -> dict[str, Any]:
    """A WebSocket API request's parameters with their signature."""
    return params | {"signature": _signed("&".join(f"{name}={params[name]}" for name in sorted(params)))}


def _http(method: str, params: dict[str, Any]) -> bytes:
    query = urlencode(params | {"timestamp": int(time.time() * 1000)})
    path = f"/api/v3/order?{query}&signature={_signed(query)}"
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\nX-MBX-APIKEY: {KEY}\r\nContent-Length: 0\r\n\r\n".encode()


async def _rest(port: int, name: str, pairs: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for number in range(pairs):
        which = f"{name}-{number}"
        for request in (
            _http("POST", _ORDER | {"newClientOrderId": which}),
            _http("DELETE", {"symbol": "BTCUSDT", "origClientOrderId": which}),
        ):
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(f"refused: {head!r}")
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
            await reader.readexactly(length)
    writer.close()


async def _ws(port: int, name: str, pairs: int) -> None:
    async with websockets.connect(f"ws://127.0.0.1:{port}/ws-api/v3", compression=None) as link:
        for number in range(pairs):
            which = f"{name}-{number}"
            for method, params in (
                ("order.place", _ORDER | {"newClientOrderId": which}),
                ("order.cancel", {"symbol": "BTCUSDT", "origClientOrderId": which}),
            ):
                sent = sign_parameters(params | {"apiKey": KEY, "timestamp": int(time.time() * 1000)})
                await link.send(json.dumps({"id": number, "method": method, "params": sent}))
                answer = await link.recv()
                if b'"error"' in (answer if isinstance(answer, bytes) else answer.encode()):
                    raise RuntimeError(f"refused: {answer!r}")


Client = Callable[[int, str, int], Awaitable[None]]


def _measure(server: Server, client: Client, repetition: int) -> tuple[float, float]:
    """(us of the server's processor time a request, requests a second)."""

    async def all_of_them(pairs: int, name: str) -> None:
        await asyncio.gather(*(client(server.port, f"{name}{n}", pairs) for n in range(CONNECTIONS)))

    uvloop.run(all_of_them(10, f"w{repetition}"))
    began_s, cpu_s = time.perf_counter(), server.cpu_s()
    uvloop.run(all_of_them(PAIRS, f"r{repetition}"))
    requests = 2 * PAIRS * CONNECTIONS
    return (server.cpu_s() - cpu_s) / requests * 1e6, requests / (time.perf_counter() - began_s)


def order_rows() -> list[Row]:
    """REST and WebSocket API."""
    rows = []
    for name, client in (("REST", _rest), ("WebSocket API", _ws)):
        found: dict[str, list[tuple[float, float]]] = {"ours": [], "bare": []}
        with serving("ours") as ours, serving("bare") as bare:
            for repetition in range(REPETITIONS):
                found["ours"].append(_measure(ours, client, repetition))
                found["bare"].append(_measure(bare, client, repetition))
        value, floor = (median_of(cpu for cpu, _ in found[kind]) for kind in ("ours", "bare"))
        rate, bare_rate = (median_of(rate for _, rate in found[kind]) for kind in ("ours", "bare"))
        note = f"{rate:,.0f} requests/s over {CONNECTIONS} connections with the clients beside; bare {bare_rate:,.0f}"
        rows.append(Row(f"order or cancel, {name}", "us", value, floor, 3.0, "same uvicorn, constant answer", note))
    return rows
