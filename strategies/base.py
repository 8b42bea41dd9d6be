"""What a strategy is: features of one symbol in, now and then an opinion out.

A strategy knows nothing of sockets, clocks, orders or positions, so the daemon and the lab run the very same object.
One instance watches one symbol. Equal snapshots in equal order give equal opinions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from common.messages import Side


@dataclass(frozen=True, slots=True)
class FeatureSnapshot:
    """The features of one symbol at the end of one sampling interval.

    `interval` numbers the intervals of venue time, `close` is the mid in quote currency at its end, and `values`
    holds what is warm: a missing key is a value that is not there yet.
    """

    venue: str
    symbol: str
    event_ns: int
    interval: int
    interval_ns: int
    close: float
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Opinion:
    """Which way, how sure (0 to 1, by the strategy's stated formula), for how long, why, and what led to it."""

    side: Side
    confidence: float
    horizon_ns: int
    reason: str
    features: Mapping[str, float] = field(default_factory=dict)


class Strategy(Protocol):
    """One strategy watching one symbol."""

    @property
    def name(self) -> str:
        """As in configuration, signals and metrics."""
        ...

    @property
    def needs(self) -> tuple[str, ...]:
        """Keys of the values it reads; it has no opinion while one of them is missing."""
        ...

    def on_features(self, snapshot: FeatureSnapshot) -> Opinion | None:
        """Look at one interval, the intervals coming in rising order."""
        ...

    def reset(self) -> None:
        """There is a hole in the data here: forget what was compared from one snapshot to the next.

        A cooldown is not forgotten, or a book that comes and goes would set it aside.
        """
        ...


@dataclass(slots=True)
class Cooldown:
    """Keeps two signals of a symbol at least `intervals` sampling intervals apart."""

    intervals: int
    _last: int | None = None

    def is_over(self, interval: int) -> bool:
        """True when a signal may be given at `interval`."""
        return self._last is None or interval - self._last >= self.intervals

    def start(self, interval: int) -> None:
        """A signal was given at `interval`."""
        self._last = interval


def pick(values: Mapping[str, float], names: tuple[str, ...]) -> dict[str, float] | None:
    """The named values, or None when one is missing or NaN."""
    picked: dict[str, float] = {}
    for name in names:
        value = values.get(name)
        if value is None or value != value:
            return None
        picked[name] = value
    return picked
