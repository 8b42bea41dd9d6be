"""Streams: their URLs, names and control frames, and the REST addresses beside them."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlsplit, urlunsplit

import orjson

VENUES: Final = ("binance", "binance-usdm")
#: Messages a client may send on one connection, a second: 5 on spot, 10 on USD-M, pings included.
MAX_CLIENT_MESSAGES_PER_S: Final = 5
MAX_STREAMS_PER_CONNECTION: Final = 1024
#: Names in one SUBSCRIBE; the venue cuts off overlong frames.
_NAMES_PER_FRAME: Final = 200
_REST_HOSTS: Final = {
    "stream.binance.com": "https://api.binance.com",
    "data-stream.binance.vision": "https://data-api.binance.vision",
    "stream.testnet.binance.vision": "https://testnet.binance.vision",
    "demo-stream.binance.com": "https://demo-api.binance.com",
    "stream.binance.us": "https://api.binance.us",
    "fstream.binance.com": "https://fapi.binance.com",
    "fstream.binancefuture.com": "https://demo-fapi.binance.com",
}
#: Depth limits a request may name, with their weights.
_DEPTH_WEIGHTS: Final = {
    "binance": ((100, 5), (500, 25), (1000, 50), (5000, 250)),
    "binance-usdm": ((5, 2), (10, 2), (20, 2), (50, 2), (100, 5), (500, 10), (1000, 20)),
}
_PATHS: Final = {"binance": "/api/v3", "binance-usdm": "/fapi/v1"}


class Request(NamedTuple):
    """A REST GET: path with query, and its weight in the venue's request limit."""

    path: str
    weight: int


class ControlKind(Enum):
    """What a frame that is no market data says."""

    #: The answer to a SUBSCRIBE or the like.
    REPLY = "reply"
    #: The venue refuses something we sent.
    ERROR = "error"
    #: The venue is about to close: open another connection now.
    SHUTDOWN = "shutdown"
    #: None of these.
    UNKNOWN = "unknown"


def depth_stream(symbol: str) -> str:
    """Diffs every 100 ms, spot and USD-M alike."""
    return f"{symbol.lower()}@depth@100ms"


def stream_names(symbols: Sequence[str], *, with_book_ticker: bool) -> list[str]:
    """What is subscribed to: diffs, trades and, to audit the books, best bid and ask."""
    names = []
    for symbol in symbols:
        names += [depth_stream(symbol), f"{symbol.lower()}@trade"]
        if with_book_ticker:
            names.append(f"{symbol.lower()}@bookTicker")
    return names


def subscribe_frames(names: Sequence[str], first_id: int = 1) -> list[bytes]:
    """SUBSCRIBE frames for `names`, numbered from `first_id`; to be sent within MAX_CLIENT_MESSAGES_PER_S."""
    return _control_frames("SUBSCRIBE", names, first_id)


def unsubscribe_frames(names: Sequence[str], first_id: int) -> list[bytes]:
    """UNSUBSCRIBE frames, likewise."""
    return _control_frames("UNSUBSCRIBE", names, first_id)


def default_rest_url(websocket_url: str) -> str:
    """The REST base beside a stream's address: the venue's own for its hosts, else the same host and port."""
    parts = urlsplit(websocket_url)
    known = _REST_HOSTS.get(parts.hostname or "")
    return known or urlunsplit(("https" if parts.scheme == "wss" else "http", parts.netloc, "", "", ""))


def depth_request(venue: str, symbol: str, levels: int) -> Request:
    """A snapshot of at least `levels` a side, or as many as the venue gives."""
    weights = _DEPTH_WEIGHTS[venue]
    limit, weight = next(((most, w) for most, w in weights if most >= levels), weights[-1])
    return Request(f"{_PATHS[venue]}/depth?symbol={quote(symbol)}&limit={limit}", weight)


def exchange_info_request(venue: str, symbols: Sequence[str]) -> Request:
    """The instruments; USD-M gives them all whatever is asked."""
    if venue != "binance":
        return Request(f"{_PATHS[venue]}/exchangeInfo", 1)
    names = quote(orjson.dumps(list(symbols)).decode(), safe="")
    return Request(f"{_PATHS[venue]}/exchangeInfo?symbols={names}", 20)


def time_request(venue: str) -> Request:
    """The venue's clock."""
    return Request(f"{_PATHS[venue]}/time", 1)


def classify_control(message: dict[str, Any]) -> tuple[ControlKind, str]:
    """Kind and text of a frame that is no market data (unwrapped)."""
    if message.get("e") == "serverShutdown":
        return ControlKind.SHUTDOWN, "the venue announces maintenance"
    error = message.get("error", message)
    if isinstance(error, dict) and "code" in error:
        return ControlKind.ERROR, f"{error['code']} {error.get('msg', '')}"
    if "result" in message and "id" in message:
        return ControlKind.REPLY, str(message["id"])
    return ControlKind.UNKNOWN, ", ".join(sorted(map(str, message)))


def _control_frames(method: str, names: Sequence[str], first_id: int) -> list[bytes]:
    return [
        orjson.dumps({"method": method, "params": list(names[at : at + _NAMES_PER_FRAME]), "id": first_id + number})
        for number, at in enumerate(range(0, len(names), _NAMES_PER_FRAME))
    ]
