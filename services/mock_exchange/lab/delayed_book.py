"""A market as it was some time ago, exactly: what happens is heard at once and shown later."""

from __future__ import annotations

from collections import deque
from heapq import nlargest, nsmallest
from typing import NamedTuple

from common.messages.base import Side
from market.matching import Depth, LevelChange, Outcome
from services.mock_exchange.simulation.symbol_market import SymbolMarket


class _Heard(NamedTuple):
    time_ns: int
    changes: tuple[LevelChange, ...]
    last_ticks: int
    update_id: int


class DelayedBook:
    """The shown levels and the last price of a market `lag_ns` ago.

    It listens to the market through `on_outcome`, which the desk must have taken before. Only what lies within the
    lag waits, so memory is bounded by that much of the market's flow.
    """

    def __init__(self, market: SymbolMarket, lag_ns: int) -> None:
        depth = market.engine.depth()
        self._market = market
        self._lag_ns = lag_ns
        self._sides = {Side.BUY: dict(depth.bids), Side.SELL: dict(depth.asks)}
        self._heard_id = self._update_id = depth.update_id
        self._heard_ticks = self.last_price_ticks = market.last_price_ticks
        self._waiting: deque[_Heard] = deque()
        self._tell_next = market.on_outcome
        market.on_outcome = self._hear

    def depth(self, levels: int) -> Depth:
        """The best levels, best first, and the id they stand for.

        Raises:
            RuntimeError: the market has changed unheard: somebody took its `on_outcome` away.
        """
        if self._heard_id != self._market.engine.update_id:
            raise RuntimeError("a delayed book must be made after the desk, which takes the market's on_outcome")
        self._show()
        bids, asks = self._sides[Side.BUY], self._sides[Side.SELL]
        return Depth(self._update_id, nlargest(levels, bids.items()), nsmallest(levels, asks.items()))

    def _hear(self, outcome: Outcome) -> None:
        if outcome.changes:
            if outcome.trades:
                self._heard_ticks = outcome.trades[-1].price_ticks
            heard = _Heard(self._market.time_ns, outcome.changes, self._heard_ticks, outcome.update_id)
            self._heard_id = outcome.update_id
            self._waiting.append(heard)
            self._show()
        self._tell_next(outcome)

    def _show(self) -> None:
        until_ns = self._market.time_ns - self._lag_ns
        waiting = self._waiting
        while waiting and waiting[0].time_ns <= until_ns:
            heard = waiting.popleft()
            for side, price_ticks, lots in heard.changes:
                if lots:
                    self._sides[side][price_ticks] = lots
                else:
                    self._sides[side].pop(price_ticks, None)
            self.last_price_ticks, self._update_id = heard.last_ticks, heard.update_id
