"""What a symbol is said to have traded before its market began. It is synthetic: no order ever stood behind it.

Bots load hundreds of klines before they act; a market that is a minute old has none. So every simulated symbol has a
past of one-minute bars, drawn by the exchange's seed and the symbol's own name, that ends at the market's first price
in the minute before its beginning. It is made a day at a time, when somebody asks, and the same day comes out the
same each time.

Days step as a discrete Ornstein-Uhlenbeck process around the first price, minutes as a faster one around the line
from day to day; a minute's extremes follow the law of the maximum of a Brownian bridge (Glasserman, Monte Carlo
Methods in Financial Engineering, 6.4).
"""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.mock_exchange.history.bars import COLUMNS, Rows
from services.mock_exchange.history.intervals import DAY_MS, MINUTE_MS
from services.mock_exchange.listing import SPOT_DECIMALS, Listing

DAY_MINUTES: Final = DAY_MS // MINUTE_MS
#: Standard deviation of a day's step, in moves of one minute; and how much of yesterday's distance it keeps.
_DAY_STEP: Final = 3.0
_DAY_KEEP: Final = 0.95
#: What a minute keeps of the distance from the line of its day.
_MINUTE_KEEP: Final = 0.9
#: Spread of the lognormal numbers of trades and mean sizes, day by day and minute by minute.
_DAY_SPREAD: Final = 0.3
_MINUTE_SPREAD: Final = 0.5
#: Trades of one aggregate, on average: as many as of live ones.
_TRADES_PER_AGGREGATE: Final = 1.05
#: Days kept made.
_KEPT_DAYS: Final = 4


@dataclass(frozen=True, slots=True)
class PastMarket:
    """What a past is drawn from."""

    first_ticks: int
    #: Standard deviation of the log price within a minute.
    minute_volatility: float
    trades_per_minute: float
    mean_lots: float
    days: int


