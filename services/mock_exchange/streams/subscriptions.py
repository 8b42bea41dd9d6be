"""What a client of the stream endpoints asks for, and the answers (venues.md 2.2). Pure: text in, text out."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import unquote

import orjson

from common.units import NS_PER_S
from services.mock_exchange.streams import dialect
from services.mock_exchange.streams.time_unit import TimeUnit, time_unit_of

MAX_STREAMS: Final = 1024
#: Client messages a second a connection may send; one more and the venue hangs up.
MAX_MESSAGES_PER_S: Final = 5
_METHODS: Final = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")
_ID_TEXT: Final = re.compile(r"^[A-Za-z0-9_-]{1,36}$")
_SPELT_OUT: Final = re.compile(r"^(.+@depth(?:5|10|20)?|!miniTicker@arr)@1000ms$")


class RequestError(Exception):
    """A request the venue answers with a code: 0 property, 1 value type, 2 request, 3 JSON."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Subscriptions:
    """The streams of one connection and how their frames are written. Unknown names are kept, silently, as there."""

    def __init__(self, streams: Iterable[str], *, combined: bool, unit: TimeUnit = TimeUnit.MILLISECOND) -> None:
        self.unit = unit
        self.streams: dict[str, None] = dict.fromkeys(list(filter(None, streams))[:MAX_STREAMS])
        self.combined = combined
        self._message_times_ns: deque[int] = deque(maxlen=MAX_MESSAGES_PER_S)

    def is_flooding(self, now_ns: int) -> bool:
        """Count a message at `now_ns`; True when it is one too many within a second."""
        times = self._message_times_ns
        too_many = len(times) == MAX_MESSAGES_PER_S and now_ns - times[0] < NS_PER_S
        times.append(now_ns)
        return too_many

    def farewell(self, time_ns: int) -> str:
        """The notice that the connection is about to be cut."""
        notice = dialect.server_shutdown(time_ns, self.unit)
        return dialect.combined("!serverShutdown", notice) if self.combined else notice

    def answer(self, text: str | bytes) -> str:
        """Carry out one request; the reply as the venue words it. Never raises."""
        request_id: Any = None
        try:
            request = _parse(text)
            request_id = _checked_id(request.get("id"))
            result = self._perform(request.get("method"), request.get("params"))
        except RequestError as error:
            reply: dict[str, Any] = {"code": error.code, "msg": error.message}
            return orjson.dumps(reply if request_id is None else reply | {"id": request_id}).decode()
        return orjson.dumps({"result": result, "id": request_id}).decode()

    def _perform(self, method: object, params: object) -> Any:
        if method not in _METHODS:
            expected = ", ".join(f"`{known}`" for known in _METHODS)
            raise RequestError(2, f"Invalid request: unknown variant `{method}`, expected one of {expected}")
        if method == "LIST_SUBSCRIPTIONS":
            return list(self.streams)
        if not isinstance(params, list):
            raise RequestError(2, "Invalid request: `params` must be an array")
        if method in ("SET_PROPERTY", "GET_PROPERTY"):
            return self._property(method, params)
        if not all(isinstance(name, str) for name in params):
            raise RequestError(2, "Invalid request: stream names must be strings")
        if method == "UNSUBSCRIBE":
            for name in params:
                self.streams.pop(name, None)
            return None
        wanted = dict.fromkeys([*self.streams, *params])
        if len(wanted) > MAX_STREAMS:
            raise RequestError(2, f"Invalid request: more than {MAX_STREAMS} streams on one connection")
        self.streams = wanted
        return None

    def _property(self, method: str, params: list[Any]) -> bool | None:
        if not params or params[0] != "combined":
            raise RequestError(0, "Unknown property")
        if method == "GET_PROPERTY":
            return self.combined
        if len(params) != 2 or not isinstance(params[1], bool):
            raise RequestError(1, "Invalid value type: expected Boolean")
        self.combined = params[1]
        return None


def plain_name(stream: str) -> str:
    """The documented name of a stream that goes out every second. Clients may spell its interval out: `@1000ms`."""
    spelt_out = _SPELT_OUT.match(stream)
    return spelt_out[1] if spelt_out else stream


def asked_for(query: bytes) -> tuple[list[str], TimeUnit]:
    """Streams and unit of time in a URL's query. A + is a plus there: `btcusdt@kline_1d@+08:00`."""
    values = dict(part.partition("=")[::2] for part in query.decode("latin-1").split("&"))
    streams = unquote(values.get("streams", "")).split("/")
    return streams, time_unit_of(values.get("timeUnit", "")) or TimeUnit.MILLISECOND


def _parse(text: str | bytes) -> dict[str, Any]:
    try:
        request = orjson.loads(text)
    except orjson.JSONDecodeError as exc:
        raise RequestError(3, f"Invalid JSON: {exc}") from exc
    if not isinstance(request, dict):
        raise RequestError(2, "Invalid request: an object is expected")
    return request


def _checked_id(value: object) -> int | str | None:
    """int64, up to 36 letters, digits, - and _, or null."""
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63):
        return value
    if isinstance(value, str) and _ID_TEXT.match(value):
        return value
    raise RequestError(2, "Invalid request: id must be an integer, a string of up to 36 letters and digits, or null")
