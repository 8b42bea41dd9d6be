"""The circuit breaker: realised + unrealised - fees at or below minus the threshold opens it, and it stays open.

Open means: entries on their way are cancelled, no new entry is approved, every open position is flattened (a limit
on losses that leaves the losing position open limits nothing), and exits and stops go on.

The latch outlives a restart: its opening is put on record as a lossless Refusal of whatever comes next (RECORD_ID in
place of a signal's id), and the record is read back from the journal. P&L alone would not do: marks have moved
since. Only `enable_circuit_breaker: false` or a new journal closes it.
"""

from __future__ import annotations

from typing import Final

from common.messages import Refusal, RefusalCode, Side
from services.risk_manager.approve import Cause
from services.risk_manager.valuation import units_text

#: Stands where a signal's id stands in the refusal that records the opening.
RECORD_ID: Final = "circuit-breaker"


class CircuitBreaker:
    """The latch."""

    __slots__ = ("_is_enabled", "_max_loss_units", "reason")

    def __init__(self, max_loss_units: int, *, is_enabled: bool) -> None:
        self._max_loss_units = max_loss_units
        self._is_enabled = is_enabled
        self.reason = ""

    @property
    def is_open(self) -> bool:
        """True when trading is halted."""
        return self.reason != ""

    def opens(self, pnl_units: int) -> bool:
        """Take in the P&L after fees; True at the moment the breaker opens."""
        if pnl_units > -self._max_loss_units or self.reason or not self._is_enabled:
            return False
        self.reason = (
            f"P&L after fees reached {units_text(pnl_units)}, "
            f"beyond max_loss_threshold {units_text(self._max_loss_units)}"
        )
        return True

    def record(self, cause: Cause) -> Refusal:
        """The opening, as it is journalled and published."""
        return Refusal(
            event_ns=cause.event_ns,
            origin_ns=cause.origin_ns,
            trace_id=cause.trace_id,
            venue="-",
            symbol="ALL",
            signal_id=RECORD_ID,
            strategy="risk_manager",
            side=Side.BUY,
            code=RefusalCode.CIRCUIT_BREAKER,
            detail=self.reason,
        )

    def restore(self, refusal: Refusal) -> None:
        """Take in a refusal once given; only an open breaker gives those with its code."""
        if refusal.code is RefusalCode.CIRCUIT_BREAKER and self._is_enabled and not self.reason:
            self.reason = refusal.detail
