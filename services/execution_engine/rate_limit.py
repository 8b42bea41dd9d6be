"""How fast we may speak to the venue: a bucket of tokens and the queue in front of it.

Venues count in fixed windows whose start is theirs, not ours (Binance spot, "Rate limits": ORDERS per 10 s, aligned
to the clock). A classic bucket that refills while it is full lets through up to twice its rate inside one such
window. Here a spent token returns exactly one window later, so no window of that length, wherever it begins, ever
sees more sends than there are tokens.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final, NamedTuple

from common.units import NS_PER_S

#: Orders that may wait. More than this is minutes of backlog: they would expire before they were sent.
MAX_WAITING: Final = 1_024


class TokenBucket:
    """`tokens` sends in any `window_ns`."""

    __slots__ = ("_spent_ns", "tokens", "window_ns")

    def __init__(self, tokens: int, window_ns: int = NS_PER_S) -> None:
        self.tokens = tokens
        self.window_ns = window_ns
        self._spent_ns: deque[int] = deque(maxlen=tokens)

    def free_at_ns(self) -> int:
        """Earliest time the next token may be spent; 0 when one is there whatever the time."""
        return self._spent_ns[0] + self.window_ns if len(self._spent_ns) == self.tokens else 0

    def take(self, now_ns: int) -> bool:
        """Spend a token if there is one. `now_ns` never decreases."""
        if now_ns < self.free_at_ns():
            return False
        self._spent_ns.append(now_ns)
        return True

    def restore(self, spent_by_ns: Iterable[int], now_ns: int) -> None:
        """Count what an earlier life spent, each token as late as it may have been; `spent_by_ns` in any order."""
        self._spent_ns.extend(sorted(min(at_ns, now_ns) for at_ns in spent_by_ns))


class Released(NamedTuple):
    """What the queue lets go, in order."""

    cancels: list[str]
    orders: list[str]
    expired: list[str]


class SendQueue:
    """Orders and cancels that wait for a token, by order id.

    Cancels go first: an order that should not exist is worse than one that does not exist yet. Within a kind, first
    come, first served. An order past its time leaves without costing a token. Cancels are at most one per order, so
    they need no bound of their own.
    """

    def __init__(self, bucket: TokenBucket, max_waiting: int = MAX_WAITING) -> None:
        self._bucket = bucket
        self._max_waiting = max_waiting
        self._cancels: dict[str, None] = {}
        self._orders: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._cancels) + len(self._orders)

    @property
    def is_full(self) -> bool:
        """No further order may wait."""
        return len(self._orders) >= self._max_waiting

    def restore(self, spent_by_ns: Iterable[int], now_ns: int) -> None:
        """Count what an earlier life has sent; see TokenBucket.restore."""
        self._bucket.restore(spent_by_ns, now_ns)

    def add_order(self, order_id: str, valid_until_ns: int) -> None:
        """Let an order wait; the caller has asked `is_full`."""
        self._orders[order_id] = valid_until_ns

    def add_cancel(self, order_id: str) -> None:
        """Let a cancel wait; a second one for the same order is the same cancel."""
        self._cancels[order_id] = None

    def remove_order(self, order_id: str) -> bool:
        """Take an order back that has not been sent; False when it is not waiting."""
        return self._orders.pop(order_id, None) is not None

    def remove_cancel(self, order_id: str) -> None:
        """The order has ended by itself."""
        self._cancels.pop(order_id, None)

    def deadline_ns(self) -> int | None:
        """When `release` may have something to let go; None when nothing waits."""
        return self._bucket.free_at_ns() if self._cancels or self._orders else None

    def release(self, now_ns: int) -> Released:
        """Everything that may go at `now_ns`."""
        expired = [order_id for order_id, until in self._orders.items() if now_ns > until]
        for order_id in expired:
            del self._orders[order_id]
        return Released(self._drain(self._cancels, now_ns), self._drain(self._orders, now_ns), expired)

    def _drain(self, waiting: dict[str, None] | dict[str, int], now_ns: int) -> list[str]:
        gone: list[str] = []
        for order_id in waiting:
            if not self._bucket.take(now_ns):
                break
            gone.append(order_id)
        for order_id in gone:
            del waiting[order_id]
        return gone
