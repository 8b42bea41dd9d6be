"""The door for requests: finds the endpoint, checks sender and limits, lets the exchange catch up, calls the handler.

One virtual thread: a request is answered whole, at one exchange time, before anything else happens.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import orjson

from common.config.mock_accounts import MockLimitsConfig
from common.units import NS_PER_MS, NS_PER_US
from services.mock_exchange.api import auth, params
from services.mock_exchange.api.call import SIGNED_ON, SIGNING, Call, Endpoint, Security, Venue
from services.mock_exchange.api.endpoints import BY_PREFIX
from services.mock_exchange.api.limits import LimitError, Limits
from services.mock_exchange.api.messages import Request, Response, html_page
from services.mock_exchange.api.session_methods import LISTEN_KEY_PATH
from services.mock_exchange.api.user_streams import ListenKeys, UserStreams
from services.mock_exchange.api.ws_session import CONNECT_WEIGHT, WsSession
from services.mock_exchange.errors import VenueError
from services.mock_exchange.exchange import Exchange
from services.mock_exchange.trading.accounts import Account, Accounts, ApiKey
from services.mock_exchange.trading.desk import Desk
from services.mock_exchange.trading.events import AccountEvent

_UNITS: Final = {"MILLISECOND": NS_PER_MS, "MICROSECOND": NS_PER_US}
_BODY_METHODS: Final = ("POST", "PUT", "DELETE")
_SIGNING_NAMES: Final = frozenset(param.name for param in SIGNING)
#: Of the WebSocket API's own, in every method's params.
_WS_NAMES: Final = frozenset({"apiKey", "returnRateLimits"})


class _Sender(NamedTuple):
    """Who says to have sent a request, and how to find out."""

    ip: str
    api_key: str | None
    signature: str | None
    payloads: Callable[[], tuple[bytes, ...]]
    unit_ns: int
    session: WsSession | None = None


class ExchangeApi:
    """REST and WebSocket API of one exchange, with its desk, accounts, limits and user data streams."""

    def __init__(
        self,
        exchange: Exchange,
        accounts: Accounts,
        limits: MockLimitsConfig | None = None,
        *,
        send_listen_key: Callable[[str, str], None] | None = None,
        on_event: Callable[[AccountEvent], None] = lambda _event: None,
        skew_ns: Callable[[], int] = lambda: 0,
    ) -> None:
        """`send_listen_key` publishes (stream, text) and switches listen keys on; `on_event` hears of every account.

        `skew_ns`: how far the clock is off that `time` tells and timestamps are held against.

        Raises:
            ValueError: a key of an account cannot be used.
        """
        for account in accounts.all():
            for key in account.keys:
                auth.check_public_key(key)
        counters = Limits(limits)
        streams = UserStreams(counters)

        def tell(event: AccountEvent) -> None:
            on_event(event)
            streams.publish(event)

        self.venue = Venue(
            exchange,
            Desk(exchange.books, accounts, tell),
            accounts,
            counters,
            streams,
            None if send_listen_key is None else ListenKeys(streams, send_listen_key),
        )
        table = BY_PREFIX[exchange.rest_prefix]
        self._rest = {tuple(endpoint.rest.split(" ")): endpoint for endpoint in table if endpoint.rest}
        self._paths = {path for _, path in self._rest}
        self._ws = {endpoint.ws: endpoint for endpoint in table if endpoint.ws}
        self._skew_ns = skew_ns
        self._sessions: dict[WsSession, None] = {}
        self._revoked: set[str] = set()

    def answer(self, request: Request, now_ns: int) -> Response:
        """Answer one HTTP request. Never raises for what a client sends."""
        limits = self.venue.limits
        endpoint = self._rest.get((request.method, request.path))
        owner: tuple[Account, ApiKey] | None = None
        headers: dict[str, str] = {}
        try:
            limits.admit(request.ip, now_ns)
            if request.path == LISTEN_KEY_PATH and self.venue.listen_keys is None:
                return html_page(410, "410 Gone")
            if endpoint is None:
                is_known = request.path in self._paths
                return html_page(405, "405 Method Not Allowed") if is_known else html_page(404, "404 Not found")
            owner, result = self._answer(endpoint, request, now_ns)
            status, body = 200, orjson.dumps(result)
        except VenueError as error:
            status, body = error.status, error_body(error)
            if isinstance(error, LimitError):
                headers["Retry-After"] = str(error.retry_after_s)
        weight = str(limits.used_weight(request.ip, now_ns))
        headers |= {"X-MBX-USED-WEIGHT": weight, f"X-MBX-USED-WEIGHT-{limits.weight.letters}": weight}
        if endpoint is not None and endpoint.tells_orders and owner is not None:
            for rule, count in limits.order_counts(owner[0].account_id, now_ns):
                headers[f"X-MBX-ORDER-COUNT-{rule.letters}"] = str(count)
        return Response(status, body, headers)

    def open_session(
        self,
        ip: str,
        send: Callable[[str], None],
        now_ns: int,
        *,
        time_unit: str = "MILLISECOND",
        tells_limits: bool = True,
    ) -> WsSession:
        """A connection of the WebSocket API.

        Raises:
            VenueError: too many, or a time unit there is not.
        """
        unit_ns = _unit_ns(time_unit)
        self.venue.limits.connect(ip, now_ns)
        self.venue.limits.charge(ip, CONNECT_WEIGHT, now_ns)
        session = WsSession(self, ip, send, now_ns, unit_ns, tells_limits)
        self._sessions[session] = None
        return session

    def call(self, method: str, sent: Mapping[str, str], session: WsSession, now_ns: int) -> Any:
        """Carry out a WebSocket API method.

        Raises:
            VenueError: the venue refuses.
        """
        self.venue.limits.admit(session.ip, now_ns)
        endpoint = self._ws.get(method)
        if endpoint is None:
            raise VenueError(-1020, f"Unknown method '{_printable(method)}'.")
        sender = _Sender(
            session.ip,
            sent.get("apiKey"),
            sent.get("signature"),
            lambda: auth.ws_payloads(sent),
            session.unit_ns,
            session,
        )
        own = {name: value for name, value in sent.items() if name not in _WS_NAMES}
        return self._perform(endpoint, own, sender, now_ns)[1]

    def rate_limits(self, method: str, session: WsSession, now_ns: int) -> list[dict[str, Any]]:
        """`rateLimits` of a WebSocket API answer."""
        limits, endpoint = self.venue.limits, self._ws.get(method)
        weight = limits.weight.describe(limits.used_weight(session.ip, now_ns))
        owner = session.last_owner
        if endpoint is None or not endpoint.tells_orders or owner is None:
            return [weight]
        counts = limits.order_counts(owner.account_id, now_ns)
        return [*(rule.describe(count) for rule, count in counts), weight]

    def forget(self, session: WsSession) -> None:
        """A connection is gone."""
        self._sessions.pop(session, None)

    def revoke(self, api_key: str, now_ns: int) -> None:
        """Take a key away: its requests are refused, its sessions and streams end."""
        self._revoked.add(api_key)
        for session in tuple(self._sessions):
            session.revoke(api_key, now_ns)

    def _answer(self, endpoint: Endpoint, request: Request, now_ns: int) -> tuple[tuple[Account, ApiKey] | None, Any]:
        body = request.body if request.method in _BODY_METHODS else b""
        sent = params.form_pairs(body) | params.form_pairs(request.query)
        signature = auth.signature_of(request.query, body)
        if signature is not None:
            sent["signature"] = signature
        sender = _Sender(
            request.ip,
            request.headers.get("x-mbx-apikey", ""),
            signature,
            lambda: (auth.rest_payload(request.query, body),),
            _unit_ns(request.headers.get("x-mbx-time-unit", "MILLISECOND")),
        )
        return self._perform(endpoint, sent, sender, now_ns)

    def _perform(
        self, endpoint: Endpoint, sent: Mapping[str, str], sender: _Sender, now_ns: int
    ) -> tuple[tuple[Account, ApiKey] | None, Any]:
        limits = self.venue.limits
        weight = endpoint.weighs(sent)
        limits.charge(sender.ip, weight, now_ns)
        if sender.session is not None:
            sender.session.last_owner = None
        owner, values = self._identify(endpoint, sent, sender, now_ns)
        if sender.session is not None and owner is not None:
            sender.session.last_owner = owner[0]
        self.venue.exchange.catch_up(now_ns)
        told_ns = now_ns + self._skew_ns()
        call = Call(self.venue, values, now_ns, told_ns, sender.ip, sender.unit_ns, owner, sender.session)
        result = endpoint.handler(call)
        if endpoint.is_free_when_done:
            limits.refund(sender.ip, weight, now_ns)
        return owner, result

    def _identify(
        self, endpoint: Endpoint, sent: Mapping[str, str], sender: _Sender, now_ns: int
    ) -> tuple[tuple[Account, ApiKey] | None, dict[str, Any]]:
        """Whose request it is, and its parameters."""
        security = endpoint.security
        if security is Security.NONE:
            return None, params.read_params(endpoint.params, sent)
        session = sender.session
        if session is not None and session.owner is not None and sender.api_key is None:
            specs = (*endpoint.params, *SIGNED_ON) if security.is_signed else endpoint.params
            values = params.read_params(specs, sent)
            return self._permitted(session.owner, endpoint, values, now_ns), values
        if sender.api_key is None:
            raise params.missing("apiKey")
        auth.check_key_format(sender.api_key)
        if security is Security.KEY:
            own = {name: value for name, value in sent.items() if name not in _SIGNING_NAMES}
            values = params.read_params(endpoint.params, own)
        else:
            values = params.read_params((*endpoint.params, *SIGNING), sent)
        owner = self.venue.accounts.by_key(sender.api_key)
        if owner is None or sender.api_key in self._revoked:
            raise auth.unknown_key()
        self._permitted(owner, endpoint, values, now_ns)
        if security.is_signed and not any(
            auth.verify(owner[1], payload, sender.signature or "") for payload in sender.payloads()
        ):
            raise auth.bad_signature()
        return owner, values

    def _permitted(
        self, owner: tuple[Account, ApiKey], endpoint: Endpoint, values: Mapping[str, Any], now_ns: int
    ) -> tuple[Account, ApiKey]:
        if endpoint.security.is_signed:
            auth.check_time(values["timestamp"], values["recvWindow"], now_ns + self._skew_ns())
        if endpoint.security.permission not in owner[1].permissions:
            raise auth.unknown_key()
        return owner


def error_body(error: VenueError) -> bytes:
    """The body of a refusal."""
    told: dict[str, Any] = {"code": error.code, "msg": error.message}
    return orjson.dumps(told if error.data is None else {**told, "data": error.data})


def _unit_ns(name: str) -> int:
    unit_ns = _UNITS.get(name.upper())
    if unit_ns is None:
        raise VenueError(-1194, "Invalid value for time unit; expected either MICROSECOND or MILLISECOND.")
    return unit_ns


def _printable(text: str) -> str:
    return text[:64].encode("ascii", "replace").decode()
