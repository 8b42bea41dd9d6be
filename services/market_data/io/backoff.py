"""Waits between attempts: doubling, capped, jittered, so that many clients do not come back at once."""

from __future__ import annotations

import random
from collections.abc import Iterator


def delays_s(first_ms: int, longest_ms: int, rng: random.Random) -> Iterator[float]:
    """Seconds to wait before each further attempt: `first_ms` x 1, 2, 4 ... at most `longest_ms`, less up to half."""
    wait_ms = first_ms
    while True:
        yield wait_ms * rng.uniform(0.5, 1.0) / 1000
        wait_ms = min(longest_ms, wait_ms * 2)
