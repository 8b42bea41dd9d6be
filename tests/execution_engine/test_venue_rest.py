"""The REST client against a real server on a free port that fails as it is told."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from common.config import ExecutionConfig
from common.errors import RefusedError, RetryableError
from services.execution_engine.io.venue_rest import VenueRest

INFO = {
    "timezone": "UTC",
    "serverTime": 1_700_000_000_000,
    "rateLimits": [],
    "exchangeFilters": [],
    "symbols": [
        {
            "symbol": "BTCUSDT",
            "status": "TRADING",
            "baseAsset": "BTC",
            "quoteAsset": "USDT",
            "filters": [
                {
                    "filterType": "PRICE_FILTER",
                    "minPrice": "0.01",
                    "maxPrice": "1000000.00",
                    "tickSize": "0.01000000",
                },
                {
                    "filterType": "LOT_SIZE",
                    "minQty": "0.00001000",
                    "maxQty": "9000.00000000",
                    "stepSize": "0.00001000",
                },
                {"filterType": "NOTIONAL", "minNotional": "5.00000000", "applyMinToMarket": True, "avgPriceMins": 5},
            ],
        }
    ],
}


class Venue:
    """Answers GETs from a script: (status, headers, body) each, or None to hang up; the last one for ever."""

    def __init__(self) -> None:
        self.script: list[tuple[int, dict[str, str], Any] | None] = []
        self.paths: list[str] = []
        self.at: list[float] = []
        self.url = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.paths.append(head.split(b" ")[1].decode())
        self.at.append(time.monotonic())
        entry = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if entry is not None:
            status, headers, body = entry
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(data)}", "Connection: close"]
            lines += [f"{name}: {value}" for name, value in headers.items()]
            writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + data)
            await writer.drain()
        writer.close()


@pytest.fixture
async def venue() -> AsyncIterator[Venue]:
    venue = Venue()
    server = await asyncio.start_server(venue.answer, "127.0.0.1", 0)
    venue.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield venue
    server.close()
    await server.wait_closed()


def client(url: str, **changes: Any) -> VenueRest:
    fields = {"retry_delay_ms": 2, "rate_limit_per_second": 1000} | changes
    return VenueRest(ExecutionConfig(exchange_api_url=url, **fields), "binance")


async def test_instruments_are_read(venue: Venue) -> None:
    venue.script = [(200, {}, INFO)]
    async with client(venue.url) as rest:
        (instrument,) = await rest.fetch_instruments(["BTCUSDT"])
    assert (instrument.symbol, instrument.price_text(1), instrument.qty_text(1)) == ("BTCUSDT", "0.01", "0.00001")
    assert str(instrument.min_notional.normalize()) == "5"
    assert venue.paths[0].startswith("/api/v3/exchangeInfo")
    assert "BTCUSDT" in venue.paths[0]


@pytest.mark.parametrize(
    "failure", [None, (503, {}, b"<html>"), (500, {}, {"code": -1001, "msg": "Internal error"}), (429, {}, b"")]
)
async def test_what_may_pass_is_tried_again(venue: Venue, failure: Any) -> None:
    venue.script = [failure, failure, (200, {}, {"serverTime": 1_700_000_000_000})]
    async with client(venue.url) as rest:
        await rest.clock_offset(samples=1)
    assert len(venue.paths) == 3


async def test_tries_are_counted_and_the_message_names_key_and_remedy(venue: Venue) -> None:
    venue.script = [(503, {}, b"")]
    async with client(venue.url, retry_attempts=2) as rest:
        with pytest.raises(
            RetryableError, match=r"execution\.exchange_api_url.*HTTP 503; 3 tries.*Check the address"
        ):
            await rest.fetch_instruments(["BTCUSDT"])
    assert len(venue.paths) == 3


async def test_an_address_where_nobody_listens_is_named(venue: Venue, unused_tcp_port: int) -> None:
    async with client(f"http://127.0.0.1:{unused_tcp_port}", retry_attempts=1) as rest:
        with pytest.raises(RetryableError, match=rf"exchange_api_url.*{unused_tcp_port}.*ConnectError"):
            await rest.clock_offset()


async def test_what_the_venue_refuses_is_not_tried_again(venue: Venue) -> None:
    venue.script = [(400, {}, {"code": -1121, "msg": "Invalid symbol."})]
    async with client(venue.url) as rest:
        with pytest.raises(RefusedError, match=r"-1121: Invalid symbol.*market_data\.symbols"):
            await rest.fetch_instruments(["NOSUCH"])
    assert len(venue.paths) == 1


@pytest.mark.parametrize("body", [b"hello", b"[]", b'{"time": 1}'])
async def test_an_address_that_is_no_venue_is_named(venue: Venue, body: bytes) -> None:
    venue.script = [(200, {}, body)]
    async with client(venue.url) as rest:
        with pytest.raises(RefusedError, match="does not tell its time"):
            await rest.clock_offset()


async def test_retry_after_is_obeyed(venue: Venue) -> None:
    venue.script = [(429, {"Retry-After": "1"}, {"code": -1003, "msg": "Too much"}), (200, {}, {"serverTime": 1})]
    async with client(venue.url) as rest:
        await rest.clock_offset(samples=1)
    assert venue.at[1] - venue.at[0] >= 0.99


async def test_a_ban_is_reported_and_nothing_more_is_sent(venue: Venue) -> None:
    venue.script = [(418, {"Retry-After": "7200"}, {"code": -1003, "msg": "banned"})]
    async with client(venue.url) as rest:
        for _ in range(2):
            with pytest.raises(RetryableError, match=r"asks to wait 7\d\d\d s"):
                await rest.clock_offset()
    assert len(venue.paths) == 1


async def test_requests_keep_the_rate_limit(venue: Venue) -> None:
    venue.script = [(200, {}, {"serverTime": 1})]
    async with client(venue.url, rate_limit_per_second=20) as rest:
        await rest.clock_offset(samples=26)
    assert venue.at[-1] - venue.at[0] >= 0.25


async def test_the_clock_offset_is_measured_in_the_middle_of_the_round_trip(venue: Venue) -> None:
    venue.script = [(200, {}, {"serverTime": time.time_ns() // 1_000_000 + 5_000})]
    async with client(venue.url) as rest:
        offset = await rest.clock_offset()
    assert 0 < offset.round_trip_ns < 1_000_000_000
    assert 4_000_000_000 < offset.offset_ns <= 5_000_000_000
