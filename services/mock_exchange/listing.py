"""What the mock exchange lists: a symbol's grid, and its numbers as the venue writes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Final

from common.config import MockExchangeConfig
from common.errors import ConfigError
from common.units import decimals_of

#: Spot writes every price and quantity with eight decimals, whatever the grid (venues.md 2.2).
SPOT_DECIMALS: Final = 8
_UNIT: Final = 10**SPOT_DECIMALS


@dataclass(frozen=True)
class Listing:
    """One tradable symbol: grid steps and the smallest order, in decimals."""

    symbol: str
    base: str
    quote: str
    tick_size: Decimal
    lot_size: Decimal
    min_notional: Decimal

    @cached_property
    def tick_amount(self) -> int:
        """A tick in 1e-8 of the quote asset."""
        return int(self.tick_size * _UNIT)

    @cached_property
    def lot_amount(self) -> int:
        """A lot in 1e-8 of the base asset."""
        return int(self.lot_size * _UNIT)

    def price_text(self, ticks: int) -> str:
        """Ticks as spot writes them: 6000001 ticks of 0.01 -> "60000.01000000"."""
        whole, part = divmod(ticks * self.tick_amount, _UNIT)
        return f"{whole}.{part:08d}"

    def qty_text(self, lots: int) -> str:
        """Lots as spot writes them."""
        whole, part = divmod(lots * self.lot_amount, _UNIT)
        return f"{whole}.{part:08d}"


def listings_from(config: MockExchangeConfig) -> Sequence[Listing]:
    """The configured symbols.

    Raises:
        ConfigError: a step finer than the eight decimals of the wire, or a price of less than ten ticks.
    """
    listings = []
    for index, item in enumerate(config.symbols):
        where = f"mock_exchange.symbols[{index}]"
        for key, step in (("tick_size", item.tick_size), ("lot_size", item.lot_size)):
            if decimals_of(step) > SPOT_DECIMALS:
                raise ConfigError(
                    f"{where}.{key}",
                    f"{step} is finer than the {SPOT_DECIMALS} decimals the venue's protocol carries",
                    "Use a step of 0.00000001 or coarser",
                )
        if item.start_price < item.tick_size * 10:
            raise ConfigError(
                f"{where}.start_price",
                f"{item.start_price} is less than ten ticks of {item.tick_size}",
                "Raise start_price or make tick_size finer",
            )
        listings.append(Listing(item.symbol, item.base, item.quote, item.tick_size, item.lot_size, item.min_notional))
    return tuple(listings)
