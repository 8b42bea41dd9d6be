"""The circuit breaker: at which loss it opens, what it sends, and that it stays open."""

from __future__ import annotations

from decimal import Decimal

import pytest

from common.messages import (
    ApprovedOrder,
    CancelOrder,
    OrderStatus,
    Purpose,
    Refusal,
    RefusalCode,
    RiskState,
    Side,
    Source,
)
from services.risk_manager.breaker import RECORD_ID, CircuitBreaker
from services.risk_manager.stage import EXIT_RETRY_NS, RiskStage
from services.risk_manager.valuation import UNITS_PER_QUOTE
from tests.risk_manager.build import ETH, Desk, alive, book, instrument, report, signal

WIDE = {"stop_loss_percent": 99, "trailing_stop_percent": 99}


def is_halted(desk: Desk) -> bool:
    return bool(desk.stage.stats()["is_halted"])


def test_opens_at_exactly_the_threshold_once() -> None:
    breaker = CircuitBreaker(5 * UNITS_PER_QUOTE, is_enabled=True)
    assert not breaker.opens(-5 * UNITS_PER_QUOTE + 1)
    assert breaker.opens(-5 * UNITS_PER_QUOTE)
    assert breaker.is_open
    assert not breaker.opens(-6 * UNITS_PER_QUOTE)
    assert "-5" in breaker.reason


def test_disabled_never_opens() -> None:
    breaker = CircuitBreaker(5, is_enabled=False)
    assert not breaker.opens(-(10**9))
    desk = Desk(max_loss_threshold=1, enable_circuit_breaker=False, **WIDE)
    desk.enter()
    assert desk.tell(book(5_000, 5_001)) == []
    assert not is_halted(desk)


@pytest.mark.parametrize(("threshold", "halted"), [("9.979", True), ("9.98", False)])
def test_unrealised_loss_counts(threshold: str, halted: bool) -> None:
    desk = Desk(max_loss_threshold=Decimal(threshold), **WIDE)
    desk.enter(price=10_000)
    desk.tell(book(9_900, 9_901))  # 9979 lots lose 100 ticks: 9.979 USDT
    assert is_halted(desk) is halted


@pytest.mark.parametrize(("fee_e8", "halted"), [(100_000_000, True), (99_999_999, False)])
def test_fees_count(fee_e8: int, halted: bool) -> None:
    desk = Desk(max_loss_threshold=Decimal("10.979"), **WIDE)
    entry = desk.order(signal())
    desk.fill(entry, 10_000, fee_e8=fee_e8)
    desk.tell(book(9_900, 9_901))
    assert is_halted(desk) is halted


def test_realised_loss_counts_over_symbols() -> None:
    desk = Desk(max_loss_threshold=Decimal("9.979"), **WIDE)
    desk.enter(price=10_000)
    exit_order = desk.order(signal(Side.SELL))
    eth = desk.order(signal(symbol=ETH))
    outputs = desk.fill(exit_order, 9_900)
    assert is_halted(desk)
    record, cancel = outputs
    assert isinstance(record, Refusal) and record.signal_id == RECORD_ID
    assert isinstance(cancel, CancelOrder) and cancel.order_id == eth.order_id


def test_open_cancels_entries_flattens_everything_and_says_so_at_once() -> None:
    desk = Desk(max_loss_threshold=5, allow_short=True, **WIDE)
    desk.enter(Side.BUY, price=10_000)
    eth = desk.order(signal(Side.SELL, ETH))
    desk.tell(report(eth, OrderStatus.PARTIALLY_FILLED, last=100, price=20_000))
    outputs = list(desk.stage.handle(book(9_900, 9_901), desk.now_ns))
    assert [type(o) for o in outputs] == [Refusal, ApprovedOrder, CancelOrder, ApprovedOrder, RiskState]
    orders = [o for o in outputs if isinstance(o, ApprovedOrder)]
    assert [(o.symbol, o.side, o.qty_lots, o.purpose) for o in orders] == [
        ("BTCUSDT", Side.SELL, 9_979, Purpose.CIRCUIT_BREAKER),
        ("ETHUSDT", Side.BUY, 100, Purpose.CIRCUIT_BREAKER),
    ]
    state = outputs[-1]
    assert isinstance(state, RiskState) and state.is_halted and "max_loss_threshold 5" in state.halt_reason


