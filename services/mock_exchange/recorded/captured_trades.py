"""Trades of a capture, taken into the history of their symbol."""

from __future__ import annotations

from decimal import Decimal

import orjson

from common.messages.base import Side
from common.units import NS_PER_MS, NS_PER_US
from market.matching import Trade
from services.mock_exchange.history.market_history import Aggregate, MarketHistory

#: Times of more digits than milliseconds have are microseconds.
_FIRST_MICROSECOND = 10**14


class CapturedTrades:
    """Feeds one symbol's history. Where only aggregates were captured, each counts as one trade."""

    def __init__(self, history: MarketHistory, *, has_trades: bool) -> None:
        self._history = history
        self._has_trades = has_trades

    def apply(self, kind: str, payload: str) -> None:
        """Take in a frame of the stream `kind`; frames of other streams say nothing of trades."""
        if kind == "trade":
            self._record(payload, "t")
        elif kind == "aggTrade":
            done = orjson.loads(payload)
            ticks, lots = self._on_grid(done)
            self._history.keep_aggregate(
                Aggregate(done["a"], ticks, lots, done["f"], done["l"], self._time_ns(done), done["m"])
            )
            if not self._has_trades:
                self._record(payload, "l")

    def _record(self, payload: str, id_key: str) -> None:
        done = orjson.loads(payload)
        ticks, lots = self._on_grid(done)
        # USD-M sends trades of size 0 that are none (insurance fund), and a recorder may have seen one twice.
        if lots and done[id_key] > self._history.last_trade_id:
            aggressor = Side.SELL if done["m"] else Side.BUY
            trade = Trade(done[id_key], ticks, lots, 0, 0, aggressor, 0)
            self._history.record((trade,), self._time_ns(done))

    def _on_grid(self, done: dict[str, str]) -> tuple[int, int]:
        listing = self._history.listing
        return int(Decimal(done["p"]) / listing.tick_size), int(Decimal(done["q"]) / listing.lot_size)

    def _time_ns(self, done: dict[str, int]) -> int:
        time = done["T"]
        time_ns = time * (NS_PER_MS if time < _FIRST_MICROSECOND else NS_PER_US)
        return max(time_ns, self._history.last_time_ns)
