"""The logistic-linear model: probability = 1 / (1 + exp(-(bias + sum of weight x (value - mean) / scale)))."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
#: Most features a model may weigh.
MAX_FEATURES = 1000


@dataclass(frozen=True)
class LinearModel:
    """A trained model, by feature name.

    Args:
        weights: at least one feature, in the units of its scaled value.
        bias: added to the weighted sum.
        mean, scale: of each feature in training; 0 and 1 where not given. Only weighted features may be named.

    Raises:
        ValueError: a number is not finite, a scale is not above 0, or a mean or scale has no weight; the message
            begins with the field's path, like `scale.rsi`.
    """

    weights: Mapping[str, float]
    bias: float = 0.0
    mean: Mapping[str, float] = field(default_factory=dict)
    scale: Mapping[str, float] = field(default_factory=dict)
    _weight: FloatArray = field(init=False, repr=False, compare=False)
    _mean: FloatArray = field(init=False, repr=False, compare=False)
    _scale: FloatArray = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.weights:
            raise ValueError("weights: there are none; give at least one feature its weight")
        if len(self.weights) > MAX_FEATURES:
            raise ValueError(f"weights: {len(self.weights)} features; at most {MAX_FEATURES} are read")
        _check_finite("bias", self.bias)
        for name in ("weights", "mean", "scale"):
            for key, value in getattr(self, name).items():
                _check_finite(f"{name}.{key}", value)
                if key not in self.weights:
                    raise ValueError(f"{name}.{key}: this feature has no weight; remove it or add weights.{key}")
                if name == "scale" and value <= 0:
                    raise ValueError(f"scale.{key}: {value:g} is not above 0; a feature that never varied has no use")
        for name, default, given in (
            ("_weight", 0.0, self.weights),
            ("_mean", 0.0, self.mean),
            ("_scale", 1.0, self.scale),
        ):
            object.__setattr__(self, name, np.array([given.get(key, default) for key in self.weights], np.float64))

    @property
    def features(self) -> tuple[str, ...]:
        """What the model reads, in the order of its weights."""
        return tuple(self.weights)

    def contributions(self, values: Mapping[str, float]) -> FloatArray:
        """What each feature adds to the log odds, float64[len(features)].

        Raises:
            KeyError: a feature the model reads is not in `values`.
        """
        x = np.array([values[name] for name in self.weights], np.float64)
        result: FloatArray = self._weight * ((x - self._mean) / self._scale)
        return result

    def probability(self, values: Mapping[str, float]) -> float:
        """Probability, in [0, 1], that the price rises; NaN when a value is.

        Raises:
            KeyError: a feature the model reads is not in `values`.
        """
        return logistic(self.bias + float(self.contributions(values).sum()))


def logistic(log_odds: float) -> float:
    """1 / (1 + exp(-x)), without overflow at either end."""
    if log_odds >= 0:
        return 1.0 / (1.0 + math.exp(-log_odds))
    odds = math.exp(log_odds)
    return odds / (1.0 + odds)


def _check_finite(path: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{path}: {value!r} is not a finite number")
