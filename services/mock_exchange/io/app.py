"""The ASGI application: REST and streams on one port."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.status import WS_1008_POLICY_VIOLATION
from starlette.websockets import WebSocket, WebSocketDisconnect

from services.mock_exchange.api.rest import RestApi
from services.mock_exchange.io.hub import Client, Hub
from services.mock_exchange.io.protocol import ABORT
from services.mock_exchange.streams.subscriptions import Subscriptions


def make_app(api: RestApi, hub: Hub, now_ns: Callable[[], int], max_frames: int) -> Starlette:
    """REST of `api` and the streams of `hub`; USD-M's routed stream paths as well as the plain ones."""

    async def rest(request: Request) -> Response:
        answer = api.get(request.url.path, request.query_params.multi_items(), now_ns())
        weight = str(api.used_weight)
        headers = {"X-MBX-USED-WEIGHT": weight, "X-MBX-USED-WEIGHT-1M": weight, "Cache-Control": "no-store"}
        return Response(answer.body, answer.status, headers, media_type="application/json;charset=UTF-8")

    async def raw(websocket: WebSocket) -> None:
        names = websocket.path_params.get("streams", "").split("/")
        await _serve(websocket, Subscriptions(names, combined=False))

    async def combined(websocket: WebSocket) -> None:
        names = websocket.query_params.get("streams", "").split("/")
        await _serve(websocket, Subscriptions(names, combined=True))

    async def _serve(websocket: WebSocket, subscriptions: Subscriptions) -> None:
        with suppress(WebSocketDisconnect):
            await websocket.accept()
            abort = websocket.scope["extensions"][ABORT]["abort"]
            client = Client(websocket.send, abort, subscriptions, max_frames)
            hub.add(client)
            writer = asyncio.create_task(client.write())
            try:
                is_flooding = await _read(websocket, client)
            finally:
                hub.remove(client)
                writer.cancel()
                await asyncio.gather(writer, return_exceptions=True)
            if is_flooding:
                await websocket.close(WS_1008_POLICY_VIOLATION, "Too many requests")

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

    routes: list[BaseRoute] = [Route(path, rest, methods=["GET"]) for path in api.paths]
    for prefix in ("", "/public", "/market"):
        routes += [
            WebSocketRoute(f"{prefix}/ws", raw),
            WebSocketRoute(f"{prefix}/ws/{{streams:path}}", raw),
            WebSocketRoute(f"{prefix}/stream", combined),
        ]
    return Starlette(routes=routes)
