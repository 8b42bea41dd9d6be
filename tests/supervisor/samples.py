"""Statuses and events as the daemons give them, to build runs from."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np

from common.messages import (
    ApprovedOrder,
    BookUpdate,
    ExecType,
    ExecutionReport,
    FeedState,
    Instrument,
    OrderStatus,
    OrderType,
    Purpose,
    Refusal,
    RefusalCode,
    Side,
    Signal,
    TimeInForce,
)
from dashboard.statuses import DaemonStatus, StatusLedger

AT_NS = 1_723_161_253_123_000_000
LINE = {
    "venue": "binance",
    "symbol": "BTCUSDT",
    "qty_lots": 1600,
    "cost_tick_lots": 9_600_000_000,
    "realised_tick_lots": -41_000_000,
    "fees_e8": 96_000_000,
}
HOP = {"count": 40, "p50_us": 120.5, "p99_us": 310.0, "max_us": 1900.0}


def read(messages: int, **counts: int) -> dict[str, int]:
    """A topics_in entry."""
    zero = dict.fromkeys(("gaps_seen", "gaps_healed", "missing", "lost", "duplicates", "refused"), 0)
    return {"messages": messages, **zero, **counts}


def good_statuses() -> dict[str, dict[str, Any]]:
    """One healthy run's final statuses, by service."""
    head = {"epoch": 1, "ready": True, "uptime_s": 61.5}
    books = {
        "binance.BTCUSDT": {"state": "SYNCED", "update_id": 900, "bid": "60000.01", "ask": "60000.02"},
        "binance.ETHUSDT": {"state": "SYNCED", "update_id": 901, "bid": "3000.10", "ask": "3000.11"},
    }
    market = {
        "frames": 9000, "depth_frames": 5000, "trades": 800, "bad_frames": 0, "gaps_seen": 2, "gaps_healed": 2,
        "resyncs": 3, "crossed": 0, "bbo_compared": 4000, "bbo_equal": 4000, "books": books,
    }  # fmt: skip
    risk = {
        "approvals": 4, "refusals": {"ALREADY_POSITIONED": 2, "SHORT_NOT_ALLOWED": 0}, "realised_pnl": "-0.41",
        "unrealised_pnl": "0.05", "fees": "0.96", "exposure_notional": "960.0", "reserved_notional": "0",
        "is_halted": False, "halt_reason": "", "positions": [LINE], "open_orders": 0,
    }  # fmt: skip
    return {
        "market_data": {
            **head, "service": "market_data", "pid": 101, "stage": market,
            "topics_out": {"book": {"messages": 5000}, "trade": {"messages": 800}, "status": {"messages": 9}},
            "topics_in": {}, "latency": {"feed_to_publish": HOP},
        },
        "signal_bridge": {
            **head, "service": "signal_bridge", "pid": 102,
            "stage": {"signals": 6, "signals_by_strategy": {"momentum": 6}, "feature_vectors": 600},
            "topics_out": {"signal": {"messages": 6}, "feature": {"messages": 600}},
            "topics_in": {"book": read(5000), "trade": read(800), "status": read(9)},
            "latency": {"book_transit": HOP, "book_handle": HOP},
        },
        "risk_manager": {
            **head, "service": "risk_manager", "pid": 103, "stage": risk,
            "topics_out": {"order": {"messages": 6}, "risk": {"messages": 60}},
            "topics_in": {"book": read(4990, gaps_seen=1, gaps_healed=1, missing=3), "signal": read(6),
                          "report": read(12), "status": read(9)},
            "latency": {"signal_transit": HOP, "signal_handle": HOP, "report_transit": HOP},
        },
        "execution_engine": {
            **head, "service": "execution_engine", "pid": 104,
            "stage": {"orders": 4, "fills": 4, "orders_by_status": {"FILLED": 4}, "positions": [LINE]},
            "topics_out": {"report": {"messages": 12}, "execution": {"messages": 60}},
            "topics_in": {"book": read(5000), "trade": read(800), "order": read(6), "status": read(9)},
            "latency": {"order_transit": HOP, "order_handle": HOP, "tick_to_order": HOP},
        },
    }  # fmt: skip


def ledger_of(statuses: dict[str, dict[str, Any]]) -> StatusLedger:
    """A ledger that has heard these."""
    ledger = StatusLedger()
    for status in statuses.values():
        ledger.record(DaemonStatus.model_validate(status))
    return ledger


_HEAD: dict[str, Any] = {
    "event_ns": AT_NS,
    "origin_ns": AT_NS,
    "trace_id": 7,
    "venue": "binance",
    "symbol": "BTCUSDT",
}


def instrument() -> Instrument:
    return Instrument(**_HEAD, base="BTC", quote="USDT", tick_size=Decimal("0.01"), lot_size=Decimal("0.00001"))


def book() -> BookUpdate:
    """60000.01 x 0.52000 / 60000.05 x 0.01300."""
    words = [AT_NS, AT_NS, 7, 912, FeedState.SYNCED, 1, 1, 50, 60, 6_000_001, 52_000, 6_000_005, 1300]
    return BookUpdate("binance", "BTCUSDT", np.array(words, np.int64))


def signal(signal_id: str = "s1") -> Signal:
    return Signal(
        **_HEAD, signal_id=signal_id, strategy="momentum", side=Side.BUY, confidence=0.72, horizon_ns=10**9,
        expires_ns=AT_NS + 10**9, reference_ticks=6_000_003, reason="MACD crossed up", features={"rsi": 55.0},
    )  # fmt: skip


def refusal(signal_id: str = "s1") -> Refusal:
    return Refusal(
        **_HEAD, signal_id=signal_id, strategy="momentum", side=Side.BUY, code=RefusalCode.ALREADY_POSITIONED,
        detail="there is a position", numbers={},
    )  # fmt: skip


def order(signal_id: str = "s1") -> ApprovedOrder:
    return ApprovedOrder(
        **_HEAD, order_id="o1", signal_id=signal_id, strategy="momentum", purpose=Purpose.ENTRY, side=Side.BUY,
        order_type=OrderType.LIMIT, time_in_force=TimeInForce.IOC, qty_lots=1600, limit_ticks=6_012_000,
        valid_until_ns=AT_NS + 10**9,
    )  # fmt: skip


def fill() -> ExecutionReport:
    return ExecutionReport(
        **_HEAD, report_id="o1:1", order_id="o1", strategy="momentum", purpose=Purpose.ENTRY,
        exec_type=ExecType.TRADE, status=OrderStatus.FILLED, side=Side.BUY, order_type=OrderType.LIMIT, qty_lots=1600,
        limit_ticks=6_012_000, last_qty_lots=1600, last_price_ticks=6_000_005, cum_qty_lots=1600, fee_e8=96_000_000,
        fee_asset="USDT",
    )  # fmt: skip
