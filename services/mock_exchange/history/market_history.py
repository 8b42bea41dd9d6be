"""One symbol's history: trades, aggregates, and bars of seconds and minutes from which every kline is made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from common.messages.base import Side
from common.units import NS_PER_MS
from market.matching import Trade
from services.mock_exchange.history.bars import (
    CLOSE,
    COLUMNS,
    OPEN,
    START,
    Bar,
    OpenBar,
    Rows,
    flat,
    grouped,
    joined,
    total,
)
from services.mock_exchange.history.intervals import DAY_MS, MINUTE_MS, SECOND_MS, Interval
from services.mock_exchange.history.prehistory import Prehistory
from services.mock_exchange.history.row_log import RowLog
from services.mock_exchange.listing import Listing
from services.mock_exchange.trading.amounts import UNIT

#: What is kept at least: trades and aggregates (five requests' worth), bars of a second, of a minute (30 days).
KEPT_TRADES: Final = 5000
KEPT_SECONDS: Final = 1800
KEPT_MINUTES: Final = 30 * DAY_MS // MINUTE_MS


class PastTrade(NamedTuple):
    """A trade as stored."""

    trade_id: int
    price_ticks: int
    qty_lots: int
    time_ns: int
    #: 1 when the buyer was the maker: the aggressor sold.
    buyer_is_maker: int


class Aggregate(NamedTuple):
    """All matches of one taker order at one price."""

    aggregate_id: int
    price_ticks: int
    qty_lots: int
    first_id: int
    last_id: int
    time_ns: int
    buyer_is_maker: int


class MarketHistory:
    """Fed with every trade, in order of time; asked for anything up to the market's present.

    Times a caller gives as the present never go back. `first_ticks` is the price before the first trade.
    """

    def __init__(self, listing: Listing, first_ticks: int, past: Prehistory | None = None) -> None:
        self.listing = listing
        self.last_ticks = first_ticks
        self.last_lots = 0
        self.last_time_ns = 0
        self.last_trade_id = past.trade_count if past else 0
        self.last_aggregate_id = past.aggregate_count if past else 0
        self._value = listing.tick_amount * listing.lot_amount
        self._first_ticks = first_ticks
        self._past = past
        self._begin_ms: int | None = None
        self._trades = RowLog(len(PastTrade._fields), KEPT_TRADES)
        self._aggregates = RowLog(len(Aggregate._fields), KEPT_TRADES)
        self._seconds = RowLog(COLUMNS, KEPT_SECONDS)
        self._minutes = RowLog(COLUMNS, KEPT_MINUTES)
        self._second: OpenBar | None = None
        self._minute: OpenBar | None = None
        #: Sums of whole minutes up to `_closed_ms`, by where they begin; and the closes before those.
        self._closed_ms = 0
        self._closed: dict[int, Bar] = {}
        self._before: dict[int, int] = {}

    def begin(self, time_ns: int) -> None:
        """The market opens; its past lies before this minute. Later calls change nothing."""
        if self._begin_ms is None:
            time_ms = time_ns // NS_PER_MS
            self._begin_ms = time_ms - time_ms % MINUTE_MS
            self.last_time_ns = time_ns

    def record(self, trades: Sequence[Trade], time_ns: int) -> None:
        """Take in trades of one moment."""
        time_ms = time_ns // NS_PER_MS
        second, minute = self._opened(time_ms, trades[0])
        for trade in trades:
            trade_id, ticks, lots, _, _, aggressor, _ = trade
            buys = aggressor is Side.BUY
            quote = ticks * lots * self._value // UNIT
            second.add(trade_id, ticks, lots, quote, buys)
            minute.add(trade_id, ticks, lots, quote, buys)
            self._trades.append((trade_id, ticks, lots, time_ns, not buys))
        self.last_ticks, self.last_lots, self.last_trade_id = ticks, lots, trade_id
        self.last_time_ns = time_ns

    def aggregate(self, trades: Sequence[Trade], time_ns: int) -> list[Aggregate]:
        """Number one taker order's trades as aggregates and keep those."""
        made = []
        sells = trades[0].aggressor is Side.SELL
        first, lots = trades[0], 0
        for trade, following in zip(trades, (*trades[1:], None), strict=True):
            lots += trade.qty_lots
            if following is None or following.price_ticks != trade.price_ticks:
                number, ticks = self.last_aggregate_id + 1, trade.price_ticks
                made.append(Aggregate(number, ticks, lots, first.trade_id, trade.trade_id, time_ns, sells))
                self.keep_aggregate(made[-1])
                if following is not None:
                    first, lots = following, 0
        return made

    def keep_aggregate(self, aggregate: Aggregate) -> None:
        """Keep an aggregate that is numbered already."""
        self.last_aggregate_id = aggregate.aggregate_id
        self._aggregates.append(aggregate)

    def trades(self, limit: int, from_id: int | None = None) -> list[PastTrade]:
        """The latest trades, or those from an id on; oldest first."""
        rows = self._trades.rows()
        first = len(rows) - limit if from_id is None else int(np.searchsorted(rows[:, 0], from_id))
        return [PastTrade(*row) for row in rows[max(0, first) :][:limit].tolist()]

    def aggregates(
        self, limit: int, *, from_id: int | None = None, start_ns: int | None = None, end_ns: int | None = None
    ) -> list[Aggregate]:
        """The latest aggregates up to `end_ns`, or the first from an id or a time on; oldest first, ends included."""
        rows = self._aggregates.rows()
        times = rows[:, Aggregate._fields.index("time_ns")]
        last = len(rows) if end_ns is None else int(np.searchsorted(times, end_ns, side="right"))
        if from_id is not None:
            first = int(np.searchsorted(rows[:, 0], from_id))
        elif start_ns is not None:
            first = int(np.searchsorted(times, start_ns))
        else:
            first = max(0, last - limit)
        return [Aggregate(*row) for row in rows[first:last][:limit].tolist()]

    def bars(
        self,
        interval: Interval,
        now_ms: int,
        *,
        offset_ms: int = 0,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 500,
    ) -> list[Bar]:
        """Bars that begin within [start_ms, end_ms]: the first ones with a start given, else the latest ones.

        The last may be unfinished. Bars without a trade are there too, flat at the close before them.
        """
        begins_ms = self._first_ms(interval)
        if begins_ms is None:
            return []
        last = interval.index_of(now_ms if end_ms is None else min(now_ms, end_ms), offset_ms)
        first = interval.index_of(begins_ms, offset_ms)
        if start_ms is None:
            first = max(first, last - limit + 1)
        else:
            first = max(first, interval.index_of(start_ms - 1, offset_ms) + 1)
            last = min(last, first + limit - 1)
        if first > last:
            return []
        opens = [interval.open_at(index, offset_ms) for index in range(first, last + 2)]
        rows = self._rows(opens[0], opens[-1], interval.length_ms == SECOND_MS)
        found = grouped(rows, interval.indices_of(rows[:, START], offset_ms))
        close = None
        made = []
        for index, open_ms, end in zip(range(first, last + 1), opens, opens[1:], strict=False):
            row = found.get(index)
            if row is not None:
                made.append(Bar(open_ms, end, *row[OPEN:]))
            else:
                close = self._close_before(open_ms) if close is None else close
                made.append(flat(open_ms, end, close))
            close = made[-1].close_ticks
        return made

    def span(self, start_ms: int, now_ms: int) -> Bar:
        """Everything from `start_ms`, a whole minute, to the present, as one bar. Cheap when asked again."""
        minute_ms = now_ms - now_ms % MINUTE_MS
        closed = self._closed_bar(start_ms, minute_ms)
        minute = self._minute
        if minute is None or minute.start_ms < max(start_ms, minute_ms):
            return closed._replace(end_ms=now_ms)
        return joined(closed, Bar(minute.start_ms, now_ms, *minute.row()[OPEN:]))

    def finished(self, start_ms: int, end_ms: int) -> Bar:
        """A bar whose end has come; whole minutes, or one second of the latest."""
        rows = self._rows(start_ms, end_ms, end_ms - start_ms == SECOND_MS)
        return total(rows, start_ms, end_ms) if len(rows) else flat(start_ms, end_ms, self._close_before(start_ms))

    def close_before(self, start_ms: int, now_ms: int) -> int:
        """The last price before `start_ms`, a whole minute. Cheap when asked again."""
        self._forget_older(now_ms - now_ms % MINUTE_MS)
        found = self._before.get(start_ms)
        if found is None:
            found = self._before[start_ms] = self._close_before(start_ms)
        return found

    def average_amount(self, minutes: int, now_ms: int) -> int:
        """Volume-weighted price of the last `minutes`, 1e-8 of the quote asset; the last price when nothing traded.

        The oldest trades leave by the minute: up to 59,999 ms more count than asked for.
        """
        bar = self.span(_minute_of(now_ms - minutes * MINUTE_MS), now_ms) if minutes else None
        if bar is None or not bar.lots:
            return self.last_ticks * self.listing.tick_amount
        return bar.quote * UNIT // (bar.lots * self.listing.lot_amount)

    def average_price_ticks(self, minutes: int, now_ms: int) -> int:
        """The same in ticks, rounded."""
        tick = self.listing.tick_amount
        return max(1, (self.average_amount(minutes, now_ms) + tick // 2) // tick)

    def _opened(self, time_ms: int, trade: Trade) -> tuple[OpenBar, OpenBar]:
        """The bars that take trades of `time_ms`; those before them are stored when they are over."""
        second, minute = self._second, self._minute
        if second is None or time_ms - second.start_ms >= SECOND_MS:
            if second is not None:
                self._seconds.append(second.row())
            second = self._second = OpenBar(time_ms - time_ms % SECOND_MS, trade.price_ticks, trade.trade_id)
        if minute is None or time_ms - minute.start_ms >= MINUTE_MS:
            if minute is not None:
                self._minutes.append(minute.row())
            minute = self._minute = OpenBar(_minute_of(time_ms), trade.price_ticks, trade.trade_id)
        return second, minute

    def _rows(self, start_ms: int, end_ms: int, in_seconds: bool) -> Rows:
        """Bars with trades that begin in [start_ms, end_ms)."""
        log, latest = (self._seconds, self._second) if in_seconds else (self._minutes, self._minute)
        rows = log.rows()
        first, last = np.searchsorted(rows[:, START], (start_ms, end_ms)).tolist()
        parts = [rows[first:last]]
        if latest is not None and start_ms <= latest.start_ms < end_ms:
            parts.append(np.array([latest.row()], np.int64))
        if not in_seconds:
            parts.insert(0, self._past_rows(start_ms, end_ms))
        return np.concatenate(parts)

    def _past_rows(self, start_ms: int, end_ms: int) -> Rows:
        begin_ms = self._begin_ms
        if self._past is None or begin_ms is None or start_ms >= begin_ms or self._minutes.dropped:
            return np.empty((0, COLUMNS), np.int64)
        # A whole minute's bar belongs to the span its start lies in.
        first, last = (-((begin_ms - time_ms) // MINUTE_MS) for time_ms in (start_ms, min(end_ms, begin_ms)))
        rows = self._past.rows(first, last).copy()
        rows[:, START] = rows[:, START] * MINUTE_MS + begin_ms
        return rows

    def _first_ms(self, interval: Interval) -> int | None:
        """Where the history begins; None before there is any."""
        if interval.length_ms == SECOND_MS:
            log, latest = self._seconds, self._second
        else:
            log, latest = self._minutes, self._minute
            if self._past is not None and self._past.days and self._begin_ms is not None and not log.dropped:
                return self._begin_ms - self._past.days * DAY_MS
        rows = log.rows()
        if len(rows):
            return int(rows[0, START])
        return None if latest is None else latest.start_ms

    def _close_before(self, time_ms: int) -> int:
        """The last price before `time_ms`, as bars of a second tell, then of a minute."""
        for log, latest in ((self._seconds, self._second), (self._minutes, self._minute)):
            if latest is not None and latest.start_ms < time_ms:
                return latest.close
            rows = log.rows()
            found = int(np.searchsorted(rows[:, START], time_ms)) - 1
            if found >= 0:
                return int(rows[found, CLOSE])
        past = self._past_rows(time_ms - MINUTE_MS, time_ms)
        return int(past[-1, CLOSE]) if len(past) else self._first_ticks

    def _closed_bar(self, start_ms: int, end_ms: int) -> Bar:
        self._forget_older(end_ms)
        bar = self._closed.get(start_ms)
        if bar is None:
            bar = self._closed[start_ms] = self.finished(start_ms, end_ms)
        return bar

    def _forget_older(self, minute_ms: int) -> None:
        if self._closed_ms != minute_ms:
            self._closed_ms = minute_ms
            self._closed.clear()
            self._before.clear()


def _minute_of(time_ms: int) -> int:
    return time_ms - time_ms % MINUTE_MS
