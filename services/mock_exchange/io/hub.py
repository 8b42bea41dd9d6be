"""Who reads what: fans each payload out to the clients' bounded queues, made into text once for all of them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

from services.mock_exchange.streams import dialect
from services.mock_exchange.streams.subscriptions import Subscriptions, plain_name

#: At full speed the replay goes on when no client has more frames waiting than this.
PACING_FRAMES: Final = 256


class Client:
    """One connection: its subscriptions, and the frames that wait for its socket.

    A client that lets more than `max_frames` wait is cut off, as the venue does with those that do not keep up:
    its queue is dropped and its connection aborted, and nobody else notices.
    """

    def __init__(
        self,
        send: Callable[[dict[str, Any]], Awaitable[None]],
        abort: Callable[[], None],
        subscriptions: Subscriptions,
        max_frames: int,
    ) -> None:
        self.subscriptions = subscriptions
        self.sent = 0
        self.most_waiting = 0
        self.is_cut = False
        self._send = send
        self._abort = abort
        self._max_frames = max_frames
        self._queue: deque[str] = deque()
        self._wake = asyncio.Event()
        self._drained = asyncio.Event()
        self.on_drained: Callable[[], None] = lambda: None

    @property
    def waiting(self) -> int:
        """Frames not yet handed to the socket."""
        return len(self._queue)

    def offer(self, text: str) -> None:
        """Queue a frame, or cut the client off when too many wait."""
        if self.is_cut:
            return
        waiting = len(self._queue)
        if waiting >= self._max_frames:
            self.cut()
            return
        self._queue.append(text)
        self._drained.clear()
        if waiting >= self.most_waiting:
            self.most_waiting = waiting + 1
        self._wake.set()

    def cut(self) -> None:
        """Drop what waits and abort the connection."""
        self.is_cut = True
        self._queue.clear()
        self._abort()

    async def wait_until_sent(self, timeout_s: float) -> None:
        """Wait until nothing waits for the socket, but no longer than this."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._drained.wait()

    async def write(self) -> None:
        """Hand frames to the socket, in order, until cancelled or disconnected."""
        queue = self._queue
        while True:
            while queue:
                await self._send({"type": "websocket.send", "text": queue.popleft()})
                self.sent += 1
            self.on_drained()
            self._drained.set()
            self._wake.clear()
            await self._wake.wait()


class Hub:
    """The clients, by the channels that feed the streams they asked for."""

    def __init__(self, channel_of: Callable[[str], str]) -> None:
        self._channel_of = channel_of
        self._clients: dict[Client, None] = {}
        self._readers: dict[str, dict[Client, tuple[str, ...]]] = {}
        self._room = asyncio.Event()
        self._changed = asyncio.Event()
        self._sent_by_former = 0
        self.clients_cut = 0

    def add(self, client: Client) -> None:
        """A client has connected."""
        self._clients[client] = None
        client.on_drained = self._room.set
        self.refresh(client)

    def remove(self, client: Client) -> None:
        """A client has gone."""
        if client in self._clients:
            del self._clients[client]
            self._sent_by_former += client.sent
            self.clients_cut += client.is_cut
            self._drop(client)
            self._signal()

    def refresh(self, client: Client) -> None:
        """A client's subscriptions have changed."""
        self._drop(client)
        names: dict[str, list[str]] = {}
        for stream in client.subscriptions.streams:
            channel = self._channel_of(client.subscriptions.unit.channel(plain_name(stream)))
            names.setdefault(channel, []).append(stream)
        for channel, streams in names.items():
            self._readers.setdefault(channel, {})[client] = tuple(streams)
        self._signal()

    def is_read(self, channel: str) -> bool:
        """True when a client is subscribed to what `channel` feeds."""
        return channel in self._readers

    def publish(self, channel: str, payload: str) -> None:
        """Queue `payload` for every client that reads `channel`, under the name it subscribed."""
        readers = self._readers.get(channel)
        if readers is None:
            return
        wrapped: dict[str, str] = {}
        for client, streams in readers.items():
            if not client.subscriptions.combined:
                for _ in streams:
                    client.offer(payload)
                continue
            for stream in streams:
                text = wrapped.get(stream)
                if text is None:
                    text = wrapped[stream] = dialect.combined(stream, payload)
                client.offer(text)

    def cut(self, channel: str) -> None:
        """Cut the connections of all who read `channel`, without a word."""
        for client in list(self._readers.get(channel, ())):
            client.cut()

    async def wait_for_room(self) -> None:
        """Wait until every client has read most of what it was sent."""
        while any(client.waiting > PACING_FRAMES for client in self._clients):
            self._room.clear()
            await self._room.wait()

    async def wait_for_reader(self) -> None:
        """Wait until a client is subscribed to something."""
        while not self._readers:
            await self.wait_for_change()

    async def wait_for_change(self) -> None:
        """Wait until a client comes, goes, or changes its subscriptions."""
        self._changed.clear()
        await self._changed.wait()

    def stats(self) -> dict[str, int]:
        """Clients and frames, for /status."""
        return {
            "clients": len(self._clients),
            "clients_cut": self.clients_cut,
            "frames_sent": self._sent_by_former + sum(client.sent for client in self._clients),
            "frames_waiting": sum(client.waiting for client in self._clients),
            "most_frames_waiting": max((client.most_waiting for client in self._clients), default=0),
        }

    def _drop(self, client: Client) -> None:
        for channel in [channel for channel, readers in self._readers.items() if client in readers]:
            del self._readers[channel][client]
            if not self._readers[channel]:
                del self._readers[channel]

    def _signal(self) -> None:
        self._room.set()
        self._changed.set()
