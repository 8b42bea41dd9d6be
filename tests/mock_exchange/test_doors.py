"""What the doors of the streams let through: long addresses, so many connections, so many messages."""

from __future__ import annotations

import json

import pytest
import websockets

from common.config.mock_accounts import MockLimitsConfig
from tests.mock_exchange.build import parse, running


async def test_a_thousand_streams_fit_into_an_address() -> None:
    names = [f"symbol{number}usdt@depth@100ms" for number in range(1000)] + ["btcusdt@depth@100ms"]
    async with (
        running() as server,
        websockets.connect(f"{server.ws}/stream?streams={'/'.join(names)}") as link,
    ):
        assert parse(await link.recv())["stream"] == "btcusdt@depth@100ms"


async def test_connections_to_the_streams_are_counted() -> None:
    limits = MockLimitsConfig(connections_per_5_minutes=3)
    async with running(limits=limits) as server:
        for _ in range(3):
            async with websockets.connect(f"{server.ws}/ws/btcusdt@trade"):
                pass
        with pytest.raises(websockets.InvalidStatus) as refused:
            await websockets.connect(f"{server.ws}/ws/btcusdt@trade")
        assert refused.value.response.status_code == 429
        assert json.loads(refused.value.response.body or b"{}")["code"] == -1034


async def test_the_first_five_of_too_many_requests_are_answered() -> None:
    async with running() as server, websockets.connect(f"{server.ws}/ws") as link:
        for number in range(8):
            await link.send(json.dumps({"method": "LIST_SUBSCRIPTIONS", "id": number}))
        answers: list[int] = []
        with pytest.raises(websockets.ConnectionClosedError):
            await _collect(link, answers)
    assert answers == [0, 1, 2, 3, 4]


async def _collect(link: websockets.ClientConnection, answers: list[int]) -> None:
    while True:
        answers.append(parse(await link.recv())["id"])