def test_latched_even_when_the_loss_is_gone() -> None:
    desk = Desk(max_loss_threshold=5, **WIDE)
    desk.enter(price=10_000)
    out = [o for o in desk.tell(book(9_900, 9_901)) if isinstance(o, ApprovedOrder)]
    desk.fill(out[0], 12_000)
    refusal = desk.refusal(signal())
    assert refusal.code is RefusalCode.CIRCUIT_BREAKER
    assert "max_loss_threshold" in refusal.detail


def test_exits_pass_and_flattening_tries_again() -> None:
    desk = Desk(max_loss_threshold=5, **WIDE)
    desk.enter(price=10_000)
    flatten = next(o for o in desk.tell(book(9_900, 9_901)) if isinstance(o, ApprovedOrder))
    desk.tell(report(flatten, OrderStatus.EXPIRED))
    assert desk.order(signal(Side.SELL)).purpose is Purpose.EXIT
    desk = Desk(max_loss_threshold=5, **WIDE)
    desk.enter(price=10_000)
    flatten = next(o for o in desk.tell(book(9_900, 9_901)) if isinstance(o, ApprovedOrder))
    desk.tell(report(flatten, OrderStatus.REJECTED))
    desk.wait(EXIT_RETRY_NS)
    assert desk.order(book(11_000, 11_001)).purpose is Purpose.CIRCUIT_BREAKER


def test_does_not_open_on_positions_that_may_lag_behind_their_fills() -> None:
    desk = Desk(max_loss_threshold=5, **WIDE)
    desk.enter(price=10_000)
    desk.tell(alive(Source.EXECUTION_ENGINE, False))
    assert desk.tell(book(9_900, 9_901)) == []
    assert not is_halted(desk)
    assert len(desk.tell(alive(Source.EXECUTION_ENGINE))) == 2
    assert is_halted(desk)


def test_the_latch_is_read_back_with_its_reason() -> None:
    desk = Desk(max_loss_threshold=5, **WIDE)
    desk.enter(price=10_000)
    record = desk.tell(book(9_900, 9_901))[0]
    assert isinstance(record, Refusal)
    stage = RiskStage(desk.config, exchange="binance")
    stage.restore(record, was_output=True)
    assert stage.stats()["halt_reason"] == desk.stage.stats()["halt_reason"] != ""
    assert stage.stats()["refusals"] == {}
    off = RiskStage(desk.config.model_copy(update={"enable_circuit_breaker": False}), exchange="binance")
    off.restore(record, was_output=True)
    assert not off.stats()["is_halted"]


def test_a_realised_loss_opens_it_again_without_any_record() -> None:
    desk = Desk(max_loss_threshold=5, **WIDE)
    entry = desk.order(signal())
    lost = [
        report(entry, OrderStatus.FILLED, last=entry.qty_lots, price=10_000),
        report(
            entry.model_copy(update={"side": Side.SELL, "order_id": "x", "purpose": Purpose.EXIT}),
            OrderStatus.FILLED,
            last=entry.qty_lots,
            price=9_900,
        ),
    ]
    fresh = Desk(max_loss_threshold=5, ready=False, **WIDE)
    for fact in lost:
        fresh.stage.restore(fact, was_output=False)
    fresh.tell(instrument())
    assert not is_halted(fresh)
    fresh.tell(alive(Source.MARKET_DATA), alive(Source.EXECUTION_ENGINE))
    assert is_halted(fresh)
