"""Fundamentalists against trend followers, whose orders make the price (Chiarella 1992; `models.chiarella`).

Nobody quotes around the fundamental price. Makers and patient traders quote around a belief of their own, which moves
with what is bought from and sold to them, as the market maker's price does in Beja and Goldman (1980). What moves it:

    fundamentalists   want kappa (V - p):        they take quotes up to V, or wait near V when it lies in the spread
    chartists         want beta tanh(gamma M):   they follow the trend M of the price; most take, some wait
    noise traders     make sigma dW:             they take, for no reason

Each is a Poisson stream of orders whose size is the demand by the stream's rate, and an order of the usual size moves
the belief by `impact`; so the belief drifts as the model says, as far as the book fills the orders. Log prices are
counted in moves of one second (volatility), time in seconds.
"""

from __future__ import annotations

import math
from typing import Final

from common.config.mock_exchange import MockSymbolConfig
from common.messages.base import Side
from common.units import NS_PER_S
from market.matching import MatchingEngine, Outcome
from models.chiarella import ChiarellaParameters
from services.mock_exchange.simulation.flows.liquidity import (
    MAKER_DISTANCE,
    NEAR_ORDERS,
    SIZE_SPREAD,
    Liquidity,
    generator_of,
)
from services.mock_exchange.simulation.fundamental import FundamentalPrice

#: The gain, 2.0, is above the critical one, 1.67: trend followers carry the price past its value and back.
PARAMETERS: Final = ChiarellaParameters(kappa=0.4, beta=2.5, gamma=0.8, alpha=0.6, sigma=0.8)
#: Shares of all orders and cancels: of makers (4 a time), orders near the price and on the ladder (2 a time), and of
#: each kind of taker.
QUOTE_SHARE: Final = 0.35
NEAR_SHARE: Final = 0.35
FAR_SHARE: Final = 0.10
NOISE_SHARE: Final = 0.06
FUNDAMENTALIST_SHARE: Final = 0.07
CHARTIST_SHARE: Final = 0.07
#: Orders that are taken need no cancel: so many fewer messages come than the shares suppose, as measured.
TAKEN: Final = 1.35
#: Share of the chartists who wait at the touch.
PATIENT_SHARE: Final = 0.2
#: The belief moves no farther than this by one order, in moves of one second, however large a client's is.
FARTHEST: Final = 5.0
_MEAN_SIZE: Final = math.exp(SIZE_SPREAD**2 / 2)


