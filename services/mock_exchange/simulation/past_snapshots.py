"""Books as they were a while ago, for snapshots that come from a stale cache."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Final

from common.units import NS_PER_MS
from market.matching import Depth
from services.mock_exchange.listing import Listing
from services.mock_exchange.streams import dialect

#: How finely the past is kept, and how deep.
EVERY_NS: Final = 250 * NS_PER_MS
LEVELS: Final = 5000


class PastSnapshots:
    """Keeps the books of the last `length_ns`, one every EVERY_NS; nothing while `length_ns` is 0."""

    def __init__(self) -> None:
        self.length_ns = 0
        self._kept: deque[tuple[int, Mapping[str, Depth]]] = deque()

    def is_due(self, now_ns: int) -> bool:
        """Whether a book is to be kept now."""
        return self.length_ns > 0 and (not self._kept or now_ns - self._kept[-1][0] >= EVERY_NS)

    def keep(self, now_ns: int, books: Mapping[str, Depth]) -> None:
        """Keep the books of a moment, and forget those nobody may ask for."""
        self._kept.append((now_ns, books))
        while len(self._kept) > 1 and self._kept[1][0] <= now_ns - self.length_ns:
            self._kept.popleft()

    def text(self, listing: Listing, limit: int, time_ns: int) -> str | None:
        """The snapshot of a moment, or the oldest there is; None when nothing is kept."""
        if not self._kept:
            return None
        books = next((books for kept_ns, books in reversed(self._kept) if kept_ns <= time_ns), self._kept[0][1])
        depth = books[listing.symbol]
        return dialect.depth_snapshot(listing, Depth(depth.update_id, depth.bids[:limit], depth.asks[:limit]))
