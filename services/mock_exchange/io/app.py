"""The ASGI application: REST, streams and WebSocket API on one port."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.status import WS_1001_GOING_AWAY, WS_1008_POLICY_VIOLATION
from starlette.websockets import WebSocket, WebSocketDisconnect

from services.mock_exchange.api.exchange_api import ExchangeApi, error_body
from services.mock_exchange.errors import VenueError
from services.mock_exchange.io.door import Door
from services.mock_exchange.io.hub import Client, Hub
from services.mock_exchange.io.lifetime import ConnectionLife
from services.mock_exchange.io.protocol import ABORT
from services.mock_exchange.io.rest import METHODS, Rest
from services.mock_exchange.io.ws_api import WsApi
from services.mock_exchange.streams.subscriptions import Subscriptions, asked_for

#: How long a connection that is closed for its many requests may take to read the answers to the first ones.
FAREWELL_S: Final = 1.0


def make_app(
    api: ExchangeApi,
    hub: Hub,
    now_ns: Callable[[], int],
    max_frames: int,
    life: ConnectionLife,
    door: Door,
    routes: Sequence[BaseRoute] = (),
) -> Starlette:
    """REST and WebSocket API of `api`, and the streams of `hub`; USD-M's routed paths as well as the plain ones.

    `routes` go before all others; what no other route serves is REST's.
    """
    rest, ws_api = Rest(api, now_ns, door), WsApi(api, now_ns, max_frames, life, door)

    async def raw(websocket: WebSocket) -> None:
        _, unit = asked_for(websocket.scope["query_string"])
        names = websocket.path_params.get("streams", "").split("/")
        await _serve(websocket, Subscriptions(names, combined=False, unit=unit))

    async def combined(websocket: WebSocket) -> None:
        names, unit = asked_for(websocket.scope["query_string"])
        await _serve(websocket, Subscriptions(names, combined=True, unit=unit))

    async def _serve(websocket: WebSocket, subscriptions: Subscriptions) -> None:
        ip = websocket.client.host if websocket.client else ""
        try:
            api.venue.limits.connect(ip, now_ns())
        except VenueError as error:
            body = error_body(error)
            with suppress(WebSocketDisconnect):
                await websocket.send_denial_response(Response(body, error.status, media_type="application/json"))
            return
        with suppress(WebSocketDisconnect):
            await websocket.accept()
            abort = websocket.scope["extensions"][ABORT]["abort"]
            client = Client(websocket.send, abort, subscriptions, max_frames)
            hub.add(client)
            writer = asyncio.create_task(client.write())
            close = None
            try:
                async with life.limit(lambda: client.offer(subscriptions.farewell(now_ns()))):
                    if await _read(websocket, client):
                        close = WS_1008_POLICY_VIOLATION, "Too many requests"
                        await client.wait_until_sent(FAREWELL_S)
            except TimeoutError:
                close = WS_1001_GOING_AWAY, ""
            finally:
                hub.remove(client)
                writer.cancel()
                await asyncio.gather(writer, return_exceptions=True)
            if close is not None:
                await websocket.close(*close)

    async def _read(websocket: WebSocket, client: Client) -> bool:
        """Answer requests until the client goes (False) or sends too many (True)."""
        while True:
            message = await websocket.receive()
            if message["type"] == "websocket.disconnect":
                return False
            if client.subscriptions.is_flooding(now_ns()):
                return True
            text = message.get("text")
            reply = client.subscriptions.answer(text if text is not None else message.get("bytes", b""))
            hub.refresh(client)
            client.offer(reply)

    table: list[BaseRoute] = [*routes, WebSocketRoute("/ws-api/v3", ws_api.serve)]
    for prefix in ("", "/public", "/market"):
        table += [
            WebSocketRoute(f"{prefix}/ws", raw),
            WebSocketRoute(f"{prefix}/ws/{{streams:path}}", raw),
            WebSocketRoute(f"{prefix}/stream", combined),
            WebSocketRoute(f"{prefix}/stream/{{ignored:path}}", combined),
        ]
    table.append(Route("/{path:path}", rest.serve, methods=METHODS))
    return Starlette(routes=table)
