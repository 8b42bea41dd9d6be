"""The servers: the mock exchange, and one that does nothing but answer on the same uvicorn."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

ROOT: Final = Path(__file__).resolve().parents[2]
#: As long as the answer to an order.
ANSWER: Final = b"{" + b'"x":1,' * 80 + b'"y":1}'
FRAME: Final = "{" + '"x":1,' * 120 + '"y":1}'
#: Frames a second the bare broadcaster sends to every reader.
BROADCAST_HZ: Final = 100.0
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")


class Server:
    """A server's process."""

    def __init__(self, port: int, process: subprocess.Popen[bytes]) -> None:
        self.port = port
        self.pid = process.pid

    def cpu_s(self) -> float:
        """Processor time so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S

    def rss_kb(self) -> int:
        """Resident memory now."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(kind: str) -> Iterator[Server]:
    """`ours` or `bare`, answering on a free port."""
    port = _free_port()
    if kind == "ours":
        command = [
            *(sys.executable, "-m", "services.mock_exchange", "--port", str(port)),
            *("--set", f"mock_exchange.metrics_address=127.0.0.1:{_free_port()}"),
            *("--set", "mock_exchange.limits.orders_per_10_s=1000000000"),
            *("--set", "mock_exchange.limits.orders_per_day=1000000000"),
            *("--set", "mock_exchange.limits.raw_requests_per_5_minutes=1000000000"),
            *("--set", "mock_exchange.limits.request_weight_per_minute=1000000000"),
        ]
    else:
        command = [sys.executable, "-m", "benchmarks.mock_exchange.servers", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield Server(port, process)
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(port: int) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
        else:
            return


async def _answer(request: Request) -> Response:
    await request.body()
    return Response(ANSWER, media_type="application/json")


async def _echo(websocket: WebSocket) -> None:
    await websocket.accept()
    text = ANSWER.decode()
    try:
        while True:
            await websocket.receive_text()
            await websocket.send_text(text)
    except WebSocketDisconnect:
        pass


class _Broadcast:
    """Sends every reader the same frame at a steady pace."""

    def __init__(self) -> None:
        self._readers: set[WebSocket] = set()
        self._task: asyncio.Task[None] | None = None

    async def serve(self, websocket: WebSocket) -> None:
        await websocket.accept()
        self._readers.add(websocket)
        self._task = self._task or asyncio.create_task(self._run())
        try:
            await websocket.receive()
        finally:
            self._readers.discard(websocket)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due += 1 / BROADCAST_HZ
            await asyncio.sleep(max(0.0, due - loop.time()))
            for reader in tuple(self._readers):
                await reader.send({"type": "websocket.send", "text": FRAME})


def _main() -> None:
    import uvicorn

    app = Starlette(
        routes=[
            WebSocketRoute("/ws-api/v3", _echo),
            WebSocketRoute("/stream", _Broadcast().serve),
            Route("/{path:path}", _answer, methods=["GET", "POST", "DELETE"]),
        ]
    )
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", int(sys.argv[1])))
    config = uvicorn.Config(
        app, log_config=None, access_log=False, ws="websockets-sansio", ws_per_message_deflate=False, lifespan="off"
    )
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    _main()
