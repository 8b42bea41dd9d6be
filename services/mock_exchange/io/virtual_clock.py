"""A clock that begins at a fixed time when somebody looks, so that one seed gives the same bytes again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from common.units import NS_PER_S

#: 2026-01-01T00:00:00Z.
VIRTUAL_START_NS: Final = 1_767_225_600 * NS_PER_S
#: Real time a pause of the process may make it jump; the rest of the pause did not happen here.
MAX_JUMP_NS: Final = NS_PER_S


class VirtualClock:
    """Stands at VIRTUAL_START_NS until `start`, then runs at the pace of `monotonic_ns`."""

    def __init__(self, monotonic_ns: Callable[[], int]) -> None:
        self._monotonic_ns = monotonic_ns
        self._now_ns = VIRTUAL_START_NS
        self._read_ns: int | None = None

    def start(self) -> None:
        """Run from now on; once is enough."""
        if self._read_ns is None:
            self._read_ns = self._monotonic_ns()

    def now_ns(self) -> int:
        """The virtual time, UTC."""
        if self._read_ns is not None:
            read_ns = self._monotonic_ns()
            self._now_ns += min(read_ns - self._read_ns, MAX_JUMP_NS)
            self._read_ns = read_ns
        return self._now_ns