class Prehistory:
    """The bars of the minutes before a market's beginning, counted back from it in days of 1440."""

    def __init__(self, listing: Listing, market: PastMarket, seed: int) -> None:
        self._listing = listing
        self._market = market
        self._key = [seed, *listing.symbol.encode()]
        self.days = market.days
        rng = self._rng(0)
        volatility = market.minute_volatility
        logs = [math.log(market.first_ticks)]
        for step in rng.standard_normal(self.days) * _DAY_STEP * volatility:
            logs.append(logs[0] + (logs[-1] - logs[0]) * _DAY_KEEP + float(step))
        #: Log price in ticks at the beginning of day `k` before the market's, at [k]; [0] is the market's first.
        self._logs = logs
        busy = np.exp(_DAY_SPREAD * rng.standard_normal(self.days))
        mean = market.trades_per_minute * DAY_MINUTES
        #: Trades of day `k`, at [k - 1]; every minute has one at least.
        self._counts: list[int] = np.maximum(DAY_MINUTES, mean * busy).astype(np.int64).tolist()
        self.trade_count = sum(self._counts)
        self.aggregate_count = int(self.trade_count / _TRADES_PER_AGGREGATE)
        self._made: OrderedDict[int, Rows] = OrderedDict()

    def rows(self, from_minute: int, to_minute: int) -> Rows:
        """Bars of the minutes [from_minute, to_minute), at most 0, counted from the market's beginning.

        The columns of bars.py, with START in minutes. What lies before the first day is left out.
        """
        from_minute = max(from_minute, -self.days * DAY_MINUTES)
        if from_minute >= to_minute:
            return np.empty((0, COLUMNS), np.int64)
        days = range(-(from_minute // DAY_MINUTES), -((to_minute - 1) // DAY_MINUTES) - 1, -1)
        rows = np.concatenate([self._day(day) for day in days])
        first = -days[0] * DAY_MINUTES
        return rows[from_minute - first : to_minute - first]

    def _rng(self, stream: int) -> np.random.Generator:
        return np.random.Generator(np.random.PCG64([*self._key, *b" past", stream]))

    def _day(self, day: int) -> Rows:
        """The 1440 bars that begin `day` days before the market."""
        made = self._made.get(day)
        if made is None:
            made = self._made[day] = self._draw(day)
            if len(self._made) > _KEPT_DAYS:
                self._made.popitem(last=False)
        else:
            self._made.move_to_end(day)
        return made

    def _draw(self, day: int) -> Rows:
        rng = self._rng(day)
        opens, closes, highs, lows = self._prices(day, rng)
        counts = self._split(self._counts[day - 1], rng)
        sizes = np.exp(_MINUTE_SPREAD * rng.standard_normal(DAY_MINUTES))
        lots = np.maximum(counts, (self._market.mean_lots * counts * sizes).astype(np.int64))
        # Aggressors push the price: the more of them buy, the more it rises.
        moves = np.log(closes / opens) / self._market.minute_volatility
        shares = 1.0 / (1.0 + np.exp(-0.5 * moves - 0.3 * rng.standard_normal(DAY_MINUTES)))
        taker_lots = (lots * shares).astype(np.int64)
        quote = self._values(lots, opens, closes, highs, lows)
        taker_quote = np.where(taker_lots == lots, quote, (quote * (taker_lots / lots)).astype(np.int64))
        last_ids = sum(self._counts[day:]) + np.cumsum(counts)
        starts = np.arange(-day * DAY_MINUTES, (1 - day) * DAY_MINUTES)
        columns = (starts, opens, highs, lows, closes, lots, quote, counts, taker_lots, taker_quote)
        return np.column_stack((*columns, last_ids - counts + 1, last_ids)).astype(np.int64)

    def _prices(self, day: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], ...]:
        """Open, close, high and low of each minute, in ticks."""
        volatility = self._market.minute_volatility
        steps = (volatility * rng.standard_normal(DAY_MINUTES)).tolist()
        walk = np.array(list(accumulate(steps, lambda last, step: _MINUTE_KEEP * last + step, initial=0.0)))
        begin, end = self._logs[day], self._logs[day - 1]
        logs = begin + walk + np.linspace(0.0, 1.0, DAY_MINUTES + 1) * (end - begin - walk[-1])
        ends = np.maximum(1, np.rint(np.exp(logs)).astype(np.int64))
        before, after = logs[:-1], logs[1:]
        up, down = -2.0 * volatility**2 * np.log(1.0 - rng.random((2, DAY_MINUTES)))
        high = (before + after + np.sqrt((after - before) ** 2 + up)) / 2.0
        low = (before + after - np.sqrt((after - before) ** 2 + down)) / 2.0
        opens, closes = ends[:-1], ends[1:]
        highs = np.maximum(np.maximum(opens, closes), np.rint(np.exp(high)).astype(np.int64))
        lows = np.minimum(np.minimum(opens, closes), np.rint(np.exp(low)).astype(np.int64))
        return opens, closes, highs, np.maximum(1, lows)

    def _split(self, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """`count` trades over the minutes of a day, one at least in each."""
        weights = np.cumsum(np.exp(_MINUTE_SPREAD * rng.standard_normal(DAY_MINUTES)))
        reached = np.floor(weights / weights[-1] * (count - DAY_MINUTES)).astype(np.int64)
        minutes: NDArray[np.int64] = 1 + np.diff(reached, prepend=0)
        return minutes

    def _values(self, lots: NDArray[np.int64], *prices: NDArray[np.int64]) -> NDArray[np.int64]:
        """Quote volumes at the mean of the prices, in 1e-8."""
        scale = float(self._listing.tick_size * self._listing.lot_size) * 10**SPOT_DECIMALS
        mean = sum(price.astype(np.float64) for price in prices) / len(prices)
        values: NDArray[np.int64] = np.rint(lots * mean * scale).astype(np.int64)
        return values
