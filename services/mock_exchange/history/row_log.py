"""The latest rows of integers, bounded, cheap to append to."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Rows collected before they go into the array: one conversion for many is several times cheaper.
_BLOCK: Final = 128


class RowLog:
    """Keeps at least the last `kept` rows, at most half as many more."""

    def __init__(self, columns: int, kept: int) -> None:
        self._rows = np.empty((kept + kept // 2 + _BLOCK, columns), np.int64)
        self._kept = kept
        self._count = 0
        self._waiting: list[tuple[int, ...]] = []
        self.dropped = 0

    def append(self, row: tuple[int, ...]) -> None:
        """Add the latest row."""
        self._waiting.append(row)
        if len(self._waiting) == _BLOCK:
            self._store()

    def rows(self) -> NDArray[np.int64]:
        """All rows kept, oldest first: a view, good until the next append."""
        if self._waiting:
            self._store()
        return self._rows[: self._count]

    def _store(self) -> None:
        waiting = self._waiting
        if self._count + len(waiting) > len(self._rows):
            kept = self._kept
            self._rows[:kept] = self._rows[self._count - kept : self._count].copy()
            self.dropped += self._count - kept
            self._count = kept
        self._rows[self._count : self._count + len(waiting)] = waiting
        self._count += len(waiting)
        waiting.clear()
