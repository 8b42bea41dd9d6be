"""The only place where an ApprovedOrder is made. A test holds that line: what it returns has passed the checks.

Order ids derive from facts: of a signal's order, from the signal's id; of a stop's, from the symbol, the purpose, the
book it fired on and how many orders were approved before. They are the client order ids at the venue.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import NamedTuple

from common.messages import ApprovedOrder, OrderType, Purpose, Side, Signal, TimeInForce
from services.risk_manager.portfolio import Holding


class Cause(NamedTuple):
    """What an output inherits from the input that led to it."""

    event_ns: int
    origin_ns: int
    trace_id: int


def _order_id(purpose: Purpose, fact: str) -> str:
    return f"{purpose[0].lower()}{purpose[1].lower()}-{blake2b(fact.encode(), digest_size=15).hexdigest()}"


def approve_entry(signal: Signal, *, qty_lots: int, limit_ticks: int, valid_until_ns: int) -> ApprovedOrder:
    """A signal's entry: LIMIT IOC, so it takes what stands up to its limit and leaves nothing behind."""
    return ApprovedOrder(
        event_ns=signal.event_ns,
        origin_ns=signal.origin_ns,
        trace_id=signal.trace_id,
        venue=signal.venue,
        symbol=signal.symbol,
        order_id=_order_id(Purpose.ENTRY, signal.signal_id),
        signal_id=signal.signal_id,
        strategy=signal.strategy,
        purpose=Purpose.ENTRY,
        side=signal.side,
        order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.IOC,
        qty_lots=qty_lots,
        limit_ticks=limit_ticks,
        valid_until_ns=valid_until_ns,
    )


def approve_signal_exit(signal: Signal, *, qty_lots: int, valid_until_ns: int) -> ApprovedOrder:
    """A signal's exit: MARKET IOC, reduce-only."""
    return ApprovedOrder(
        event_ns=signal.event_ns,
        origin_ns=signal.origin_ns,
        trace_id=signal.trace_id,
        venue=signal.venue,
        symbol=signal.symbol,
        order_id=_order_id(Purpose.EXIT, signal.signal_id),
        signal_id=signal.signal_id,
        strategy=signal.strategy,
        purpose=Purpose.EXIT,
        side=signal.side,
        order_type=OrderType.MARKET,
        time_in_force=TimeInForce.IOC,
        qty_lots=qty_lots,
        reduce_only=True,
        valid_until_ns=valid_until_ns,
    )


def approve_forced_exit(
    holding: Holding, purpose: Purpose, cause: Cause, *, qty_lots: int, approvals: int, valid_until_ns: int
) -> ApprovedOrder:
    """A stop's or the breaker's exit of `holding`'s position: MARKET IOC, reduce-only."""
    return ApprovedOrder(
        event_ns=cause.event_ns,
        origin_ns=cause.origin_ns,
        trace_id=cause.trace_id,
        venue=holding.venue,
        symbol=holding.symbol,
        order_id=_order_id(purpose, f"{holding.key}|{purpose}|{cause.event_ns}|{approvals}"),
        strategy=holding.strategy,
        purpose=purpose,
        side=Side.SELL if holding.position.qty_lots > 0 else Side.BUY,
        order_type=OrderType.MARKET,
        time_in_force=TimeInForce.IOC,
        qty_lots=qty_lots,
        reduce_only=True,
        valid_until_ns=valid_until_ns,
    )
