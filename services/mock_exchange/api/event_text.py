"""What user data streams say, fields in the venue's order (venues.md 2.7)."""

from __future__ import annotations

from typing import Any

import orjson

from services.mock_exchange.trading.amounts import amount_text, value_of
from services.mock_exchange.trading.events import (
    AccountEvent,
    AccountPosition,
    BalanceUpdate,
    ListStatus,
    OrderReport,
)
from services.mock_exchange.trading.orders import Execution, ExpiryReason


def event_text(event: AccountEvent, unit_ns: int) -> str:
    """An event as JSON."""
    return orjson.dumps(event_fields(event, unit_ns)).decode()


def event_fields(event: AccountEvent, unit_ns: int) -> dict[str, Any]:
    """An event by its kind."""
    match event:
        case OrderReport():
            return execution_report(event, unit_ns)
        case AccountPosition():
            return account_position(event, unit_ns)
        case BalanceUpdate():
            return balance_update(event, unit_ns)
        case ListStatus():
            return list_status(event, unit_ns)


def execution_report(report: OrderReport, unit_ns: int) -> dict[str, Any]:
    """`executionReport`. On CANCELED and REPLACED `c` is the request's id and `C` the order's; else `C` is ""."""
    time, price, qty = report.time_ns // unit_ns, report.listing.price_text, report.listing.qty_text
    is_ended_by_request = report.execution in (Execution.CANCELED, Execution.REPLACED)
    fill = report.fill
    fields: dict[str, Any] = {
        "e": "executionReport",
        "E": time,
        "s": report.listing.symbol,
        "c": report.request_id if is_ended_by_request else report.client_order_id,
        "S": report.side.value,
        "o": report.type.value,
        "f": report.time_in_force.value,
        "q": qty(report.qty_lots),
        "p": price(report.price_ticks),
        "P": price(report.stop_ticks),
    }
    if report.trailing_delta_bps:
        fields["d"] = report.trailing_delta_bps
    fields |= {
        "F": qty(report.iceberg_lots),
        "g": report.order_list_id,
        "C": report.client_order_id if is_ended_by_request else "",
        "x": report.execution.value,
        "X": report.status.value,
        "r": report.reject_reason,
        "i": report.order_id,
        "l": qty(fill.qty_lots if fill else 0),
        "z": qty(report.executed_lots),
        "L": price(fill.price_ticks if fill else 0),
        "n": amount_text(fill.commission) if fill else "0",
        "N": fill.commission_asset if fill else None,
        "T": time,
        "t": fill.trade_id if fill else -1,
    }
    if report.prevented is not None:
        fields["v"] = report.prevented[0]
    fields |= {
        "I": report.execution_id,
        "w": report.is_in_book,
        "m": fill.is_maker if fill else False,
        "M": report.fill is not None,
        "O": report.created_ns // unit_ns,
        "Z": amount_text(report.executed_quote),
        "Y": amount_text(fill.quote_amount if fill else 0),
        "Q": amount_text(report.quote_qty),
    }
    return fields | _conditional(report, unit_ns) | {"V": report.self_trade.value} | _prevention(report)


def _conditional(report: OrderReport, unit_ns: int) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if report.trailing_since_ns is not None:
        fields["D"] = report.trailing_since_ns // unit_ns
    if report.strategy_id is not None:
        fields["j"] = report.strategy_id
    if report.strategy_type is not None:
        fields["J"] = report.strategy_type
    if report.working_ns is not None:
        fields["W"] = report.working_ns // unit_ns
    if report.expiry_reason is not ExpiryReason.NONE:
        fields["eR"] = report.expiry_reason.value
    return fields


def _prevention(report: OrderReport) -> dict[str, Any]:
    if report.prevented is None:
        return {}
    _, group, lots, price_ticks, counter_order = report.prevented
    listing = report.listing
    return {
        "u": group,
        "A": listing.qty_text(report.prevented_lots),
        "B": listing.qty_text(lots),
        "U": counter_order,
        "Cs": listing.symbol,
        "pl": listing.qty_text(lots),
        "pL": listing.price_text(price_ticks),
        "pY": amount_text(value_of(price_ticks * listing.tick_amount, lots * listing.lot_amount)),
    }


def account_position(event: AccountPosition, unit_ns: int) -> dict[str, Any]:
    """`outboundAccountPosition`."""
    time = event.time_ns // unit_ns
    balances = [
        {"a": changed.asset, "f": amount_text(changed.free), "l": amount_text(changed.locked)}
        for changed in event.balances
    ]
    return {"e": "outboundAccountPosition", "E": time, "u": time, "B": balances}


def balance_update(event: BalanceUpdate, unit_ns: int) -> dict[str, Any]:
    """`balanceUpdate`."""
    time = event.time_ns // unit_ns
    return {"e": "balanceUpdate", "E": time, "a": event.asset, "d": amount_text(event.delta), "T": time}


def list_status(event: ListStatus, unit_ns: int) -> dict[str, Any]:
    """`listStatus`."""
    time = event.time_ns // unit_ns
    return {
        "e": "listStatus",
        "E": time,
        "s": event.symbol,
        "g": event.order_list_id,
        "c": event.contingency,
        "l": event.list_status_type,
        "L": event.list_order_status,
        "r": event.reject_reason,
        "C": event.list_client_order_id,
        "T": time,
        "O": [{"s": order.symbol, "i": order.order_id, "c": order.client_order_id} for order in event.orders],
    }
