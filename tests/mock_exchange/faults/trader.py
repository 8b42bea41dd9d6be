"""A client that trades on the demo account."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import httpx
import websockets

from tests.mock_exchange.build import Server, parse

KEY, SECRET = "tidewire-demo-key", "tidewire-demo-secret"


def signature(text: str) -> str:
    return hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()


class Trader:
    """Signs and sends."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def send(self, method: str, path: str, **params: Any) -> httpx.Response:
        query = urlencode({"timestamp": int(time.time() * 1000)} | params)
        url = f"{self._server.http}/api/v3/{path}?{query}&signature={signature(query)}"
        return await self._server.client.request(method, url, headers={"X-MBX-APIKEY": KEY})

    async def buy(self, client_id: str, *, near: bool = False, quantity: str = "0.001") -> httpx.Response:
        """Rest a bid: far below the market, or at its best price."""
        price = "50000"
        if near:
            price = str(Decimal((await self._server.snapshot(limit=5))["bids"][0][0]))
        return await self.send(
            "POST", "order", symbol="BTCUSDT", side="BUY", type="LIMIT", timeInForce="GTC",
            price=price, quantity=quantity, newClientOrderId=client_id,
        )  # fmt: skip

    async def query(self, client_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = (
            await self.send("GET", "order", symbol="BTCUSDT", origClientOrderId=client_id)
        ).json()
        return answer

    async def cancel(self, client_id: str) -> dict[str, Any]:
        answer = await self.send("DELETE", "order", symbol="BTCUSDT", origClientOrderId=client_id)
        told: dict[str, Any] = answer.json()
        return told

    async def account(self) -> dict[str, Any]:
        told: dict[str, Any] = (await self.send("GET", "account")).json()
        return told

    @asynccontextmanager
    async def user_stream(self) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        """The account's events, from now on."""
        async with websockets.connect(f"{self._server.ws}/ws-api/v3") as socket:
            params: dict[str, Any] = {"apiKey": KEY, "timestamp": int(time.time() * 1000)}
            params["signature"] = signature("&".join(f"{name}={params[name]}" for name in sorted(params)))
            await socket.send(json.dumps({"id": 1, "method": "userDataStream.subscribe.signature", "params": params}))
            assert parse(await socket.recv())["status"] == 200

            async def events() -> AsyncIterator[dict[str, Any]]:
                async for text in socket:
                    yield parse(text)["event"]

            yield events()
