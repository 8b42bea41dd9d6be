"""ZeroMQ sockets on the event loop, without zmq.asyncio.

A socket's file descriptor is watched; when it stirs, everything readable is read with NOBLOCK until EAGAIN, at most
a budget per turn of the loop (measured: half the latency and a tenth of the ceiling of zmq.asyncio's per-message
futures). The descriptor is edge-triggered: after a send on a two-way socket the reader must be kicked.
One task owns a socket: all of its reads happen in one callback.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import zmq

from common.errors import ConfigError

Parts = list[bytes]


def bind_error(key: str, address: str, reason: str) -> ConfigError:
    """The error for an address that cannot be bound."""
    return ConfigError(
        key,
        f"cannot listen on {address} ({reason})",
        f"Stop the process that has it (another instance of this daemon?), or choose another with --set {key}=...",
    )


def make_socket(context: zmq.Context[zmq.Socket[bytes]], kind: int, high_water_mark: int) -> zmq.Socket[bytes]:
    """A socket with its queue bounds set on purpose, and no lingering at close."""
    socket = context.socket(kind)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.SNDHWM, high_water_mark)
    socket.setsockopt(zmq.RCVHWM, high_water_mark)
    socket.setsockopt(zmq.RECONNECT_IVL, 50)
    socket.setsockopt(zmq.RECONNECT_IVL_MAX, 1000)
    return socket


def bind(socket: zmq.Socket[bytes], address: str, key: str) -> None:
    """Bind, or raise a ConfigError that names the key."""
    try:
        socket.bind(address)
    except zmq.ZMQError as exc:
        raise bind_error(key, address, str(exc.strerror or exc)) from exc


class SocketReader:
    """Reads one socket on the running loop and hands every message (its parts) to `on_message`."""

    def __init__(self, socket: zmq.Socket[bytes], on_message: Callable[[Parts], None], budget: int) -> None:
        self._recv = socket.recv_multipart
        self._on_message = on_message
        self._budget = budget
        self._loop = asyncio.get_running_loop()
        self._fd = cast(int, socket.getsockopt(zmq.FD))
        self._closed = False
        #: Times a turn ended with more to read: the daemon is behind its input.
        self.budget_exhausted = 0
        self._loop.add_reader(self._fd, self._drain)
        self._loop.call_soon(self._drain)

    def kick(self) -> None:
        """Look again soon: a send may have swallowed the descriptor's edge."""
        self._loop.call_soon(self._drain)

    def _drain(self) -> None:
        recv, handle = self._recv, self._on_message
        is_empty = False
        try:
            for _ in range(self._budget):
                if self._closed:
                    return
                try:
                    parts = recv(zmq.NOBLOCK)
                except zmq.Again:
                    is_empty = True
                    return
                handle(parts)
            self.budget_exhausted += 1
        finally:
            # Also when `handle` raised: the descriptor stirs no more for what is already here.
            if not is_empty and not self._closed:
                self._loop.call_soon(self._drain)

    def close(self) -> None:
        """Stop reading; the socket stays its owner's to close."""
        if not self._closed:
            self._closed = True
            self._loop.remove_reader(self._fd)
