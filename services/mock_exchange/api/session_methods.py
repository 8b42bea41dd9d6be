"""Methods about a connection itself: logging on, and user data (venues.md 2.7); and the listen keys of old."""

from __future__ import annotations

from typing import Any, Final

from services.mock_exchange.api import auth, params
from services.mock_exchange.api.call import Call, Endpoint, Security
from services.mock_exchange.api.params import Param
from services.mock_exchange.api.user_streams import ListenKeys
from services.mock_exchange.api.ws_session import WsSession
from services.mock_exchange.errors import VenueError

LISTEN_KEY_PATH: Final = "/api/v3/userDataStream"


def _session(call: Call) -> WsSession:
    if call.session is None:
        raise VenueError(-1020, "This operation is not supported.")
    return call.session


def logon(call: Call) -> dict[str, Any]:
    """session.logon: what follows needs no signature. Keys of every kind may log on, not Ed25519 alone."""
    session = _session(call)
    session.log_on(call.owner, call.now_ns)
    return session.status(call)


def status(call: Call) -> dict[str, Any]:
    """session.status."""
    return _session(call).status(call)


def logout(call: Call) -> dict[str, Any]:
    """session.logout: ends what was subscribed by it."""
    session = _session(call)
    session.log_out(call.now_ns)
    return session.status(call)


def subscribe(call: Call) -> dict[str, Any]:
    """userDataStream.subscribe, for who is logged on."""
    session = _session(call)
    if session.owner is None:
        raise auth.unknown_key()
    return {"subscriptionId": session.subscribe(session.owner, by_logon=True)}


def subscribe_signed(call: Call) -> dict[str, Any]:
    """userDataStream.subscribe.signature, for everybody."""
    session = _session(call)
    if call.owner is None:
        raise auth.unknown_key()
    return {"subscriptionId": session.subscribe(call.owner, by_logon=False)}


def unsubscribe(call: Call) -> dict[str, Any]:
    """userDataStream.unsubscribe: one of them, or all."""
    _session(call).unsubscribe(call["subscriptionId"], call.now_ns)
    return {}


def subscriptions(call: Call) -> list[dict[str, Any]]:
    """session.subscriptions."""
    return [{"subscriptionId": number} for number in _session(call).subscriptions]


def _keys(call: Call) -> ListenKeys:
    if call.venue.listen_keys is None:
        raise VenueError(-1020, "This operation is not supported.", status=410)
    return call.venue.listen_keys


def open_key(call: Call) -> dict[str, Any]:
    """POST userDataStream."""
    return {"listenKey": _keys(call).open(call.account, call.now_ns)}


def extend_key(call: Call) -> dict[str, Any]:
    """PUT userDataStream."""
    _keys(call).extend(call.account, call["listenKey"], call.now_ns)
    return {}


def close_key(call: Call) -> dict[str, Any]:
    """DELETE userDataStream."""
    _keys(call).close(call.account, call["listenKey"], call.now_ns)
    return {}


_KEY: Final = (Param("listenKey", params.text, is_required=True),)

ENDPOINTS: Final = (
    Endpoint(None, "session.logon", logon, (), 2, Security.READ),
    Endpoint(None, "session.status", status, (), 2),
    Endpoint(None, "session.logout", logout, (), 2),
    Endpoint(None, "session.subscriptions", subscriptions, (), 2),
    Endpoint(None, "userDataStream.subscribe", subscribe, (), 2),
    Endpoint(None, "userDataStream.subscribe.signature", subscribe_signed, (), 2, Security.READ),
    Endpoint(None, "userDataStream.unsubscribe", unsubscribe, (Param("subscriptionId", params.integer),), 2),
    Endpoint(f"POST {LISTEN_KEY_PATH}", "userDataStream.start", open_key, (), 2, Security.KEY),
    Endpoint(f"PUT {LISTEN_KEY_PATH}", "userDataStream.ping", extend_key, _KEY, 2, Security.KEY),
    Endpoint(f"DELETE {LISTEN_KEY_PATH}", "userDataStream.stop", close_key, _KEY, 2, Security.KEY),
)
