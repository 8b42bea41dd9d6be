"""Every check a signal passes before it becomes an order: one function each, one ordered table.

A check returns None, or why not: a code, a sentence, and the numbers it compared as decimal text. What a limit says
is allowed up to the limit itself. A signal that would breach one at its full size is refused, not shrunk: a strategy
that asked for a thousand should learn that it got nothing, rather than trade a tenth and believe it traded all.

Checks marked (entries) let exits pass: reducing risk needs no room under a limit.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Final, NamedTuple

from common.messages import Instrument, RefusalCode, Side, Signal
from services.risk_manager.limits import Limits
from services.risk_manager.portfolio import Holding, Portfolio
from services.risk_manager.sizing import entry_limit_ticks, entry_lots, exposure_price_ticks
from services.risk_manager.valuation import units_text

IS_TRADING: Final = "TRADING"


class Reason(NamedTuple):
    """Why not."""

    code: RefusalCode
    detail: str
    numbers: dict[str, str]


class Case:
    """One signal and all that is known when it arrives. Sizes are computed when the first check asks for them."""

    def __init__(
        self,
        signal: Signal,
        now_ns: int,
        *,
        limits: Limits,
        portfolio: Portfolio,
        is_seen: bool,
        waiting_for: str,
        halt_reason: str,
    ) -> None:
        self.signal = signal
        self.now_ns = now_ns
        self.limits = limits
        self.portfolio = portfolio
        self.is_seen = is_seen
        self.waiting_for = waiting_for
        self.halt_reason = halt_reason
        self.key = f"{signal.venue}.{signal.symbol}"
        self.known = portfolio.holdings.get(self.key)
        self.held_lots = self.known.position.qty_lots if self.known is not None else 0
        self.is_exit = self.held_lots * signal.side.sign < 0

    @property
    def holding(self) -> Holding:
        """The symbol's holding; only after the instrument was found."""
        assert self.known is not None
        return self.known

    @property
    def instrument(self) -> Instrument:
        """The symbol's grid; only after it was found."""
        assert self.holding.instrument is not None
        return self.holding.instrument

    @cached_property
    def limit_ticks(self) -> int:
        """Worst price of the entry."""
        h = self.holding
        return entry_limit_ticks(self.signal.side, h.bid_ticks, h.ask_ticks, self.limits.max_slippage_ppm)

    @cached_property
    def lot_units(self) -> int:
        """What one lot of the entry counts for, in units."""
        h = self.holding
        return exposure_price_ticks(self.signal.side, self.limit_ticks, h.bid_ticks, h.ask_ticks) * h.tick_lot_units

    @cached_property
    def qty_lots(self) -> int:
        """Lots of the order: an exit closes the whole position (or what the venue takes at once)."""
        if self.is_exit:
            return min(abs(self.held_lots), self.instrument.max_qty_lots)
        return entry_lots(
            self.limits.order_notional_units, self.signal.confidence, self.lot_units, self.instrument.max_qty_lots
        )


def not_seen(case: Case) -> Reason | None:
    """A signal is acted on once."""
    if not case.is_seen:
        return None
    return Reason(RefusalCode.DUPLICATE, f"signal {case.signal.signal_id} was answered before", {})


def is_ready(case: Case) -> Reason | None:
    """Market data and execution are there and caught up, and all that is held can be valued."""
    if case.waiting_for:
        return Reason(RefusalCode.NOT_READY, f"{case.waiting_for} is not there or not caught up yet", {})
    if case.portfolio.unvalued and not case.is_exit:
        held = case.portfolio.unvalued
        return Reason(
            RefusalCode.NOT_READY,
            f"{held} is held, but its instrument is not known, so exposure cannot be computed; feed that symbol",
            {},
        )
    return None


def not_expired(case: Case) -> Reason | None:
    """An opinion is acted on while it is fresh."""
    if case.now_ns <= case.signal.expires_ns:
        return None
    return Reason(
        RefusalCode.SIGNAL_EXPIRED,
        f"the signal expired {case.now_ns - case.signal.expires_ns} ns ago",
        {"now_ns": str(case.now_ns), "expires_ns": str(case.signal.expires_ns)},
    )


def instrument_known(case: Case) -> Reason | None:
    """The grid of the symbol is known, and money on it can be counted (entries: the latter)."""
    if case.known is None or case.known.instrument is None:
        return Reason(
            RefusalCode.UNKNOWN_INSTRUMENT,
            f"no instrument {case.key} was published; is it in market_data.symbols?",
            {},
        )
    barred = case.known.barred
    if barred is None or case.is_exit:
        return None
    return Reason(barred.code, barred.detail, {})


def instrument_trading(case: Case) -> Reason | None:
    """The venue trades it now."""
    status = case.instrument.status
    if status == IS_TRADING:
        return None
    return Reason(RefusalCode.INSTRUMENT_HALTED, f"the venue has {case.key} in status {status}", {})


def book_valid(case: Case) -> Reason | None:
    """A book that may be wrong is not traded on."""
    if case.holding.is_book_valid:
        return None
    return Reason(RefusalCode.BOOK_INVALID, f"the book of {case.key} is not in sync", {})


def breaker_closed(case: Case) -> Reason | None:
    """(entries) The loss limit holds."""
    if case.is_exit or not case.halt_reason:
        return None
    return Reason(RefusalCode.CIRCUIT_BREAKER, f"trading is halted: {case.halt_reason}", {})


