"""What every flow shares: orders around a price, their sizes and lifetimes, and who keeps the book deep and close.

Distances are in moves of one second (volatility x price), so that one set of numbers fits every symbol. Every
population is in balance: as many leave a second as arrive, so the book neither empties nor grows.
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

NEAR_ORDERS: Final = 100
MAKERS: Final = 4
MAKER_DISTANCE: Final = 0.03
MAKER_SIZE: Final = 2.0
NEAR_DISTANCE: Final = 0.6
NEAR_TAIL: Final = 4.0
#: How far beyond the touch a taker pays.
TAKER_REACH: Final = 0.5
#: Size of an order that takes what the price has left behind.
INFORMED_SIZE: Final = 6.0
LADDER_STEP: Final = 0.1
#: Where the deepest orders lie, relative to the price.
DEEPEST: Final = 0.08
#: Spread of the lognormal order sizes.
SIZE_SPREAD: Final = 0.8
NEVER_NS: Final = 2**63 - 1


def generator_of(symbol: str, seed: int) -> np.random.Generator:
    """The symbol's own source of chance."""
    return np.random.Generator(np.random.PCG64([seed, *symbol.encode()]))


def exponential_ns(rng: np.random.Generator, now_ns: int, mean_s: float) -> int:
    """When the next of a Poisson process's events comes."""
    return now_ns + 1 + int(rng.exponential(mean_s) * NS_PER_S)


