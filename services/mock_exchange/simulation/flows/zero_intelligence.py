"""Zero-intelligence in the sense of Smith, Farmer, Gillemot and Krishnamurthy (2003).

Poisson arrivals of limit and market orders, exponential lifetimes of resting ones. Three kinds of traders know a
little more: makers quote around the fundamental price, informed takers trade with quotes it has left behind, and far
orders keep the deep book.
"""

from __future__ import annotations

from typing import Final

from common.config.mock_exchange import MockSymbolConfig
from common.messages.base import Side
from market.matching import MatchingEngine, Outcome
from services.mock_exchange.simulation.flows.liquidity import NEAR_ORDERS, Liquidity, generator_of
from services.mock_exchange.simulation.fundamental import FundamentalPrice

#: Shares of the arrivals: a maker renews both quotes, a near order, a far order; the rest takes.
QUOTE_SHARE: Final = 0.20
NEAR_SHARE: Final = 0.45
FAR_SHARE: Final = 0.10
#: Orders and cancels an arrival leads to on average (4 by a maker, 2 by a resting order, 1 by a taker), as measured.
ORDERS_PER_ARRIVAL: Final = 1.5
#: How likely an arrival trades with a quote on the wrong side of the fundamental, while there is one.
INFORMED_SHARE: Final = 0.6


class ZeroIntelligenceFlow:
    """See `Flow`."""

    def __init__(
        self, config: MockSymbolConfig, seed: int, engine: MatchingEngine, fundamental: FundamentalPrice
    ) -> None:
        self._fundamental = fundamental
        self.fundamental_price = fundamental.price_at(0)
        self._liquidity = Liquidity(config, generator_of(config.symbol, seed), engine, self.fundamental_price)
        arrivals_per_s = config.events_per_s / ORDERS_PER_ARRIVAL
        self._mean_gap_s = 1.0 / arrivals_per_s
        self._near_life_s = NEAR_ORDERS / (arrivals_per_s * NEAR_SHARE)
        self._far_life_s = 2 * config.levels_per_side / (arrivals_per_s * FAR_SHARE)
        self._liquidity.populate_far(self._far_life_s)
        for _ in range(NEAR_ORDERS // 2):
            for side in Side:
                self._liquidity.rest_near(side, self._near_life_s)
        self._arrival_ns = self._liquidity.after(self._mean_gap_s)

    @property
    def quoted_price(self) -> float:
        """The fundamental price."""
        return self._liquidity.price

    @property
    def next_ns(self) -> int:
        """When `step` acts next."""
        return min(self._arrival_ns, self._liquidity.next_expiry_ns)

    def step(self) -> list[Outcome]:
        """Do what is due at `next_ns`; the engine's outcomes, in order."""
        liquidity = self._liquidity
        if liquidity.next_expiry_ns <= self._arrival_ns:
            return liquidity.expire()
        liquidity.now_ns = self._arrival_ns
        liquidity.price = self.fundamental_price = self._fundamental.price_at(self._arrival_ns)
        self._arrival_ns = liquidity.after(self._mean_gap_s)
        return self._arrive()

    def observe(self, outcome: Outcome) -> None:
        """Zero intelligence: clients are not noticed but for the book they leave."""

    def _arrive(self) -> list[Outcome]:
        liquidity, rng = self._liquidity, self._liquidity.rng
        passed = liquidity.passed_side()
        if passed is not None and rng.random() < INFORMED_SHARE:
            return [liquidity.take_passed(passed)]
        kind = rng.random()
        if kind < QUOTE_SHARE:
            return liquidity.requote()
        side = liquidity.side()
        if kind < QUOTE_SHARE + NEAR_SHARE:
            return liquidity.rest_near(side, self._near_life_s)
        if kind < QUOTE_SHARE + NEAR_SHARE + FAR_SHARE:
            return liquidity.renew_far(side, self._far_life_s)
        return liquidity.take(side)
