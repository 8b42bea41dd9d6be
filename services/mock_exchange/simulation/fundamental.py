"""The price everybody in the simulated market believes in: calm spells around a level, and short trends."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

#: How fast a calm spell pulls the price back to where it began, per second.
CALM_PULL_PER_S: Final = 0.7
#: Mean length of a spell, calm or trending.
MEAN_SPELL_S: Final = 5.0
#: Share of spells that trend, so that momentum and mean reversion both find something to do in a minute.
TREND_SHARE: Final = 0.5
#: Noise within a trend, as a share of the configured volatility.
TREND_NOISE: Final = 0.6
#: Relative distance from the start at which a trend leads back almost surely: the price wanders, it never runs off.
HOME_RANGE: Final = 0.04


class Fundamental:
    """A log price in two regimes, drawn from a seeded generator.

    Calm: an Ornstein-Uhlenbeck process around the spell's first price. Trend: Brownian motion whose drift is
    0.5 to 1.5 volatilities a second. Spells are exponential in length; both are stepped exactly, so how
    finely time is cut changes nothing in law.
    """

    __slots__ = ("_anchor", "_drift", "_home", "_log", "_rng", "_spell_left_s", "_volatility")

    def __init__(self, start_price: float, volatility_per_sqrt_s: float, rng: np.random.Generator) -> None:
        self._home = self._log = self._anchor = math.log(start_price)
        self._volatility = volatility_per_sqrt_s
        self._rng = rng
        self._drift = 0.0
        self._spell_left_s = 0.0
        self._begin_spell()

    @property
    def price(self) -> float:
        """The fundamental price now."""
        return math.exp(self._log)

    def advance(self, dt_s: float) -> None:
        """Let `dt_s` seconds pass."""
        while dt_s >= self._spell_left_s:
            dt_s -= self._spell_left_s
            self._move(self._spell_left_s)
            self._begin_spell()
        self._move(dt_s)
        self._spell_left_s -= dt_s

    def _begin_spell(self) -> None:
        rng = self._rng
        self._spell_left_s = rng.exponential(MEAN_SPELL_S)
        self._anchor = self._log
        self._drift = 0.0
        if rng.random() < TREND_SHARE:
            away = max(-0.45, min(0.45, (self._log - self._home) / HOME_RANGE))
            direction = 1.0 if rng.random() < 0.5 - away else -1.0
            self._drift = direction * rng.uniform(0.5, 1.5) * self._volatility

    def _move(self, dt_s: float) -> None:
        if dt_s <= 0.0:
            return
        noise = self._rng.standard_normal() * self._volatility
        if self._drift:
            self._log += self._drift * dt_s + TREND_NOISE * noise * math.sqrt(dt_s)
        else:
            keep = math.exp(-CALM_PULL_PER_S * dt_s)
            spread = math.sqrt((1.0 - keep * keep) / (2.0 * CALM_PULL_PER_S))
            self._log = self._anchor + (self._log - self._anchor) * keep + noise * spread
