"""A market as it was some time ago, exactly: what happens is heard at once and shown later."""

from __future__ import annotations

from collections import deque
from heapq import nlargest, nsmallest
from typing import Final

from common.messages.base import Side
from market.matching import Depth, Outcome
from services.mock_exchange.simulation.symbol_market import SymbolMarket

#: So many heard outcomes are looked through at once, where nobody asks: hearing must cost the market little.
_BATCH: Final = 1024


class DelayedBook:
    """The shown levels and the last price of a market `lag_ns` ago.

    It listens to the market through `on_outcome`, which the desk must have taken before. What lies within the lag
    waits, and not much more, so memory is bounded by that much of the market's flow.
    """

    def __init__(self, market: SymbolMarket, lag_ns: int) -> None:
        depth = market.engine.depth()
        self._market = market
        self._lag_ns = lag_ns
        self._bids, self._asks = dict(depth.bids), dict(depth.asks)
        self._update_id = depth.update_id
        self._last_ticks = market.last_price_ticks
        #: (when, what), oldest first.
        self._waiting: deque[tuple[int, Outcome]] = deque()
        self._batch = _BATCH
        self._tell_next = market.on_outcome
        market.on_outcome = self._hear

    def depth(self, levels: int) -> Depth:
        """The best levels, best first, and the id they stand for.

        Raises:
            RuntimeError: the market has changed unheard: somebody took its `on_outcome` away.
        """
        heard_id = self._waiting[-1][1].update_id if self._waiting else self._update_id
        if heard_id != self._market.engine.update_id:
            raise RuntimeError("a delayed book must be made after the desk, which takes the market's on_outcome")
        self._show()
        bids, asks = nlargest(levels, self._bids.items()), nsmallest(levels, self._asks.items())
        return Depth(self._update_id, bids, asks)

    @property
    def last_price_ticks(self) -> int:
        """Of the latest trade then; before the first, the middle of the first book."""
        self._show()
        return self._last_ticks

    def _hear(self, outcome: Outcome) -> None:
        if outcome.changes:
            market = self._market
            self._waiting.append((market.origin_ns + market.now_ns, outcome))
            if len(self._waiting) >= self._batch:
                self._show()
                self._batch = len(self._waiting) + _BATCH
        self._tell_next(outcome)

    def _show(self) -> None:
        until_ns = self._market.time_ns - self._lag_ns
        waiting = self._waiting
        while waiting and waiting[0][0] <= until_ns:
            _, outcome = waiting.popleft()
            for side, price_ticks, lots in outcome.changes:
                levels = self._bids if side is Side.BUY else self._asks
                if lots:
                    levels[price_ticks] = lots
                else:
                    levels.pop(price_ticks, None)
            if outcome.trades:
                self._last_ticks = outcome.trades[-1].price_ticks
            self._update_id = outcome.update_id
