"""The position ledger: what fills leave behind, exact to the last tick x lot.

Average cost, in integers. A position carries the signed cost of what is open (sum of price_ticks x lots, negative
for shorts). A fill that reduces it releases the proportional share of that cost, truncated towards zero; the
remainder stays in the open cost and is released by a later fill. Nothing is ever rounded away, so

    realised_tick_lots - cost_tick_lots == cash_tick_lots        (always; cash: minus the sum of signed price x lots)

and hence realised + (qty x mark - cost) == cash + qty x mark for every mark. A fill beyond the position closes it
whole and opens the rest at its own price. Fees are kept apart, in 1e-8 of the quote currency.

Risk, execution and the lab keep the same ledger: equal fills in equal order give equal lines.
"""

from __future__ import annotations

from common.messages import PositionLine, Side


class Position:
    """One symbol's position. Long is positive, short negative."""

    __slots__ = ("cost_tick_lots", "fees_e8", "qty_lots", "realised_tick_lots", "symbol", "venue")

    def __init__(self, venue: str, symbol: str) -> None:
        self.venue = venue
        self.symbol = symbol
        self.qty_lots = 0
        self.cost_tick_lots = 0
        self.realised_tick_lots = 0
        self.fees_e8 = 0

    def apply(self, signed_lots: int, price_ticks: int, fee_e8: int) -> None:
        """Take in one fill of `signed_lots` (positive bought, negative sold)."""
        self.fees_e8 += fee_e8
        closing = min(abs(signed_lots), abs(self.qty_lots)) if (signed_lots > 0) != (self.qty_lots > 0) else 0
        if closing:
            direction = 1 if self.qty_lots > 0 else -1
            released = direction * (abs(self.cost_tick_lots) * closing // abs(self.qty_lots))
            self.realised_tick_lots += direction * closing * price_ticks - released
            self.cost_tick_lots -= released
            self.qty_lots -= direction * closing
            signed_lots += direction * closing
        self.qty_lots += signed_lots
        self.cost_tick_lots += signed_lots * price_ticks

    def unrealised_tick_lots(self, mark_ticks: int) -> int:
        """P&L of what is open if it were closed at `mark_ticks`, before fees."""
        return self.qty_lots * mark_ticks - self.cost_tick_lots

    def line(self) -> PositionLine:
        """The position as it travels."""
        return PositionLine(
            venue=self.venue,
            symbol=self.symbol,
            qty_lots=self.qty_lots,
            cost_tick_lots=self.cost_tick_lots,
            realised_tick_lots=self.realised_tick_lots,
            fees_e8=self.fees_e8,
        )


class PositionLedger:
    """Positions by key (`venue.symbol`). Applies what it is given: who feeds it takes care that a fill comes once."""

    __slots__ = ("_positions",)

    def __init__(self) -> None:
        self._positions: dict[str, Position] = {}

    def apply_fill(
        self, venue: str, symbol: str, side: Side, qty_lots: int, price_ticks: int, fee_e8: int = 0
    ) -> Position:
        """Take in one fill; returns the position after it. `fee_e8` is paid when positive, a rebate when negative.

        Raises:
            ValueError: a fill of no lots, or at a negative price.
        """
        if qty_lots <= 0 or price_ticks < 0:
            raise ValueError(
                f"a fill of {venue}.{symbol} must have a positive quantity and a price, "
                f"not {qty_lots} lots at {price_ticks} ticks"
            )
        key = f"{venue}.{symbol}"
        position = self._positions.get(key)
        if position is None:
            position = self._positions[key] = Position(venue, symbol)
        position.apply(side.sign * qty_lots, price_ticks, fee_e8)
        return position

    def get(self, key: str) -> Position | None:
        """The live position of `venue.symbol`, to read; None when it never traded."""
        return self._positions.get(key)

    def qty_lots(self, key: str) -> int:
        """Signed lots held; 0 when flat or never traded."""
        position = self._positions.get(key)
        return 0 if position is None else position.qty_lots

    def realised_tick_lots(self, key: str) -> int:
        """Realised P&L before fees."""
        position = self._positions.get(key)
        return 0 if position is None else position.realised_tick_lots

    def unrealised_tick_lots(self, key: str, mark_ticks: int) -> int:
        """P&L of what is open at `mark_ticks`, before fees."""
        position = self._positions.get(key)
        return 0 if position is None else position.unrealised_tick_lots(mark_ticks)

    def positions(self) -> tuple[Position, ...]:
        """Every position that ever traded, flat ones too, in order of first fill."""
        return tuple(self._positions.values())

    def line(self, key: str) -> PositionLine | None:
        """The line of `venue.symbol`; None when it never traded."""
        position = self._positions.get(key)
        return None if position is None else position.line()

    def lines(self) -> tuple[PositionLine, ...]:
        """Every position that ever traded, flat ones too (their realised P&L counts), sorted by venue and symbol."""
        return tuple(p.line() for p in sorted(self._positions.values(), key=lambda p: (p.venue, p.symbol)))
