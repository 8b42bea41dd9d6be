"""Kline intervals: where the bars of each begin, in any time zone the venue takes (venues.md 2.2).

Bars are counted by an index: bar `i` lasts from `open_at(i)` up to, not including, `open_at(i + 1)`. Times are
milliseconds UTC; `offset_ms` is what the time zone adds to UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

SECOND_MS: Final = 1000
MINUTE_MS: Final = 60 * SECOND_MS
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS
#: Weeks begin on Mondays; the epoch was a Thursday.
_MONDAY_MS: Final = 4 * DAY_MS


@dataclass(frozen=True, slots=True)
class Interval:
    """Bars of one length; a length of 0 means calendar months."""

    name: str
    length_ms: int
    anchor_ms: int = 0

    def index_of(self, time_ms: int, offset_ms: int = 0) -> int:
        """The bar that holds `time_ms`."""
        if self.length_ms:
            return (time_ms + offset_ms - self.anchor_ms) // self.length_ms
        return int(np.datetime64(time_ms + offset_ms, "ms").astype("datetime64[M]").astype(np.int64))

    def indices_of(self, times_ms: NDArray[np.int64], offset_ms: int = 0) -> NDArray[np.int64]:
        """The same for many times."""
        if self.length_ms:
            return (times_ms + (offset_ms - self.anchor_ms)) // self.length_ms
        local = (times_ms + offset_ms).astype("datetime64[ms]")
        return local.astype("datetime64[M]").astype(np.int64)

    def open_at(self, index: int, offset_ms: int = 0) -> int:
        """When bar `index` begins."""
        if self.length_ms:
            return index * self.length_ms + self.anchor_ms - offset_ms
        return int(np.datetime64(index, "M").astype("datetime64[ms]").astype(np.int64)) - offset_ms

    def open_of(self, time_ms: int, offset_ms: int = 0) -> int:
        """When the bar that holds `time_ms` begins."""
        return self.open_at(self.index_of(time_ms, offset_ms), offset_ms)


INTERVALS: Final[Mapping[str, Interval]] = {
    interval.name: interval
    for interval in (
        Interval("1s", SECOND_MS),
        *(Interval(f"{count}m", count * MINUTE_MS) for count in (1, 3, 5, 15, 30)),
        *(Interval(f"{count}h", count * HOUR_MS) for count in (1, 2, 4, 6, 8, 12)),
        *(Interval(f"{count}d", count * DAY_MS) for count in (1, 3)),
        Interval("1w", 7 * DAY_MS, _MONDAY_MS),
        Interval("1M", 0),
    )
}
