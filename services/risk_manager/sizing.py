"""How large an entry is and what it may pay. Integers only; every rounding goes the careful way."""

from __future__ import annotations

from common.messages import Side
from common.units import PPM


def entry_limit_ticks(side: Side, bid_ticks: int, ask_ticks: int, max_slippage_ppm: int) -> int:
    """Worst price of an entry: the touch it takes, moved by the slippage allowed, never a tick further."""
    if side is Side.BUY:
        return ask_ticks * (PPM + max_slippage_ppm) // PPM
    return -(-bid_ticks * (PPM - max_slippage_ppm) // PPM)


def exposure_price_ticks(side: Side, limit_ticks: int, bid_ticks: int, ask_ticks: int) -> int:
    """What a lot of an entry counts for while it may still fill: its limit, or the mark it would be held at
    (bid for longs, ask for shorts) where that is worse."""
    return max(limit_ticks, bid_ticks if side is Side.BUY else ask_ticks)


def entry_lots(order_notional_units: int, confidence: float, lot_units: int, max_qty_lots: int) -> int:
    """Lots of an entry worth `order_notional_units` x `confidence` at most, each lot worth `lot_units`.

    Rounded down; at most what the venue takes in one order; 0 when not one lot fits, or a lot is worth nothing.
    """
    if lot_units <= 0:
        return 0
    numerator, denominator = confidence.as_integer_ratio()
    return min(order_notional_units * numerator // (denominator * lot_units), max_qty_lots)
