"""How much clients may ask for: weights and raw requests per address, orders per account, bans (venues.md 2.8).

Windows are the calendar's. REST and WebSocket API count in the same place, and exchangeInfo tells of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from common.config.mock_accounts import MockLimitsConfig
from common.units import NS_PER_MS, NS_PER_S
from services.mock_exchange.errors import VenueError

#: Requests over the limit that an address may make within a window before it is banned.
PATIENCE: Final = 10
LONGEST_BAN_NS: Final = 3 * 86_400 * NS_PER_S
#: Addresses remembered; beyond, those that are quiet are forgotten.
MAX_ADDRESSES: Final = 4096
_USE_STREAMS: Final = "Please use WebSocket Streams for live updates to avoid"
_SECONDS: Final = {"SECOND": 1, "MINUTE": 60, "DAY": 86_400}
_LETTERS: Final = {"SECOND": "S", "MINUTE": "M", "DAY": "D"}


class LimitError(VenueError):
    """429 or 418, and when to come back."""

    def __init__(self, code: int, message: str, status: int, retry_ns: int, now_ns: int) -> None:
        super().__init__(code, message, status)
        self.retry_after_s = max(1, -(-(retry_ns - now_ns) // NS_PER_S))
        #: What the WebSocket API tells in place of a header.
        self.retry = {"serverTime": now_ns // NS_PER_MS, "retryAfter": retry_ns // NS_PER_MS}


class RateLimit(NamedTuple):
    """One limit as exchangeInfo lists it."""

    kind: str
    interval: str
    number: int
    limit: int

    @property
    def window_ns(self) -> int:
        """Length of its window."""
        return _SECONDS[self.interval] * self.number * NS_PER_S

    @property
    def letters(self) -> str:
        """As header names end: 1M, 10S."""
        return f"{self.number}{_LETTERS[self.interval]}"

    def describe(self, count: int | None = None) -> dict[str, Any]:
        """With the count, where there is one."""
        told: dict[str, Any] = {
            "rateLimitType": self.kind,
            "interval": self.interval,
            "intervalNum": self.number,
            "limit": self.limit,
        }
        return told if count is None else told | {"count": count}


@dataclass(slots=True)
class Window:
    """A count that begins anew with each calendar window."""

    rule: RateLimit
    _number: int = -1
    _count: int = 0

    def count(self, now_ns: int) -> int:
        """Of the window that holds `now_ns`."""
        return self._count if now_ns // self.rule.window_ns == self._number else 0

    def add(self, amount: int, now_ns: int) -> int:
        """Count; never below 0. The new count."""
        self._count = max(0, self.count(now_ns) + amount)
        self._number = now_ns // self.rule.window_ns
        return self._count

    def ends_ns(self, now_ns: int) -> int:
        """When the next window begins."""
        return (now_ns // self.rule.window_ns + 1) * self.rule.window_ns


@dataclass(slots=True)
class _Address:
    weight: Window
    raw: Window
    connections: Window
    #: Requests over a limit in this window.
    excess: Window
    bans: int = 0
    banned_until_ns: int = 0
    seen_ns: int = field(default=0)


class Limits:
    """All counters of one exchange."""

    def __init__(self, config: MockLimitsConfig | None = None) -> None:
        config = config or MockLimitsConfig()
        self.weight = RateLimit("REQUEST_WEIGHT", "MINUTE", 1, config.request_weight_per_minute)
        self.orders = (
            RateLimit("ORDERS", "SECOND", 10, config.orders_per_10_s),
            RateLimit("ORDERS", "DAY", 1, config.orders_per_day),
        )
        self.raw = RateLimit("RAW_REQUESTS", "MINUTE", 5, config.raw_requests_per_5_minutes)
        self._connections = RateLimit("CONNECTIONS", "MINUTE", 5, config.connections_per_5_minutes)
        self._ban_ns = config.ban_ms * NS_PER_MS
        self._addresses: dict[str, _Address] = {}
        self._accounts: dict[int, tuple[Window, ...]] = {}

    def describe(self) -> list[dict[str, Any]]:
        """`rateLimits` of exchangeInfo."""
        return [rule.describe() for rule in (self.weight, *self.orders, self.raw)]

    def admit(self, ip: str, now_ns: int) -> None:
        """Count a request.

        Raises:
            LimitError: the address is banned, or has sent too many.
        """
        address = self._address(ip, now_ns)
        if now_ns < address.banned_until_ns:
            until_ms = address.banned_until_ns // NS_PER_MS
            message = f"Way too much request weight used; IP banned until {until_ms}. {_USE_STREAMS} bans."
            raise LimitError(-1003, message, 418, address.banned_until_ns, now_ns)
        if address.raw.add(1, now_ns) > self.raw.limit:
            message = f"Too many requests; current limit is {self.raw.limit} requests per 5 MINUTE."
            raise self._excess(address, address.raw, message, now_ns)

    def charge(self, ip: str, weight: int, now_ns: int) -> None:
        """Count weight.

        Raises:
            LimitError: more than the window allows; who goes on is banned.
        """
        address = self._address(ip, now_ns)
        if address.weight.add(weight, now_ns) > self.weight.limit:
            message = (
                f"Too much request weight used; current limit is {self.weight.limit} request weight per 1 MINUTE. "
                f"{_USE_STREAMS} polling the API."
            )
            raise self._excess(address, address.weight, message, now_ns)

    def refund(self, ip: str, weight: int, now_ns: int) -> None:
        """Placing and cancelling cost nothing when they succeed."""
        self._address(ip, now_ns).weight.add(-weight, now_ns)

    def used_weight(self, ip: str, now_ns: int) -> int:
        """In this minute."""
        address = self._addresses.get(ip)
        return address.weight.count(now_ns) if address else 0

    def connect(self, ip: str, now_ns: int) -> None:
        """Count a WebSocket connection.

        Raises:
            LimitError: too many of them, or the address is banned.
        """
        self.admit(ip, now_ns)
        window = self._address(ip, now_ns).connections
        if window.add(1, now_ns) > window.rule.limit:
            message = f"Too many connections; current limit is {window.rule.limit} connections per 5 MINUTE."
            raise LimitError(-1034, message, 429, window.ends_ns(now_ns), now_ns)

    def ban(self, ip: str, now_ns: int) -> int:
        """Ban an address, twice as long as the last time; until when."""
        address = self._address(ip, now_ns)
        self._ban(address, now_ns)
        return address.banned_until_ns

    @contextmanager
    def taking_orders(
        self,
        account_id: int,
        number: int,
        now_ns: int,
        has_placed: Callable[[VenueError], bool] = lambda _error: False,
    ) -> Iterator[None]:
        """Count orders about to be placed; those that are refused do not count, unless the error `has_placed` them.

        They count before they are placed, because a fill takes one off again.

        Raises:
            LimitError: too many in a window.
        """
        self.check_orders(account_id, number, now_ns)
        self._add_orders(account_id, number, now_ns)
        try:
            yield
        except VenueError as error:
            if not has_placed(error):
                self._add_orders(account_id, -number, now_ns)
            raise

    def check_orders(self, account_id: int, number: int, now_ns: int) -> None:
        """Refuse with -1015 when `number` more orders would be too many."""
        for window in self._orders_of(account_id):
            if window.count(now_ns) + number > window.rule.limit:
                rule = window.rule
                text = f"Too many new orders; current limit is {rule.limit} orders per {rule.number} {rule.interval}."
                raise LimitError(-1015, text, 429, window.ends_ns(now_ns), now_ns)

    def first_fill(self, account_id: int, now_ns: int) -> None:
        """An order that trades for the first time no longer counts."""
        self._add_orders(account_id, -1, now_ns)

    def order_counts(self, account_id: int, now_ns: int) -> list[tuple[RateLimit, int]]:
        """Every ORDERS limit with its count."""
        return [(window.rule, window.count(now_ns)) for window in self._orders_of(account_id)]

    def _orders_of(self, account_id: int) -> tuple[Window, ...]:
        windows = self._accounts.get(account_id)
        if windows is None:
            windows = self._accounts[account_id] = tuple(Window(rule) for rule in self.orders)
        return windows

    def _add_orders(self, account_id: int, number: int, now_ns: int) -> None:
        for window in self._orders_of(account_id):
            window.add(number, now_ns)

    def _excess(self, address: _Address, window: Window, message: str, now_ns: int) -> LimitError:
        if address.excess.add(1, now_ns) > PATIENCE:
            self._ban(address, now_ns)
        return LimitError(-1003, message, 429, max(window.ends_ns(now_ns), address.banned_until_ns), now_ns)

    def _ban(self, address: _Address, now_ns: int) -> None:
        address.banned_until_ns = now_ns + min(self._ban_ns << min(address.bans, 32), LONGEST_BAN_NS)
        address.bans += 1

    def _address(self, ip: str, now_ns: int) -> _Address:
        address = self._addresses.get(ip)
        if address is None:
            if len(self._addresses) >= MAX_ADDRESSES:
                self._forget(now_ns)
            excess = RateLimit("EXCESS", "MINUTE", 1, PATIENCE)
            address = _Address(Window(self.weight), Window(self.raw), Window(self._connections), Window(excess))
            self._addresses[ip] = address
        address.seen_ns = now_ns
        return address

    def _forget(self, now_ns: int) -> None:
        """Drop the half that was quiet for longest, bans that run excepted while there is other choice."""
        order = sorted(self._addresses, key=lambda ip: self._rank(self._addresses[ip], now_ns))
        for ip in order[: MAX_ADDRESSES // 2]:
            del self._addresses[ip]

    @staticmethod
    def _rank(address: _Address, now_ns: int) -> tuple[bool, int]:
        return address.banned_until_ns > now_ns, address.seen_ns
