"""The daemons' clock."""

from __future__ import annotations

import time


class Clock:
    """UTC nanoseconds that never step back, so that a stage sees time only grow."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last = 0

    def now_ns(self) -> int:
        """Now; the same value again while the system clock is set back."""
        now = time.time_ns()
        if now > self._last:
            self._last = now
        return self._last
