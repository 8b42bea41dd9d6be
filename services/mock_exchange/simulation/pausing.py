"""A flow that rests while its symbol is halted and goes on at the price of the day."""

from __future__ import annotations

from typing import Final

from services.mock_exchange.simulation.flow import Flow
from services.mock_exchange.simulation.fundamental import FundamentalPrice

#: Later than any event.
NEVER_NS: Final = 2**63 - 1


class PausedPrice:
    """A fundamental price read by a clock that has been stopped for `paused_ns` so far."""

    def __init__(self, price: FundamentalPrice) -> None:
        self._price = price
        self.paused_ns = 0

    def log_at(self, time_ns: int) -> float:
        """Logarithm of the price."""
        return self._price.log_at(time_ns + self.paused_ns)

    def price_at(self, time_ns: int) -> float:
        """The price, quote currency."""
        return self._price.price_at(time_ns + self.paused_ns)


class PausableClock:
    """Says when a flow acts in the market's time, which goes on during a halt while the flow's own stands."""

    def __init__(self, price: PausedPrice) -> None:
        self._price = price
        self.is_paused = False

    def next_ns(self, flow: Flow) -> int:
        """When the flow acts next, in the market's time."""
        return NEVER_NS if self.is_paused else flow.next_ns + self._price.paused_ns

    def pause(self) -> None:
        """Stop."""
        self.is_paused = True

    def resume(self, flow: Flow, now_ns: int) -> None:
        """Go on: what was due meanwhile is due from now on, at its distances."""
        self.is_paused = False
        self._price.paused_ns += max(0, now_ns - (flow.next_ns + self._price.paused_ns))
