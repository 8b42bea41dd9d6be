"""From the simulator's book to that of another exchange: moved, widened, thinned out. Integers only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from market.matching import Depth
from services.mock_exchange.lab.definitions import LabExchange

_PPM: Final = 1_000_000
_PERMILLE: Final = 1000
#: A made-up book: the distance of its levels (so half its spread) in ppm of the price, and how much more lies on each
#: level than on the one before.
_STEP_PPM: Final = 500
_GROWTH_PERCENT: Final = 20


class Shape(NamedTuple):
    """How a book differs from the simulator's."""

    offset_ppm: int
    spread_permille: int
    size_permille: int

    @classmethod
    def of(cls, exchange: LabExchange) -> Shape:
        """As defined, to 0.01 bps and 0.001."""
        return cls(
            round(exchange.price_offset_bps * 100),
            round(exchange.spread_multiplier * _PERMILLE),
            round(exchange.size_multiplier * _PERMILLE),
        )

    def price(self, ticks: int) -> int:
        """A single price, moved; to the nearest tick."""
        return max(1, (ticks * (_PPM + self.offset_ppm) + _PPM // 2) // _PPM)

    def lots(self, lots: int) -> int:
        """A size; never nothing."""
        return max(1, lots * self.size_permille // _PERMILLE)


def shaped(depth: Depth, shape: Shape) -> Depth:
    """The book moved by the offset, every level's distance from the middle multiplied, every size too.

    Bids are rounded down and asks up, so that it stays sorted and uncrossed; levels that fall on one price are one.
    Bids below one tick are left out.
    """
    if shape == Shape(0, _PERMILLE, _PERMILLE):
        return depth
    touches = [side[0][0] for side in (depth.bids, depth.asks) if side]
    if not touches:
        return depth
    twice_middle = touches[0] + touches[-1]
    # All in units of a tick / (2 * _PPM).
    centre = twice_middle * (_PPM + shape.offset_ppm)
    unit = 2 * _PPM
    first_ask = max(2, -(-centre // unit))

    def moved(ticks: int) -> int:
        return centre + (2 * ticks - twice_middle) * shape.spread_permille * (_PPM // _PERMILLE)

    def bid(ticks: int) -> int:
        return min(moved(ticks) // unit, first_ask - 1)

    def ask(ticks: int) -> int:
        return max(-(-moved(ticks) // unit), first_ask)

    return Depth(depth.update_id, _levels(depth.bids, bid, shape), _levels(depth.asks, ask, shape))


def _levels(levels: list[tuple[int, int]], price: Callable[[int], int], shape: Shape) -> list[tuple[int, int]]:
    made: dict[int, int] = {}
    for ticks, lots in levels:
        at = price(ticks)
        if at > 0:
            made[at] = made.get(at, 0) + shape.lots(lots)
    return list(made.items())


def made_up(price_ticks: int, first_lots: int, levels: int, sequence: int, shape: Shape) -> Depth:
    """A book around a price where there is none: levels at even distances, each larger than the one before."""
    step = max(1, price_ticks * _STEP_PPM * shape.spread_permille // (_PPM * _PERMILLE))
    lots = max(1, first_lots)
    sizes = []
    for _ in range(levels):
        sizes.append(shape.lots(lots))
        lots += -(-lots * _GROWTH_PERCENT // 100)
    bids = [(price_ticks - step * (n + 1), size) for n, size in enumerate(sizes) if price_ticks > step * (n + 1)]
    asks = [(price_ticks + step * (n + 1), size) for n, size in enumerate(sizes)]
    return Depth(sequence, bids, asks)
