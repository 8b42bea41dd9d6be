"""Orders and trades as answers word them, fields in the venue's order (venues.md 2.6, 2.7)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from services.mock_exchange.listing import Listing
from services.mock_exchange.trading.amounts import amount_text
from services.mock_exchange.trading.orders import (
    Amended,
    Amendment,
    ExpiryReason,
    Fill,
    Order,
    OrderList,
    PreventedMatch,
)


def acknowledged(order: Order, unit_ns: int) -> dict[str, Any]:
    """newOrderRespType=ACK."""
    return {**_identity(order), "transactTime": order.updated_ns // unit_ns}


def result(order: Order, unit_ns: int) -> dict[str, Any]:
    """newOrderRespType=RESULT."""
    return {
        **acknowledged(order, unit_ns),
        **_state(order),
        **_conditional(order, unit_ns),
        "workingTime": _moment(order.working_ns, unit_ns),
        **_prevented(order),
        "selfTradePreventionMode": order.self_trade.value,
    }


def full(order: Order, unit_ns: int) -> dict[str, Any]:
    """newOrderRespType=FULL."""
    return {**result(order, unit_ns), "fills": [_fill(order, fill) for fill in order.fills]}


def canceled(order: Order, unit_ns: int) -> dict[str, Any]:
    """The answer to a cancel: the request's client id stands where the order's was."""
    return {
        "symbol": order.symbol,
        "origClientOrderId": order.client_order_id,
        "orderId": order.order_id,
        "orderListId": order.order_list_id,
        "clientOrderId": order.cancel_request_id,
        "transactTime": order.updated_ns // unit_ns,
        **_state(order),
        **_conditional(order, unit_ns),
        **_prevented(order),
        "selfTradePreventionMode": order.self_trade.value,
    }


def queried(order: Order, unit_ns: int) -> dict[str, Any]:
    """GET order, openOrders, allOrders."""
    listing = order.listing
    row = {
        **_identity(order),
        "price": listing.price_text(order.price_ticks),
        "origQty": listing.qty_text(order.qty_lots),
        "executedQty": listing.qty_text(order.executed_lots),
        "cummulativeQuoteQty": amount_text(order.executed_quote),
        "status": order.status.value,
        "timeInForce": order.time_in_force.value,
        "type": order.type.value,
        "side": order.side.value,
        "stopPrice": listing.price_text(order.stop_ticks),
        "icebergQty": listing.qty_text(order.iceberg_lots),
        "time": order.created_ns // unit_ns,
        "updateTime": order.updated_ns // unit_ns,
        "isWorking": order.is_working,
        "workingTime": _moment(order.working_ns, unit_ns),
        "origQuoteOrderQty": amount_text(order.quote_qty),
    }
    return {
        **row,
        **_trailing(order, unit_ns),
        **_strategy(order),
        **_expiry(order),
        "selfTradePreventionMode": order.self_trade.value,
        **_prevented(order),
    }


def trade(order: Order, fill: Fill, unit_ns: int) -> dict[str, Any]:
    """A row of myTrades."""
    return {
        "symbol": order.symbol,
        "id": fill.trade_id,
        "orderId": order.order_id,
        "orderListId": order.order_list_id,
        "price": order.listing.price_text(fill.price_ticks),
        "qty": order.listing.qty_text(fill.qty_lots),
        "quoteQty": amount_text(fill.quote_amount),
        "commission": amount_text(fill.commission),
        "commissionAsset": fill.commission_asset,
        "time": fill.time_ns // unit_ns,
        "isBuyer": order.side.value == "BUY",
        "isMaker": fill.is_maker,
        "isBestMatch": True,
    }


def prevented_match(listing: Listing, account_id: int, match: PreventedMatch, unit_ns: int) -> dict[str, Any]:
    """A row of myPreventedMatches."""
    return {
        "symbol": listing.symbol,
        "preventedMatchId": match.match_id,
        "takerOrderId": match.taker_order_id,
        "makerSymbol": listing.symbol,
        "makerOrderId": match.maker_order_id,
        "tradeGroupId": account_id,
        "selfTradePreventionMode": match.self_trade.value,
        "price": listing.price_text(match.price_ticks),
        "takerPreventedQuantity": listing.qty_text(match.taker_lots),
        "makerPreventedQuantity": listing.qty_text(match.maker_lots),
        "transactTime": match.time_ns // unit_ns,
    }


def amended(done: Amended, unit_ns: int) -> dict[str, Any]:
    """The answer to order/amend/keepPriority."""
    order, step = done.order, done.amendment
    listing = order.listing
    answer = {
        "transactTime": step.time_ns // unit_ns,
        "executionId": step.execution_id,
        "amendedOrder": {
            "symbol": order.symbol,
            "orderId": order.order_id,
            "orderListId": order.order_list_id,
            "origClientOrderId": step.old_client_order_id,
            "clientOrderId": step.new_client_order_id,
            "price": listing.price_text(order.price_ticks),
            "qty": listing.qty_text(order.qty_lots),
            "executedQty": listing.qty_text(order.executed_lots),
            "preventedQty": listing.qty_text(order.prevented_lots),
            "quoteOrderQty": amount_text(order.quote_qty),
            "cumulativeQuoteQty": amount_text(order.executed_quote),
            "status": order.status.value,
            "timeInForce": order.time_in_force.value,
            "type": order.type.value,
            "side": order.side.value,
            **_conditional(order, unit_ns),
            "workingTime": _moment(order.working_ns, unit_ns),
            "selfTradePreventionMode": order.self_trade.value,
        },
    }
    return answer if done.order_list is None else {**answer, "listStatus": _list_status(done.order_list)}


def amendment(order: Order, step: Amendment, unit_ns: int) -> dict[str, Any]:
    """A row of order/amendments."""
    return {
        "symbol": order.symbol,
        "orderId": order.order_id,
        "executionId": step.execution_id,
        "origClientOrderId": step.old_client_order_id,
        "newClientOrderId": step.new_client_order_id,
        "origQty": order.listing.qty_text(step.old_lots),
        "newQty": order.listing.qty_text(step.new_lots),
        "time": step.time_ns // unit_ns,
    }


def order_list(orders: OrderList, unit_ns: int, time_ns: int | None = None) -> dict[str, Any]:
    """An order list as it stands; `time_ns` is the answer's own moment."""
    return {
        "orderListId": orders.order_list_id,
        "contingencyType": orders.contingency,
        "listStatusType": orders.status_type,
        "listOrderStatus": orders.order_status,
        "listClientOrderId": orders.list_client_order_id,
        "transactionTime": (orders.created_ns if time_ns is None else time_ns) // unit_ns,
        "symbol": orders.listing.symbol,
        "orders": [_member(order) for order in orders.orders],
    }


