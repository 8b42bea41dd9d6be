"""The daemons' clock."""

from __future__ import annotations

import time


class Clock:
    """UTC nanoseconds that never step back and never stand still.

    When the system clock is set back, time goes on at the pace of the monotonic clock until the system clock has
    caught up: deadlines and expiries go on being met.
    """

    __slots__ = ("_last", "_last_monotonic")

    def __init__(self) -> None:
        self._last = 0
        self._last_monotonic = time.monotonic_ns()

    def now_ns(self) -> int:
        """Now."""
        now, monotonic = time.time_ns(), time.monotonic_ns()
        if now < self._last:
            now = self._last + monotonic - self._last_monotonic
        self._last, self._last_monotonic = now, monotonic
        return now
