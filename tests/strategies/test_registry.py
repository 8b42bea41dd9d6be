from __future__ import annotations

import ast
from pathlib import Path
from typing import get_args

import pytest

import strategies
from common.config import SignalConfig
from common.config.sections import StrategyName
from models.linear import LinearModel
from services.signal_bridge.indicators.layout import OUTPUTS
from strategies.registry import STRATEGIES, build_strategies

FOLDER = Path(strategies.__file__).parent


def test_what_can_be_configured_is_what_there_is() -> None:
    assert set(STRATEGIES) == set(get_args(StrategyName))


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_each_goes_by_its_name_and_needs_what_exists(name: str) -> None:
    strategy = STRATEGIES[name](SignalConfig())
    assert strategy.name == name
    assert strategy.needs
    assert set(strategy.needs) <= set(OUTPUTS)


def test_the_configured_ones_in_order_then_the_model() -> None:
    config = SignalConfig(strategies=("momentum", "mean_reversion"))
    model = LinearModel(weights={"rsi": 1.0})
    assert [s.name for s in build_strategies(config)] == ["momentum", "mean_reversion"]
    assert [s.name for s in build_strategies(config, model)] == ["momentum", "mean_reversion", "model"]
    assert [s.name for s in build_strategies(SignalConfig(strategies=()), model)] == ["model"]


def test_each_symbol_has_its_own() -> None:
    first, second = build_strategies(SignalConfig()), build_strategies(SignalConfig())
    assert not {id(s) for s in first} & {id(s) for s in second}


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_strategies_are_pure(path: Path) -> None:
    """No clock, no chance, no file, no wait."""
    forbidden = {"time", "random", "asyncio", "os", "pathlib", "io", "logging", "structlog", "datetime", "socket"}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            assert not {alias.name.split(".")[0] for alias in node.names} & forbidden
        elif isinstance(node, ast.ImportFrom):
            assert (node.module or "").split(".")[0] not in forbidden
        assert not isinstance(node, ast.AsyncFunctionDef | ast.Await)
        assert not (
            isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"open", "print"}
        )
