"""The one list of strategies. To add one: a file with the class, a line here, its name in `StrategyName`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from common.config import SignalConfig
from models.linear import LinearModel
from strategies.base import Strategy
from strategies.mean_reversion import MeanReversion
from strategies.model import ModelStrategy
from strategies.momentum import Momentum

STRATEGIES: Final[Mapping[str, Callable[[SignalConfig], Strategy]]] = {
    MeanReversion.name: lambda config: MeanReversion(config.mean_reversion),
    Momentum.name: lambda config: Momentum(config.momentum),
}


def build_strategies(config: SignalConfig, model: LinearModel | None = None) -> tuple[Strategy, ...]:
    """Fresh strategies for one symbol: those the configuration names, in its order, then the model if any."""
    rules = [STRATEGIES[name](config) for name in config.strategies]
    return (*rules, *([ModelStrategy(model, config.model_threshold)] if model is not None else []))
