"""Requests for book snapshots. The answer is read by DepthDecoder.load_snapshot."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

_PATHS: Final = {"binance": "/api/v3/depth", "binance-usdm": "/fapi/v1/depth"}
#: Limits a request may name, with their weights.
_WEIGHTS: Final = {
    "binance": ((100, 5), (500, 25), (1000, 50), (5000, 250)),
    "binance-usdm": ((5, 2), (10, 2), (20, 2), (50, 2), (100, 5), (500, 10), (1000, 20)),
}


def snapshot_path(venue: str, symbol: str, levels: int) -> str:
    """Path of a request for at least `levels` a side, or as many as the venue gives."""
    return f"{_PATHS[venue]}?symbol={quote(symbol, safe='')}&limit={_limit(venue, levels)[0]}"


def snapshot_weight(venue: str, levels: int) -> int:
    """What that request costs of the venue's request limit."""
    return _limit(venue, levels)[1]


def _limit(venue: str, levels: int) -> tuple[int, int]:
    steps = _WEIGHTS[venue]
    return next((step for step in steps if step[0] >= levels), steps[-1])
