"""The latest trades of a market; where it is too young to have so many, what came before is drawn by the seed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from common.units import NS_PER_S
from services.mock_exchange.history.market_history import PastTrade
from services.mock_exchange.simulation.symbol_market import SymbolMarket


class Opening(NamedTuple):
    """Where a market began: what lies before it is reckoned from here."""

    seed: str
    price_ticks: int
    lots: int


def latest(market: SymbolMarket, count: int, until_ns: int) -> list[PastTrade]:
    """Up to `count` trades that happened by `until_ns`, oldest first."""
    asked = count
    while True:
        found = market.history.trades(asked)
        done = [trade for trade in found if trade.time_ns <= until_ns]
        if len(done) >= count or len(found) < asked:
            return done[-count:]
        asked += count + len(found) - len(done)


def before_open(market: SymbolMarket, count: int, opening: Opening) -> list[PastTrade]:
    """`count` trades before the market's first, oldest first, their ids counting down from its id.

    The k-th before the opening is the same however many are asked for. Price: a walk of up to 1 bps a step; size:
    exponential around the opening's; time: a second apart on average.
    """
    name = f"{opening.seed}:{market.listing.symbol}:before open"
    draw = np.random.Generator(np.random.PCG64([*name.encode()]))
    first = market.history.trades(1, from_id=0)
    trade_id = (first[0].trade_id if first else market.engine.last_trade_id + 1) - 1
    time_ns, ticks = market.origin_ns, opening.price_ticks
    made = []
    for _ in range(count):
        time_ns -= 1 + int(draw.exponential() * NS_PER_S)
        ticks = max(1, ticks + round(ticks * draw.uniform(-1e-4, 1e-4)))
        lots = 1 + int(draw.exponential(opening.lots))
        made.append(PastTrade(trade_id, ticks, lots, time_ns, int(draw.integers(2))))
        trade_id -= 1
    return made[::-1]
