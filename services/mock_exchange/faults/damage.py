"""Depth frames damaged on purpose, drawn by a seed: what a careful client must see and heal.

Only what is sent is damaged; the exchange's own book, and with it every REST snapshot, stays true.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from common.config.mock_exchange import DamageConfig

_KINDS: Final = ("drop", "duplicate", "reorder", "truncate")


class Damager:
    """Turns each depth frame into the frames that are sent in its place.

    A reordered frame is held back until its successor of the same channel has gone out. The kinds exclude each
    other: one draw decides.
    """

    def __init__(self, config: DamageConfig, seed: int) -> None:
        shares = (config.drop, config.duplicate, config.reorder, config.truncate)
        self._limits = np.cumsum(shares).tolist()
        self._is_on = any(shares)
        self._rng = np.random.Generator(np.random.PCG64([seed, *b"damage"]))
        self._held: dict[str, str] = {}
        self.counts: dict[str, int] = dict.fromkeys(_KINDS, 0)

    def apply(self, channel: str, payload: str) -> list[str]:
        """What to send now in place of `payload`."""
        if not self._is_on:
            return [payload]
        held = self._held.pop(channel, None)
        draw = self._rng.random()
        kind = next((k for k, limit in zip(_KINDS, self._limits, strict=True) if draw < limit), None)
        if kind == "reorder" and held is not None:
            kind = None
        if kind is not None:
            self.counts[kind] += 1
        sent = [payload]
        if kind == "drop":
            sent = []
        elif kind == "duplicate":
            sent = [payload, payload]
        elif kind == "truncate":
            sent = [payload[: int(self._rng.integers(1, len(payload)))]]
        elif kind == "reorder":
            self._held[channel] = payload
            return []
        return sent if held is None else [*sent, held]

    def flush(self) -> list[tuple[str, str]]:
        """What is still held back when nothing follows, as (channel, payload)."""
        left = list(self._held.items())
        self._held.clear()
        return left
