"""Who hears what happens to an account: subscriptions of WebSocket API sessions, and the listen keys of old."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final, Protocol

import orjson

from common.units import NS_PER_MS, NS_PER_S
from services.mock_exchange.api.event_text import event_text
from services.mock_exchange.api.limits import Limits
from services.mock_exchange.errors import VenueError
from services.mock_exchange.trading.accounts import Account
from services.mock_exchange.trading.events import AccountEvent, OrderReport

LISTEN_KEY_LIFE_NS: Final = 60 * 60 * NS_PER_S


class Listener(Protocol):
    """Takes events as text, times in units of `unit_ns`."""

    unit_ns: int

    def deliver(self, text: str, time_ns: int) -> None:
        """One event of the account."""
        ...


class UserStreams:
    """Hands every account's events to its listeners at once, in order; nothing is kept for later."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._listeners: dict[int, dict[Listener, None]] = {}
        self._changed_ns: dict[int, int] = {}

    def publish(self, event: AccountEvent) -> None:
        """What the desk tells."""
        self._changed_ns[event.account_id] = event.time_ns
        if isinstance(event, OrderReport) and event.fill and event.fill.qty_lots == event.executed_lots:
            self._limits.first_fill(event.account_id, event.time_ns)
        texts: dict[int, str] = {}
        for listener in tuple(self._listeners.get(event.account_id, ())):
            text = texts.get(listener.unit_ns)
            if text is None:
                text = texts[listener.unit_ns] = event_text(event, listener.unit_ns)
            listener.deliver(text, event.time_ns)

    def add(self, account_id: int, listener: Listener) -> None:
        """From now on."""
        self._listeners.setdefault(account_id, {})[listener] = None

    def remove(self, account_id: int, listener: Listener) -> None:
        """No longer."""
        self._listeners.get(account_id, {}).pop(listener, None)

    def changed_ns(self, account_id: int) -> int:
        """When the account last changed; 0: never."""
        return self._changed_ns.get(account_id, 0)


class _KeyStream:
    """The listener behind one listen key."""

    unit_ns = NS_PER_MS

    def __init__(self, keys: ListenKeys, key: str, account: Account, expires_ns: int) -> None:
        self.key, self.account, self.expires_ns = key, account, expires_ns
        self._keys = keys

    def deliver(self, text: str, time_ns: int) -> None:
        """To whoever reads the stream of that name, while the key lives."""
        if not self._keys.end_if_over(self, time_ns):
            self._keys.send(self.key, text)


class ListenKeys:
    """Keys that are names of streams, good for an hour from their last use. One per account, as the venue had it."""

    def __init__(self, streams: UserStreams, send: Callable[[str, str], None]) -> None:
        self.send = send
        self._streams = streams
        self._by_key: dict[str, _KeyStream] = {}
        self._opened = 0

    def open(self, account: Account, now_ns: int) -> str:
        """The account's key, made or extended."""
        for stream in list(self._by_key.values()):
            if stream.account is account and not self.end_if_over(stream, now_ns):
                stream.expires_ns = now_ns + LISTEN_KEY_LIFE_NS
                return stream.key
        self._opened += 1
        secrets = "".join(key.secret_or_public_pem for key in account.keys)
        key = hashlib.sha256(f"{account.account_id}:{self._opened}:{now_ns}:{secrets}".encode()).hexdigest()
        stream = self._by_key[key] = _KeyStream(self, key, account, now_ns + LISTEN_KEY_LIFE_NS)
        self._streams.add(account.account_id, stream)
        return key

    def extend(self, account: Account, key: str, now_ns: int) -> None:
        """Another hour."""
        self._find(account, key, now_ns).expires_ns = now_ns + LISTEN_KEY_LIFE_NS

    def close(self, account: Account, key: str, now_ns: int) -> None:
        """Before its time."""
        self._end(self._find(account, key, now_ns), now_ns)

    def end_if_over(self, stream: _KeyStream, now_ns: int) -> bool:
        """True when the key's time is over; its readers are told."""
        if now_ns < stream.expires_ns:
            return False
        self._end(stream, now_ns)
        return True

    def _find(self, account: Account, key: str, now_ns: int) -> _KeyStream:
        stream = self._by_key.get(key)
        if stream is None or stream.account is not account or self.end_if_over(stream, now_ns):
            raise VenueError(-1125, "This listenKey does not exist.")
        return stream

    def _end(self, stream: _KeyStream, now_ns: int) -> None:
        if self._by_key.pop(stream.key, None) is not None:
            self._streams.remove(stream.account.account_id, stream)
            told = {"e": "listenKeyExpired", "E": now_ns // NS_PER_MS, "listenKey": stream.key}
            self.send(stream.key, orjson.dumps(told).decode())
