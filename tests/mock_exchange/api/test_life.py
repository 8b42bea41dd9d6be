"""A whole life over real sockets: look, place, fill, cancel, and hear of all of it."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from common.config.mock_accounts import MockLimitsConfig
from tests.mock_exchange.api.client import KEY, RESTING, hmac_hex
from tests.mock_exchange.build import Server, running

_HEADERS = {"X-MBX-APIKEY": KEY}


def signed(**params: Any) -> str:
    text = urlencode(params | {"timestamp": int(time.time() * 1000)})
    return f"{text}&signature={hmac_hex(text)}"


class Rest:
    """Requests as different libraries send them."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._base = f"{server.http}/api/v3"

    async def __call__(self, method: str, path: str, place: str = "query", **params: Any) -> httpx.Response:
        text = signed(**params)
        content, url = (text, "") if place == "body" else ("", f"?{text}")
        headers = _HEADERS | {"Content-Type": "application/json;charset=utf-8"}
        return await self._server.client.request(
            method, f"{self._base}/{path}{url}", content=content, headers=headers
        )


async def ask(ws: ClientConnection, method: str, **params: Any) -> tuple[dict[str, Any], list]:
    """(the answer, the events that came before it)."""
    params |= {"apiKey": KEY, "timestamp": int(time.time() * 1000)}
    params["signature"] = hmac_hex("&".join(f"{name}={params[name]}" for name in sorted(params)))
    await ws.send(json.dumps({"id": "asked", "method": method, "params": params}))
    events = []
    while True:
        message = json.loads(await asyncio.wait_for(ws.recv(), 5))
        if message.get("id") == "asked":
            return message, events
        events.append(message["event"])


