"""Whole seconds of UTC, seen from a market that counts time since its own beginning."""

from __future__ import annotations

from common.units import NS_PER_S


class SecondTick:
    """When the next whole second comes. Before the market has a beginning none does."""

    def __init__(self) -> None:
        self._origin_ns = 0
        #: Since the market's beginning.
        self.next_ns = 2**63

    def begin(self, origin_ns: int, now_ns: int) -> None:
        """The beginning is at `origin_ns` (UTC), and `now_ns` have passed since: also after a jump of the clock."""
        self._origin_ns = origin_ns
        self.next_ns = (origin_ns + now_ns) // NS_PER_S * NS_PER_S + NS_PER_S - origin_ns

    def take(self) -> int:
        """The second that has come, UTC; wait for the one after it."""
        self.next_ns += NS_PER_S
        return self._origin_ns + self.next_ns - NS_PER_S
