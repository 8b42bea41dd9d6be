"""The simulated exchange over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import time
from itertools import pairwise

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from common.config import MockExchangeConfig
from tests.mock_exchange.build import ClientBook, parse, running


def request(method: str, params: list | None = None, request_id: object = 1) -> str:
    return json.dumps(
        {"method": method, "params": params, "id": request_id}
        if params is not None
        else {"method": method, "id": request_id}
    )


async def test_a_local_book_by_the_venues_rule_equals_the_engines() -> None:
    async with running(seed=3) as server, connect(f"{server.ws}/ws/btcusdt@depth@100ms", compression=None) as ws:
        buffered = [parse(await ws.recv())]
        snapshot = await server.snapshot()
        assert snapshot["lastUpdateId"] >= buffered[0]["U"]
        book = ClientBook(snapshot)
        end = time.monotonic() + 2.5
        previous = buffered[0]
        book.apply(previous)
        compared = 0
        while time.monotonic() < end:
            event = parse(await ws.recv())
            assert event["U"] == previous["u"] + 1
            previous = event
            book.apply(event)
            truth = await server.snapshot()
            if truth["lastUpdateId"] == book.update_id:
                assert {side: truth[side] for side in ("bids", "asks")} == book.levels()
                compared += 1
        assert book.gaps == 0 and compared >= 5


async def test_subscriptions_framing_and_silence() -> None:
    async with running() as server, connect(f"{server.ws}/ws", compression=None) as ws:
        await ws.send(request("SUBSCRIBE", ["btcusdt@depth@100ms", "nosuch@thing"], "7f-id"))
        assert parse(await ws.recv()) == {"result": None, "id": "7f-id"}
        assert parse(await ws.recv())["e"] == "depthUpdate"
        await ws.send(request("UNSUBSCRIBE", ["btcusdt@depth@100ms"], None))
        while (message := parse(await ws.recv())).get("e"):
            pass
        assert message == {"result": None, "id": None}
        await ws.send(request("LIST_SUBSCRIPTIONS", request_id=3))
        assert parse(await ws.recv()) == {"result": ["nosuch@thing"], "id": 3}
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(ws.recv(), 0.4)
        await ws.send("{nonsense")
        assert parse(await ws.recv())["code"] == 3


@pytest.mark.parametrize(
    ("path", "wrapped"),
    [
        ("/ws/ethusdt@bookTicker/btcusdt@depth", False),
        ("/stream?streams=ethusdt@bookTicker/btcusdt@depth", True),
        ("/stream?streams=ethusdt%40bookTicker%2Fbtcusdt%40depth", True),
    ],
)
async def test_streams_named_in_the_url(path: str, wrapped: bool) -> None:
    async with running() as server, connect(server.ws + path, compression=None) as ws:
        seen = set()
        async with asyncio.timeout(5):
            while len(seen) < 2:
                message = parse(await ws.recv())
                assert ("stream" in message) is wrapped
                data = message["data"] if wrapped else message
                seen.add("btcusdt@depth" if "U" in data else "ethusdt@bookTicker")
                if wrapped:
                    assert message["stream"] in seen and list(message) == ["stream", "data"]


async def test_framing_can_be_changed_while_connected() -> None:
    async with running() as server, connect(f"{server.ws}/stream", compression=None) as ws:
        await ws.send(request("SUBSCRIBE", ["btcusdt@bookTicker"]))
        assert parse(await ws.recv())["result"] is None
        assert parse(await ws.recv())["stream"] == "btcusdt@bookTicker"
        await ws.send(request("SET_PROPERTY", ["combined", False], 2))
        while "stream" in (message := parse(await ws.recv())):
            pass
        assert message == {"result": None, "id": 2}
        assert "stream" not in parse(await ws.recv())


async def test_a_client_that_talks_too_much_is_hung_up_on() -> None:
    async with running() as server, connect(f"{server.ws}/ws", compression=None) as ws:
        with contextlib.suppress(ConnectionClosed):
            for number in range(10):
                await ws.send(request("LIST_SUBSCRIPTIONS", request_id=number))
        with contextlib.suppress(ConnectionClosed):
            async for reply in ws:
                assert parse(reply)["id"] < 5
        assert ws.close_code == 1008


async def test_rest_speaks_http_like_the_venue() -> None:
    async with running() as server, httpx.AsyncClient(base_url=server.http) as client:
        answer = await client.get("/api/v3/depth", params={"symbol": "NOPE"})
        assert (answer.status_code, answer.json()) == (400, {"code": -1121, "msg": "Invalid symbol."})
        answer = await client.get("/api/v3/exchangeInfo?symbols=%5B%22BTCUSDT%22,%22ETHUSDT%22%5D")
        assert [s["symbol"] for s in answer.json()["symbols"]] == ["BTCUSDT", "ETHUSDT"]
        assert answer.headers["X-MBX-USED-WEIGHT-1M"] == "25"
        assert abs((await client.get("/api/v3/time")).json()["serverTime"] - time.time() * 1000) < 2000
        assert (await client.get("/api/v3/ping")).json() == {}
        assert (await client.get("/api/v3/nothing")).status_code == 404
        assert (await client.get("/fapi/v1/ping")).status_code == 404
        assert (await client.post("/api/v3/ping")).status_code == 405


async def test_health_and_metrics() -> None:
    async with running() as server, httpx.AsyncClient(base_url=server.metrics) as client:
        assert (await client.get("/healthz")).status_code == 200
        status = (await client.get("/status")).json()
        assert status["service"] == "mock_exchange" and status["ready"] is True
        assert {"frames_sent", "clients", "replay_done", "damaged"} <= set(status["stage"])
        assert "tidewire_mock_exchange_frames_sent" in (await client.get("/metrics")).text


async def test_simulated_depth_can_be_damaged_and_rest_stays_true() -> None:
    async with (
        running(damage={"drop": 0.5}) as server,
        connect(f"{server.ws}/ws/btcusdt@depth@100ms", compression=None) as ws,
    ):
        diffs = [parse(await ws.recv()) for _ in range(10)]
        gaps = sum(after["U"] != before["u"] + 1 for before, after in pairwise(diffs))
        stage = await server.stage()
        truth = await server.snapshot()
    assert 0 < gaps <= stage["damaged"]["drop"]
    assert truth["lastUpdateId"] >= diffs[-1]["u"]
    bids, asks = ([float(price) for price, _ in truth[side]] for side in ("bids", "asks"))
    assert max(bids) < min(asks)


async def test_a_slow_client_is_cut_off_and_the_others_are_not() -> None:
    streams = "/".join(
        f"{s}@{k}" for s in ("btcusdt", "ethusdt", "ethbtc") for k in ("depth@100ms", "bookTicker", "trade")
    )
    busy = {"client_queue_frames": 2000, "symbols": _busy_symbols()}
    async with (
        running(**busy) as server,
        connect(f"{server.ws}/ws/{streams}", compression=None, close_timeout=0.2) as good,
    ):
        slow = socket.socket()
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        host, _, port = server.ws.removeprefix("ws://").partition(":")
        slow.connect((host, int(port)))
        reader, writer = await asyncio.open_connection(sock=slow, limit=2**10)
        writer.write(
            f"GET /ws/{streams} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        assert b"101" in await reader.readline()
        writer.transport.pause_reading()
        async with asyncio.timeout(30):
            received = 0
            while received % 500 != 0 or (await server.stage())["clients_cut"] == 0:
                await good.recv()
                received += 1
        stage = await server.stage()
        assert stage["clients"] == 1 and stage["clients_cut"] == 1
        writer.transport.resume_reading()
        with contextlib.suppress(ConnectionResetError):
            async with asyncio.timeout(5):
                while await reader.read(2**16):
                    pass
        writer.close()
        last = parse(await good.recv())
        assert last
        for _ in range(100):
            await good.recv()


def _busy_symbols() -> tuple:
    return tuple(s.model_copy(update={"events_per_s": 3000.0}) for s in MockExchangeConfig().symbols)
