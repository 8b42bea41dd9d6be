"""Seeded order flow of one symbol: who places, takes and cancels what, and when, on a virtual clock.

Zero-intelligence in the sense of Smith, Farmer, Gillemot and Krishnamurthy (2003): Poisson arrivals of limit and
market orders, exponential lifetimes of resting ones. Three kinds of traders know a little more: makers quote around
the fundamental price, informed takers trade with quotes it has left behind, and far orders keep the deep book.
Every population is in balance: as many leave a second as arrive, so the book neither empties nor grows.
"""

from __future__ import annotations

import heapq
from typing import Final

import numpy as np

from common.config.mock_exchange import MockSymbolConfig
from common.messages.base import Side
from common.messages.orders import TimeInForce
from common.units import NS_PER_S
from market.matching import MatchingEngine, Outcome
from services.mock_exchange.simulation.fundamental import FundamentalPrice

#: Shares of the arrivals: a maker renews both quotes, a near order, a far order; the rest takes.
QUOTE_SHARE: Final = 0.20
NEAR_SHARE: Final = 0.45
FAR_SHARE: Final = 0.10
#: Orders and cancels an arrival leads to on average (4 by a maker, 2 by a resting order, 1 by a taker), as measured.
ORDERS_PER_ARRIVAL: Final = 1.5
#: How likely an arrival trades with a quote on the wrong side of the fundamental, while there is one.
INFORMED_SHARE: Final = 0.6
NEAR_ORDERS: Final = 100
MAKERS: Final = 4
#: Distances from the fundamental, in moves of one second (volatility x price).
MAKER_DISTANCE: Final = 0.03
NEAR_DISTANCE: Final = 0.6
NEAR_TAIL: Final = 4.0
#: How far beyond the touch a taker pays, likewise.
TAKER_REACH: Final = 0.5
LADDER_STEP: Final = 0.1
#: Where the deepest orders lie, relative to the price.
DEEPEST: Final = 0.08
#: Spread of the lognormal order sizes.
SIZE_SPREAD: Final = 0.8


