"""Streams over real sockets: what the URL asks for, pings, and the end of a connection's life."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
import websockets
from websockets.frames import Opcode

from common.config.mock_accounts import MockLimitsConfig
from tests.mock_exchange.build import parse, running


async def first_of(url: str) -> dict:
    async with asyncio.timeout(10), websockets.connect(url) as socket:
        return parse(await socket.recv())


async def test_urls_ask_for_time_zones_and_microseconds() -> None:
    async with running() as server:
        for url in (
            "/stream?streams=btcusdt@kline_1s@+08:00&timeUnit=MICROSECOND",
            "/stream?streams=btcusdt%40kline_1s%40%2B08%3A00&timeUnit=microsecond",
        ):
            told = await first_of(server.ws + url)
            assert told["stream"] == "btcusdt@kline_1s@+08:00"
            assert told["data"]["k"]["T"] % 10**6 == 999_999 and told["data"]["E"] > 10**15
        raw = await first_of(server.ws + "/ws/btcusdt@kline_1s?timeUnit=MICROSECOND")
        assert raw["k"]["t"] > 10**15
        plain = await first_of(server.ws + "/ws/btcusdt@kline_1s")
        assert abs(datetime.now(UTC).timestamp() * 1000 - plain["E"]) < 5000


async def test_names_in_capitals_are_silent_and_all_market_streams_speak() -> None:
    async with running() as server:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.5), websockets.connect(f"{server.ws}/ws/BTCUSDT@kline_1s") as socket:
                await socket.recv()
        async with asyncio.timeout(10), websockets.connect(f"{server.ws}/ws/!miniTicker@arr") as socket:
            told = parse(await socket.recv())
        assert {item["s"] for item in told} <= {"BTCUSDT", "ETHUSDT", "ETHBTC"} and told


@pytest.mark.parametrize("is_combined", [False, True])
async def test_a_connection_ends_after_its_life_and_a_notice(is_combined) -> None:
    limits = MockLimitsConfig(connection_life_ms=1200, shutdown_notice_ms=600)
    async with running(limits=limits) as server:
        path = "/stream?streams=x@trade" if is_combined else "/ws/x@trade"
        began = asyncio.get_running_loop().time()
        async with asyncio.timeout(10), websockets.connect(server.ws + path) as socket:
            notice = parse(await socket.recv())
            noticed = asyncio.get_running_loop().time()
            if is_combined:
                assert notice["stream"] == "!serverShutdown"
                notice = notice["data"]
            assert notice["e"] == "serverShutdown" and list(notice) == ["e", "E"]
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await socket.recv()
            ended = asyncio.get_running_loop().time()
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1001
        assert noticed - began >= 0.55 and ended - began >= 1.15


async def test_the_server_pings_as_often_as_told() -> None:
    pings = []

    class Listener(websockets.ClientProtocol):
        def recv_frame(self, frame) -> None:
            if frame.opcode == Opcode.PING:
                pings.append(asyncio.get_running_loop().time())
            super().recv_frame(frame)

    class Connection(websockets.ClientConnection):
        def __init__(self, protocol, **options) -> None:
            protocol.__class__ = Listener
            super().__init__(protocol, **options)

    async with (
        running(limits=MockLimitsConfig(ping_interval_ms=200)) as server,
        websockets.connect(f"{server.ws}/ws", create_connection=Connection, ping_interval=None),
    ):
        await asyncio.sleep(1.2)
    assert 3 <= len(pings) <= 7
