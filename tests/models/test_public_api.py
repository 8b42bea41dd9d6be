"""What holds for every model at once: Monte Carlo says its error and seed, a search says whether it converged, and no
parameter is anything but a finite number. Found by walking the packages, so that what is added later is held to it.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import typing
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import pytest

import models
from models.chiarella import BrockHommes, ChiarellaParameters, ChiarellaState, Trader
from models.cointegration import Hedge, PairSignal, Thresholds
from models.factors import Bands, Constraints
from models.hawkes import Events, HawkesParameters
from models.market_making import QuoteTable, QuotingParameters
from models.mean_reversion_portfolio import DynamicCara, Spreads
from models.optimal_execution import AlmgrenChriss, LinearSystem, OUExecution, ResilientBook
from models.optimal_stopping import GaussianStep, Regression, Sample, SignatureFeatures, StateFeatures
from models.ornstein_uhlenbeck import OUParameters
from models.price_discovery import Ticks, VECMParameters
from models.rough_heston import ElEuchRosenbaum, ForwardVariance, MeanReversion, RoughHeston
from models.rough_heston.calibration import SmileQuotes
from models.rough_heston.exponential_kernel import ExponentialKernel

#: They draw paths, events or numbers and estimate nothing.
DRAWS = {
    "models.chiarella.simulation.simulate",
    "models.hawkes.events.spread_ties",
    "models.hawkes.simulation.simulate",
    "models.optimal_stopping.problem.generator",
    "models.ornstein_uhlenbeck.process.simulate",
    "models.price_discovery.simulation.simulate_lagged_pair",
    "models.price_discovery.vecm.simulate_vecm",
    "models.rough_heston.simulation.paths.simulate",  # its `european_prices` has errors and seed
}

#: They estimate by one factorisation or one pass: it exists, or they raise.
CLOSED_FORM = {
    "models.cointegration.hedge.fit_hedge",
    "models.factors.principal.fit_factors",
    "models.optimal_stopping.longstaff_schwartz.fit_rule",
    "models.optimal_stopping.ridge.fit_ridge",
}

#: One valid example of every class of parameters or data that checks itself.
VALID: tuple[Any, ...] = (
    Trader(1.2, 0.1, 0.5),
    BrockHommes((Trader(0.0, cost=1.0), Trader(1.2)), 1.1, 2.0),
    ChiarellaParameters(0.5, 1.0, 2.0, 1.0, 0.2),
    ChiarellaState(1.0, 2.0, 0.1),
    Thresholds(2.0, 0.5),
    PairSignal(Hedge(0.0, 1.0, 0.1, "dynamic", 100), 0.0, 1.0, Thresholds(2.0, 0.5)),
    Constraints(budget=1.0, lowest=-1.0, highest=1.0, gross=2.0, exposures=np.ones((2, 1))),
    Bands(),
    Events(np.array([1.0, 2.0]), 3.0),
    HawkesParameters.univariate(1.0, 1.0, 2.0),
    QuotingParameters(2.0, 0.1, 1.5, 140.0),
    QuoteTable(np.array([[1.0, 1.0, np.inf]]), np.array([[np.inf, 1.0, 1.0]]), 1.0),
    Spreads(2.0, 0.0, 0.04),
    DynamicCara(Spreads(2.0, 0.0, 0.04), 3.0),
    AlmgrenChriss(1e6, 5.0, 5, 0.95, 2.5e-6, 2.5e-7, 0.0625),
    LinearSystem(np.eye(1), np.eye(1), np.eye(1), np.eye(1), np.eye(1)),
    ResilientBook(5000.0, 2.0, 1e-5, 0.01),
    OUExecution(np.eye(1), np.zeros(1), np.eye(1), np.eye(1), 0.5, np.eye(1), 1.0),
    GaussianStep(0.0, 1.0, 0.3),
    StateFeatures(),
    SignatureFeatures(),
    Sample(np.zeros((2, 3)), np.zeros((2, 3)), np.zeros((2, 2))),
    Regression(),
    OUParameters(1.0, 0.0, 1.0),
    Ticks([1, 2], [0.0, 1.0]),
    VECMParameters([[-0.1], [0.1]], np.eye(2)),
    SmileQuotes(np.ones(2), np.zeros(2), np.full(2, 0.2), np.ones(2)),
    RoughHeston(0.1, 0.3, -0.7, MeanReversion(0.04, 0.04), 0.3),
    ElEuchRosenbaum(0.1, 0.3, 0.04, 0.04, 0.3, -0.7),
    MeanReversion(0.04, 0.04),
    ForwardVariance((0.5, 1.0), (0.04, 0.05)),
    ExponentialKernel(np.array([0.5, 5.0]), np.array([1.0, 2.0])),
)

#: Exact decimals and a file's numbers have checks of their own kind, in their own tests.
OTHER_CHECKS = {"LinearModel", "Grid", "MarketRules"}
#: Infinity is a value there: a side without a quote, a reward that is never taken, a side that is never opened.
INFINITE = {
    ("QuoteTable", "bid"),
    ("QuoteTable", "ask"),
    ("Sample", "rewards"),
    ("Bands", "open_long"),
    ("Bands", "open_short"),
}


def modules() -> Iterator[Any]:
    for found in pkgutil.walk_packages(models.__path__, "models."):
        if not found.name.endswith("kernels"):
            yield importlib.import_module(found.name)


def functions() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Public functions, each where it is written."""
    for module in modules():
        for name, value in vars(module).items():
            if inspect.isfunction(value) and value.__module__ == module.__name__ and not name.startswith("_"):
                yield f"{module.__name__}.{name}", value