def confident(case: Case) -> Reason | None:
    """The strategy believes it enough."""
    confidence, least = case.signal.confidence, case.limits.min_confidence
    if confidence >= least:
        return None
    return Reason(
        RefusalCode.LOW_CONFIDENCE,
        f"confidence {confidence!r} is below min_confidence {least!r}",
        {"confidence": repr(confidence), "min_confidence": repr(least)},
    )


def no_order_pending(case: Case) -> Reason | None:
    """One order of a symbol at a time."""
    if not case.portfolio.orders.has_any(case.key):
        return None
    return Reason(RefusalCode.ORDER_PENDING, f"an order of {case.key} is still live", {})


def not_positioned(case: Case) -> Reason | None:
    """(entries) A position is entered once, not added to; unless it is dust, which only more of it can free."""
    if case.held_lots == 0 or case.is_exit or case.holding.is_dust:
        return None
    held = case.instrument.qty_text(case.held_lots)
    return Reason(RefusalCode.ALREADY_POSITIONED, f"{held} of {case.key} is held already", {"position": held})


def short_allowed(case: Case) -> Reason | None:
    """(entries) Spot sells what it has; shorts are for venues that lend."""
    if case.signal.side is Side.BUY or case.is_exit or case.limits.allow_short:
        return None
    return Reason(
        RefusalCode.SHORT_NOT_ALLOWED, f"nothing of {case.key} is held to sell, and risk.allow_short is off", {}
    )


def above_minimum(case: Case) -> Reason | None:
    """The venue takes orders of this size."""
    instrument, holding, lots = case.instrument, case.holding, case.qty_lots
    price = holding.mark_ticks if case.is_exit else case.limit_ticks
    notional_units = lots * price * holding.tick_lot_units
    least_units = holding.exit_min_notional_units if case.is_exit else holding.min_notional_units
    least_lots = max(instrument.min_qty_lots, 1)
    if lots >= least_lots and notional_units >= least_units:
        return None
    qty, least_qty = instrument.qty_text(lots), instrument.qty_text(least_lots)
    notional, least_notional = units_text(notional_units), units_text(least_units)
    return Reason(
        RefusalCode.BELOW_MINIMUM,
        f"an order of {qty} {instrument.base} worth {notional} {instrument.quote} is below the venue's least "
        f"({least_qty} {instrument.base}, {least_notional} {instrument.quote})",
        {"qty": qty, "min_qty": least_qty, "notional": notional, "min_notional": least_notional},
    )


def within_position_size(case: Case) -> Reason | None:
    """(entries) |position + reserved + order| <= max_position_size, in base currency."""
    reserved = case.portfolio.orders.reserved_lots(case.key)
    after = abs(case.held_lots + reserved + case.signal.side.sign * case.qty_lots)
    if case.is_exit or after <= case.holding.max_position_lots:
        return None
    instrument, limit = case.instrument, case.limits.max_position_size
    return Reason(
        RefusalCode.MAX_POSITION_SIZE,
        f"the position would be {instrument.qty_text(after)} {instrument.base}, above max_position_size {limit}",
        {
            "position": instrument.qty_text(case.held_lots),
            "reserved": instrument.qty_text(reserved),
            "order": instrument.qty_text(case.qty_lots),
            "max_position_size": str(limit),
        },
    )


def within_notional_exposure(case: Case) -> Reason | None:
    """(entries) Positions at the mark + reserved + order <= max_notional_exposure, in quote currency."""
    portfolio = case.portfolio
    order_units = case.qty_lots * case.lot_units
    after = portfolio.exposure_units + portfolio.reserved_units + order_units
    if case.is_exit or after <= case.limits.max_notional_units:
        return None
    limit = units_text(case.limits.max_notional_units)
    return Reason(
        RefusalCode.MAX_NOTIONAL_EXPOSURE,
        f"exposure would be {units_text(after)} {portfolio.quote}, above max_notional_exposure {limit}",
        {
            "exposure": units_text(portfolio.exposure_units),
            "reserved": units_text(portfolio.reserved_units),
            "order": units_text(order_units),
            "max_notional_exposure": limit,
        },
    )


def within_open_positions(case: Case) -> Reason | None:
    """(entries) Symbols held or being entered, this one included, <= max_open_positions."""
    after = case.portfolio.open_count + (not case.holding.is_open)
    if case.is_exit or after <= case.limits.max_open_positions:
        return None
    return Reason(
        RefusalCode.MAX_OPEN_POSITIONS,
        f"{case.portfolio.open_count} positions are open or on their way, "
        f"and max_open_positions is {case.limits.max_open_positions}",
        {"open": str(case.portfolio.open_count), "max_open_positions": str(case.limits.max_open_positions)},
    )


#: The order counts: what a check uses, an earlier one has established.
CHECKS: Final[tuple[Callable[[Case], Reason | None], ...]] = (
    not_seen,
    is_ready,
    not_expired,
    instrument_known,
    instrument_trading,
    book_valid,
    breaker_closed,
    confident,
    no_order_pending,
    not_positioned,
    short_allowed,
    above_minimum,
    within_position_size,
    within_notional_exposure,
    within_open_positions,
)


def first_objection(case: Case) -> Reason | None:
    """The first check that fails; None when the signal may become an order."""
    for check in CHECKS:
        reason = check(case)
        if reason is not None:
            return reason
    return None