def placed_list(orders: OrderList, render: Callable[[Order, int], dict[str, Any]], unit_ns: int) -> dict[str, Any]:
    """A new order list, with a report of each order."""
    return {**order_list(orders, unit_ns), "orderReports": [render(order, unit_ns) for order in orders.orders]}


def canceled_list(orders: OrderList, members: Sequence[Order], unit_ns: int, time_ns: int) -> dict[str, Any]:
    """An order list after its end, with a report of each order that was open."""
    reports = [canceled(order, unit_ns) for order in members]
    return {**order_list(orders, unit_ns, time_ns), "orderReports": reports}


def _list_status(orders: OrderList) -> dict[str, Any]:
    return {
        "orderListId": orders.order_list_id,
        "contingencyType": orders.contingency,
        "listOrderStatus": orders.order_status,
        "listClientOrderId": orders.list_client_order_id,
        "symbol": orders.listing.symbol,
        "orders": [_member(order) for order in orders.orders],
    }


def _member(order: Order) -> dict[str, Any]:
    return {"symbol": order.symbol, "orderId": order.order_id, "clientOrderId": order.client_order_id}


def _identity(order: Order) -> dict[str, Any]:
    return {
        "symbol": order.symbol,
        "orderId": order.order_id,
        "orderListId": order.order_list_id,
        "clientOrderId": order.client_order_id,
    }


def _state(order: Order) -> dict[str, Any]:
    listing = order.listing
    return {
        "price": listing.price_text(order.price_ticks),
        "origQty": listing.qty_text(order.qty_lots),
        "executedQty": listing.qty_text(order.executed_lots),
        "origQuoteOrderQty": amount_text(order.quote_qty),
        "cummulativeQuoteQty": amount_text(order.executed_quote),
        "status": order.status.value,
        "timeInForce": order.time_in_force.value,
        "type": order.type.value,
        "side": order.side.value,
    }


def _conditional(order: Order, unit_ns: int) -> dict[str, Any]:
    """Fields that are there only where the order has them."""
    fields: dict[str, Any] = {}
    if order.stop_ticks:
        fields["stopPrice"] = order.listing.price_text(order.stop_ticks)
    fields |= _trailing(order, unit_ns)
    if order.iceberg_lots:
        fields["icebergQty"] = order.listing.qty_text(order.iceberg_lots)
    return fields | _strategy(order) | _expiry(order)


def _trailing(order: Order, unit_ns: int) -> dict[str, Any]:
    if not order.trailing_delta_bps:
        return {}
    return {"trailingDelta": order.trailing_delta_bps, "trailingTime": _moment(order.trailing_since_ns, unit_ns)}


def _strategy(order: Order) -> dict[str, Any]:
    ids = {"strategyId": order.strategy_id, "strategyType": order.strategy_type}
    return {name: value for name, value in ids.items() if value is not None}


def _expiry(order: Order) -> dict[str, Any]:
    return {} if order.expiry_reason is ExpiryReason.NONE else {"expiryReason": order.expiry_reason.value}


def _prevented(order: Order) -> dict[str, Any]:
    if order.prevented_match_id < 0:
        return {}
    return {
        "preventedMatchId": order.prevented_match_id,
        "preventedQuantity": order.listing.qty_text(order.prevented_lots),
    }


def _fill(order: Order, fill: Fill) -> dict[str, Any]:
    return {
        "price": order.listing.price_text(fill.price_ticks),
        "qty": order.listing.qty_text(fill.qty_lots),
        "commission": amount_text(fill.commission),
        "commissionAsset": fill.commission_asset,
        "tradeId": fill.trade_id,
    }


def _moment(time_ns: int | None, unit_ns: int) -> int:
    return -1 if time_ns is None else time_ns // unit_ns
