"""Endpoints of order lists: OCO, OTO and OTOCO (venues.md 2.6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from services.mock_exchange.api import order_text, params
from services.mock_exchange.api.call import Call, Endpoint, Security
from services.mock_exchange.api.order_params import (
    ANSWER_PARAMS,
    SYMBOL,
    ResponseType,
    leg_params,
    leg_ticket,
    side,
)
from services.mock_exchange.api.orders import PAGE_PARAMS, RENDER
from services.mock_exchange.api.params import Param
from services.mock_exchange.trading.orders import (
    ListRef,
    OcoTicket,
    OrderList,
    OtoTicket,
    SpotType,
    Ticket,
)

_LEG_FIELDS: Final = (
    "type",
    "newClientOrderId",
    "price",
    "stopPrice",
    "trailingDelta",
    "icebergQty",
    "timeInForce",
    "strategyId",
    "strategyType",
)
_WORKING_FIELDS: Final = (
    "type",
    "side",
    "newClientOrderId",
    "price",
    "quantity",
    "icebergQty",
    "timeInForce",
    "strategyId",
    "strategyType",
)


def _named(prefix: str, fields: tuple[str, ...]) -> dict[str, str]:
    """A leg's own names: "price" is "abovePrice" of the leg above."""
    short = {"newClientOrderId": "ClientOrderId"}
    return {name: prefix + short.get(name, name[0].upper() + name[1:]) for name in fields}


_ABOVE: Final = _named("above", _LEG_FIELDS)
_BELOW: Final = _named("below", _LEG_FIELDS)
_WORKING: Final = _named("working", _WORKING_FIELDS)
_PENDING: Final = _named("pending", ("side", "quantity", *_LEG_FIELDS))
_PENDING_ABOVE: Final = _named("pendingAbove", _LEG_FIELDS)
_PENDING_BELOW: Final = _named("pendingBelow", _LEG_FIELDS)
#: The old OCO: its limit leg has the names of a single order, its stop leg those of a stop order.
_OLD_LIMIT: Final = {
    "price": "price",
    "newClientOrderId": "limitClientOrderId",
    "icebergQty": "limitIcebergQty",
    "strategyId": "limitStrategyId",
    "strategyType": "limitStrategyType",
}
_OLD_STOP: Final = {
    "stopPrice": "stopPrice",
    "trailingDelta": "trailingDelta",
    "price": "stopLimitPrice",
    "timeInForce": "stopLimitTimeInForce",
    "newClientOrderId": "stopClientOrderId",
    "icebergQty": "stopIcebergQty",
    "strategyId": "stopStrategyId",
    "strategyType": "stopStrategyType",
}


def place_oco(call: Call) -> dict[str, Any]:
    """POST orderList/oco."""
    _ = call.listing
    both = {"side": call["side"], "quantity": call["quantity"]}
    above, below = leg_ticket(call.values, _ABOVE, **both), leg_ticket(call.values, _BELOW, **both)
    return _placed_oco(call, OcoTicket(above, below, call["listClientOrderId"]))


def place_old_oco(call: Call) -> dict[str, Any]:
    """POST order/oco: a limit maker, and a stop order with or without a limit."""
    _ = call.listing
    both = {"side": call["side"], "quantity": call["quantity"]}
    limit = leg_ticket(call.values, _OLD_LIMIT, type=SpotType.LIMIT_MAKER, **both)
    stop_type = SpotType.STOP_LOSS if call["stopLimitPrice"] is None else SpotType.STOP_LOSS_LIMIT
    stop = leg_ticket(call.values, _OLD_STOP, type=stop_type, **both)
    return _placed_oco(call, OcoTicket.of_legs(limit, stop, call["listClientOrderId"]))


def place_oto(call: Call) -> dict[str, Any]:
    """POST orderList/oto."""
    _ = call.listing
    return _placed_oto(call, (leg_ticket(call.values, _PENDING),))


def place_otoco(call: Call) -> dict[str, Any]:
    """POST orderList/otoco."""
    _ = call.listing
    both = {"side": call["pendingSide"], "quantity": call["pendingQuantity"]}
    legs = (_PENDING_ABOVE, _PENDING_BELOW)
    return _placed_oto(call, tuple(leg_ticket(call.values, leg, **both) for leg in legs))


def _placed_oco(call: Call, ticket: OcoTicket) -> dict[str, Any]:
    with call.venue.limits.taking_orders(call.account.account_id, 2, call.now_ns):
        orders = call.venue.desk.place_oco(call.account, ticket, call.now_ns)
    return _told(call, orders)


def _placed_oto(call: Call, pending: tuple[Ticket, ...]) -> dict[str, Any]:
    ticket = OtoTicket(leg_ticket(call.values, _WORKING), pending, call["listClientOrderId"])
    with call.venue.limits.taking_orders(call.account.account_id, 1 + len(pending), call.now_ns):
        orders = call.venue.desk.place_oto(call.account, ticket, call.now_ns)
    return _told(call, orders)


