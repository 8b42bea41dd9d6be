"""Commissions: a maker's and a taker's share of what they receive, by what an account traded in thirty days."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from common.units import NS_PER_S, PPM

WINDOW_DAYS: Final = 30
_DAY_NS: Final = 86_400 * NS_PER_S


class FeeTier(NamedTuple):
    """What is taken from accounts that traded at least `min_volume` (1e-8 of the fee schedule's asset)."""

    min_volume: int
    maker_ppm: int
    taker_ppm: int


@dataclass(frozen=True)
class FeeSchedule:
    """Tiers, the lowest first and open to all. `volume_asset` is what volume is counted in.

    `symbols` names symbols with (maker_ppm, taker_ppm) of their own, whatever the tier.
    """

    tiers: tuple[FeeTier, ...] = (FeeTier(0, 1000, 1000),)
    volume_asset: str = "USDT"
    symbols: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        volumes = [tier.min_volume for tier in self.tiers]
        if not volumes or volumes[0] != 0 or volumes != sorted(set(volumes)):
            raise ValueError(f"fee tiers must begin at volume 0 and rise, not {volumes}")

    def rates(self, symbol: str, volume: int) -> tuple[int, int]:
        """(maker_ppm, taker_ppm) for an account of that volume."""
        if symbol in self.symbols:
            return self.symbols[symbol]
        tier = next(tier for tier in reversed(self.tiers) if volume >= tier.min_volume)
        return tier.maker_ppm, tier.taker_ppm


class TradedVolume:
    """What an account traded in the last thirty days of UTC, today included."""

    __slots__ = ("_days", "total")

    def __init__(self) -> None:
        self._days: deque[tuple[int, int]] = deque()
        self.total = 0

    def add(self, amount: int, now_ns: int) -> None:
        """Count a trade."""
        self.roll(now_ns)
        self.total += amount
        day = now_ns // _DAY_NS
        if self._days and self._days[-1][0] == day:
            amount += self._days.pop()[1]
        self._days.append((day, amount))

    def days(self) -> tuple[tuple[int, int], ...]:
        """(day since 1970 UTC, amount), oldest first."""
        return tuple(self._days)

    def restore(self, days: Iterable[tuple[int, int]]) -> None:
        """Have traded what was traded before a restart."""
        self._days = deque(days)
        self.total = sum(amount for _, amount in self._days)

    def roll(self, now_ns: int) -> None:
        """Forget what is too old."""
        while self._days and self._days[0][0] <= now_ns // _DAY_NS - WINDOW_DAYS:
            self.total -= self._days.popleft()[1]


def commission_of(received: int, ppm: int) -> int:
    """The commission on an amount received, cut to 1e-8."""
    return received * ppm // PPM
