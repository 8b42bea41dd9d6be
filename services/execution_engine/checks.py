"""What the venue would refuse, found before it is sent. Ticks and lots are whole by construction."""

from __future__ import annotations

from typing import Final

from common.messages import ApprovedOrder, Instrument, OrderType

IS_TRADING: Final = "TRADING"
#: Venues that take a reduce-only order of any notional (Binance USD-M futures, filter MIN_NOTIONAL).
_REDUCES_ANY_NOTIONAL: Final = frozenset({"binance-usdm"})


def filter_problem(order: ApprovedOrder, qty_lots: int, instrument: Instrument, touch_ticks: int) -> str:
    """Why the venue would refuse the order; "" when it would not.

    Rules: Binance spot filters PRICE_FILTER, LOT_SIZE, MIN_NOTIONAL/NOTIONAL and the symbol's status. A limit
    order's notional is counted at its limit, a market order's at `touch_ticks` (not at all when that is 0: unknown).
    Futures exempt reduce-only orders from the minimum: what is left of a position can always be closed.

    Args:
        order: what was approved.
        qty_lots: what would be sent.
        instrument: the venue's rules for its symbol.
        touch_ticks: best opposite price now, or 0.
    """
    is_limit = order.order_type is OrderType.LIMIT
    if instrument.status != IS_TRADING:
        return f"{order.symbol} is {instrument.status} at the venue"
    if is_limit != (order.limit_ticks > 0):
        return f"{order.order_type} order with a limit of {order.limit_ticks} ticks"
    if not instrument.min_qty_lots <= qty_lots <= instrument.max_qty_lots:
        return (
            f"LOT_SIZE: {qty_lots} lots are not between {instrument.min_qty_lots} and {instrument.max_qty_lots} "
            f"(lot {instrument.lot_size})"
        )
    if order.reduce_only and order.venue in _REDUCES_ANY_NOTIONAL:
        return ""
    price_ticks = order.limit_ticks if is_limit else touch_ticks
    notional = instrument.money(price_ticks * qty_lots)
    if price_ticks and notional < instrument.min_notional:
        return f"NOTIONAL: {notional} {instrument.quote} is less than {instrument.min_notional}"
    return ""


def reducible_lots(order: ApprovedOrder, held_lots: int) -> int:
    """What of a reduce-only order may be sent: no more than closes the position of `held_lots` (signed)."""
    return min(order.qty_lots, max(0, -order.side.sign * held_lots))
