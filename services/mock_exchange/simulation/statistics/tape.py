"""What there is to see of simulated symbols: every touch, every taker, the depth now and then. On virtual time."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from common.config.mock_exchange import MockSymbolConfig
from common.messages.base import Side
from common.messages.orders import OrderStatus, TimeInForce
from common.units import NS_PER_MS, NS_PER_S
from market.matching import MatchingEngine, Outcome, Touch
from services.mock_exchange.simulation.arbitrage import Arbitrageur, arbitrageurs_of
from services.mock_exchange.simulation.cross import followed_price, legs_first
from services.mock_exchange.simulation.flows import flow_of
from services.mock_exchange.simulation.fundamental import FundamentalPrice, fundamentals_of

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: How long a market runs before it is watched.
WARM_UP_S: Final = 10.0
#: How often depth and fundamental price are looked at.
SAMPLE_NS: Final = 100 * NS_PER_MS
DEPTH_LEVELS: Final = (1, 5, 10, 20)


@dataclass(frozen=True, slots=True, eq=False)
class Tape:
    """A symbol watched from `start_ns` to `end_ns` since the market's beginning.

    Args:
        touch_ns, bid_ticks, ask_ticks: int64[n], the touch from that instant on, the first at `start_ns`; times
            rise. Nothing is there for an empty side: the touch before it holds.
        taker_ns, taker_signs, taker_lots: int64[t], one for each order that traded at once: 1 bought, -1 sold.
        depth: float64[s, 4], quote currency in the best 1, 5, 10 and 20 levels, mean of both sides, every SAMPLE_NS.
        fundamental: float64[s], ln of what the informed believe, at the same times.
        orders, cancels, fills: how many there were; `one_sided`: share of the samples at which a side was empty.
    """

    symbol: str
    tick_size: float
    lot_size: float
    start_ns: int
    end_ns: int
    touch_ns: IntArray
    bid_ticks: IntArray
    ask_ticks: IntArray
    taker_ns: IntArray
    taker_signs: IntArray
    taker_lots: IntArray
    depth: FloatArray
    fundamental: FloatArray
    orders: int
    cancels: int
    fills: int
    one_sided: float

    @property
    def seconds(self) -> float:
        """How long was watched."""
        return (self.end_ns - self.start_ns) / NS_PER_S

    @property
    def log_mid(self) -> FloatArray:
        """ln of the middle of the book in quote currency, float64[n], at `touch_ns`."""
        mids: FloatArray = np.log((self.bid_ticks + self.ask_ticks) * (self.tick_size / 2))
        return mids

    def log_mid_every(self, step_ns: int) -> FloatArray:
        """The same on an even grid of time from `start_ns` on, float64[g]: the last before or at each instant."""
        grid = np.arange(self.start_ns, self.end_ns + 1, step_ns)
        values: FloatArray = self.log_mid[np.searchsorted(self.touch_ns, grid, side="right") - 1]
        return values


def record(
    symbols: Sequence[MockSymbolConfig], seconds: float, seed: int, lag_ns: int = 0, flow_seed: int | None = None
) -> Mapping[str, Tape]:
    """Every symbol's tape, by its name, over `seconds` after the warm-up.

    Args:
        symbols: as configured, each with its own flow model.
        seconds: above 0.
        seed: of the fundamental prices, and of the flows when `flow_seed` is None.
        lag_ns: how late this venue learns of fundamental prices.
        flow_seed: of the flows.

    Raises:
        ValueError: `seconds` is not above 0.
    """
    if not seconds > 0:
        raise ValueError(f"seconds: {seconds!r} is not above 0")
    start_ns = int(WARM_UP_S * NS_PER_S)
    end_ns = start_ns + int(seconds * NS_PER_S)
    prices = fundamentals_of(symbols, seed, lag_ns)
    flow_seed = seed if flow_seed is None else flow_seed
    watches: dict[str, _Watch] = {}
    for item in legs_first(symbols):
        watches[item.symbol] = _Watch(item, flow_seed, followed_price(item, prices, watches), start_ns)
    parts: list[_Watch | Arbitrageur] = [
        *(watches[item.symbol] for item in symbols),
        *arbitrageurs_of(symbols, watches, flow_seed),
    ]
    due = [(part.next_ns, place, part) for place, part in enumerate(parts)]
    heapq.heapify(due)
    while due[0][0] <= end_ns:
        _, place, part = due[0]
        part.step()
        heapq.heapreplace(due, (part.next_ns, place, part))
    return {item.symbol: watches[item.symbol].tape(end_ns) for item in symbols}


@dataclass(slots=True)
class _Columns:
    touch: list[tuple[int, int, int]] = field(default_factory=list)
    takers: list[tuple[int, int, int]] = field(default_factory=list)
    depth: list[list[float]] = field(default_factory=list)
    fundamental: list[float] = field(default_factory=list)
    one_sided: int = 0
    orders: int = 0
    cancels: int = 0
    fills: int = 0


class _Watch:
    """One symbol's market, and what has been seen of it."""

    def __init__(self, config: MockSymbolConfig, seed: int, fundamental: FundamentalPrice, start_ns: int) -> None:
        self._config = config
        self._engine = MatchingEngine()
        self._flow = flow_of(config, seed, self._engine, fundamental)
        self.now_ns = 0
        self.is_halted = False
        self._start_ns = self._sample_ns = start_ns
        self._seen = _Columns()
        self._touch = (0, 0)
        self._unit = float(config.tick_size) * float(config.lot_size)

    @property
    def quoted_price(self) -> float:
        return self._flow.quoted_price

    @property
    def next_ns(self) -> int:
        return self._flow.next_ns

    def touch(self) -> Touch:
        return self._engine.touch()

    def step(self) -> None:
        self.now_ns = self._flow.next_ns
        while self._sample_ns <= self.now_ns:
            self._sample()
        self._see(self._flow.step())

    def limit(self, side: Side, price_ticks: int, qty_lots: int, time_in_force: TimeInForce) -> Outcome:
        outcome = self._engine.limit(side, price_ticks, qty_lots, time_in_force)
        self._flow.observe(outcome)
        self._see([outcome])
        return outcome

    def tape(self, end_ns: int) -> Tape:
        while self._sample_ns <= end_ns:
            self._sample()
        seen = self._seen
        touch, takers = (np.array(rows, np.int64).reshape(-1, 3).T for rows in (seen.touch, seen.takers))
        return Tape(
            symbol=self._config.symbol,
            tick_size=float(self._config.tick_size),
            lot_size=float(self._config.lot_size),
            start_ns=self._start_ns,
            end_ns=end_ns,
            touch_ns=touch[0],
            bid_ticks=touch[1],
            ask_ticks=touch[2],
            taker_ns=takers[0],
            taker_signs=takers[1],
            taker_lots=takers[2],
            depth=np.array(seen.depth),
            fundamental=np.log(seen.fundamental),
            orders=seen.orders,
            cancels=seen.cancels,
            fills=seen.fills,
            one_sided=seen.one_sided / len(seen.depth),
        )

    def _sample(self) -> None:
        seen = self._seen
        if not seen.touch:
            self._see_touch(self._start_ns)
        book = self._engine.depth(DEPTH_LEVELS[-1])
        worth = [[price * lots * self._unit for price, lots in side] for side in (book.bids, book.asks)]
        seen.depth.append([sum(sum(side[:count]) for side in worth) / 2 for count in DEPTH_LEVELS])
        seen.one_sided += not (book.bids and book.asks)
        seen.fundamental.append(self._flow.fundamental_price)
        self._sample_ns += SAMPLE_NS

    def _see(self, outcomes: list[Outcome]) -> None:
        if self.now_ns < self._start_ns:
            return
        seen = self._seen
        for outcome in outcomes:
            if outcome.status is OrderStatus.CANCELED:
                seen.cancels += 1
                continue
            seen.orders += 1
            if outcome.trades:
                seen.fills += len(outcome.trades)
                seen.takers.append((self.now_ns, outcome.trades[0].aggressor.sign, outcome.filled_lots))
        self._see_touch(self.now_ns)

    def _see_touch(self, time_ns: int) -> None:
        touch = self._engine.touch()
        now = (touch.bid_ticks, touch.ask_ticks)
        if now != self._touch and all(now):
            self._touch = now
            if self._seen.touch and self._seen.touch[-1][0] == time_ns:
                self._seen.touch.pop()
            self._seen.touch.append((time_ns, *now))
