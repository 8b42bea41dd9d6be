"""Static and trailing stops: where exactly they fire, on both sides, over gaps, and what they send."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.messages import ApprovedOrder, CancelOrder, FeedState, OrderStatus, Purpose, Side, Source
from common.units import PPM
from market.position import Position
from services.risk_manager.stage import EXIT_RETRY_NS
from services.risk_manager.stops import StopTrack
from tests.risk_manager.build import ETH, Desk, alive, book, instrument, report, signal


def track(lots: int, price: int, stop_ppm: int = 20_000, trail_ppm: int = 15_000) -> StopTrack:
    position = Position("binance", "BTCUSDT")
    position.apply(lots, price, 0)
    stops = StopTrack(stop_ppm, trail_ppm)
    stops.follow(position)
    return stops


# -- trigger prices -------------------------------------------------------------------------------------------------


def test_static_stop_of_a_long_fires_at_exactly_its_distance() -> None:
    stops = track(5, 10_000, trail_ppm=900_000)
    assert stops.fired(9_801) is None
    assert stops.fired(9_800) is Purpose.STOP_LOSS


def test_static_stop_of_a_short_fires_at_exactly_its_distance() -> None:
    stops = track(-5, 10_000, trail_ppm=900_000)
    assert stops.fired(10_199) is None
    assert stops.fired(10_200) is Purpose.STOP_LOSS


def test_trailing_stop_of_a_long_follows_the_best_mark() -> None:
    stops = track(5, 10_000)
    assert stops.fired(20_000) is None
    assert stops.fired(19_701) is None
    assert stops.fired(19_800) is None
    assert stops.fired(19_700) is Purpose.TRAILING_STOP


def test_trailing_stop_of_a_short_follows_the_best_mark() -> None:
    stops = track(-5, 10_000)
    assert stops.fired(5_000) is None
    assert stops.fired(5_074) is None
    assert stops.fired(5_075) is Purpose.TRAILING_STOP


def test_trailing_stop_counts_entry_as_the_first_best_mark() -> None:
    assert track(5, 10_000).fired(9_851) is None
    assert track(5, 10_000).fired(9_850) is Purpose.TRAILING_STOP
    assert track(-5, 10_000).fired(10_150) is Purpose.TRAILING_STOP


def test_a_gap_through_both_stops_is_a_stop_loss() -> None:
    assert track(5, 10_000).fired(1) is Purpose.STOP_LOSS
    assert track(-5, 10_000).fired(10**9) is Purpose.STOP_LOSS


def test_flat_fires_nothing_and_a_new_episode_forgets_the_old_best() -> None:
    position = Position("binance", "BTCUSDT")
    stops = StopTrack(20_000, 15_000)
    assert stops.fired(1) is None
    position.apply(5, 10_000, 0)
    stops.follow(position)
    stops.fired(20_000)
    position.apply(-5, 20_000, 0)
    stops.follow(position)
    assert stops.fired(1) is None
    position.apply(5, 10_000, 0)
    stops.follow(position)
    assert stops.fired(9_900) is None
    position.apply(-8, 9_900, 0)  # through zero: now short from 9900
    stops.follow(position)
    assert (stops.best_ticks, stops.fired(9_950)) == (9_900, None)
    assert stops.fired(10_098) is Purpose.STOP_LOSS


def test_a_partial_close_keeps_the_best_mark() -> None:
    position = Position("binance", "BTCUSDT")
    position.apply(5, 10_000, 0)
    stops = StopTrack(20_000, 15_000)
    stops.follow(position)
    stops.fired(20_000)
    position.apply(-2, 19_900, 0)
    stops.follow(position)
    assert stops.fired(19_700) is Purpose.TRAILING_STOP


def test_an_entry_that_fills_on_raises_the_best_mark_to_its_average() -> None:
    position = Position("binance", "BTCUSDT")
    stops = StopTrack(900_000, 15_000)
    for price in (10_000, 12_000):
        position.apply(5, price, 0)
        stops.follow(position)
    assert stops.best_ticks == 11_000
    assert stops.fired(10_835) is Purpose.TRAILING_STOP


@given(
    st.sampled_from([1, -1]),
    st.lists(st.tuples(st.integers(1, 1000), st.integers(1, 10**7)), min_size=1, max_size=4),
    st.lists(st.integers(1, 10**7), min_size=1, max_size=30),
    st.integers(0, 999_999),
    st.integers(0, 999_999),
)
def test_equals_the_slow_twin_in_fractions(
    sign: int, entries: list[tuple[int, int]], marks: list[int], stop_ppm: int, trail_ppm: int
) -> None:
    position = Position("binance", "BTCUSDT")
    stops = StopTrack(stop_ppm, trail_ppm)
    best = Fraction(0)
    for i, (lots, price) in enumerate(entries):
        position.apply(sign * lots, price, 0)
        stops.follow(position)
        average = Fraction(position.cost_tick_lots, position.qty_lots)
        whole = average.__floor__() if sign > 0 else average.__ceil__()
        best = Fraction(whole) if i == 0 else sign * max(sign * best, sign * Fraction(whole))
    for mark in marks:
        best = sign * max(sign * best, Fraction(sign * mark))
        expected = None
        if sign * mark <= sign * best * (1 - sign * Fraction(trail_ppm, PPM)):
            expected = Purpose.TRAILING_STOP
        if sign * mark <= sign * average * (1 - sign * Fraction(stop_ppm, PPM)):
            expected = Purpose.STOP_LOSS
        assert stops.fired(mark) is expected


# -- what the stage does with them ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("side", "touch", "purpose"),
    [
        (Side.BUY, (9_800, 9_900), Purpose.STOP_LOSS),
        (Side.BUY, (9_850, 9_900), Purpose.TRAILING_STOP),
        (Side.SELL, (10_100, 10_200), Purpose.STOP_LOSS),
        (Side.SELL, (10_100, 10_150), Purpose.TRAILING_STOP),
    ],
)
def test_the_mark_is_the_bid_of_a_long_and_the_ask_of_a_short(
    side: Side, touch: tuple[int, int], purpose: Purpose
) -> None:
    desk = Desk(allow_short=True)
    desk.tell(book(9_990, 10_010))
    entry = desk.enter(side, price=10_000)
    assert desk.tell(book(9_851, 10_149)) == []
    exit_order = desk.order(book(*touch))
    assert (exit_order.purpose, exit_order.side, exit_order.qty_lots) == (purpose, side.opposite, entry.qty_lots)


def test_one_exit_at_a_time_then_again_after_a_wait_while_the_cause_holds() -> None:
    desk = Desk()
    entry = desk.enter(price=10_000)
    first = desk.order(book(9_700, 9_701))
    desk.wait(10 * EXIT_RETRY_NS)
    assert desk.tell(book(9_600, 9_601), report(first, OrderStatus.UNKNOWN), book(9_500, 9_501)) == []
    assert desk.tell(report(first, OrderStatus.EXPIRED, cum=0), book(9_400, 9_401)) == []
    desk.wait(EXIT_RETRY_NS)
    second = desk.order(book(9_300, 9_301))
    assert second.order_id != first.order_id
    desk.tell(
        report(second, OrderStatus.PARTIALLY_FILLED, last=1000, price=9_300),
        report(second, OrderStatus.EXPIRED, cum=1000),
    )
    desk.wait(EXIT_RETRY_NS)
    third = desk.order(book(9_300, 9_302))
    assert third.qty_lots == entry.qty_lots - 1000
    desk.fill(third, 9_300)
    assert desk.held() == 0
    assert desk.tell(book(9_000, 9_001)) == []


def test_the_wait_doubles_while_nothing_fills() -> None:
    desk = Desk()
    desk.enter(price=10_000)
    order = desk.order(book(9_700, 9_701))
    for doublings in range(9):
        desk.tell(report(order, OrderStatus.REJECTED))
        desk.wait((EXIT_RETRY_NS << min(doublings, 6)) - 10_000)
        assert desk.tell(book(9_700, 9_701)) == []
        desk.wait(10_000)
        order = desk.order(book(9_700, 9_701))


def test_no_exit_when_the_price_is_back_before_the_next_try() -> None:
    desk = Desk()
    desk.enter(price=10_000)
    order = desk.order(book(9_700, 9_701))
    desk.tell(report(order, OrderStatus.EXPIRED))
    desk.wait(EXIT_RETRY_NS)
    assert desk.tell(book(9_990, 9_991)) == []


def test_a_signals_exit_on_its_way_is_exit_enough() -> None:
    desk = Desk()
    desk.enter(price=10_000)
    desk.order(signal(Side.SELL))
    assert desk.tell(book(9_700, 9_701)) == []


def test_a_stop_cancels_the_entry_that_is_still_filling() -> None:
    desk = Desk()
    entry = desk.order(signal())
    desk.tell(report(entry, OrderStatus.PARTIALLY_FILLED, last=100, price=10_000))
    cancel, exit_order = desk.tell(book(9_700, 9_701))
    assert isinstance(cancel, CancelOrder) and cancel.order_id == entry.order_id
    assert isinstance(exit_order, ApprovedOrder) and exit_order.qty_lots == 100
    desk.tell(report(entry, OrderStatus.FILLED, last=entry.qty_lots - 100, cum=entry.qty_lots, price=10_000))
    desk.fill(exit_order, 9_700)
    desk.wait(EXIT_RETRY_NS)
    assert desk.order(book(9_700, 9_701)).qty_lots == entry.qty_lots - 100


def test_stops_wait_for_a_valid_book_both_upstreams_and_a_trading_instrument() -> None:
    desk = Desk()
    desk.enter(price=10_000)
    assert desk.tell(book(9_000, 9_001, state=FeedState.STALE)) == []
    assert desk.tell(alive(Source.EXECUTION_ENGINE, False), book(9_000, 9_001)) == []
    assert desk.tell(alive(Source.EXECUTION_ENGINE), instrument(status="BREAK"), book(9_000, 9_001)) == []
    assert desk.tell(instrument(min_qty_lots=10**6), book(9_000, 9_001)) == []
    desk.tell(instrument())
    assert desk.order(book(9_000, 9_001)).purpose is Purpose.STOP_LOSS


def test_a_quiet_book_is_looked_after_at_the_deadline() -> None:
    desk = Desk()
    desk.enter(price=10_000)
    desk.enter(symbol=ETH)
    first = desk.order(book(9_700, 9_701))
    desk.tell(report(first, OrderStatus.EXPIRED))
    desk.wait(EXIT_RETRY_NS)
    outputs = list(desk.stage.on_deadline(desk.now_ns))
    orders = [o for o in outputs if isinstance(o, ApprovedOrder)]
    assert [(o.symbol, o.purpose, o.origin_ns) for o in orders] == [("BTCUSDT", Purpose.STOP_LOSS, desk.now_ns)]


def test_a_position_larger_than_the_venue_takes_at_once_leaves_in_parts() -> None:
    desk = Desk()
    entry = desk.enter(price=10_000)
    desk.tell(instrument(max_qty_lots=6_000))
    first = desk.order(book(9_700, 9_701))
    desk.fill(first, 9_700)
    desk.wait(EXIT_RETRY_NS)
    second = desk.order(book(9_700, 9_701))
    assert (first.qty_lots, second.qty_lots) == (6_000, entry.qty_lots - 6_000)