class ChiarellaFlow:
    """See `Flow`."""

    def __init__(
        self, config: MockSymbolConfig, seed: int, engine: MatchingEngine, fundamental: FundamentalPrice
    ) -> None:
        self._fundamental = fundamental
        self.fundamental_price = fundamental.price_at(0)
        self._liquidity = Liquidity(config, generator_of(config.symbol, seed), engine, self.fundamental_price)
        self._move = config.volatility_per_sqrt_s
        rates = [
            config.events_per_s * TAKEN * share
            for share in (
                QUOTE_SHARE / 4,
                NEAR_SHARE / 2,
                FAR_SHARE / 2,
                NOISE_SHARE,
                FUNDAMENTALIST_SHARE,
                CHARTIST_SHARE,
            )
        ]
        total = sum(rates)
        self._mean_gap_s = 1.0 / total
        self._until = [sum(rates[: place + 1]) / total for place in range(len(rates))]
        self._near_life_s = NEAR_ORDERS / rates[1]
        self._far_life_s = 2 * config.levels_per_side / rates[2]
        #: What an order of the usual size moves the belief by, so that noise traders make sigma.
        self._impact = PARAMETERS.sigma / math.sqrt(rates[3] * math.exp(SIZE_SPREAD**2))
        self._fundamentalist_size = PARAMETERS.kappa / (rates[4] * self._impact)
        self._chartist_size = PARAMETERS.beta / (rates[5] * self._impact)
        self._populate()
        #: The trend M of the middle of the book, as of the arrival before.
        self._trend = 0.0
        self._followed = (0, self._mid(0.0))
        self._arrival_ns = self._liquidity.after(self._mean_gap_s)

    @property
    def quoted_price(self) -> float:
        """The belief."""
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
        self.fundamental_price = self._fundamental.price_at(self._arrival_ns)
        self._follow()
        self._arrival_ns = liquidity.after(self._mean_gap_s)
        return self._arrive()

    def observe(self, outcome: Outcome) -> None:
        """Clients' trades move the belief like anybody's."""
        self._learn(outcome)

    def _arrive(self) -> list[Outcome]:
        liquidity = self._liquidity
        kind = liquidity.rng.random()
        quote, near, far, noise, fundamentalist, _ = self._until
        if kind < quote:
            passed = liquidity.passed_side()
            return liquidity.requote() if passed is None else [liquidity.take_passed(passed)]
        if kind < near:
            return liquidity.rest_near(liquidity.side(), self._near_life_s)
        if kind < far:
            return liquidity.renew_far(liquidity.side(), self._far_life_s)
        if kind < noise:
            return self._learn_all(liquidity.take(liquidity.side()))
        if kind < fundamentalist:
            return self._fundamentalist()
        return self._chartist()

    def _fundamentalist(self) -> list[Outcome]:
        """Never pays more than the asset is worth."""
        liquidity, worth = self._liquidity, self.fundamental_price
        gap = self._in_moves(worth) - self._followed[1]
        side = Side.BUY if gap > 0 else Side.SELL
        lots = liquidity.size(self._fundamentalist_size * abs(gap))
        best = liquidity.engine.best_ticks(side.opposite)
        if best is not None and side.sign * (worth - best * liquidity.tick) > 0:
            return self._learn_all([liquidity.take_up_to(side, worth, lots)])
        distance = MAKER_DISTANCE * liquidity.one_second_move + side.sign * (liquidity.price - worth)
        return liquidity.rest(side, distance, lots, self._near_life_s)

    def _chartist(self) -> list[Outcome]:
        liquidity = self._liquidity
        demand = math.tanh(PARAMETERS.gamma * self._trend)
        side = Side.BUY if demand > 0 else Side.SELL
        scale = self._chartist_size * abs(demand)
        if liquidity.rng.random() < PATIENT_SHARE:
            return liquidity.rest(side, 0.0, liquidity.size(scale), self._near_life_s)
        return self._learn_all(liquidity.take(side, scale))

    def _learn_all(self, outcomes: list[Outcome]) -> list[Outcome]:
        for outcome in outcomes:
            self._learn(outcome)
        return outcomes

    def _learn(self, outcome: Outcome) -> None:
        """The belief moves with what has been bought or sold."""
        if not outcome.trades:
            return
        liquidity = self._liquidity
        usual_lots = liquidity.typical_lots * _MEAN_SIZE
        shift = min(FARTHEST, self._impact * outcome.filled_lots / usual_lots)
        liquidity.price *= math.exp(outcome.trades[0].aggressor.sign * shift * self._move)

    def _follow(self) -> None:
        """The trend forgets and takes in what the price has done since: dM = -alpha M dt + alpha dp, exactly."""
        since_ns, before = self._followed
        now_ns = self._liquidity.now_ns
        mid = self._mid(before)
        forgotten = math.exp(-PARAMETERS.alpha * (now_ns - since_ns) / NS_PER_S)
        self._trend = self._trend * forgotten + PARAMETERS.alpha * (mid - before)
        self._followed = (now_ns, mid)

    def _mid(self, otherwise: float) -> float:
        """The middle of the book in moves of one second; of a book that lacks a side, what it was."""
        touch = self._liquidity.engine.touch()
        if not (touch.bid_ticks and touch.ask_ticks):
            return otherwise
        return self._in_moves((touch.bid_ticks + touch.ask_ticks) / 2 * self._liquidity.tick)

    def _in_moves(self, price: float) -> float:
        return math.log(price) / self._move

    def _populate(self) -> None:
        self._liquidity.populate_far(self._far_life_s)
        for _ in range(NEAR_ORDERS // 2):
            for side in Side:
                self._liquidity.rest_near(side, self._near_life_s)
