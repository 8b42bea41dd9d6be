"""The circuit breaker: realised + unrealised - fees at or below minus the threshold opens it, and it stays open.

Open means: entries on their way are cancelled, no new entry is approved, every open position is flattened (a limit
on losses that leaves the losing position open limits nothing), and exits and stops go on.

The latch outlives a restart. It is found again in what it led to (CIRCUIT_BREAKER orders, cancels and refusals in the
journal); had it led to nothing yet, there was nothing open, and the same realised P&L opens it again. Only
`enable_circuit_breaker: false` or a new journal closes it.
"""

from __future__ import annotations

from typing import Final

from common.messages import ApprovedOrder, CancelOrder, Purpose, Refusal, RefusalCode
from services.risk_manager.valuation import units_text

CANCEL_REASON: Final = "circuit breaker"


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

    def restore(self, output: ApprovedOrder | CancelOrder | Refusal) -> None:
        """Take in what this stage once said; the breaker was open if only an open one says that."""
        match output:
            case ApprovedOrder(purpose=Purpose.CIRCUIT_BREAKER) | Refusal(code=RefusalCode.CIRCUIT_BREAKER):
                is_witness = True
            case CancelOrder(reason=reason):
                is_witness = reason.startswith(CANCEL_REASON)
            case _:
                is_witness = False
        if is_witness and self._is_enabled and not self.reason:
            self.reason = "the circuit breaker opened before the restart"
