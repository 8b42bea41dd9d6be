"""Listens on the bus for the view: reads, never writes a fact, and costs the same however fast the books change.

Every book has a socket of its own that keeps only the newest frame (ZeroMQ's CONFLATE), so Python touches a book as
often as the screen is drawn, not as often as it changes. Signals, orders and reports are few and all read.
What an instrument looks like is asked of market data once, for the digits of its prices.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import ormsgpack
import zmq

from common.codec import address_bytes, decode_event, split_frame
from common.errors import WireError
from common.messages import Instrument
from dashboard.terminal.state import MarketView

#: Frames of the slow topics read in one poll; the rest is read in the next.
_BUDGET: Final = 500
_HIGH_WATER_MARK: Final = 5_000
_MOST_BOOKS: Final = 8
_STREAMS: Final = (b"signal.", b"order.", b"report.", b"status.instrument.")

_Socket = zmq.Socket[bytes]


class BusTap:
    """Fills a MarketView from the bus each time it is polled. Not thread-safe; `close` when done."""

    def __init__(self, publish_addresses: Sequence[str], market_data_publish: str, market_data_reply: str) -> None:
        self._context: zmq.Context[_Socket] = zmq.Context()
        self._books_address = market_data_publish
        self._books: dict[str, _Socket] = {}
        self._streams = self._socket(zmq.SUB)
        for prefix in _STREAMS:
            self._streams.subscribe(prefix)
        for address in publish_addresses:
            self._streams.connect(address)
        self._questions = self._socket(zmq.DEALER)
        self._questions.setsockopt(zmq.IMMEDIATE, 1)
        self._questions.connect(market_data_reply)
        self._asked_s = -1e9

    def _socket(self, kind: int) -> _Socket:
        socket = self._context.socket(kind)
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.RCVHWM, _HIGH_WATER_MARK)
        return socket

    def poll(self, market: MarketView, book_keys: Iterable[str], now_s: float) -> None:
        """Take in what came since the last poll. `book_keys`: `venue.SYMBOL` of the books to follow."""
        keys = list(book_keys)[:_MOST_BOOKS]
        if any(key not in market.instruments for key in keys):
            self._ask_for_instruments(now_s)
        self._hear_answers(market)
        for _ in range(_BUDGET):
            data = _next(self._streams)
            if data is None:
                break
            _take(market, data)
        for key in keys:
            newest = _next(self._book_socket(key))
            if newest is not None:
                _take(market, newest)

    def _book_socket(self, key: str) -> _Socket:
        socket = self._books.get(key)
        if socket is None:
            socket = self._books[key] = self._socket(zmq.SUB)
            socket.setsockopt(zmq.CONFLATE, 1)
            socket.subscribe(address_bytes("book", key))
            socket.connect(self._books_address)
        return socket

    def _ask_for_instruments(self, now_s: float) -> None:
        if now_s - self._asked_s < 1.0:
            return
        question = ormsgpack.packb({"op": "sync", "topics": ["status"]})
        try:
            self._questions.send_multipart([bytes(8), question], zmq.NOBLOCK)
        except zmq.Again:
            return  # market data is not there yet; the next poll asks again
        self._asked_s = now_s

    def _hear_answers(self, market: MarketView) -> None:
        while True:
            try:
                _, _, *frames = self._questions.recv_multipart(zmq.NOBLOCK)
            except (zmq.Again, ValueError):
                return
            for data in frames:
                _take(market, data, only_instruments=True)

    def close(self) -> None:
        """Close every socket."""
        for socket in (self._streams, self._questions, *self._books.values()):
            socket.close()
        self._context.term()


def _next(socket: _Socket) -> bytes | None:
    try:
        return socket.recv(zmq.NOBLOCK)
    except zmq.Again:
        return None


def _take(market: MarketView, data: bytes, *, only_instruments: bool = False) -> None:
    try:
        event = decode_event(split_frame(data))
    except WireError:
        return  # from a newer version: the daemons count and report those, the view goes without
    if not only_instruments or isinstance(event, Instrument):
        market.apply(event)
