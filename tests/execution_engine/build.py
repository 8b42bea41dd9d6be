"""Messages the tests of the execution engine are made of."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np

from common.messages import (
    ApprovedOrder,
    BookUpdate,
    CancelOrder,
    ExecType,
    ExecutionReport,
    FeedState,
    Instrument,
    OrderStatus,
    OrderType,
    Purpose,
    Side,
    Source,
    TimeInForce,
    UpstreamStatus,
)
from common.messages.book import HEADER_WORDS

MS = 1_000_000
S = 1_000_000_000
#: A venue time to start from, well away from zero.
T0 = 1_700_000_000 * S
Level = tuple[int, int]


def instrument(symbol: str = "BTCUSDT", **changes: Any) -> Instrument:
    fields: dict[str, Any] = {
        "event_ns": T0,
        "origin_ns": T0,
        "trace_id": 0,
        "venue": "binance",
        "symbol": symbol,
        "base": symbol[:3],
        "quote": "USDT",
        "tick_size": Decimal("0.01"),
        "lot_size": Decimal("0.00001"),
    }
    return Instrument(**(fields | changes))


def book(
    bids: list[Level],
    asks: list[Level],
    event_ns: int = T0,
    *,
    symbol: str = "BTCUSDT",
    state: FeedState = FeedState.SYNCED,
    hidden_levels: int = 0,
) -> BookUpdate:
    """A book of (price_ticks, lots), best first; `hidden_levels` more lie behind on each side."""
    head = [
        event_ns,
        event_ns,
        7,
        1,
        state,
        len(bids),
        len(asks),
        len(bids) + hidden_levels,
        len(asks) + hidden_levels,
    ]
    assert len(head) == HEADER_WORDS
    levels = [*(p for p, _ in bids), *(q for _, q in bids), *(p for p, _ in asks), *(q for _, q in asks)]
    return BookUpdate("binance", symbol, np.array([*head, *levels], np.int64))


def approved(order_id: str = "o-1", side: Side = Side.BUY, qty_lots: int = 10, **changes: Any) -> ApprovedOrder:
    fields: dict[str, Any] = {
        "event_ns": T0,
        "origin_ns": T0 + 5,
        "trace_id": 42,
        "venue": "binance",
        "symbol": "BTCUSDT",
        "order_id": order_id,
        "strategy": "momentum",
        "purpose": Purpose.ENTRY,
        "side": side,
        "order_type": OrderType.LIMIT,
        "time_in_force": TimeInForce.GTC,
        "qty_lots": qty_lots,
        "limit_ticks": 100,
        "valid_until_ns": T0 + 5 * S,
    }
    fields |= changes
    if fields["order_type"] is OrderType.MARKET and "limit_ticks" not in changes:
        fields["limit_ticks"] = 0
    return ApprovedOrder(**fields)


def cancel(order_id: str = "o-1", event_ns: int = T0, **changes: Any) -> CancelOrder:
    fields: dict[str, Any] = {
        "event_ns": event_ns,
        "origin_ns": event_ns,
        "trace_id": 43,
        "venue": "binance",
        "symbol": "BTCUSDT",
        "order_id": order_id,
        "reason": "no longer wanted",
    }
    return CancelOrder(**(fields | changes))


def report(
    order: ApprovedOrder, number: int, exec_type: ExecType, status: OrderStatus, *, last: int = 0, cum: int = 0
) -> ExecutionReport:
    return ExecutionReport(
        event_ns=order.event_ns,
        origin_ns=order.origin_ns,
        trace_id=order.trace_id,
        venue=order.venue,
        symbol=order.symbol,
        report_id=f"{order.order_id}.{number}",
        order_id=order.order_id,
        strategy=order.strategy,
        purpose=order.purpose,
        exec_type=exec_type,
        status=status,
        side=order.side,
        order_type=order.order_type,
        qty_lots=order.qty_lots,
        limit_ticks=order.limit_ticks,
        last_qty_lots=last,
        last_price_ticks=100 if last else 0,
        cum_qty_lots=cum,
    )


def market_data(is_alive: bool = True, epoch: int = 1) -> UpstreamStatus:
    return UpstreamStatus(
        event_ns=T0, origin_ns=T0, trace_id=0, source=Source.MARKET_DATA, is_alive=is_alive, epoch=epoch
    )
