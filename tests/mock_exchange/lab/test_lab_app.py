"""The lab endpoints over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import time
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.mock_exchange.build import parse
from tests.mock_exchange.lab.build import Site, site


async def test_books_tickers_and_trades_of_every_exchange() -> None:
    async with site() as it:
        for name, symbol in (("binance", "BTCUSDT"), ("kraken", "BTC/USD"), ("coinmarketcap", "BTC/USD")):
            book = (await it.get(f"/api/{name}/orderbook/{symbol}?depth=7")).json()
            assert (book["exchange"], book["symbol"]) == (name, symbol)
            assert len(book["bids"]) == len(book["asks"]) == 7
            assert book["bids"][0][0] < book["asks"][0][0]
            trades = (await it.get(f"/api/{name}/mock_trades/{symbol}?n=9")).json()
            assert len(trades["trades"]) == 9
            ticker = await it.get(f"/api/{name}/ticker")
            assert len(ticker.json()["tickers"]) == 3 and ticker.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("symbol", ["BTC/USD", "BTC-USD", "BTC%2FUSD", "btcusd"])
async def test_a_slash_in_a_symbol(symbol: str) -> None:
    async with site() as it:
        assert (await it.get(f"/api/kraken/orderbook/{symbol}")).json()["symbol"] == "BTC/USD"
        async with connect(f"{it.ws}/ws/orderbook/kraken/{symbol}", compression=None) as ws:
            assert parse(await ws.recv())["symbol"] == "BTC/USD"


async def test_an_answer_is_held_back_and_others_are_not() -> None:
    async with site() as it:
        began = time.monotonic()
        slow = asyncio.create_task(it.get("/api/binance/orderbook/BTCUSDT?latency_ms=700"))
        await asyncio.sleep(0.05)
        quick = (await it.get("/api/binance/orderbook/BTCUSDT")).json()
        assert time.monotonic() - began < 0.6
        late = (await slow).json()
        assert time.monotonic() - began >= 0.7
        # What is held back was true when it was asked for.
        assert late["timestamp_ms"] <= quick["timestamp_ms"]


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/api/mtgox/ticker", 404, "mtgox"),
        ("/api/mtgox/orderbook/BTCUSDT", 404, "mtgox"),
        ("/api/binance/orderbook/DOGE/USD", 404, "DOGE/USD"),
        ("/api/binance/mock_trades/DOGEUSDT", 404, "DOGEUSDT"),
        ("/api/binance/orderbook/BTCUSDT?depth=0", 422, "from 1 to 1000"),
        ("/api/binance/orderbook/BTCUSDT?depth=1001", 422, "from 1 to 1000"),
        ("/api/kraken/orderbook/BTC/USD?depth=501", 422, "from 1 to 500"),
        ("/api/binance/orderbook/BTCUSDT?depth=ten", 422, "'ten'"),
        ("/api/binance/orderbook/BTCUSDT?depth=", 422, "''"),
        ("/api/binance/orderbook/BTCUSDT?latency_ms=-1", 422, "from 0 to 10000"),
        ("/api/binance/orderbook/BTCUSDT?latency_ms=10001", 422, "from 0 to 10000"),
        ("/api/binance/mock_trades/BTCUSDT?n=0", 422, "from 1 to 1000"),
        ("/api/binance/mock_trades/BTCUSDT?n=1e3", 422, "'1e3'"),
    ],
)
async def test_what_cannot_be_answered(path: str, status: int, words: str) -> None:
    async with site() as it:
        answer = await it.get(path)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/json"
        error = answer.json()["error"]
        assert words in error["message"]
        assert bool(error["known"]) is (status == 404)


async def test_the_venues_own_paths_are_left_alone() -> None:
    async with site() as it:
        for path in (
            "/api/v3/ticker",
            "/api/v3/ticker/price",
            "/api/v1/ticker",
            "/fapi/v1/ticker",
            "/api/v3/orderbook/X",
        ):
            assert (await it.get(path)).text == f"venue {path}"
        assert (await it.client.delete("/api/v3/openOrders")).text == "venue /api/v3/openOrders"
        for path in ("btcusdt@trade", "btcusdt@trade/ethusdt@trade", "orderbook"):
            async with connect(f"{it.ws}/ws/{path}", compression=None) as ws:
                assert await ws.recv() == f"streams {path}"


async def test_a_book_every_interval() -> None:
    async with site() as it, connect(f"{it.ws}/ws/orderbook/binance/ETHUSDT?depth=5&interval_ms=50") as ws:
        began, sequences = time.monotonic(), []
        for _ in range(12):
            body = parse(await ws.recv())
            assert len(body["bids"]) == 5
            sequences.append(body["sequence"])
        took = time.monotonic() - began
        assert sequences == sorted(sequences) and len(set(sequences)) > 5
        assert 0.4 < took < 2.5


@pytest.mark.parametrize(
    ("path", "code", "words"),
    [
        ("mtgox/BTCUSDT", 4404, "there is no exchange 'mtgox'; there is binance, kraken, coinmarketcap"),
        ("kraken/DOGE/USD", 4404, "kraken has no symbol 'DOGE/USD'; there is BTC/USD, ETH/USD, ETH/BTC"),
        ("binance/BTCUSDT?depth=0", 4422, "depth must be a whole number from 1 to 1000, not '0'"),
        ("binance/BTCUSDT?interval_ms=9", 4422, "interval_ms must be a whole number from 10 to 60000, not '9'"),
        (f"binance/{'X' * 300}", 4404, "binance has no symbol 'XXX"),
    ],
)
async def test_a_websocket_that_cannot_be_served_is_closed_with_the_reason(path: str, code: int, words: str) -> None:
    async with site() as it, connect(f"{it.ws}/ws/orderbook/{path}", compression=None) as ws:
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(ws.recv(), 5)
        received = closed.value.rcvd
        assert received is not None and received.code == code
        assert received.reason.startswith(words)


async def test_what_a_reader_says_changes_nothing() -> None:
    async with site() as it, connect(f"{it.ws}/ws/orderbook/binance/BTCUSDT?interval_ms=20") as ws:
        for _ in range(5):
            await ws.send('{"method":"SUBSCRIBE"}')
            await ws.send(b"\x00\x01")
        for _ in range(5):
            assert parse(await ws.recv())["symbol"] == "BTCUSDT"


async def _slow_reader(it: Site, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    plug = socket.socket()
    plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    host, _, port = it.ws.removeprefix("ws://").partition(":")
    plug.connect((host, int(port)))
    reader, writer = await asyncio.open_connection(sock=plug, limit=1024)
    writer.write(
        f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    assert b"101" in await reader.readline()
    writer.transport.pause_reading()
    return reader, writer


async def test_a_reader_that_takes_nothing_is_cut_off_and_nothing_is_kept_for_it() -> None:
    path = "/ws/orderbook/binance/BTCUSDT?depth=1000&interval_ms=10"
    async with site(max_stall_s=1.0) as it, connect(f"{it.ws}{path}", compression=None, close_timeout=0.2) as good:
        reader, writer = await _slow_reader(it, path)
        received = 0
        async with asyncio.timeout(20):
            end = time.monotonic() + 3
            while time.monotonic() < end:
                received += len(await good.recv())
        writer.transport.resume_reading()
        taken = 0
        async with asyncio.timeout(10):
            with contextlib.suppress(ConnectionResetError):
                while part := await reader.read(2**16):
                    taken += len(part)
        writer.close()
        # What buffers of kernel and transport hold; the good reader had several times that meanwhile.
        assert taken < 1_000_000 and taken < received / 2
        assert parse(await good.recv())["symbol"] == "BTCUSDT"


async def test_a_slow_reader_within_the_bound_gets_the_book_as_it_is_then() -> None:
    path = "/ws/orderbook/binance/BTCUSDT?depth=1000&interval_ms=10"
    async with site() as it, connect(it.ws + path, compression=None, max_queue=1, close_timeout=0.2) as ws:
        await asyncio.sleep(1.5)
        now = (await it.get("/api/binance/orderbook/BTCUSDT")).json()["timestamp_ms"]
        async with asyncio.timeout(10):
            behind = 0
            while parse(await ws.recv())["timestamp_ms"] < now:
                behind += 1
        assert behind < 140


async def test_health_document_and_page() -> None:
    async with site() as it:
        health = (await it.get("/health")).json()
        assert health["status"] == "ok" and set(health["markets"]) == {"BTCUSDT", "ETHUSDT", "ETHBTC"}
        document = (await it.get("/openapi.json")).json()
        assert document["openapi"].startswith("3.1") and "/health" in document["paths"]
        docs = await it.get("/docs")
        assert docs.headers["content-type"].startswith("text/html") and "/health" in docs.text


async def test_an_exchange_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "more.json"
    file.write_text(
        json.dumps({"exchanges": [{"name": "bitstamp", "symbols": {"eth-usd": "ETHUSDT"}, "max_depth": 3}]})
    )
    async with site(str(file)) as it:
        book = (await it.get("/api/bitstamp/orderbook/ETH/USD")).json()
        assert book["symbol"] == "eth-usd" and len(book["bids"]) == 3
        assert (await it.get("/api/bitstamp/orderbook/BTCUSDT")).status_code == 404
