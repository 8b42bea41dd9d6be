"""Carries the WebSocket API between sockets and sessions (venues.md 2.7)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import orjson
from starlette.responses import Response
from starlette.status import WS_1001_GOING_AWAY
from starlette.websockets import WebSocket, WebSocketDisconnect

from common.runtime.logging import get_logger
from common.units import NS_PER_MS
from services.mock_exchange.api.exchange_api import ExchangeApi
from services.mock_exchange.api.ws_session import WsSession, method_of, refusal
from services.mock_exchange.errors import VenueError, unknown_failure
from services.mock_exchange.io.door import Door
from services.mock_exchange.io.hub import Client
from services.mock_exchange.io.lifetime import ConnectionLife
from services.mock_exchange.io.protocol import ABORT
from services.mock_exchange.streams.subscriptions import Subscriptions

_FALSE: Final = "false"
#: Requests of a connection that may wait for their answers; more are not read before one is answered.
MAX_WAITING: Final = 256


class WsApi:
    """Serves connections for the length of their life."""

    def __init__(
        self, api: ExchangeApi, now_ns: Callable[[], int], max_frames: int, life: ConnectionLife, door: Door
    ) -> None:
        self._api = api
        self._door = door
        self._now_ns = now_ns
        self._max_frames = max_frames
        self._life = life
        self._log = get_logger("mock_exchange")

    async def serve(self, websocket: WebSocket) -> None:
        """One connection, from handshake to end."""
        query = websocket.query_params
        ip = websocket.client.host if websocket.client else ""
        abort = websocket.scope["extensions"][ABORT]["abort"]
        client = Client(websocket.send, abort, Subscriptions((), combined=False), self._max_frames)
        try:
            session = self._api.open_session(
                ip,
                client.offer,
                self._now_ns(),
                time_unit=query.get("timeUnit", "MILLISECOND"),
                tells_limits=query.get("returnRateLimits", "").lower() != _FALSE,
            )
        except VenueError as error:
            body = orjson.dumps({"code": error.code, "msg": error.message})
            with suppress(WebSocketDisconnect):
                await websocket.send_denial_response(Response(body, error.status, media_type="application/json"))
            return
        with suppress(WebSocketDisconnect):
            await websocket.accept()
            writer = asyncio.create_task(client.write())
            replies: set[asyncio.Task[None]] = set()
            is_over = False
            try:
                async with self._life.limit(lambda: client.offer(self._farewell())):
                    await self._read(websocket, session, client, replies)
            except TimeoutError:
                is_over = True
            finally:
                session.close()
                for task in (writer, *replies):
                    task.cancel()
                await asyncio.gather(writer, *replies, return_exceptions=True)
            if is_over:
                await websocket.close(WS_1001_GOING_AWAY)

    async def _read(
        self, websocket: WebSocket, session: WsSession, client: Client, replies: set[asyncio.Task[None]]
    ) -> None:
        """Answer requests, each in a task of its own: one that a fault delays keeps no other waiting."""
        while True:
            if len(replies) >= MAX_WAITING:
                await asyncio.wait(replies, return_when=asyncio.FIRST_COMPLETED)
            message = await websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text")
            task = asyncio.create_task(
                self._reply(session, client, text if text is not None else message.get("bytes", b""))
            )
            replies.add(task)
            task.add_done_callback(replies.discard)

    async def _reply(self, session: WsSession, client: Client, text: str | bytes) -> None:
        """Every WebSocket API request goes through here."""
        answers = await self._door.pass_through(
            lambda: f"WS {method_of(text)}", lambda: self._act(session, text), lambda error, _: [refusal(text, error)]
        )
        if answers is None:
            client.cut()
            return
        for answer in answers:
            client.offer(answer)

    def _act(self, session: WsSession, text: str | bytes) -> list[str]:
        try:
            return session.handle(text, self._now_ns())
        except Exception:  # noqa: BLE001 - a bug in one request must not end the connection, nor the exchange
            self._log.exception("Request failed", request=repr(text[:500]))
            return [refusal(text, unknown_failure())]

    def _farewell(self) -> str:
        event = {"e": "serverShutdown", "E": self._now_ns() // NS_PER_MS}
        return orjson.dumps({"event": event}).decode()