def told(kind: Any, deep: bool = True) -> set[str]:
    """Names of what a result says, and of what its parts say."""
    names: set[str] = set()
    if is_dataclass(kind) and isinstance(kind, type):
        hints = typing.get_type_hints(kind)
        for field in fields(kind):
            names |= {field.name} | (told(hints[field.name], deep=False) if deep else set())
        names |= {name for name, value in inspect.getmembers(kind) if isinstance(value, property)}
    return names


FUNCTIONS = dict(functions())
SEEDED = sorted(name for name, call in FUNCTIONS.items() if {"seed", "rng"} & set(inspect.signature(call).parameters))
SEARCHES = sorted(name for name in FUNCTIONS if name.rsplit(".", 1)[1].split("_")[0] in ("fit", "calibrate", "plan"))


def test_the_walk_finds_them_and_the_lists_are_not_stale() -> None:
    assert len(SEEDED) >= 15 and len(SEARCHES) >= 8
    assert set(SEEDED) >= DRAWS and set(SEARCHES) >= CLOSED_FORM


@pytest.mark.parametrize("name", sorted(set(SEEDED) - DRAWS))
def test_monte_carlo_says_its_error_and_its_seed(name: str) -> None:
    says = told(typing.get_type_hints(FUNCTIONS[name])["return"])
    assert "seed" in says, f"{name} gives {sorted(says)}"
    assert any("error" in word or word in ("mean_profit", "failed") for word in says), f"{name} gives {sorted(says)}"


@pytest.mark.parametrize("name", sorted(set(SEARCHES) - CLOSED_FORM))
def test_a_search_says_whether_it_converged_and_why(name: str) -> None:
    says = told(typing.get_type_hints(FUNCTIONS[name])["return"])
    assert {"converged", "reason"} <= says, f"{name} gives {sorted(says)}"


def test_every_class_that_checks_itself_is_tried() -> None:
    checked = {
        value.__name__
        for module in modules()
        for value in vars(module).values()
        if inspect.isclass(value)
        and is_dataclass(value)
        and value.__module__ == module.__name__
        and "__post_init__" in vars(value)
        and not value.__name__.startswith("_")
    }
    assert checked - OTHER_CHECKS <= {type(example).__name__ for example in VALID}


def numbers() -> Iterator[Any]:
    for example in VALID:
        for field in fields(example):
            value = getattr(example, field.name)
            if not field.init or isinstance(value, bool) or field.name == "seed":
                continue
            if isinstance(value, float) or (
                isinstance(value, np.ndarray) and value.dtype == np.float64 and value.size
            ):
                yield pytest.param(example, field.name, id=f"{type(example).__name__}-{field.name}")
            if isinstance(value, tuple) and value and isinstance(value[0], float):
                yield pytest.param(example, field.name, id=f"{type(example).__name__}-{field.name}")


@pytest.mark.parametrize(("example", "name"), list(numbers()))
def test_no_number_may_be_missing_or_infinite(example: Any, name: str) -> None:
    value = getattr(example, name)
    for bad in (np.nan, np.inf, -np.inf):
        if not np.isnan(bad) and (type(example).__name__, name) in INFINITE:
            continue
        if isinstance(value, np.ndarray):
            wrong: Any = value.copy()
            wrong.flat[0] = bad
        elif isinstance(value, tuple):
            wrong = (bad, *value[1:])
        else:
            wrong = bad
        with pytest.raises(ValueError):
            replace(example, **{name: wrong})
