"""Static and trailing stop of one position, in integers.

The mark is what closing now would fetch: best bid for a long, best ask for a short. Entry is the average cost.

- static: the mark is `stop_loss` beyond entry (at exactly that distance it fires);
- trailing: the mark has fallen `trailing_stop` off the best mark since entry, where entry itself is the first best.

The best mark is not journalled (marks are not). After a restart it starts again at entry and the first mark: the
trailing stop may then lie further away than before, never beyond its distance from entry.
"""

from __future__ import annotations

from common.messages import Purpose
from common.units import PPM
from market.position import Position


class StopTrack:
    """The two trigger prices of one position, kept up with fills and marks."""

    __slots__ = ("_direction", "_stop_loss_ppm", "_trailing_ppm", "best_ticks", "stop_ticks", "trail_ticks")

    def __init__(self, stop_loss_ppm: int, trailing_stop_ppm: int) -> None:
        self._stop_loss_ppm = stop_loss_ppm
        self._trailing_ppm = trailing_stop_ppm
        self._direction = 0
        self.best_ticks = 0
        self.stop_ticks = 0
        self.trail_ticks = 0

    def follow(self, position: Position) -> None:
        """The position changed. From flat, or through it, a new episode begins with its own best mark."""
        qty, cost = position.qty_lots, position.cost_tick_lots
        direction = (qty > 0) - (qty < 0)
        if direction == 0:
            self._direction = 0
            return
        entry_ticks = cost // qty if direction > 0 else -(cost // -qty)
        if direction != self._direction:
            self._direction = direction
            self.best_ticks = entry_ticks
        elif (entry_ticks - self.best_ticks) * direction > 0:
            self.best_ticks = entry_ticks
        self.stop_ticks = _away(abs(cost), abs(qty), direction, self._stop_loss_ppm)
        self.trail_ticks = _away(self.best_ticks, 1, direction, self._trailing_ppm)

    def fired(self, mark_ticks: int) -> Purpose | None:
        """Take in a mark; the stop it fires, static before trailing."""
        direction = self._direction
        if direction == 0:
            return None
        if (mark_ticks - self.best_ticks) * direction > 0:
            self.best_ticks = mark_ticks
            self.trail_ticks = _away(mark_ticks, 1, direction, self._trailing_ppm)
        if (mark_ticks - self.stop_ticks) * direction <= 0:
            return Purpose.STOP_LOSS
        if (mark_ticks - self.trail_ticks) * direction <= 0:
            return Purpose.TRAILING_STOP
        return None


def _away(cost: int, lots: int, direction: int, distance_ppm: int) -> int:
    """The price nearest to cost / lots, in ticks, that is `distance_ppm` or more to the bad side of it."""
    numerator = cost * (PPM - direction * distance_ppm)
    denominator = lots * PPM
    return numerator // denominator if direction > 0 else -(-numerator // denominator)
