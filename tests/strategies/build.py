"""Snapshots made by hand."""

from __future__ import annotations

from collections.abc import Mapping

from strategies.base import FeatureSnapshot

INTERVAL_NS = 100_000_000


def snapshot(values: Mapping[str, float], interval: int = 0, close: float = 100.0) -> FeatureSnapshot:
    return FeatureSnapshot(
        venue="binance",
        symbol="BTCUSDT",
        event_ns=interval * INTERVAL_NS,
        interval=interval,
        interval_ns=INTERVAL_NS,
        close=close,
        values=values,
    )
