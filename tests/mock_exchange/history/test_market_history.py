"""A symbol's history against a slow twin that keeps every trade and adds up from scratch."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.messages.base import Side
from common.units import NS_PER_MS
from market.matching import Trade
from services.mock_exchange.history.bars import Bar, flat
from services.mock_exchange.history.intervals import DAY_MS, HOUR_MS, INTERVALS, MINUTE_MS, Interval
from services.mock_exchange.history.market_history import KEPT_TRADES, MarketHistory
from services.mock_exchange.history.prehistory import PastMarket, Prehistory
from services.mock_exchange.listing import Listing

#: A tick times a lot is finer than what quote volumes are written in.
LISTING = Listing("ETHBTC", "ETH", "BTC", Decimal("0.00001"), Decimal("0.0001"), Decimal("0.0001"))
FIRST_TICKS = 5000
BEGIN_MS = 1_700_000_000_123


class Done(NamedTuple):
    trade_id: int
    ticks: int
    lots: int
    is_buy: bool
    time_ms: int

    @property
    def quote(self) -> int:
        """In 1e-8, cut."""
        return int(self.ticks * self.lots * LISTING.tick_size * LISTING.lot_size * 10**8)


#: What passes before a trade, milliseconds: same moment, same minute, next ones, days.
GAPS = st.one_of(st.just(0), st.integers(1, 3000), st.integers(1, 10 * MINUTE_MS), st.integers(1, 2 * DAY_MS))
DRAWN = st.lists(st.tuples(GAPS, st.integers(4900, 5100), st.integers(1, 10**6), st.booleans()), max_size=40)


def play(drawn, past: Prehistory | None = None) -> tuple[MarketHistory, list[Done], int]:
    history = MarketHistory(LISTING, FIRST_TICKS, past)
    history.begin(BEGIN_MS * NS_PER_MS)
    done: list[Done] = []
    now_ms = BEGIN_MS
    for gap_ms, ticks, lots, is_buy in drawn:
        now_ms += gap_ms
        trade_id = history.last_trade_id + 1
        done.append(Done(trade_id, ticks, lots, is_buy, now_ms))
        side = Side.BUY if is_buy else Side.SELL
        history.record([Trade(trade_id, ticks, lots, 1, 2, side, 0)], now_ms * NS_PER_MS + 7)
    return history, done, now_ms


def slow_bar(done: list[Done], start_ms: int, end_ms: int, before_ticks: int) -> Bar:
    mine = [trade for trade in done if start_ms <= trade.time_ms < end_ms]
    if not mine:
        earlier = [trade.ticks for trade in done if trade.time_ms < start_ms]
        return flat(start_ms, end_ms, earlier[-1] if earlier else before_ticks)
    bought = [trade for trade in mine if trade.is_buy]
    prices = [trade.ticks for trade in mine]
    return Bar(
        start_ms, end_ms, prices[0], max(prices), min(prices), prices[-1], sum(t.lots for t in mine),
        sum(t.quote for t in mine), len(mine), sum(t.lots for t in bought), sum(t.quote for t in bought),
        mine[0].trade_id, mine[-1].trade_id,
    )  # fmt: skip


def slow_bars(done: list[Done], interval: Interval, now_ms: int, offset_ms: int) -> list[Bar]:
    if not done:
        return []
    bars = []
    first_ms = done[0].time_ms if interval.length_ms == 1000 else done[0].time_ms // MINUTE_MS * MINUTE_MS
    index = interval.index_of(first_ms, offset_ms)
    while interval.open_at(index, offset_ms) <= now_ms:
        start, end = interval.open_at(index, offset_ms), interval.open_at(index + 1, offset_ms)
        bars.append(slow_bar(done, start, end, FIRST_TICKS))
        index += 1
    return bars


@settings(max_examples=60, deadline=None)
@given(DRAWN, st.integers(0, 2 * HOUR_MS), st.sampled_from([0, 8 * HOUR_MS, -3 * HOUR_MS - 30 * MINUTE_MS]))
def test_bars_of_every_interval_are_what_the_trades_add_up_to(drawn, wait_ms, offset_ms) -> None:
    history, done, now_ms = play(drawn)
    now_ms += wait_ms
    for interval in INTERVALS.values():
        if interval.length_ms == 1000 and done and now_ms - done[0].time_ms > HOUR_MS:
            continue
        expected = slow_bars(done, interval, now_ms, offset_ms)
        assert history.bars(interval, now_ms, offset_ms=offset_ms, limit=10**6) == expected
        assert history.bars(interval, now_ms, offset_ms=offset_ms, limit=3) == expected[-3:]


@settings(max_examples=60, deadline=None)
@given(DRAWN, st.integers(-HOUR_MS, DAY_MS), st.integers(-HOUR_MS, DAY_MS), st.integers(1, 20))
def test_a_start_gives_the_first_bars_and_an_end_alone_the_last(drawn, start, end, limit) -> None:
    history, done, now_ms = play(drawn)
    interval = INTERVALS["5m"]
    start_ms, end_ms = BEGIN_MS + start, BEGIN_MS + end
    every = slow_bars(done, interval, now_ms, 0)
    within = [bar for bar in every if start_ms <= bar.start_ms <= end_ms]
    until = [bar for bar in every if bar.start_ms <= end_ms]
    assert history.bars(interval, now_ms, start_ms=start_ms, end_ms=end_ms, limit=limit) == within[:limit]
    assert history.bars(interval, now_ms, end_ms=end_ms, limit=limit) == until[-limit:]
    since = [bar for bar in every if bar.start_ms >= start_ms]
    assert history.bars(interval, now_ms, start_ms=start_ms, limit=limit) == since[:limit]


@settings(max_examples=60, deadline=None)
@given(DRAWN, st.integers(1, 1500), st.integers(0, 5 * MINUTE_MS))
def test_spans_and_averages_at_every_moment(drawn, minutes, wait_ms) -> None:
    for count in range(len(drawn) + 1):
        history, done, now_ms = play(drawn[:count])
        # Asked twice, and once before: what is kept must not be wrong later.
        for present_ms in (now_ms, now_ms + wait_ms, now_ms + wait_ms):
            start_ms = (present_ms - minutes * MINUTE_MS) // MINUTE_MS * MINUTE_MS
            expected = slow_bar(done, start_ms, present_ms + 1, FIRST_TICKS)._replace(end_ms=present_ms)
            assert history.span(start_ms, present_ms) == expected
            before = [trade.ticks for trade in done if trade.time_ms < start_ms]
            assert history.close_before(start_ms, present_ms) == (before[-1] if before else FIRST_TICKS)
            price = history.average_amount(minutes, present_ms)
            if expected.trades:
                assert price == expected.quote * 10**8 // (expected.lots * LISTING.lot_amount)
            else:
                assert price == expected.close_ticks * LISTING.tick_amount


@settings(max_examples=40, deadline=None)
@given(DRAWN)
def test_asking_in_between_changes_nothing(drawn) -> None:
    asked, done, _ = MarketHistory(LISTING, FIRST_TICKS), [], 0
    asked.begin(BEGIN_MS * NS_PER_MS)
    now_ms = BEGIN_MS
    for gap_ms, ticks, lots, is_buy in drawn:
        now_ms += gap_ms
        done.append(Done(len(done) + 1, ticks, lots, is_buy, now_ms))
        trade = Trade(len(done), ticks, lots, 1, 2, Side.BUY if is_buy else Side.SELL, 0)
        asked.record([trade], now_ms * NS_PER_MS)
        start_ms = (now_ms - DAY_MS) // MINUTE_MS * MINUTE_MS
        expected = slow_bar(done, start_ms, now_ms + 1, FIRST_TICKS)._replace(end_ms=now_ms)
        assert asked.span(start_ms, now_ms) == expected
        month_ms = INTERVALS["1M"].open_of(now_ms)
        expected = slow_bar(done, month_ms, now_ms + 1, FIRST_TICKS)._replace(end_ms=now_ms)
        assert asked.span(month_ms, now_ms) == expected
    assert asked.bars(INTERVALS["1m"], now_ms, limit=10**6) == slow_bars(done, INTERVALS["1m"], now_ms, 0)


def test_the_average_with_nothing_traded_is_the_last_price_and_so_is_that_of_no_minutes() -> None:
    history, _, now_ms = play([(5, 4950, 10, True), (MINUTE_MS, 5050, 10, True)])
    assert history.average_price_ticks(0, now_ms) == 5050
    assert history.average_price_ticks(5, now_ms) == 5000
    assert history.average_price_ticks(5, now_ms + HOUR_MS) == 5050
    assert MarketHistory(LISTING, FIRST_TICKS).average_price_ticks(5, BEGIN_MS) == FIRST_TICKS


def past(days: int) -> Prehistory:
    return Prehistory(LISTING, PastMarket(FIRST_TICKS, 0.003, 20.0, 500.0, days), 4)


def test_the_past_joins_the_live_trades() -> None:
    history, done, now_ms = play([(5000, 5050, 10, True), (70_000, 4990, 20, False)], past(2))
    assert done[0].trade_id == past(2).trade_count + 1
    minutes = history.bars(INTERVALS["1m"], now_ms, limit=10**6)
    assert len(minutes) == 2 * 1440 + 2
    begin_ms = BEGIN_MS // MINUTE_MS * MINUTE_MS
    assert minutes[-3].end_ms == begin_ms and minutes[-3].close_ticks == FIRST_TICKS
    assert minutes[-3].last_id + 1 == minutes[-2].first_id == done[0].trade_id
    assert [bar.start_ms for bar in minutes] == list(range(minutes[0].start_ms, now_ms, MINUTE_MS))
    day = history.span((now_ms - DAY_MS) // MINUTE_MS * MINUTE_MS, now_ms)
    mine = [bar for bar in minutes if bar.start_ms >= day.start_ms]
    assert day.lots == sum(bar.lots for bar in mine) and day.quote == sum(bar.quote for bar in mine)
    assert day.high_ticks == max(bar.high_ticks for bar in mine) and day.first_id == mine[0].first_id
    assert history.close_before(day.start_ms, now_ms) == next(
        bar.close_ticks for bar in minutes if bar.end_ms == day.start_ms
    )


@pytest.mark.parametrize("offset_ms", [0, 8 * HOUR_MS])
def test_klines_of_all_intervals_nest(offset_ms) -> None:
    drawn = [(37_000 + 1000 * (n % 7), 4950 + n % 100, 1 + n * n % 1000, n % 3 == 0) for n in range(200)]
    history, _, now_ms = play(drawn, past(3))
    fine = history.bars(INTERVALS["1m"], now_ms, limit=10**6)
    for interval in list(INTERVALS.values())[2:]:
        parts: dict[int, list[Bar]] = {}
        for bar in fine:
            parts.setdefault(interval.index_of(bar.start_ms, offset_ms), []).append(bar)
        coarse = history.bars(interval, now_ms, offset_ms=offset_ms, limit=10**6)
        assert len(coarse) == len(parts)
        for bar, group in zip(coarse, parts.values(), strict=True):
            traded = [part for part in group if part.trades]
            assert bar.lots == sum(part.lots for part in group)
            assert bar.quote == sum(part.quote for part in group)
            assert bar.trades == sum(part.trades for part in group)
            assert bar.taker_quote == sum(part.taker_quote for part in group)
            assert bar.close_ticks == group[-1].close_ticks
            if traded:
                assert bar.open_ticks == traded[0].open_ticks
                assert bar.high_ticks == max(part.high_ticks for part in traded)
                assert bar.low_ticks == min(part.low_ticks for part in traded)
                assert (bar.first_id, bar.last_id) == (traded[0].first_id, traded[-1].last_id)


def test_seconds_nest_in_minutes() -> None:
    drawn = [(137 + n * 31 % 900, 4950 + n % 100, 1 + n % 1000, n % 3 == 0) for n in range(600)]
    history, done, now_ms = play(drawn)
    seconds = history.bars(INTERVALS["1s"], now_ms, limit=1000)
    minutes = history.bars(INTERVALS["1m"], now_ms, limit=1000)
    for name in ("lots", "quote", "trades", "taker_lots", "taker_quote"):
        assert sum(getattr(bar, name) for bar in seconds) == sum(getattr(bar, name) for bar in minutes)
    assert seconds == slow_bars(done, INTERVALS["1s"], now_ms, 0)


def test_one_takers_matches_at_a_price_are_one_aggregate() -> None:
    history = MarketHistory(LISTING, FIRST_TICKS)
    trades = [Trade(n + 1, ticks, 10 + n, 1, 2, Side.SELL, 0) for n, ticks in enumerate((100, 100, 99, 98, 98))]
    history.record(trades, 5)
    made = history.aggregate(trades, 5)
    assert [(a.aggregate_id, a.price_ticks, a.qty_lots, a.first_id, a.last_id) for a in made] == [
        (1, 100, 21, 1, 2), (2, 99, 12, 3, 3), (3, 98, 27, 4, 5),
    ]  # fmt: skip
    assert all(a.buyer_is_maker for a in made)
    assert history.aggregates(10) == made


def test_trades_and_aggregates_by_id_time_and_count() -> None:
    history = MarketHistory(LISTING, FIRST_TICKS)
    for n in range(1, 21):
        trades = [Trade(n, 100 + n, n, 1, 2, Side.BUY, 0)]
        history.record(trades, n * 1000)
        history.aggregate(trades, n * 1000)
    assert [t.trade_id for t in history.trades(3)] == [18, 19, 20]
    assert [t.trade_id for t in history.trades(3, from_id=5)] == [5, 6, 7]
    assert history.trades(3, from_id=21) == []

    def ids(**asked):
        return [a.aggregate_id for a in history.aggregates(4, **asked)]

    assert ids() == [17, 18, 19, 20]
    assert ids(from_id=3) == [3, 4, 5, 6]
    assert ids(start_ns=4001) == [5, 6, 7, 8]
    assert ids(end_ns=9000) == [6, 7, 8, 9]
    assert ids(start_ns=3000, end_ns=5000) == [3, 4, 5]
    assert ids(start_ns=30_000) == []


def test_what_is_kept_is_bounded_and_the_latest() -> None:
    history = MarketHistory(LISTING, FIRST_TICKS)
    for n in range(1, 3 * KEPT_TRADES):
        history.record([Trade(n, 100, 1, 1, 2, Side.BUY, 0)], n * NS_PER_MS)
    rows = history.trades(10**6, from_id=1)
    assert KEPT_TRADES <= len(rows) < 2 * KEPT_TRADES
    assert rows[-1].trade_id == 3 * KEPT_TRADES - 1
