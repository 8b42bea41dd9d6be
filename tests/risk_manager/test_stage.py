"""What a signal becomes, when the state is published, and what the counters say."""

from __future__ import annotations

import json

import pytest

from common.config import RiskConfig
from common.messages import ApprovedOrder, OrderStatus, Purpose, RefusalCode, RiskState, Side, TradeTick
from services.risk_manager.stage import RiskStage
from tests.risk_manager.build import BTC, ETH, T0, VENUE, Desk, book, report, signal, states


@pytest.mark.parametrize(
    ("side", "held", "outcome"),
    [
        (Side.BUY, None, Purpose.ENTRY),
        (Side.SELL, None, Purpose.ENTRY),
        (Side.BUY, Side.SELL, Purpose.EXIT),
        (Side.SELL, Side.BUY, Purpose.EXIT),
        (Side.BUY, Side.BUY, RefusalCode.ALREADY_POSITIONED),
        (Side.SELL, Side.SELL, RefusalCode.ALREADY_POSITIONED),
    ],
)
def test_what_a_signal_becomes(side: Side, held: Side | None, outcome: Purpose | RefusalCode) -> None:
    desk = Desk(exchange="binance-usdm")
    if held is not None:
        desk.enter(held)
    (out,) = desk.tell(signal(side))
    if isinstance(out, ApprovedOrder):
        assert (out.purpose, out.side) == (outcome, side)
        assert out.reduce_only is (outcome is Purpose.EXIT)
        assert outcome is Purpose.ENTRY or out.qty_lots == abs(desk.held())
    else:
        assert out.code is outcome  # type: ignore[union-attr]


def test_size_follows_confidence() -> None:
    full, half = Desk().order(signal()), Desk().order(signal(confidence=0.5))
    assert full.qty_lots == 1000 * 100 * 1000 // 10_021
    assert half.qty_lots == 500 * 100 * 1000 // 10_021


def test_a_refusal_carries_its_signals_names() -> None:
    s = signal(Side.SELL)
    refusal = Desk().refusal(s)
    assert (refusal.signal_id, refusal.strategy, refusal.side) == (s.signal_id, s.strategy, s.side)
    assert (refusal.event_ns, refusal.origin_ns, refusal.trace_id) == (s.event_ns, s.origin_ns, s.trace_id)


def test_no_deadline_before_the_first_fact_then_one_every_interval() -> None:
    stage = RiskStage(RiskConfig(state_interval_ms=250), exchange="binance")
    assert stage.deadline_ns() is None
    stage.handle(book(10_000, 10_001), T0)
    assert stage.deadline_ns() == T0 + 250_000_000
    (state,) = stage.on_deadline(T0 + 900_000_000)
    assert isinstance(state, RiskState)
    assert state.event_ns == T0
    assert stage.deadline_ns() == T0 + 1_150_000_000


def test_state_is_published_at_once_when_a_position_changes() -> None:
    desk = Desk()
    order = desk.order(signal())
    assert states(desk.stage.handle(report(order, OrderStatus.NEW), desk.now_ns)) == []
    fill = report(order, OrderStatus.FILLED, last=order.qty_lots, price=10_000, fee_e8=99_790_000)
    (state,) = states(desk.stage.handle(fill, desk.now_ns))
    assert state.positions == desk.stage.portfolio.ledger.lines()
    assert (state.realised_pnl, state.unrealised_pnl, state.fees) == ("0", "0", "0.9979")
    assert (state.exposure_notional, state.reserved_notional, state.open_orders) == ("997.9", "0", 0)
    assert list(desk.stage.handle(fill, desk.now_ns)) == []


def test_stats_are_plain_json_and_complete() -> None:
    desk = Desk()
    desk.enter(price=10_000)
    desk.refusal(signal())
    desk.refusal(signal(Side.SELL, ETH))
    desk.tell(book(10_050, 10_051))
    stats = desk.stage.stats()
    assert json.loads(json.dumps(stats)) == stats
    assert stats["approvals"] == 1
    assert stats["refusals"] == {"ALREADY_POSITIONED": 1, "SHORT_NOT_ALLOWED": 1}
    assert (stats["unrealised_pnl"], stats["exposure_notional"]) == ("4.9895", "1002.8895")
    assert stats["positions"] == [
        {
            "venue": VENUE,
            "symbol": BTC,
            "qty_lots": 9979,
            "cost_tick_lots": 99_790_000,
            "realised_tick_lots": 0,
            "fees_e8": 0,
        }
    ]
    assert (stats["open_orders"], stats["is_halted"], stats["halt_reason"]) == (0, False, "")
    assert (stats["realised_pnl"], stats["fees"], stats["reserved_notional"]) == ("0", "0", "0")


def test_facts_of_other_types_are_ignored() -> None:
    trade = TradeTick(
        event_ns=T0, origin_ns=T0, trace_id=1, venue=VENUE, symbol=BTC, trade_id=1, price_ticks=1, qty_lots=1,
        aggressor=Side.BUY,
    )  # fmt: skip
    assert Desk().tell(trade) == []


def test_equal_inputs_give_equal_outputs() -> None:
    def run() -> list[object]:
        desk = Desk()
        outputs: list[object] = []
        order = desk.order(signal(signal_id="same"))
        outputs.append(order)
        outputs += desk.tell(report(order, OrderStatus.FILLED, last=order.qty_lots, price=10_000, report_id="r"))
        outputs += desk.tell(book(9_000, 9_001))
        outputs += desk.stage.on_deadline(desk.now_ns + 10**9)
        return outputs

    assert run() == run()