async def hear(ws: ClientConnection, count: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(5):
        return [json.loads(await ws.recv())["event"] for _ in range(count)]


@pytest.mark.parametrize("place", ["query", "body"])
async def test_a_whole_life(place: str) -> None:
    async with running() as server, connect(f"{server.ws}/ws-api/v3", compression=None) as ws:
        rest = Rest(server)
        subscribed, before = await ask(ws, "userDataStream.subscribe.signature")
        assert subscribed["result"] == {"subscriptionId": 0} and before == []
        before_ms = (await server.get(f"{server.http}/api/v3/time"))["serverTime"]
        bids = (await server.snapshot("BTCUSDT", 5))["bids"]

        placed = await rest("POST", "order", place, **RESTING | {"newClientOrderId": "life"})
        assert placed.status_code == 200 and placed.headers["X-MBX-ORDER-COUNT-10S"] == "1"
        assert placed.json()["status"] == "NEW" and placed.json()["transactTime"] >= before_ms
        new, position = await hear(ws, 2)
        assert (new["x"], new["c"], new["i"]) == ("NEW", "life", placed.json()["orderId"])
        assert position["B"] and position["e"] == "outboundAccountPosition"

        found = await rest("GET", "order", symbol="BTCUSDT", origClientOrderId="life")
        assert found.json()["status"] == "NEW" and float(bids[0][0]) > float(found.json()["price"])
        gone = await rest("DELETE", "order", place, symbol="BTCUSDT", origClientOrderId="life")
        assert gone.json()["status"] == "CANCELED"
        assert [event["e"] for event in await hear(ws, 2)] == ["executionReport", "outboundAccountPosition"]

        filled, events = await ask(
            *(ws, "order.place"), symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.001", newClientOrderId="m"
        )
        assert filled["status"] == 200 and filled["result"]["status"] == "FILLED"
        assert [e["x"] for e in events if e["e"] == "executionReport"] == ["NEW", "TRADE"]
        (mine,) = (await rest("GET", "myTrades", symbol="BTCUSDT")).json()
        assert mine["id"] == filled["result"]["fills"][0]["tradeId"]
        assert (await rest("GET", "openOrders")).json() == []
        again = await rest("DELETE", "order", place, symbol="BTCUSDT", origClientOrderId="life")
        assert (again.status_code, again.json()) == (400, {"code": -2011, "msg": "Unknown order sent."})


async def test_ones_own_trade_is_in_the_market_streams() -> None:
    async with (
        running() as server,
        connect(f"{server.ws}/ws/btcusdt@trade", compression=None) as stream,
        connect(f"{server.ws}/ws-api/v3", compression=None) as ws,
    ):
        filled, _ = await ask(ws, "order.place", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.00123")
        number = filled["result"]["fills"][0]["tradeId"]
        async with asyncio.timeout(5):
            while (trade := json.loads(await stream.recv()))["t"] != number:
                assert trade["t"] < number
        assert (trade["q"], trade["m"]) == (filled["result"]["fills"][0]["qty"], False)


async def test_many_orders_at_once_and_a_connection_that_takes_nonsense() -> None:
    async with running() as server, connect(f"{server.ws}/ws-api/v3", compression=None) as ws:
        await ask(ws, "session.logon")
        for number in range(20):
            params = RESTING | {"timestamp": int(time.time() * 1000)}
            await ws.send(json.dumps({"id": number, "method": "order.place", "params": params}))
            await ws.send("nonsense")
        answers = [json.loads(await asyncio.wait_for(ws.recv(), 5)) for _ in range(40)]
        assert [answer["id"] for answer in answers[::2]] == list(range(20))
        assert {answer["status"] for answer in answers[::2]} == {200}
        assert {answer["error"]["code"] for answer in answers[1::2]} == {-1135}


async def test_listen_keys_where_switched_on() -> None:
    async with running(listen_keys=True) as server:
        key = (await server.client.post(f"{server.http}/api/v3/userDataStream", headers=_HEADERS)).json()["listenKey"]
        async with (
            connect(f"{server.ws}/ws/{key}", compression=None) as raw,
            connect(f"{server.ws}/stream?streams={key}", compression=None) as combined,
        ):
            await Rest(server)("POST", "order", **RESTING)
            assert json.loads(await asyncio.wait_for(raw.recv(), 5))["e"] == "executionReport"
            wrapped = json.loads(await asyncio.wait_for(combined.recv(), 5))
            assert wrapped["stream"] == key and wrapped["data"]["e"] == "executionReport"


async def test_a_connection_is_told_of_its_end_and_cut() -> None:
    limits = MockLimitsConfig(connection_life_ms=1000, shutdown_notice_ms=500)
    async with running(limits=limits) as server, connect(f"{server.ws}/ws-api/v3", compression=None) as ws:
        assert json.loads(await asyncio.wait_for(ws.recv(), 3))["event"]["e"] == "serverShutdown"
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(ws.recv(), 3)
        assert ws.close_code == 1001


async def test_too_many_connections_and_requests() -> None:
    limits = MockLimitsConfig(connections_per_5_minutes=1, request_weight_per_minute=30)
    async with running(limits=limits) as server:
        async with connect(f"{server.ws}/ws-api/v3", compression=None):
            with pytest.raises(InvalidStatus) as refusal:
                await connect(f"{server.ws}/ws-api/v3", compression=None).__aenter__()
        assert refusal.value.response.status_code == 429
        for expected in (200, 429):
            answer = await server.client.get(f"{server.http}/api/v3/exchangeInfo")
            assert answer.status_code == expected
        assert answer.json()["code"] == -1003 and 1 <= int(answer.headers["Retry-After"]) <= 60


async def test_paths_and_bodies_that_are_none_of_ours() -> None:
    async with running() as server:
        client, base = server.client, f"{server.http}/api/v3"
        assert (await client.get(f"{base}/nope")).status_code == 404
        assert (await client.get(f"{base}/order/")).status_code == 404, "no redirect that would lose a signature"
        assert (await client.put(f"{base}/ping")).status_code == 405
        gone = await client.post(f"{base}/userDataStream", headers=_HEADERS)
        assert gone.status_code == 410 and gone.headers["content-type"].startswith("text/html")
        assert (await client.post(f"{base}/order", content=b"x" * 200_000)).status_code == 413
        answer = await client.post(f"{base}/order", content=b"\xff=\x00&%zz", headers=_HEADERS)
        assert answer.status_code == 400 and answer.json()["code"] == -1102
        assert answer.headers["content-type"].startswith("application/json")
