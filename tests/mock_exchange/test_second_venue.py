"""Two venues of one process: the same symbols and fundamental prices, books and accounts of their own."""

from __future__ import annotations

import asyncio

import websockets

from common.config.mock_exchange import SecondVenueConfig
from tests.mock_exchange.build import free_port, parse, running


async def test_a_second_venue_answers_on_its_own_port_with_a_book_of_its_own() -> None:
    other = f"127.0.0.1:{free_port()}"
    async with running(second_venue=SecondVenueConfig(listen_address=other, lag_ms=300)) as server:
        async with (
            websockets.connect(f"{server.ws}/ws/btcusdt@bookTicker") as here,
            websockets.connect(f"ws://{other}/ws/btcusdt@bookTicker") as there,
        ):
            first, second = [parse(await asyncio.wait_for(link.recv(), 5)) for link in (here, there)]
        books = [await server.snapshot(), await server.get(f"http://{other}/api/v3/depth?symbol=BTCUSDT&limit=5000")]
        stage = await server.stage()
    assert first["s"] == second["s"] == "BTCUSDT"
    assert abs(float(first["b"]) / float(second["b"]) - 1) < 0.01
    assert books[0]["bids"] != books[1]["bids"]
    assert stage["second_venue"]["seed"] == stage["seed"] and stage["second_venue"]["clients"] <= 1
