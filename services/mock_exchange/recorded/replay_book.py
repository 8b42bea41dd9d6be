"""The true book of a recorded symbol at the replay's position, in the venue's own text."""

from __future__ import annotations

from collections.abc import Callable, ItemsView
from decimal import Decimal
from typing import Any

import orjson

from market.matching import Touch
from services.mock_exchange.listing import Listing


class ReplayBook:
    """The captured snapshot with every captured diff since applied, as price text -> quantity text.

    Keeping the venue's text makes an answer the venue could have sent, byte for byte, whatever the grid.
    Before the snapshot's place in the capture the answer is the captured snapshot itself.
    """

    def __init__(self, snapshot: bytes) -> None:
        self._captured = snapshot
        self._waiting: list[dict[str, Any]] = []
        self._is_based = False
        parsed = orjson.loads(snapshot)
        self._head = {key: value for key, value in parsed.items() if key not in ("bids", "asks")}
        self._bids: dict[str, str] = dict(parsed["bids"])
        self._asks: dict[str, str] = dict(parsed["asks"])
        #: Told every captured diff once it is in the book.
        self.on_update: Callable[[dict[str, Any]], None] = lambda _update: None

    @property
    def update_id(self) -> int:
        """The id the next answer would carry."""
        return int(self._head["lastUpdateId"])

    def sides(self) -> tuple[ItemsView[str, str], ItemsView[str, str]]:
        """Bids and asks: price text and quantity text, in no order."""
        return self._bids.items(), self._asks.items()

    def apply(self, diff: bytes) -> None:
        """Take in the next captured diff; those that lie before the snapshot's place wait for it."""
        update = orjson.loads(diff)
        if self._is_based:
            self._apply(update)
        else:
            self._waiting.append(update)

    def reach_snapshot(self) -> None:
        """The capture is at the snapshot's place."""
        if not self._is_based:
            self._is_based = True
            for update in self._waiting:
                self._apply(update)
            self._waiting.clear()

    def touch(self, listing: Listing) -> Touch:
        """Best bid and ask on the listing's grid."""
        bid = max(self._bids.items(), key=_price, default=("0", "0"))
        ask = min(self._asks.items(), key=_price, default=("0", "0"))
        steps = (listing.tick_size, listing.lot_size) * 2
        return Touch(*(int(Decimal(text) / step) for text, step in zip((*bid, *ask), steps, strict=True)))

    def answer(self, limit: int) -> str:
        """The body of GET depth."""
        if not self._is_based and limit >= max(len(self._bids), len(self._asks)):
            return self._captured.decode()
        levels = {
            "bids": sorted(self._bids.items(), key=_price, reverse=True)[:limit],
            "asks": sorted(self._asks.items(), key=_price)[:limit],
        }
        return orjson.dumps(self._head | levels).decode()

    def _apply(self, update: dict[str, Any]) -> None:
        if update["u"] <= self.update_id:
            return
        for side, levels in ((self._bids, update["b"]), (self._asks, update["a"])):
            for price, qty in levels:
                if float(qty) == 0.0:
                    side.pop(price, None)
                else:
                    side[price] = qty
        self._head["lastUpdateId"] = update["u"]
        for key in ("E", "T"):
            if key in self._head and key in update:
                self._head[key] = update[key]
        self.on_update(update)


def _price(level: tuple[str, str]) -> Decimal:
    return Decimal(level[0])
