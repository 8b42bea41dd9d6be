"""The price everybody in the simulated market believes in: calm spells around a level, and short trends.

Paths live on a fixed grid of time and depend on nothing but a seed, a name and the time: symbols share a path of the
market as a whole, a cross is the quotient of two others, and a second venue reads the same paths a little later.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

import numpy as np

from common.config.mock_exchange import MockSymbolConfig
from common.units import NS_PER_MS, NS_PER_S

GRID_NS: Final = 10 * NS_PER_MS
_STEP_S: Final = GRID_NS / NS_PER_S
#: Grid points drawn at a time, and how many of such blocks are kept: a late reader may be 30 s behind.
_BLOCK: Final = 1000
_BLOCKS_KEPT: Final = 4
MAX_LAG_NS: Final = (_BLOCKS_KEPT - 1) * _BLOCK * GRID_NS
#: How fast a calm spell pulls the price back to where it began, per second.
CALM_PULL_PER_S: Final = 0.7
#: Mean length of a spell, calm or trending.
MEAN_SPELL_S: Final = 5.0
#: Share of spells that trend, so that momentum and mean reversion both find something to do in a minute.
TREND_SHARE: Final = 0.5
#: Noise within a trend, as a share of the configured volatility.
TREND_NOISE: Final = 0.6
#: Distance from the start, in moves of a second, at which a trend leads back almost surely: the price wanders, it
#: never runs off.
HOME_RANGE: Final = 100.0
#: A cross strays from the quotient by about this much, relative, and comes back within about a second.
CROSS_STRAY: Final = 2e-4
CROSS_PULL_PER_S: Final = 1.0
_KEEP: Final = math.exp(-CALM_PULL_PER_S * _STEP_S)
_CALM_NOISE: Final = math.sqrt((1.0 - _KEEP * _KEEP) / (2.0 * CALM_PULL_PER_S))
_TREND_NOISE: Final = TREND_NOISE * math.sqrt(_STEP_S)
_CROSS_KEEP: Final = math.exp(-CROSS_PULL_PER_S * _STEP_S)


class FundamentalPrice(Protocol):
    """A price as a function of time."""

    def log_at(self, time_ns: int) -> float:
        """Logarithm of the price at a time since the market's beginning; what was before is the first value."""
        ...

    def price_at(self, time_ns: int) -> float:
        """The price, quote currency."""
        ...


