"""Flows at work on a book of their own."""

from __future__ import annotations

import math
from typing import get_args

from common.config import MockExchangeConfig
from common.config.mock_exchange import MockSymbolConfig
from market.matching import MatchingEngine, Outcome
from services.mock_exchange.simulation.flow import Flow
from services.mock_exchange.simulation.flows import flow_of
from services.mock_exchange.simulation.fundamental import FundamentalPrice, fundamentals_of

SYMBOLS = {item.symbol: item for item in MockExchangeConfig().symbols}
FLOWS = get_args(MockSymbolConfig.model_fields["flow"].annotation)
SECOND_NS = 1_000_000_000


class StillPrice:
    """A fundamental price that never moves."""

    def __init__(self, price: float) -> None:
        self.price = price

    def log_at(self, time_ns: int) -> float:
        return math.log(self.price)

    def price_at(self, time_ns: int) -> float:
        return self.price


def symbol(name: str = "BTCUSDT", **changes: object) -> MockSymbolConfig:
    return SYMBOLS[name].model_copy(update=changes)


def begin(
    config: MockSymbolConfig, seed: int, fundamental: FundamentalPrice | None = None
) -> tuple[MatchingEngine, Flow]:
    """A book and the flow that has filled it."""
    engine = MatchingEngine()
    price = fundamental or fundamentals_of(tuple(SYMBOLS.values()), seed)[config.symbol]
    return engine, flow_of(config, seed, engine, price)


def run(flow: Flow, until_s: float) -> list[tuple[int, list[Outcome]]]:
    """What the flow does up to a time, and when."""
    acts = []
    while flow.next_ns <= until_s * SECOND_NS:
        acts.append((flow.next_ns, flow.step()))
    return acts


def middle(engine: MatchingEngine) -> float:
    """Of the book, ticks."""
    touch = engine.touch()
    return (touch.bid_ticks + touch.ask_ticks) / 2