class Liquidity:
    """Places, takes and cancels around `price`, at `now_ns`; both are the flow's to set before it acts."""

    def __init__(
        self, config: MockSymbolConfig, rng: np.random.Generator, engine: MatchingEngine, price: float
    ) -> None:
        self.engine = engine
        self.rng = rng
        self.now_ns = 0
        #: What orders are placed around, quote currency.
        self.price = price
        self.levels = config.levels_per_side
        self.tick = float(config.tick_size)
        self._lot = float(config.lot_size)
        self._min_notional = float(config.min_notional)
        self._typical_notional = float(config.order_notional)
        self._volatility = config.volatility_per_sqrt_s
        self._expiries: list[tuple[int, int]] = []
        self._quotes: list[list[int]] = [[] for _ in range(MAKERS)]

    @property
    def next_expiry_ns(self) -> int:
        """When the next resting order's life ends."""
        return self._expiries[0][0] if self._expiries else NEVER_NS

    @property
    def waiting(self) -> int:
        """Lives that have not ended, be the order in the book or filled."""
        return len(self._expiries)

    @property
    def one_second_move(self) -> float:
        """The unit of distances, quote currency."""
        return self._volatility * self.price

    @property
    def typical_lots(self) -> float:
        """An order of the configured notional."""
        return self._typical_notional / (self.price * self._lot)

    def after(self, mean_s: float) -> int:
        """A time exponentially far from now."""
        return exponential_ns(self.rng, self.now_ns, mean_s)

    def expire(self) -> list[Outcome]:
        """The order whose life ends next leaves the book, if it is still there."""
        self.now_ns, order_id = heapq.heappop(self._expiries)
        cancelled = self.engine.cancel(order_id)
        return [cancelled] if cancelled else []

    def side(self) -> Side:
        """Either, evenly."""
        return Side.BUY if self.rng.random() < 0.5 else Side.SELL

    def passed_side(self) -> Side | None:
        """The side of the order that would take what the price has passed; None while the price is in the spread."""
        fair_ticks = self.price / self.tick
        touch = self.engine.touch()
        if touch.ask_ticks and fair_ticks > touch.ask_ticks:
            return Side.BUY
        if touch.bid_ticks and fair_ticks < touch.bid_ticks:
            return Side.SELL
        return None

    def take_passed(self, side: Side) -> Outcome:
        """Somebody informed takes what the price has passed, up to the price."""
        return self.take_up_to(side, self.price, self.size(INFORMED_SIZE))

    def take_up_to(self, side: Side, price: float, lots: int) -> Outcome:
        """Takes at `price` (quote currency) or better; the rest expires."""
        return self.engine.limit(side, max(1, int(price / self.tick)), lots, TimeInForce.IOC)

    def take(self, side: Side, scale: float = 1.0) -> list[Outcome]:
        """An impatient trader, but not at any price."""
        best = self.engine.best_ticks(side.opposite)
        if best is None:
            return []
        reach = round(TAKER_REACH * self.one_second_move / self.tick)
        return [self.engine.limit(side, max(1, best + side.sign * reach), self.size(scale), TimeInForce.IOC)]

    def requote(self) -> list[Outcome]:
        """A maker takes both quotes back and places them anew around the price."""
        quotes = self._quotes[int(self.rng.integers(MAKERS))]
        outcomes = [outcome for order_id in quotes if (outcome := self.engine.cancel(order_id))]
        quotes.clear()
        for side in Side:
            distance = MAKER_DISTANCE * (1.0 + self.rng.exponential()) * self.one_second_move
            outcome = self.place(side, distance, self.size(MAKER_SIZE))
            quotes.append(outcome.order_id)
            outcomes.append(outcome)
        return outcomes

    def place_near(self, side: Side) -> Outcome:
        """An order close to the price; every fourth one farther off, so that the book thins gradually."""
        scale = NEAR_DISTANCE * (NEAR_TAIL if self.rng.random() < 0.25 else 1.0)
        distance = (MAKER_DISTANCE + self.rng.exponential(scale)) * self.one_second_move
        return self.place(side, distance, self.size(1.0))

    def rest_near(self, side: Side, life_s: float) -> list[Outcome]:
        """As `place_near`, for a while."""
        return self._for_a_while(self.place_near(side), life_s)

    def rest(self, side: Side, distance: float, lots: int, life_s: float) -> list[Outcome]:
        """As `place`, for a while."""
        return self._for_a_while(self.place(side, distance, lots), life_s)

    def rest_far(self, side: Side, index: int, life_s: float) -> list[Outcome]:
        """An order on the ladder, for a while: close steps near the touch, wider and larger ones far out."""
        share = index / self.levels
        distance = LADDER_STEP * index * self.one_second_move * (1.0 - share)
        distance += DEEPEST * share * share * self.price
        distance *= self.rng.uniform(0.97, 1.03)
        return self.rest(side, distance, self.size(1.0 + 3.0 * share), life_s)

    def renew_far(self, side: Side, life_s: float) -> list[Outcome]:
        """An order anywhere on the ladder."""
        return self.rest_far(side, int(self.rng.integers(1, self.levels + 1)), life_s)

    def populate_far(self, life_s: float) -> None:
        """The whole ladder."""
        for index in range(1, self.levels + 1):
            for side in Side:
                self.rest_far(side, index, life_s)

    def place(self, side: Side, distance: float, lots: int) -> Outcome:
        """Post-only at `distance` (quote currency) from the price, but never through the other side."""
        ticks = round((self.price - side.sign * distance) / self.tick)
        best = self.engine.best_ticks(side.opposite)
        if best is not None:
            ticks = min(ticks, best - 1) if side is Side.BUY else max(ticks, best + 1)
        return self.engine.limit(side, max(1, ticks), lots, post_only=True)

    def size(self, scale: float) -> int:
        """Lots of an order of about `scale` times the typical notional."""
        notional = scale * self._typical_notional * float(self.rng.lognormal(0.0, SIZE_SPREAD))
        lot_value = self.price * self._lot
        return max(1, round(notional / lot_value), int(self._min_notional / lot_value) + 1)

    def _for_a_while(self, outcome: Outcome, life_s: float) -> list[Outcome]:
        heapq.heappush(self._expiries, (self.after(life_s), outcome.order_id))
        return [outcome]
