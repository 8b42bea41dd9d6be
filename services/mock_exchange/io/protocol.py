"""uvicorn's protocols with what ASGI lacks: a way to abort, and a bounded send buffer in the kernel."""

from __future__ import annotations

import socket
from asyncio.transports import BaseTransport
from typing import Any, Final, cast

from uvicorn.protocols.http.auto import AutoHTTPProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets import http11

#: Key in the scope's extensions under which an endpoint finds its connection's `abort`.
ABORT: Final = "tidewire.abort"
#: Without a bound the kernel lets megabytes pile up, and a slow client is noticed late.
SEND_BUFFER_BYTES: Final = 128 * 1024
#: A connection may ask for 1024 streams in its URL; websockets reads no line longer than this.
MAX_LINE_BYTES: Final = 64 * 1024
http11.MAX_LINE_LENGTH = MAX_LINE_BYTES


class StreamProtocol(WebSocketsSansIOProtocol):
    """Serves the stream endpoints."""

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)
        connection = transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)

    async def run_asgi(self) -> None:
        extensions = self.scope["extensions"]
        if extensions is not None:
            extensions[ABORT] = {"abort": self.transport.abort}
        await super().run_asgi()


class RequestProtocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """Serves HTTP."""

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)
        inner: Any = self.app

        async def app(scope: Any, receive: Any, send: Any) -> None:
            scope.setdefault("extensions", {})[ABORT] = {"abort": cast(Any, transport).abort}
            await inner(scope, receive, send)

        self.app: Any = app
