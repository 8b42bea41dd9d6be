"""Market orders, limit orders and cancels that excite each other: a multivariate Hawkes process of six kinds.

The order flow as a mutually exciting point process follows Bowsher (2007), Large (2007) and Bacry, Jaisson and Muzy
(2016); definitions are those of `models.hawkes`. Arrival times and kinds come from the process alone, thinned event
by event on the virtual clock; they know neither the book nor the clients. What an event does, the book decides: a
market order takes as far as the fundamental price when that has passed the quotes, an order near the touch rests
until it is taken or cancelled, a cancel takes its share of those that rest. Makers and the deep ladder come by
Poisson processes.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from common.config.mock_exchange import MockSymbolConfig
from common.messages.base import Side
from common.units import NS_PER_S
from market.matching import MatchingEngine, Outcome
from models.hawkes import HawkesParameters, HawkesSimulator
from models.hawkes.parameters import FloatArray
from services.mock_exchange.simulation.flows.liquidity import NEAR_ORDERS, Liquidity, generator_of
from services.mock_exchange.simulation.fundamental import FundamentalPrice

#: Shares of all orders and cancels: of the six kinds, of makers (4 a time), of the ladder (2 a time).
HAWKES_SHARE: Final = 0.6
QUOTE_SHARE: Final = 0.3
FAR_SHARE: Final = 0.1
#: Orders that are taken need no cancel: so many fewer messages come than the shares suppose, as measured.
TAKEN: Final = 1.12
#: Stationary shares of the six kinds, each side half: market orders, limit orders, cancels.
KIND_SHARES: Final = (0.30, 0.38, 0.32)
#: Events that one of the column's kind brings at first hand, of the row's kind (market, limit, cancel): on the
#: column's own side (buys and bids; sells and asks), and on the other.
OWN_SIDE: Final = ((0.66, 0.02, 0.02), (0.12, 0.30, 0.22), (0.04, 0.22, 0.32))
OTHER_SIDE: Final = ((0.03, 0.01, 0.01), (0.16, 0.05, 0.05), (0.12, 0.04, 0.06))
#: Two time scales, per second, and how much of the excitement each carries.
DECAYS_PER_S: Final = (40.0, 1.0)
DECAY_SHARES: Final = (0.7, 0.3)
#: How far from the fundamental price a market order still trades, in moves of one second: a burst of them does not
#: run through a book that has had no time to fill up.
FARTHEST: Final = 1.5
#: Events are drawn this far ahead; it changes nothing but the time a call takes.
_AHEAD_S: Final = 0.5
_MARKET, _LIMIT, _CANCEL = range(3)
_SIDES: Final = tuple(Side)


def parameters_of(events_per_s: float) -> HawkesParameters:
    """The process of `events_per_s`: kinds 0 to 5 are market buy, market sell, limit bid, limit ask, cancel bid and
    cancel ask. Its branching ratio does not depend on the rate; the baseline follows from both."""
    branching = branching_matrix()
    rates = events_per_s * np.repeat(np.array(KIND_SHARES) / 2, 2)
    jump = branching[:, :, None] * np.array(DECAY_SHARES) * np.array(DECAYS_PER_S)
    decay = np.broadcast_to(np.array(DECAYS_PER_S), jump.shape)
    return HawkesParameters(rates - branching @ rates, jump, decay)


def branching_matrix() -> FloatArray:
    """float64[6, 6], kinds as `parameters_of`."""
    matrix: FloatArray = np.kron(np.array(OWN_SIDE), np.eye(2)) + np.kron(np.array(OTHER_SIDE), 1 - np.eye(2))
    return matrix


class HawkesFlow:
    """See `Flow`."""

    def __init__(
        self, config: MockSymbolConfig, seed: int, engine: MatchingEngine, fundamental: FundamentalPrice
    ) -> None:
        self._fundamental = fundamental
        self.fundamental_price = fundamental.price_at(0)
        rng = generator_of(config.symbol, seed)
        events_per_s = config.events_per_s * TAKEN
        # The process draws ahead: its chance is a stream of its own.
        self._process = HawkesSimulator(parameters_of(events_per_s * HAWKES_SHARE), rng.spawn(1)[0])
        self._liquidity = Liquidity(config, rng, engine, self.fundamental_price)
        background = events_per_s * np.array([QUOTE_SHARE / 4, FAR_SHARE / 2])
        self._background_gap_s = 1.0 / float(background.sum())
        self._quote_share = float(background[0] / background.sum())
        self._far_life_s = 2 * config.levels_per_side / float(background[1])
        #: (price, order id) of orders near the touch.
        self._near: dict[Side, list[tuple[int, int]]] = {side: [] for side in Side}
        self._drawn_s = 0.0
        #: Events drawn and not yet done, the next one last.
        self._events: list[tuple[int, int]] = []
        self._populate()
        self._background_ns = self._liquidity.after(self._background_gap_s)
        self._draw()

    @property
    def quoted_price(self) -> float:
        """The fundamental price."""
        return self._liquidity.price

    @property
    def next_ns(self) -> int:
        """When `step` acts next."""
        return min(self._events[-1][0], self._background_ns, self._liquidity.next_expiry_ns)

    def step(self) -> list[Outcome]:
        """Do what is due at `next_ns`; the engine's outcomes, in order."""
        liquidity, time_ns = self._liquidity, self.next_ns
        if liquidity.next_expiry_ns == time_ns:
            return liquidity.expire()
        liquidity.now_ns = time_ns
        liquidity.price = self.fundamental_price = self._fundamental.price_at(time_ns)
        if self._background_ns == time_ns:
            self._background_ns = liquidity.after(self._background_gap_s)
            return self._background()
        kind = self._events.pop()[1]
        if not self._events:
            self._draw()
        return self._do(kind // 2, _SIDES[kind % 2])

    def observe(self, outcome: Outcome) -> None:
        """The process is exact: clients' orders do not excite it."""

    def _draw(self) -> None:
        while not self._events:
            self._drawn_s += _AHEAD_S
            times, kinds = self._process.advance(self._drawn_s)
            stamps = (times * NS_PER_S).astype(np.int64) + 1
            self._events = list(zip(stamps.tolist()[::-1], kinds.tolist()[::-1]))

    def _background(self) -> list[Outcome]:
        liquidity = self._liquidity
        if liquidity.rng.random() < self._quote_share:
            return liquidity.requote()
        return liquidity.renew_far(liquidity.side(), self._far_life_s)

    def _do(self, act: int, side: Side) -> list[Outcome]:
        if act == _MARKET:
            return [self._take(side)]
        if act == _LIMIT:
            return [self._rest(side)]
        return self._cancel(side)

    def _take(self, side: Side) -> Outcome:
        """Much, as far as the fundamental price, when that has passed the quotes; else an order of the usual size."""
        liquidity = self._liquidity
        if liquidity.passed_side() is side:
            return liquidity.take_passed(side)
        farthest = liquidity.price + side.sign * FARTHEST * liquidity.one_second_move
        return liquidity.take_up_to(side, farthest, liquidity.size(1.0))

    def _rest(self, side: Side) -> Outcome:
        outcome = self._liquidity.place_near(side)
        self._near[side] += [(change.price_ticks, outcome.order_id) for change in outcome.changes]
        return outcome

    def _cancel(self, side: Side) -> list[Outcome]:
        """Everything the price has passed goes, and of the rest one order on average when as many rest as should:
        more of many, fewer of few, so that the book keeps its size whatever the process does."""
        liquidity, fair_ticks = self._liquidity, self._liquidity.price / self._liquidity.tick
        gone: list[tuple[int, int]] = []
        near: list[tuple[int, int]] = []
        for order in self._near[side]:
            (gone if side.sign * (order[0] - fair_ticks) > 0 else near).append(order)
        wanted = int(2 * len(near) / NEAR_ORDERS + liquidity.rng.random())
        for _ in range(min(wanted, len(near))):
            place = int(liquidity.rng.integers(len(near)))
            near[place], near[-1] = near[-1], near[place]
            gone.append(near.pop())
        self._near[side] = near
        # Some were taken before; they are gone already.
        return [cancelled for _, order_id in gone if (cancelled := liquidity.engine.cancel(order_id))]

    def _populate(self) -> None:
        self._liquidity.populate_far(self._far_life_s)
        for _ in range(NEAR_ORDERS // 2):
            for side in Side:
                self._rest(side)