class _GridPath(ABC):
    """A process on the grid, drawn block by block from a generator of its own."""

    def __init__(self, seed: int, name: str) -> None:
        self._rng = np.random.Generator(np.random.PCG64([seed, *name.encode()]))
        self._blocks: dict[int, list[float]] = {}
        self._next_block = 0

    def at(self, time_ns: int) -> float:
        """The value at a time.

        Raises:
            ValueError: the time is more than MAX_LAG_NS behind the latest asked for.
        """
        number, place = divmod(max(0, time_ns) // GRID_NS, _BLOCK)
        while self._next_block <= number:
            self._blocks[self._next_block] = self._draw(_BLOCK)
            self._blocks.pop(self._next_block - _BLOCKS_KEPT, None)
            self._next_block += 1
        block = self._blocks.get(number)
        if block is None:
            raise ValueError(f"the path at {time_ns} ns lies too far back to be kept")
        return block[place]

    @abstractmethod
    def _draw(self, count: int) -> list[float]:
        """The next `count` values."""


class RegimePath(_GridPath):
    """Spells of two regimes, of volatility one a square root of a second, beginning at 0.

    Calm: an Ornstein-Uhlenbeck process around the spell's first value. Trend: Brownian motion whose drift is 0.5 to
    1.5 a second. Spells are exponential in length; both regimes are stepped exactly.
    """

    def __init__(self, seed: int, name: str) -> None:
        super().__init__(seed, name)
        self._value = self._anchor = 0.0
        self.drift = 0.0
        self._left = 0
        self._begin_spell()

    def _draw(self, count: int) -> list[float]:
        values = []
        value = self._value
        for noise in self._rng.standard_normal(count).tolist():
            values.append(value)
            if self._left <= 0:
                self._value = value
                self._begin_spell()
            self._left -= 1
            if self.drift:
                value += self.drift * _STEP_S + _TREND_NOISE * noise
            else:
                value = self._anchor + (value - self._anchor) * _KEEP + _CALM_NOISE * noise
        self._value = value
        return values

    def _begin_spell(self) -> None:
        rng = self._rng
        self._left = int(rng.exponential(MEAN_SPELL_S) / _STEP_S) + 1
        self._anchor = self._value
        self.drift = 0.0
        if rng.random() < TREND_SHARE:
            away = max(-0.45, min(0.45, self._value / HOME_RANGE))
            direction = 1.0 if rng.random() < 0.5 - away else -1.0
            self.drift = direction * rng.uniform(0.5, 1.5)


class _Stray(_GridPath):
    """An Ornstein-Uhlenbeck process around 0 with standard deviation one."""

    def __init__(self, seed: int, name: str) -> None:
        super().__init__(seed, name)
        self._value = 0.0

    def _draw(self, count: int) -> list[float]:
        values = []
        for noise in self._rng.standard_normal(count).tolist():
            values.append(self._value)
            self._value = self._value * _CROSS_KEEP + math.sqrt(1.0 - _CROSS_KEEP**2) * noise
        return values


class OwnPrice:
    """A symbol's fundamental: a share of the common path, the rest its own."""

    def __init__(self, config: MockSymbolConfig, common: _GridPath, own: _GridPath, lag_ns: int = 0) -> None:
        self._start = math.log(config.start_price)
        self._common_part = config.volatility_per_sqrt_s * config.correlation
        self._own_part = config.volatility_per_sqrt_s * math.sqrt(1.0 - config.correlation**2)
        self._common, self._own, self._lag_ns = common, own, lag_ns

    def log_at(self, time_ns: int) -> float:
        """Logarithm of the price."""
        time_ns -= self._lag_ns
        value = self._start
        if self._common_part:
            value += self._common_part * self._common.at(time_ns)
        if self._own_part:
            value += self._own_part * self._own.at(time_ns)
        return value

    def price_at(self, time_ns: int) -> float:
        """The price, quote currency."""
        return math.exp(self.log_at(time_ns))


class CrossPrice:
    """A cross's fundamental: what its two legs make it, nearly, so that triangles open and close."""

    def __init__(
        self, numerator: FundamentalPrice, denominator: FundamentalPrice, stray: _GridPath, lag_ns: int = 0
    ) -> None:
        self._numerator, self._denominator, self._stray, self._lag_ns = numerator, denominator, stray, lag_ns

    def following(self, numerator: FundamentalPrice, denominator: FundamentalPrice) -> CrossPrice:
        """The same cross of other legs."""
        return CrossPrice(numerator, denominator, self._stray, self._lag_ns)

    def log_at(self, time_ns: int) -> float:
        """Logarithm of the price."""
        stray = CROSS_STRAY * self._stray.at(time_ns - self._lag_ns)
        return self._numerator.log_at(time_ns) - self._denominator.log_at(time_ns) + stray

    def price_at(self, time_ns: int) -> float:
        """The price, quote currency."""
        return math.exp(self.log_at(time_ns))


def second_flow_seed(seed: int) -> int:
    """The seed of a second venue's order flow; no configured seed is so large, so no first venue has it."""
    return seed + 2**63


def fundamentals_of(
    symbols: Sequence[MockSymbolConfig], seed: int, lag_ns: int = 0
) -> Mapping[str, FundamentalPrice]:
    """Every symbol's fundamental, by its name. `lag_ns`: how late this venue learns of them, up to MAX_LAG_NS.

    The configuration has been checked: a cross names two listed symbols that are no crosses themselves.
    """
    common = RegimePath(seed, "market")
    prices: dict[str, FundamentalPrice] = {
        item.symbol: OwnPrice(item, common, RegimePath(seed, item.symbol), lag_ns)
        for item in symbols
        if item.cross_of is None
    }
    for item in symbols:
        if item.cross_of is not None:
            numerator, denominator = item.cross_of
            prices[item.symbol] = CrossPrice(
                prices[numerator], prices[denominator], _Stray(seed, item.symbol), lag_ns
            )
    return prices
