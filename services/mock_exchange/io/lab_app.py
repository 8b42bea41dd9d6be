"""The lab endpoints' sockets: REST, the WebSocket of books, the page that describes them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import orjson
from pydantic import BaseModel
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from common.errors import ConfigError
from services.mock_exchange.exchange import Exchange
from services.mock_exchange.io.protocol import ABORT
from services.mock_exchange.lab.definitions import LabExchange, read_exchanges
from services.mock_exchange.lab.document import openapi, page
from services.mock_exchange.lab.lab import BookFeed, Lab
from services.mock_exchange.lab.parameters import LabError

KEY: Final = "mock_exchange.lab_exchanges_file"
#: A WebSocket's reader that takes nothing for so long is cut off. What it did not take is not kept: it gets the book
#: as it is when there is room again.
MAX_STALL_S: Final = 20.0
#: Close codes of the range for applications, after the statuses HTTP would answer.
_CLOSE_CODES: Final = {404: 4404, 422: 4422}
_MAX_REASON_BYTES: Final = 123


class _ExchangeConvertor(StringConvertor):
    """An exchange's name in a path; never a version of the venue's REST interface such as v3."""

    regex = "(?!v[0-9]+/)[^/]+"


register_url_convertor("lab_exchange", _ExchangeConvertor())


def lab_routes(
    exchange: Exchange,
    now_ns: Callable[[], int],
    exchanges_file: str | None = None,
    max_stall_s: float = MAX_STALL_S,
) -> list[BaseRoute]:
    """Routes of the lab endpoints, to be put before the streams' catch-all; the desk must be there already.

    Raises:
        ConfigError: `exchanges_file` cannot be read or defines no exchanges.
    """
    lab = Lab(exchange, _exchanges_of(exchanges_file), f"{KEY} ({exchanges_file})")
    document = openapi()
    documented, described = orjson.dumps(document), page(document)

    async def ticker(request: Request) -> Response:
        return _json(lab.ticker(request.path_params["exchange"], now_ns()))

    async def orderbook(request: Request) -> Response:
        body, latency_ms = lab.orderbook(**request.path_params, query=request.query_params, now_ns=now_ns())
        answer = _json(body)
        if latency_ms:
            await asyncio.sleep(latency_ms / 1000)
        return answer

    async def mock_trades(request: Request) -> Response:
        return _json(lab.trades(**request.path_params, query=request.query_params, now_ns=now_ns()))

    async def books(websocket: WebSocket) -> None:
        await websocket.accept()
        try:
            feed = lab.watch(**websocket.path_params, query=websocket.query_params, now_ns=now_ns())
        except LabError as error:
            await websocket.close(_CLOSE_CODES[error.status], _reason(error))
            return
        await _feed(websocket, feed, now_ns, max_stall_s)

    async def health(_request: Request) -> Response:
        return _json(lab.health(now_ns()))

    async def schema(_request: Request) -> Response:
        return Response(documented, media_type="application/json")

    async def docs(_request: Request) -> Response:
        return HTMLResponse(described)

    prefix = "/api/{exchange:lab_exchange}"
    return [
        Route(f"{prefix}/ticker", _refusing(ticker)),
        Route(f"{prefix}/orderbook/{{symbol:path}}", _refusing(orderbook)),
        Route(f"{prefix}/mock_trades/{{symbol:path}}", _refusing(mock_trades)),
        WebSocketRoute("/ws/orderbook/{exchange}/{symbol:path}", books),
        Route("/health", health),
        Route("/openapi.json", schema),
        Route("/docs", docs),
    ]


async def _feed(websocket: WebSocket, feed: BookFeed, now_ns: Callable[[], int], max_stall_s: float) -> None:
    """Send the book every interval until the reader goes; intervals a slow reader missed are left out."""
    reading = asyncio.create_task(_until_gone(websocket))
    interval_s = feed.interval_ms / 1000
    loop = asyncio.get_running_loop()
    due_s = loop.time()
    try:
        while not reading.done():
            text = feed.message(now_ns()).model_dump_json()
            try:
                async with asyncio.timeout(max_stall_s):
                    await websocket.send_text(text)
            except TimeoutError:
                websocket.scope["extensions"][ABORT]["abort"]()
                return
            due_s += interval_s * max(1, -((due_s - loop.time()) // interval_s))
            await asyncio.wait((reading,), timeout=max(0.0, due_s - loop.time()))
    except WebSocketDisconnect:
        return
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def _until_gone(websocket: WebSocket) -> None:
    """Read and drop whatever the client says."""
    with contextlib.suppress(WebSocketDisconnect):
        while (await websocket.receive())["type"] != "websocket.disconnect":
            pass


def _refusing(endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def guarded(request: Request) -> Response:
        try:
            return await endpoint(request)
        except LabError as error:
            return Response(orjson.dumps(error.body()), error.status, media_type="application/json")

    return guarded


def _json(body: BaseModel) -> Response:
    return Response(body.model_dump_json(), headers={"Cache-Control": "no-store"}, media_type="application/json")


def _reason(error: LabError) -> str:
    """The error in words, within what a close frame holds."""
    text = f"{error.message}; there is {', '.join(error.known)}" if error.known else error.message
    if len(text.encode()) > _MAX_REASON_BYTES:
        text = text.encode()[: _MAX_REASON_BYTES - 3].decode(errors="ignore") + "..."
    return text


def _exchanges_of(path: str | None) -> tuple[LabExchange, ...]:
    if path is None:
        return ()
    try:
        text = Path(path).read_bytes()
    except OSError as exc:
        raise ConfigError(KEY, f"{path} cannot be read ({exc.strerror})", "Give the path of a JSON file") from exc
    return read_exchanges(text, f"{KEY} ({path})")