def _told(call: Call, orders: OrderList) -> dict[str, Any]:
    """Reports of lists say RESULT unless asked otherwise."""
    render = RENDER[call["newOrderRespType"] or ResponseType.RESULT]
    return order_text.placed_list(orders, render, call.unit_ns)


def cancel(call: Call) -> dict[str, Any]:
    """DELETE orderList."""
    symbol = call.listing.symbol
    desk, which = call.venue.desk, _ref(call, "listClientOrderId")
    was_open = desk.open_orders(call.account, symbol)
    orders = desk.cancel_list(call.account, symbol, which, call.now_ns, request_id=call["newClientOrderId"])
    ended = [order for order in orders.orders if order in was_open]
    return order_text.canceled_list(orders, ended, call.unit_ns, call.now_ns)


def query(call: Call) -> dict[str, Any]:
    """GET orderList, by its number or its client id."""
    orders = call.venue.desk.order_list(call.account, _ref(call, "origClientOrderId"))
    return order_text.order_list(orders, call.unit_ns)


def all_lists(call: Call) -> list[dict[str, Any]]:
    """GET allOrderList."""
    lists = call.venue.desk.order_lists(
        call.account,
        from_id=call["fromId"],
        start_ns=call["startTime"],
        end_ns=call["endTime"],
        limit=call["limit"],
    )
    return [order_text.order_list(orders, call.unit_ns) for orders in lists]


def open_lists(call: Call) -> list[dict[str, Any]]:
    """GET openOrderList."""
    lists = call.venue.desk.open_order_lists(call.account)
    return [order_text.order_list(orders, call.unit_ns) for orders in lists]


def _ref(call: Call, by_client_id: str) -> ListRef:
    if call["orderListId"] is None and call[by_client_id] is None:
        raise params.missing_either("orderListId", by_client_id)
    return ListRef(call["orderListId"], call[by_client_id])


_LIST_ID: Final = Param("listClientOrderId", params.client_id)
_WHOLE: Final = (
    SYMBOL,
    _LIST_ID,
    Param("side", side, is_required=True),
    Param("quantity", params.amount, is_required=True),
)
_WORKING_PARAMS: Final = leg_params(
    _WORKING, frozenset({"workingType", "workingSide", "workingPrice", "workingQuantity"})
)
_TRADE: Final[Mapping[str, Any]] = {"security": Security.TRADE, "is_free_when_done": True, "tells_orders": True}

ENDPOINTS: Final = (
    Endpoint(
        "POST /api/v3/orderList/oco",
        "orderList.place.oco",
        place_oco,
        (
            *_WHOLE,
            *leg_params(_ABOVE, frozenset({"aboveType"})),
            *leg_params(_BELOW, frozenset({"belowType"})),
            *ANSWER_PARAMS,
        ),
        1,
        **_TRADE,
    ),
    Endpoint(
        "POST /api/v3/order/oco",
        "orderList.place",
        place_old_oco,
        (*_WHOLE, *leg_params(_OLD_LIMIT, frozenset({"price"})), *leg_params(_OLD_STOP), *ANSWER_PARAMS),
        1,
        **_TRADE,
    ),
    Endpoint(
        "POST /api/v3/orderList/oto",
        "orderList.place.oto",
        place_oto,
        (
            SYMBOL,
            _LIST_ID,
            *_WORKING_PARAMS,
            *leg_params(_PENDING, frozenset({"pendingType", "pendingSide", "pendingQuantity"})),
            *ANSWER_PARAMS,
        ),
        1,
        **_TRADE,
    ),
    Endpoint(
        "POST /api/v3/orderList/otoco",
        "orderList.place.otoco",
        place_otoco,
        (
            SYMBOL,
            _LIST_ID,
            *_WORKING_PARAMS,
            Param("pendingSide", side, is_required=True),
            Param("pendingQuantity", params.amount, is_required=True),
            *leg_params(_PENDING_ABOVE, frozenset({"pendingAboveType"})),
            *leg_params(_PENDING_BELOW, frozenset({"pendingBelowType"})),
            *ANSWER_PARAMS,
        ),
        1,
        **_TRADE,
    ),
    Endpoint(
        "DELETE /api/v3/orderList",
        "orderList.cancel",
        cancel,
        (SYMBOL, Param("orderListId", params.integer), _LIST_ID, Param("newClientOrderId", params.client_id)),
        1,
        **_TRADE,
    ),
    Endpoint(
        "GET /api/v3/orderList",
        "orderList.status",
        query,
        (Param("orderListId", params.integer), Param("origClientOrderId", params.client_id)),
        4,
        Security.READ,
    ),
    Endpoint(
        "GET /api/v3/allOrderList",
        "allOrderLists",
        all_lists,
        (Param("fromId", params.integer), *PAGE_PARAMS),
        20,
        Security.READ,
    ),
    Endpoint("GET /api/v3/openOrderList", "openOrderLists.status", open_lists, (), 6, Security.READ),
)
