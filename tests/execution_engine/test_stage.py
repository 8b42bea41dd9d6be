"""The stage's rules, one by one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from common.messages import (
    BookUpdate,
    ExecutionReport,
    ExecutionState,
    FeedState,
    FeedStatus,
    OrderType,
    Purpose,
    Side,
    TimeInForce,
)
from services.execution_engine.rate_limit import MAX_WAITING
from tests.execution_engine.build import MS, T0, S, approved, book, cancel, instrument, market_data
from tests.execution_engine.lives import Lives

BIDS, ASKS = [(100, 5), (99, 5)], [(101, 5), (102, 5)]
NO_LATENCY: dict[str, Any] = {"paper": {"latency_ms": 0}}
MARKET: dict[str, Any] = {"order_type": OrderType.MARKET, "time_in_force": TimeInForce.IOC}


def told(reports: list[ExecutionReport]) -> list[str]:
    return [r.exec_type.value for r in reports]


@pytest.fixture
def lives() -> Lives:
    lives = Lives(**NO_LATENCY)
    lives.give(book(BIDS, ASKS))
    return lives


def test_the_intent_comes_first_then_what_the_venue_says(lives: Lives) -> None:
    reports = lives.give(approved(qty_lots=7, **MARKET))
    assert told(reports) == ["PENDING_NEW", "NEW", "TRADE", "TRADE"]
    assert [r.status.value for r in reports] == ["PENDING_NEW", "NEW", "PARTIALLY_FILLED", "FILLED"]
    assert [r.report_id for r in reports] == ["o-1.PENDING_NEW.0", "o-1.NEW.0", "o-1.TRADE.5", "o-1.TRADE.7"]
    assert [r.cum_qty_lots for r in reports] == [0, 0, 5, 7]
    assert {(r.trace_id, r.origin_ns, r.fee_asset) for r in reports[2:]} == {(42, T0 + 5, "USDT")}
    state = lives.outputs[-1]
    assert isinstance(state, ExecutionState)
    assert (state.positions[0].qty_lots, state.positions[0].cost_tick_lots) == (7, 5 * 101 + 2 * 102)
    assert state.orders == {"FILLED": 1}
    assert state.open_order_ids == ()


def test_a_known_order_id_is_never_taken_twice(lives: Lives) -> None:
    lives.give(approved(qty_lots=1, **MARKET))
    assert lives.give(approved(qty_lots=1, **MARKET)) == []
    assert lives.stage.stats()["duplicates"] == 1
    assert lives.stage.stats()["fills"] == 1


def test_past_its_time_it_is_not_sent(lives: Lives) -> None:
    lives.wait(6 * S)
    (report,) = lives.give(approved(**MARKET))
    assert (report.exec_type.value, report.status.value) == ("EXPIRED", "EXPIRED")
    assert "not sent" in report.reason


@pytest.mark.parametrize(
    ("order", "rules", "reason"),
    [
        ({}, {"status": "HALT"}, "HALT"),
        ({"qty_lots": 3}, {"min_qty_lots": 4}, "LOT_SIZE"),
        ({"qty_lots": 3}, {"max_qty_lots": 2}, "LOT_SIZE"),
        ({"qty_lots": 3}, {"min_notional": Decimal("0.0000301")}, "NOTIONAL"),
        ({"qty_lots": 3, **MARKET}, {"min_notional": Decimal("0.0000304")}, "NOTIONAL"),
        ({"limit_ticks": 0}, {}, "limit of 0"),
        ({"side": Side.SELL, "reduce_only": True}, {}, "no position"),
    ],
)
def test_what_the_venue_would_refuse_is_not_sent(
    lives: Lives, order: dict[str, Any], rules: dict[str, Any], reason: str
) -> None:
    lives.give(instrument(**rules))
    (report,) = lives.give(approved(**order))
    assert report.status.value == "REJECTED"
    assert reason in report.reason
    lives.check()


def test_the_notional_filter_lets_the_exact_minimum_pass(lives: Lives) -> None:
    lives.give(instrument(min_notional=Decimal("0.00003")))
    assert told(lives.give(approved(qty_lots=3, limit_ticks=100))) == ["PENDING_NEW", "NEW"]


def test_reduce_only_is_clipped_to_the_position(lives: Lives) -> None:
    lives.give(approved("buy", qty_lots=4, **MARKET))
    reports = lives.give(
        approved("exit", Side.SELL, 9, reduce_only=True, purpose=Purpose.STOP_LOSS, **MARKET),
    )
    assert told(reports) == ["PENDING_NEW", "NEW", "TRADE"]
    assert {r.qty_lots for r in reports} == {4}
    assert "4 of 9" in reports[0].reason
    assert reports[-1].status.value == "FILLED"
    assert lives.stage.stats()["positions"][0]["qty_lots"] == 0


def test_two_exits_at_once_do_not_flip_the_position() -> None:
    lives = Lives(paper={"latency_ms": 20})
    lives.give(book(BIDS, ASKS))
    lives.give(approved("buy", qty_lots=4, **MARKET))
    lives.give(book(BIDS, ASKS, T0 + 20 * MS))
    for order_id in ("a", "b"):
        order = approved(order_id, Side.SELL, 4, reduce_only=True, event_ns=T0 + 20 * MS, **MARKET)
        assert told(lives.give(order)) == ["PENDING_NEW"]
    reports = lives.give(book(BIDS, ASKS, T0 + 40 * MS))
    assert [(r.order_id, r.exec_type.value) for r in reports] == [
        ("a", "NEW"),
        ("a", "TRADE"),
        ("b", "NEW"),
        ("b", "EXPIRED"),
    ]


def test_a_cancel_ends_what_works_and_is_ignored_when_it_has_ended(lives: Lives) -> None:
    lives.give(approved(limit_ticks=99))
    (report,) = lives.give(cancel())
    assert (report.exec_type.value, report.reason, report.trace_id) == ("CANCELED", "no longer wanted", 43)
    assert lives.give(cancel()) == []
    assert lives.give(cancel("stranger")) == []
    assert lives.stage.stats()["cancels_ignored"] == 2
    lives.check()


def test_the_rate_limit_holds_orders_back_and_lets_cancels_go_first() -> None:
    lives = Lives(rate_limit_per_second=2, **NO_LATENCY)
    lives.give(book(BIDS, ASKS))
    first = [told(lives.give(approved(f"o-{n}", qty_lots=1, limit_ticks=99))) for n in range(4)]
    assert first == [["PENDING_NEW", "NEW"]] * 2 + [["PENDING_NEW"]] * 2
    assert lives.give(cancel("o-0")) == []
    assert told(lives.give(cancel("o-3"))) == ["CANCELED"], "what was not sent needs no token to go"
    reports = lives.wait(S)
    assert [(r.order_id, r.exec_type.value) for r in reports] == [("o-0", "CANCELED"), ("o-2", "NEW")]
    lives.check()


def test_an_order_whose_time_passes_in_the_queue_expires_unsent() -> None:
    lives = Lives(rate_limit_per_second=1, **NO_LATENCY)
    lives.give(book(BIDS, ASKS))
    lives.give(approved("a", limit_ticks=99))
    lives.give(approved("b", limit_ticks=99, valid_until_ns=T0 + S // 2))
    (report,) = lives.wait(S)
    assert (report.order_id, report.exec_type.value) == ("b", "EXPIRED")
    assert "rate limit" in report.reason


def test_a_full_queue_refuses() -> None:
    lives = Lives(rate_limit_per_second=1, **NO_LATENCY)
    lives.give(book(BIDS, ASKS))
    for n in range(MAX_WAITING + 1):
        lives.give(approved(f"o-{n}", limit_ticks=99))
    (report,) = lives.give(approved("too-many", limit_ticks=99))
    assert report.status.value == "REJECTED"
    assert "wait" in report.reason


def test_an_order_waits_for_its_instrument_and_expires_without() -> None:
    lives = Lives(is_ready=False, **NO_LATENCY)
    lives.give(book(BIDS, ASKS))
    lives.give(market_data())
    assert lives.give(approved("a", qty_lots=1, **MARKET)) == []
    assert lives.give(approved("b", symbol="ETHUSDT", **MARKET)) == []
    assert told(lives.give(instrument())) == ["PENDING_NEW", "NEW", "TRADE"]
    (report,) = lives.wait(5 * S + 1)
    assert (report.order_id, report.exec_type.value) == ("b", "EXPIRED")
    assert "binance.ETHUSDT" in report.reason
    lives.check()


def test_no_fill_on_a_book_whose_channel_is_not_in_sync(lives: Lives) -> None:
    status = FeedStatus(
        event_ns=T0,
        origin_ns=T0,
        trace_id=0,
        venue="binance",
        symbol="BTCUSDT",
        state=FeedState.STALE,
        reason="silent",
    )
    lives.give(status)
    assert told(lives.give(approved(**MARKET))) == ["PENDING_NEW"]
    assert told(lives.give(book(BIDS, ASKS, T0 + 1))) == ["NEW", "TRADE", "TRADE"]


def test_no_fill_while_market_data_is_gone_and_expiry_when_it_stays_so(lives: Lives) -> None:
    lives.give(market_data(is_alive=False))
    assert told(lives.give(approved("a", **MARKET))) == ["PENDING_NEW"]
    assert lives.give(market_data()) == [], "there again, without a book yet"
    assert told(lives.give(book(BIDS, ASKS, T0 + 1))) == ["NEW", "TRADE", "TRADE"]
    lives.give(market_data(is_alive=False))
    lives.give(approved("b", **MARKET))
    (report,) = lives.wait(6 * S)
    assert (report.exec_type.value, "no valid book" in report.reason) == ("EXPIRED", True)


@pytest.mark.parametrize("is_loss_seen", [True, False])
def test_no_fill_on_the_book_of_a_process_that_died(is_loss_seen: bool) -> None:
    lives = Lives(paper={"latency_ms": 20})
    lives.give(book(BIDS, ASKS))
    assert told(lives.give(approved(**MARKET))) == ["PENDING_NEW"]
    if is_loss_seen:
        lives.give(market_data(is_alive=False))
        lives.wait(3 * S + S // 2)
    assert lives.give(market_data(epoch=2)) == []
    lives.wait(S + S // 2)
    assert told(lives.reports) == ["PENDING_NEW"]
    assert told(lives.give(book(BIDS, ASKS, T0 + 20 * MS))) == ["NEW", "TRADE", "TRADE"]


def test_books_that_come_before_the_first_word_of_their_publisher_stand() -> None:
    lives = Lives(is_ready=False, **NO_LATENCY)
    lives.give(instrument())
    lives.give(book(BIDS, ASKS))
    lives.give(market_data())
    assert told(lives.give(approved(qty_lots=1, **MARKET))) == ["PENDING_NEW", "NEW", "TRADE"]


@pytest.mark.parametrize(("venue", "end"), [("binance", "REJECTED"), ("binance-usdm", "PENDING_NEW")])
def test_futures_take_a_reduce_only_order_of_any_notional(venue: str, end: str) -> None:
    lives = Lives(**NO_LATENCY)
    lives.give(instrument(venue=venue))
    lives.give(BookUpdate(venue, "BTCUSDT", book(BIDS, ASKS).words))
    lives.give(approved("buy", venue=venue, qty_lots=4, **MARKET))
    lives.give(instrument(venue=venue, min_notional=Decimal(5)))
    exit_order = approved("exit", Side.SELL, 4, venue=venue, reduce_only=True, purpose=Purpose.STOP_LOSS, **MARKET)
    assert told(lives.give(exit_order))[0] == end
    (entry,) = lives.give(approved("more", venue=venue, qty_lots=4, **MARKET))
    assert "NOTIONAL" in entry.reason


def test_the_state_comes_at_its_interval_also_when_nothing_happens(lives: Lives) -> None:
    lives.outputs.clear()
    lives.wait(3 * S)
    assert [type(o) for o in lives.outputs] == [ExecutionState] * 3


def test_nothing_is_due_before_the_first_fact() -> None:
    lives = Lives(is_ready=False)
    assert lives.stage.deadline_ns() is None
