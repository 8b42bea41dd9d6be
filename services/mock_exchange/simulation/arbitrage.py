"""Who closes triangles: looks at a cross and its legs now and then, and trades all three while a round pays.

So books that drift apart, by their own order flow or by a client's orders, come together again, and what a client may
find is there for a short time only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from common.config.mock_exchange import MockSymbolConfig
from common.messages.base import Side
from common.messages.orders import TimeInForce
from market.matching import Outcome, Touch
from services.mock_exchange.simulation.flows.liquidity import exponential_ns, generator_of

#: How often it looks, on average.
LOOKS_PER_S: Final = 4.0
#: What a round must leave to be worth it, relative.
LEAST_EDGE: Final = 5e-5
#: Rounds it trades at one look, each as large as the three touches allow.
MOST_ROUNDS: Final = 8
#: Lots that were multiplied by their size and divided by it are whole but for this.
_ROUNDING: Final = 1e-6


class ArbitragedMarket(Protocol):
    """A symbol's book at work."""

    now_ns: int

    @property
    def is_halted(self) -> bool:
        """The symbol does not trade."""
        ...

    def touch(self) -> Touch:
        """Best bid and ask."""
        ...

    def limit(self, side: Side, price_ticks: int, qty_lots: int, time_in_force: TimeInForce) -> Outcome:
        """An order of somebody who is not the flow."""
        ...


class _Leg:
    """One book, in decimals of its own currencies."""

    def __init__(self, config: MockSymbolConfig, market: ArbitragedMarket) -> None:
        self.market = market
        self.tick, self.lot = float(config.tick_size), float(config.lot_size)

    def quote(self, side: Side) -> tuple[float, float]:
        """(price, quantity in base) an order of `side` finds; zeros when there is none."""
        touch = self.market.touch()
        ticks, lots = (touch.ask_ticks, touch.ask_lots) if side is Side.BUY else (touch.bid_ticks, touch.bid_lots)
        return ticks * self.tick, lots * self.lot

    def trade(self, side: Side, qty: float) -> float:
        """Takes so much of the touch, in whole lots; what it got."""
        touch, lots = self.market.touch(), int(qty / self.lot + _ROUNDING)
        ticks = touch.ask_ticks if side is Side.BUY else touch.bid_ticks
        return self.market.limit(side, ticks, lots, TimeInForce.IOC).filled_lots * self.lot if lots else 0.0


class Arbitrageur:
    """Of one cross. Acts at `next_ns`, nanoseconds since the markets' beginning; the same seed, the same times."""

    def __init__(
        self,
        cross: tuple[MockSymbolConfig, ArbitragedMarket],
        numerator: tuple[MockSymbolConfig, ArbitragedMarket],
        denominator: tuple[MockSymbolConfig, ArbitragedMarket],
        seed: int,
    ) -> None:
        self._cross, self._numerator, self._denominator = (_Leg(*leg) for leg in (cross, numerator, denominator))
        self._least_notional = float(cross[0].min_notional)
        self._rng = generator_of(f"{cross[0].symbol} arbitrage", seed)
        self.now_ns = 0
        self.next_ns = exponential_ns(self._rng, 0, 1.0 / LOOKS_PER_S)

    def begin(self, origin_ns: int) -> None:
        """It asks for no time of day."""

    def step(self) -> None:
        """Look, and trade while it pays."""
        self.now_ns = self.next_ns
        self.next_ns = exponential_ns(self._rng, self.now_ns, 1.0 / LOOKS_PER_S)
        markets = [leg.market for leg in (self._cross, self._numerator, self._denominator)]
        if any(market.is_halted for market in markets):
            return
        for market in markets:
            market.now_ns = self.now_ns
        for _ in range(MOST_ROUNDS):
            if not (self._round(Side.SELL) or self._round(Side.BUY)):
                break

    def _round(self, side: Side) -> bool:
        """Sell the cross and buy it back through its legs (or the reverse); False when it does not pay."""
        back = side.opposite
        price, qty = self._cross.quote(side)
        numerator_price, numerator_qty = self._numerator.quote(back)
        denominator_price, denominator_qty = self._denominator.quote(side)
        if not (price and numerator_price and denominator_price):
            return False
        edge = side.opposite.sign * (price * denominator_price / numerator_price - 1.0)
        if edge < LEAST_EDGE:
            return False
        # What is left of an order may be too little to trade on three books: it is taken for what it is.
        qty = max(min(qty, numerator_qty, denominator_qty / price), self._least_notional / price)
        traded = self._cross.trade(side, qty)
        self._numerator.trade(back, traded)
        self._denominator.trade(side, traded * price)
        return traded > 0


def arbitrageurs_of(
    symbols: Sequence[MockSymbolConfig], markets: Mapping[str, ArbitragedMarket], seed: int
) -> list[Arbitrageur]:
    """One for each cross."""
    at_work = {item.symbol: (item, markets[item.symbol]) for item in symbols}
    return [
        Arbitrageur(at_work[item.symbol], at_work[item.cross_of[0]], at_work[item.cross_of[1]], seed)
        for item in symbols
        if item.cross_of is not None
    ]
