"""A fault in force: when it acts, whom it hits, and the account kept of it."""

from __future__ import annotations

import math
from collections import Counter, deque
from fnmatch import fnmatchcase
from typing import Final, NamedTuple

import numpy as np

from common.units import NS_PER_MS
from services.mock_exchange.faults.plan import ClockSkew, Fault, Halt, Latency

#: Injections remembered for who asks; the log has them all.
LOG_LENGTH: Final = 10_000


class Injection(NamedTuple):
    """One thing that went wrong. `id` is the fault's id and a number: what a test finds again in its own log."""

    number: int
    id: str
    kind: str
    target: str
    time_ns: int
    detail: str


class Account:
    """What went wrong so far."""

    def __init__(self) -> None:
        self.log: deque[Injection] = deque(maxlen=LOG_LENGTH)
        self.counts: Counter[str] = Counter()
        self._number = 0
        self._news: list[Injection] = []

    def note(self, armed: Armed, target: str, now_ns: int, detail: str = "") -> None:
        """Count one more injection of a fault."""
        armed.count += 1
        self._number += 1
        fault = armed.fault
        self.counts[fault.kind] += 1
        injection = Injection(self._number, f"{fault.id}-{armed.count}", fault.kind, target, now_ns, detail)
        self.log.append(injection)
        self._news.append(injection)

    def take_news(self) -> list[Injection]:
        """Injections since last asked."""
        news, self._news = self._news, []
        return news


class Armed:
    """A fault with a generator of its own: what hits one fault does not change what hits another."""

    def __init__(self, fault: Fault, seed: int) -> None:
        self.fault = fault
        self.count = 0
        self._rng = np.random.Generator(np.random.PCG64([seed, *fault.id.encode()]))

    def meets(self, target: str) -> bool:
        """Whether its pattern covers a stream or a request."""
        fault = self.fault
        return not isinstance(fault, ClockSkew | Halt) and fnmatchcase(target, fault.target)

    def is_active(self, since_ns: int) -> bool:
        """Whether it acts, so long after the plan was taken up."""
        fault = self.fault
        if since_ns < fault.from_ns or (fault.most is not None and self.count >= fault.most):
            return False
        return fault.until_ns is None or since_ns < fault.until_ns

    def hits(self, since_ns: int) -> bool:
        """Draw whether a match is hit."""
        share = self.fault.share
        return self.is_active(since_ns) and share > 0 and (share == 1 or bool(self._rng.random() < share))

    def below(self, limit: int) -> int:
        """A number from 1 to below `limit`."""
        return int(self._rng.integers(1, max(2, limit)))

    def draw_ns(self, latency: Latency) -> int:
        """A time of a distribution."""
        rng, mean = self._rng, latency.mean_ms
        if latency.distribution == "uniform":
            value = rng.uniform(mean - latency.jitter, mean + latency.jitter)
        elif latency.distribution == "exponential":
            value = rng.exponential(mean)
        elif latency.distribution == "lognormal":
            sigma = latency.jitter
            value = mean * math.exp(sigma * rng.standard_normal() - 0.5 * sigma * sigma)
        else:
            value = mean
        return int(max(0.0, min(value, latency.most_ms)) * NS_PER_MS)
