"""/metrics, /healthz, /readyz and /status of one daemon, on its own loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson
import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from common.runtime.sockets import bind_error


def health_routes(status: Callable[[], Mapping[str, Any]], registry: CollectorRegistry) -> list[Route]:
    """The four routes; `status` gives the JSON of /status, whose `ready` decides /readyz."""

    async def metrics(_request: Request) -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_request: Request) -> Response:
        ready = bool(status()["ready"])
        return PlainTextResponse("ready\n" if ready else "not ready\n", status_code=200 if ready else 503)

    async def status_json(_request: Request) -> Response:
        return Response(orjson.dumps(status(), option=orjson.OPT_NON_STR_KEYS), media_type="application/json")

    return [
        Route("/metrics", metrics),
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/status", status_json),
    ]


class _QuietServer(uvicorn.Server):
    """A uvicorn server that leaves signals to the daemon."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class HttpServer:
    """Serves an ASGI application on the running loop until closed."""

    def __init__(self, app: Any, address: str, key: str, **options: Any) -> None:
        self._address, self._key = address, key
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", **options)
        self._server = _QuietServer(config)
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Listen.

        Raises:
            ConfigError: the address is taken; names its key.
        """
        host, _, port = self._address.rpartition(":")
        host = host.strip("[]")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        # Named as TCP, or asyncio leaves Nagle's algorithm on and each answer waits 40 ms for an acknowledgement.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, int(port)))
            listener.listen(1024)
        except OSError as exc:
            listener.close()
            raise bind_error(self._key, self._address, exc) from exc
        listener.setblocking(False)
        self._task = asyncio.create_task(self._server.serve(sockets=[listener]), name=f"http {self._address}")

    async def close(self, timeout_s: float = 1.0) -> None:
        """Stop serving; connections that linger are cut after `timeout_s`."""
        if self._task is None:
            return
        self._server.should_exit = True
        try:
            await asyncio.wait_for(asyncio.shield(self._task), timeout_s)
        except TimeoutError:
            self._server.force_exit = True
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task


def metrics_app(status: Callable[[], Mapping[str, Any]], registry: CollectorRegistry) -> Starlette:
    """The application of a daemon that serves nothing else."""
    return Starlette(routes=list(health_routes(status, registry)))
