"""A bounded memory of ids: what makes applying twice equal applying once."""

from __future__ import annotations

from typing import Final

#: More signals than any bridge sends within the life of one (seconds), more reports than a replay repeats.
REMEMBERED_IDS: Final = 65_536


class IdMemory:
    """The last `capacity` distinct ids, oldest forgotten first.

    Forgetting is safe: an old signal has expired by then, and an old report lies behind the sequence its
    topic is applied by.
    """

    __slots__ = ("_capacity", "_ids")

    def __init__(self, capacity: int = REMEMBERED_IDS) -> None:
        self._capacity = capacity
        self._ids: dict[str, None] = {}

    def __contains__(self, identifier: str) -> bool:
        return identifier in self._ids

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, identifier: str) -> bool:
        """Remember `identifier`; False when it was remembered already."""
        ids = self._ids
        if identifier in ids:
            return False
        if len(ids) >= self._capacity:
            del ids[next(iter(ids))]
        ids[identifier] = None
        return True
