"""The model strategy: a trained linear model's probability, turned into opinions at a threshold."""

from __future__ import annotations

from typing import Final

from common.messages import Side
from models.linear import LinearModel, logistic
from strategies.base import Cooldown, FeatureSnapshot, Opinion, pick

COOLDOWN_INTERVALS: Final = 10
HORIZON_INTERVALS: Final = 30
#: Features a reason names.
_NAMED: Final = 3


class ModelStrategy:
    """Buys at a probability >= threshold, sells at one <= 1 - threshold.

    Confidence is the probability of the side taken: the model's own statement of how often it is right.
    """

    name: Final = "model"

    def __init__(self, model: LinearModel, threshold: float) -> None:
        self._model = model
        self._threshold = threshold
        self._cooldown = Cooldown(COOLDOWN_INTERVALS)

    @property
    def needs(self) -> tuple[str, ...]:
        """What the model weighs."""
        return self._model.features

    def on_features(self, snapshot: FeatureSnapshot) -> Opinion | None:
        values = pick(snapshot.values, self.needs)
        if values is None or not self._cooldown.is_over(snapshot.interval):
            return None
        parts = self._model.contributions(values)
        probability = logistic(self._model.bias + float(parts.sum()))
        if probability >= self._threshold:
            side, confidence = Side.BUY, probability
        elif probability <= 1 - self._threshold:
            side, confidence = Side.SELL, 1 - probability
        else:
            return None
        self._cooldown.start(snapshot.interval)
        by_weight = sorted(zip(parts.tolist(), self.needs, strict=True), key=lambda part: (-abs(part[0]), part[1]))
        leading = ", ".join(f"{name} {values[name]:.4g} ({part:+.2f})" for part, name in by_weight[:_NAMED])
        return Opinion(
            side=side,
            confidence=confidence,
            horizon_ns=HORIZON_INTERVALS * snapshot.interval_ns,
            reason=(
                f"the model gives a rise {probability:.1%}, {'at or over' if side is Side.BUY else 'at or under'} "
                f"{self._threshold if side is Side.BUY else 1 - self._threshold:.1%}; led by {leading}"
            ),
            features=values,
        )

    def reset(self) -> None:
        """Nothing is compared from one snapshot to the next."""
