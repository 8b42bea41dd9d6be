"""Risk's state as others see it: the RiskState message and the counters for metrics, live view and summary."""

from __future__ import annotations

from collections.abc import Mapping

from common.messages import RiskState
from services.risk_manager.approve import Cause
from services.risk_manager.portfolio import Portfolio
from services.risk_manager.valuation import UNITS_PER_FEE_E8, units_text


def money_of(portfolio: Portfolio) -> dict[str, str]:
    """The sums as decimal text of the quote currency."""
    realised = unrealised = fees_e8 = 0
    for holding in portfolio.holdings.values():
        realised += holding.position.realised_tick_lots * holding.tick_lot_units
        unrealised += holding.unrealised_tick_lots * holding.tick_lot_units
        fees_e8 += holding.position.fees_e8
    return {
        "realised_pnl": units_text(realised),
        "unrealised_pnl": units_text(unrealised),
        "fees": units_text(fees_e8 * UNITS_PER_FEE_E8),
        "exposure_notional": units_text(portfolio.exposure_units),
        "reserved_notional": units_text(portfolio.reserved_units),
    }


def risk_state(portfolio: Portfolio, halt_reason: str, cause: Cause) -> RiskState:
    """The message."""
    return RiskState(
        event_ns=cause.event_ns,
        origin_ns=cause.origin_ns,
        trace_id=cause.trace_id,
        is_halted=bool(halt_reason),
        halt_reason=halt_reason,
        positions=portfolio.ledger.lines(),
        open_orders=len(portfolio.orders),
        **money_of(portfolio),
    )


def risk_stats(
    portfolio: Portfolio, halt_reason: str, approvals: int, refusals: Mapping[str, int]
) -> dict[str, object]:
    """The counters, as plain JSON values."""
    return {
        "approvals": approvals,
        "refusals": dict(refusals),
        "is_halted": bool(halt_reason),
        "halt_reason": halt_reason,
        "quote": portfolio.quote,
        "positions": [line.model_dump() for line in portfolio.ledger.lines()],
        "open_positions": portfolio.open_count,
        "open_orders": len(portfolio.orders),
        **money_of(portfolio),
    }
