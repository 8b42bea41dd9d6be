"""What the lab's tests share: a market that has run for a while, and its endpoints on a socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from common.config import MockExchangeConfig
from common.runtime.clock import Clock
from common.runtime.http import HttpServer
from services.mock_exchange.io.lab_app import MAX_STALL_S, lab_routes
from services.mock_exchange.io.protocol import StreamProtocol
from services.mock_exchange.lab.lab import Lab
from services.mock_exchange.simulation.simulated_exchange import SimulatedExchange
from tests.mock_exchange.build import free_port

START_NS = 1_700_000_000_000_000_000
MS = 1_000_000


def market(seed: int = 1, **settings: Any) -> SimulatedExchange:
    return SimulatedExchange(MockExchangeConfig(seed=seed, prehistory_days=0, **settings))


def run(exchange: SimulatedExchange, from_ms: int, to_ms: int, step_ms: int = 50) -> None:
    for now_ms in range(from_ms, to_ms + 1, step_ms):
        exchange.advance(START_NS + now_ms * MS)


def book(lab: Lab, exchange: str, symbol: str, now_ms: int, depth: int = 20) -> dict[str, Any]:
    body, _ = lab.orderbook(exchange, symbol, {"depth": str(depth)}, START_NS + now_ms * MS)
    return body.model_dump()


class Site:
    """The endpoints on a port of their own."""

    def __init__(self, address: str, client: httpx.AsyncClient) -> None:
        self.ws = f"ws://{address}"
        self.client = client

    async def get(self, path: str) -> httpx.Response:
        return await self.client.get(path)


@asynccontextmanager
async def site(
    exchanges_file: str | None = None, max_stall_s: float = MAX_STALL_S, **settings: Any
) -> AsyncIterator[Site]:
    """Serve the lab's routes before the ones they must not hide, over a market that follows the clock."""
    exchange, clock = market(**settings), Clock()

    async def venue(request: Request) -> PlainTextResponse:
        return PlainTextResponse(f"venue {request.url.path}")

    async def streams(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(f"streams {websocket.path_params['streams']}")
        await websocket.close()

    routes = [
        *lab_routes(exchange, clock.now_ns, exchanges_file, max_stall_s),
        WebSocketRoute("/ws/{streams:path}", streams),
        Route("/{path:path}", venue, methods=["GET", "POST", "DELETE"]),
    ]
    address = f"127.0.0.1:{free_port()}"
    server = HttpServer(Starlette(routes=routes), address, "address", ws=StreamProtocol, timeout_graceful_shutdown=1)

    async def feed() -> None:
        while True:
            exchange.advance(clock.now_ns())
            await asyncio.sleep(0.005)

    await server.open()
    feeding = asyncio.create_task(feed())
    try:
        async with httpx.AsyncClient(base_url=f"http://{address}", trust_env=False) as client:
            yield Site(address, client)
    finally:
        feeding.cancel()
        await server.close()