class OrderFlow:
    """Acts on a matching engine at its own times; the same seed and symbol give the same acts.

    Times are nanoseconds since the flow's beginning.
    """

    def __init__(
        self, config: MockSymbolConfig, seed: int, engine: MatchingEngine, fundamental: FundamentalPrice
    ) -> None:
        self._engine = engine
        self._rng = np.random.Generator(np.random.PCG64([seed, *config.symbol.encode()]))
        self._tick = float(config.tick_size)
        self._lot = float(config.lot_size)
        self._min_notional = float(config.min_notional)
        self._typical_notional = float(config.order_notional)
        self._levels = config.levels_per_side
        self._volatility = config.volatility_per_sqrt_s
        self._fundamental = fundamental
        self._arrivals_per_s = config.events_per_s / ORDERS_PER_ARRIVAL
        self._near_life_s = NEAR_ORDERS / (self._arrivals_per_s * NEAR_SHARE)
        self._far_life_s = 2 * self._levels / (self._arrivals_per_s * FAR_SHARE)
        self._expiries: list[tuple[int, int]] = []
        self._quotes: list[list[int]] = [[] for _ in range(MAKERS)]
        self._now_ns = 0
        #: What the informed believe, in quote currency.
        self.fundamental_price = fundamental.price_at(0)
        self._populate()
        self._arrival_ns = self._after(1.0 / self._arrivals_per_s)

    @property
    def next_ns(self) -> int:
        """When `step` acts next."""
        return min(self._arrival_ns, self._expiries[0][0]) if self._expiries else self._arrival_ns

    def step(self) -> list[Outcome]:
        """Do what is due at `next_ns`; the engine's outcomes, in order."""
        if self._expiries and self._expiries[0][0] <= self._arrival_ns:
            self._now_ns, order_id = heapq.heappop(self._expiries)
            cancelled = self._engine.cancel(order_id)
            return [cancelled] if cancelled else []
        self._now_ns = self._arrival_ns
        self.fundamental_price = self._fundamental.price_at(self._now_ns)
        self._arrival_ns = self._after(1.0 / self._arrivals_per_s)
        return self._arrive()

    def _arrive(self) -> list[Outcome]:
        informed = self._informed()
        if informed is not None:
            return [informed]
        kind = self._rng.random()
        if kind < QUOTE_SHARE:
            return self._requote()
        side = Side.BUY if self._rng.random() < 0.5 else Side.SELL
        if kind < QUOTE_SHARE + NEAR_SHARE:
            return self._rest_near(side)
        if kind < QUOTE_SHARE + NEAR_SHARE + FAR_SHARE:
            return self._rest_far(side, int(self._rng.integers(1, self._levels + 1)))
        return self._take(side)

    def _informed(self) -> Outcome | None:
        """Somebody takes quotes that the fundamental has passed, up to the fundamental."""
        fair_ticks = self.fundamental_price / self._tick
        touch = self._engine.touch()
        if touch.ask_ticks and fair_ticks > touch.ask_ticks:
            side = Side.BUY
        elif touch.bid_ticks and fair_ticks < touch.bid_ticks:
            side = Side.SELL
        else:
            return None
        if self._rng.random() >= INFORMED_SHARE:
            return None
        return self._engine.limit(side, max(1, int(fair_ticks)), self._size(6.0), TimeInForce.IOC)

    def _requote(self) -> list[Outcome]:
        """A maker takes both quotes back and places them anew around the fundamental."""
        quotes = self._quotes[int(self._rng.integers(MAKERS))]
        outcomes = [outcome for order_id in quotes if (outcome := self._engine.cancel(order_id))]
        quotes.clear()
        for side in Side:
            distance = MAKER_DISTANCE * (1.0 + self._rng.exponential()) * self._one_second_move()
            outcome = self._place(side, distance, self._size(2.0))
            quotes.append(outcome.order_id)
            outcomes.append(outcome)
        return outcomes

    def _take(self, side: Side) -> list[Outcome]:
        """An impatient trader, for no reason, but not at any price."""
        best = self._engine.best_ticks(side.opposite)
        if best is None:
            return []
        reach = round(TAKER_REACH * self._one_second_move() / self._tick)
        return [self._engine.limit(side, max(1, best + side.sign * reach), self._size(1.0), TimeInForce.IOC)]

    def _rest_near(self, side: Side) -> list[Outcome]:
        """An order close to the fundamental; every fourth one farther off, so that the book thins gradually."""
        scale = NEAR_DISTANCE * (NEAR_TAIL if self._rng.random() < 0.25 else 1.0)
        distance = (MAKER_DISTANCE + self._rng.exponential(scale)) * self._one_second_move()
        return self._rest(side, distance, self._size(1.0), self._near_life_s)

    def _rest_far(self, side: Side, index: int) -> list[Outcome]:
        """An order on the ladder: close steps near the touch, wider and larger ones far out."""
        share = index / self._levels
        distance = LADDER_STEP * index * self._one_second_move() * (1.0 - share)
        distance += DEEPEST * share * share * self.fundamental_price
        distance *= self._rng.uniform(0.97, 1.03)
        return self._rest(side, distance, self._size(1.0 + 3.0 * share), self._far_life_s)

    def _rest(self, side: Side, distance: float, lots: int, life_s: float) -> list[Outcome]:
        outcome = self._place(side, distance, lots)
        heapq.heappush(self._expiries, (self._after(life_s), outcome.order_id))
        return [outcome]

    def _place(self, side: Side, distance: float, lots: int) -> Outcome:
        """Post-only at `distance` (quote currency) from the fundamental, but never through the other side."""
        ticks = round((self.fundamental_price - side.sign * distance) / self._tick)
        best = self._engine.best_ticks(side.opposite)
        if best is not None:
            ticks = min(ticks, best - 1) if side is Side.BUY else max(ticks, best + 1)
        return self._engine.limit(side, max(1, ticks), lots, post_only=True)

    def _populate(self) -> None:
        for index in range(1, self._levels + 1):
            for side in Side:
                self._rest_far(side, index)
        for _ in range(NEAR_ORDERS // 2):
            for side in Side:
                self._rest_near(side)

    def _one_second_move(self) -> float:
        return self._volatility * self.fundamental_price

    def _size(self, scale: float) -> int:
        notional = scale * self._typical_notional * float(self._rng.lognormal(0.0, SIZE_SPREAD))
        lot_value = self.fundamental_price * self._lot
        return max(1, round(notional / lot_value), int(self._min_notional / lot_value) + 1)

    def _after(self, mean_s: float) -> int:
        return self._now_ns + 1 + int(self._rng.exponential(mean_s) * NS_PER_S)
