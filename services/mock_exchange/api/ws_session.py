"""One connection of the WebSocket API, without its socket: text in, texts out (venues.md 2.7).

Answers come back from `handle`; events of subscribed accounts go to `send` when they happen, which may be before the
answer to the request that led to them, as with the venue. The end of a subscription is told after the answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import orjson

from common.units import NS_PER_MS
from services.mock_exchange.api.limits import LimitError
from services.mock_exchange.errors import VenueError
from services.mock_exchange.trading.accounts import Account, ApiKey

if TYPE_CHECKING:
    from services.mock_exchange.api.call import Call
    from services.mock_exchange.api.exchange_api import ExchangeApi

CONNECT_WEIGHT: Final = 2
_ID_TEXT: Final = re.compile(r"[A-Za-z0-9_-]{1,36}\Z")


class _Number(str):
    """A JSON number as it was written: signatures cover the text."""

    __slots__ = ()


class Subscription:
    """One user data stream on a connection."""

    def __init__(self, session: WsSession, number: int, owner: tuple[Account, ApiKey], by_logon: bool) -> None:
        self.number, self.owner, self.by_logon = number, owner, by_logon
        self.unit_ns = session.unit_ns
        self._send = session.send

    def deliver(self, text: str, _time_ns: int) -> None:
        """One event, wrapped."""
        self._send(f'{{"subscriptionId":{self.number},"event":{text}}}')


class WsSession:
    """What one connection knows: who is logged on, what is subscribed."""

    def __init__(
        self,
        api: ExchangeApi,
        ip: str,
        send: Callable[[str], None],
        now_ns: int,
        unit_ns: int = NS_PER_MS,
        tells_limits: bool = True,
    ) -> None:
        self.ip, self.send, self.unit_ns = ip, send, unit_ns
        self.owner: tuple[Account, ApiKey] | None = None
        #: Whose the request under way is.
        self.last_owner: Account | None = None
        self.subscriptions: dict[int, Subscription] = {}
        self._api = api
        self._connected_ns = now_ns
        self._authorized_ns = 0
        self._tells_limits = tells_limits
        self._next_number = 0
        self._afterwards: list[str] = []

    def handle(self, text: str | bytes, now_ns: int) -> list[str]:
        """Carry out one request. Never raises for what a client sends; the answer is the first text."""
        request_id: Any = None
        tells_limits, method, self.last_owner = self._tells_limits, "", None
        try:
            request = _parse(text)
            request_id = _checked_id(request.get("id"))
            method = _method(request.get("method"))
            sent = _texts(request.get("params"))
            tells_limits = sent.get("returnRateLimits", str(tells_limits)).lower() != "false"
            reply = {"status": 200, "result": self._api.call(method, sent, self, now_ns)}
        except VenueError as error:
            reply = {"status": error.status, "error": _error(error)}
        if tells_limits:
            reply["rateLimits"] = self._api.rate_limits(method, self, now_ns)
        answers = [orjson.dumps({"id": request_id, **reply}).decode(), *self._afterwards]
        self._afterwards = []
        return answers

    def close(self) -> None:
        """The connection is gone."""
        for number in list(self.subscriptions):
            self._drop(number)
        self._api.forget(self)

    def log_on(self, owner: tuple[Account, ApiKey] | None, now_ns: int) -> None:
        """What follows is this owner's."""
        self.owner, self._authorized_ns = owner, now_ns

    def log_out(self, now_ns: int) -> None:
        """Nobody's; subscriptions that rested on the logon end."""
        self.owner = None
        for number in [number for number, one in self.subscriptions.items() if one.by_logon]:
            self._terminate(number, now_ns)

    def subscribe(self, owner: tuple[Account, ApiKey], *, by_logon: bool) -> int:
        """Hear of an account from now on; the subscription's number.

        Raises:
            VenueError: -2035 this connection hears of it already.
        """
        account = owner[0]
        if any(one.owner[0] is account for one in self.subscriptions.values()):
            raise VenueError(-2035, "User Data Stream subscription already active.")
        number = self._next_number
        self._next_number += 1
        subscription = self.subscriptions[number] = Subscription(self, number, owner, by_logon)
        self._api.venue.user_streams.add(account.account_id, subscription)
        return number

    def unsubscribe(self, number: int | None, now_ns: int) -> None:
        """End one subscription, or all.

        Raises:
            VenueError: -2036 there is none of that number.
        """
        if number is not None and number not in self.subscriptions:
            raise VenueError(-2036, "User Data Stream subscription not active.")
        for one in list(self.subscriptions) if number is None else [number]:
            self._terminate(one, now_ns)

    def revoke(self, api_key: str, now_ns: int) -> None:
        """A key is gone, and with it what rested on it."""
        if self.owner is not None and self.owner[1].key == api_key:
            self.log_out(now_ns)
        for number in [number for number, one in self.subscriptions.items() if one.owner[1].key == api_key]:
            self._terminate(number, now_ns)
        for text in self._afterwards:
            self.send(text)
        self._afterwards = []

    def status(self, call: Call) -> dict[str, Any]:
        """The answer to session.status."""
        return {
            "apiKey": self.owner[1].key if self.owner else None,
            "authorizedSince": call.stamp(self._authorized_ns) if self.owner else None,
            "connectedSince": call.stamp(self._connected_ns),
            "returnRateLimits": self._tells_limits,
            "serverTime": call.stamp(call.now_ns),
            "userDataStream": bool(self.subscriptions),
        }

    def _terminate(self, number: int, now_ns: int) -> None:
        self._drop(number)
        event = {"e": "eventStreamTerminated", "E": now_ns // self.unit_ns}
        self._afterwards.append(orjson.dumps({"subscriptionId": number, "event": event}).decode())

    def _drop(self, number: int) -> None:
        one = self.subscriptions.pop(number)
        self._api.venue.user_streams.remove(one.owner[0].account_id, one)


def method_of(text: str | bytes) -> str:
    """The method a request names; "" when it cannot be read."""
    try:
        return _method(_parse(text).get("method"))
    except VenueError:
        return ""


def refusal(text: str | bytes, error: VenueError) -> str:
    """The answer to a request that did not reach its session, or was lost there."""
    try:
        request_id = _checked_id(_parse(text).get("id"))
    except VenueError:
        request_id = None
    return orjson.dumps({"id": request_id, "status": error.status, "error": _error(error)}).decode()


def _error(error: VenueError) -> dict[str, Any]:
    told: dict[str, Any] = {"code": error.code, "msg": error.message}
    data = error.data or (error.retry if isinstance(error, LimitError) else None)
    return told if data is None else {**told, "data": data}


def _parse(text: str | bytes) -> dict[str, Any]:
    try:
        request = json.loads(text, parse_float=_Number, parse_int=_Number, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise VenueError(-1135, "Invalid JSON Request.") from None
    if not isinstance(request, dict):
        raise VenueError(-1135, "Invalid JSON Request: an object is expected.")
    return request


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _checked_id(value: object) -> int | str | None:
    """int64, up to 36 letters, digits, - and _, or null; -1100 otherwise."""
    if value is None:
        return None
    if isinstance(value, _Number):
        if len(value) <= 20 and value.lstrip("-").isdigit() and -(2**63) <= int(value) < 2**63:
            return int(value)
    elif isinstance(value, str) and _ID_TEXT.match(value):
        return value
    raise VenueError(-1100, "Illegal characters found in parameter 'id'; legal range is '^[a-zA-Z0-9-_]{1,36}$'.")


def _method(value: object) -> str:
    if not isinstance(value, str) or isinstance(value, _Number) or not value:
        raise VenueError(-1102, "Mandatory parameter 'method' was not sent, was empty/null, or malformed.")
    return value.removeprefix("v3/")


def _texts(params: object) -> dict[str, str]:
    """Every parameter as the text a query would carry."""
    if params is None:
        return {}
    if not isinstance(params, dict):
        raise VenueError(-1102, "Mandatory parameter 'params' was not sent, was empty/null, or malformed.")
    return {name: _text(value) for name, value in params.items()}


def _text(value: object) -> str:
    if isinstance(value, str):
        return str(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
