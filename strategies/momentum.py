"""Momentum: MACD crosses its signal line, and the book leans the same way.

Buys when the histogram turns from <= 0 to > 0 while the imbalance of the book's first levels is at least
`min_imbalance`, sells the opposite. The book must agree because crosses of short intervals are mostly noise, and
imbalance is what foretells the next mid (R. Cont, A. Kukanov, S. Stoikov, The Price Impact of Order Book Events,
2014).
"""

from __future__ import annotations

from typing import Final

from common.config.sections import MomentumConfig
from common.messages import Side
from strategies.base import Cooldown, FeatureSnapshot, Opinion, pick


class Momentum:
    """Confidence = 0.5 + 0.25 x force + 0.25 x |imbalance|.

    force: the histogram's change in this interval over the average true range, at most 1; 0 where the range is 0.
    """

    name: Final = "momentum"
    needs: Final = ("macd", "macd_signal", "macd_histogram", "imbalance", "atr")

    def __init__(self, config: MomentumConfig) -> None:
        self._config = config
        self._cooldown = Cooldown(config.cooldown_intervals)
        self._before: float | None = None

    def on_features(self, snapshot: FeatureSnapshot) -> Opinion | None:
        histogram = snapshot.values.get("macd_histogram")
        before, self._before = self._before, histogram
        values = pick(snapshot.values, self.needs)
        if values is None or histogram is None or before is None or not self._cooldown.is_over(snapshot.interval):
            return None
        imbalance = values["imbalance"]
        if before <= 0 < histogram and imbalance >= self._config.min_imbalance:
            side = Side.BUY
        elif before >= 0 > histogram and imbalance <= -self._config.min_imbalance:
            side = Side.SELL
        else:
            return None
        self._cooldown.start(snapshot.interval)
        atr = values["atr"]
        force = min(1.0, abs(histogram - before) / atr) if atr > 0 else 0.0
        return Opinion(
            side=side,
            confidence=0.5 + 0.25 * force + 0.25 * abs(imbalance),
            horizon_ns=self._config.horizon_intervals * snapshot.interval_ns,
            reason=(
                f"MACD {values['macd']:.4g} crossed {'above' if side is Side.BUY else 'below'} its signal "
                f"{values['macd_signal']:.4g} (histogram {before:+.4g} -> {histogram:+.4g}) and the book agrees: "
                f"imbalance {imbalance:+.2f}"
            ),
            features=values,
        )

    def reset(self) -> None:
        """A cross over a hole in the data is not a cross."""
        self._before = None
