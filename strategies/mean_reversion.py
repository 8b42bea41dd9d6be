"""Mean reversion: a price stretched out of its Bollinger band, with an RSI that agrees, is expected to come back.

Buys at or below the lower band with RSI at or below `rsi_low`, sells at or above the upper with RSI at or above
`rsi_high` (J. Bollinger, Bollinger on Bollinger Bands, 2001, method III: a reversal needs a second indicator).
"""

from __future__ import annotations

from typing import Final

from common.config.sections import MeanReversionConfig
from common.messages import Side
from strategies.base import Cooldown, FeatureSnapshot, Opinion, pick

#: A close this share of the band's width outside of it counts as stretched to the full.
FULL_STRETCH: Final = 0.25


class MeanReversion:
    """Confidence = 0.5 + 0.25 x stretch + 0.25 x depth.

    stretch: how far the close is outside the band, as a share of the band's width, over FULL_STRETCH, at most 1.
    depth: how far RSI is beyond its threshold, over the way left to 0 (or 100).
    """

    name: Final = "mean_reversion"
    needs: Final = ("rsi", "bb_percent", "bb_lower", "bb_upper", "bb_width")

    def __init__(self, config: MeanReversionConfig) -> None:
        self._config = config
        self._cooldown = Cooldown(config.cooldown_intervals)

    def on_features(self, snapshot: FeatureSnapshot) -> Opinion | None:
        values = pick(snapshot.values, self.needs)
        # A band without width says nothing: the market stands still.
        if values is None or values["bb_width"] <= 0 or not self._cooldown.is_over(snapshot.interval):
            return None
        rsi, percent, config = values["rsi"], values["bb_percent"], self._config
        if percent <= 0 and rsi <= config.rsi_low:
            side, outside, depth = Side.BUY, -percent, (config.rsi_low - rsi) / config.rsi_low
        elif percent >= 1 and rsi >= config.rsi_high:
            side, outside, depth = Side.SELL, percent - 1, (rsi - config.rsi_high) / (100 - config.rsi_high)
        else:
            return None
        self._cooldown.start(snapshot.interval)
        return Opinion(
            side=side,
            confidence=0.5 + 0.25 * min(1.0, outside / FULL_STRETCH) + 0.25 * min(1.0, depth),
            horizon_ns=config.horizon_intervals * snapshot.interval_ns,
            reason=self._reason(side, snapshot.close, outside, values),
            features=values,
        )

    def reset(self) -> None:
        """Nothing is compared from one snapshot to the next."""

    def _reason(self, side: Side, close: float, outside: float, values: dict[str, float]) -> str:
        if side is Side.BUY:
            band, where, word, level = values["bb_lower"], "below the lower", "at or under", self._config.rsi_low
        else:
            band, where, word, level = values["bb_upper"], "above the upper", "at or over", self._config.rsi_high
        return (
            f"mid {close:.10g} is {outside:.1%} of the band's width {where} Bollinger band {band:.10g} "
            f"and RSI {values['rsi']:.1f} is {word} {level:g}: expected to come back"
        )
