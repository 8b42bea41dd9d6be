"""Endpoints of single orders (venues.md 2.6)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from services.mock_exchange.api import order_text, params
from services.mock_exchange.api.account import commission_rates, rate_text
from services.mock_exchange.api.call import Call, Endpoint, Security
from services.mock_exchange.api.limits import LimitError
from services.mock_exchange.api.order_params import NEW_ORDER, SYMBOL, ResponseType, new_ticket, told
from services.mock_exchange.api.params import Param
from services.mock_exchange.errors import VenueError
from services.mock_exchange.trading.orders import NO_LIST, ListRef, Order, OrderRef

MAX_ROWS: Final = 1000
DEFAULT_ROWS: Final = 500
_LEGS_TOLD: Final = ("cancelResult", "newOrderResult", "cancelResponse", "newOrderResponse")
RENDER: Final = {
    ResponseType.ACK: order_text.acknowledged,
    ResponseType.RESULT: order_text.result,
    ResponseType.FULL: order_text.full,
}


class Restriction(StrEnum):
    """cancelRestrictions."""

    ONLY_NEW = "ONLY_NEW"
    ONLY_PARTIALLY_FILLED = "ONLY_PARTIALLY_FILLED"


class ReplaceMode(StrEnum):
    """cancelReplaceMode."""

    STOP_ON_FAILURE = "STOP_ON_FAILURE"
    ALLOW_FAILURE = "ALLOW_FAILURE"


class LimitMode(StrEnum):
    """orderRateLimitExceededMode."""

    DO_NOTHING = "DO_NOTHING"
    CANCEL_ONLY = "CANCEL_ONLY"


_restriction: Final = params.one_of(
    Restriction,
    VenueError(
        -1145,
        "Invalid cancelRestrictions. `cancelRestrictions` has to be either `ONLY_NEW` or `ONLY_PARTIALLY_FILLED`.",
    ),
)
REF_PARAMS: Final = (Param("orderId", params.integer), Param("origClientOrderId", params.client_id))
PAGE_PARAMS: Final = (
    Param("startTime", params.moment),
    Param("endTime", params.moment),
    Param("limit", params.up_to(MAX_ROWS), default=DEFAULT_ROWS),
)


def place(call: Call) -> dict[str, Any]:
    """POST order."""
    _ = call.listing
    ticket = new_ticket(call.values)
    with call.venue.limits.taking_orders(call.account.account_id, 1, call.now_ns):
        order = call.venue.desk.place(call.account, ticket, call.now_ns)
    return RENDER[told(order.type, call["newOrderRespType"])](order, call.unit_ns)


def test(call: Call) -> dict[str, Any]:
    """POST order/test: everything but the placement."""
    listing, ticket = call.listing, new_ticket(call.values)
    call.venue.desk.test(call.account, ticket, call.now_ns)
    if not call["computeCommissionRates"]:
        return {}
    none = {"maker": "0.00000000", "taker": "0.00000000"}
    maker_ppm, taker_ppm = call.account.fees(listing)
    return {
        "standardCommissionForOrder": {"maker": rate_text(maker_ppm), "taker": rate_text(taker_ppm)},
        "specialCommissionForOrder": none,
        "taxCommissionForOrder": none,
        "discount": commission_rates(call.account, listing)["discount"],
    }


def query(call: Call) -> dict[str, Any]:
    """GET order."""
    order = call.venue.desk.order(call.account, call.listing.symbol, _ref(call))
    return order_text.queried(order, call.unit_ns)


def cancel(call: Call) -> dict[str, Any]:
    """DELETE order."""
    order = call.venue.desk.cancel(
        call.account,
        call.listing.symbol,
        _ref(call),
        call.now_ns,
        request_id=call["newClientOrderId"],
        restriction=call["cancelRestrictions"],
    )
    return order_text.canceled(order, call.unit_ns)


def cancel_all(call: Call) -> list[dict[str, Any]]:
    """DELETE openOrders: single orders one by one, lists as lists."""
    orders = call.venue.desk.cancel_all(call.account, call.listing.symbol, call.now_ns)
    rows: list[dict[str, Any]] = []
    lists: dict[int, list[Order]] = {}
    for order in orders:
        if order.order_list_id == NO_LIST:
            rows.append(order_text.canceled(order, call.unit_ns))
        else:
            lists.setdefault(order.order_list_id, []).append(order)
    for list_id, members in lists.items():
        ended = call.venue.desk.order_list(call.account, ListRef(list_id, None))
        rows.append(order_text.canceled_list(ended, members, call.unit_ns, call.now_ns))
    return rows


def cancel_replace(call: Call) -> dict[str, Any]:
    """POST order/cancelReplace. A failure of a leg tells of both in `data`."""
    symbol, ticket = call.listing.symbol, new_ticket(call.values)
    which = _ref(call, "cancelOrderId", "cancelOrigClientOrderId")
    account, limits, desk = call.account, call.venue.limits, call.venue.desk
    refusal: LimitError | None = None
    if call["orderRateLimitExceededMode"] is LimitMode.CANCEL_ONLY:
        try:
            limits.check_orders(account.account_id, 1, call.now_ns)
        except LimitError as error:
            refusal = error
    try:
        with limits.taking_orders(account.account_id, 0 if refusal else 1, call.now_ns, _was_placed):
            done = desk.cancel_replace(
                account,
                symbol,
                which,
                ticket,
                call["cancelReplaceMode"].value,
                call.now_ns,
                request_id=call["cancelNewClientOrderId"],
                restriction=call["cancelRestrictions"],
                new_order_refusal=refusal and VenueError(refusal.code, refusal.message, refusal.status),
            )
    except VenueError as error:
        raise _worded(call, error, refusal) from error
    return {
        "cancelResult": "SUCCESS",
        "newOrderResult": "SUCCESS",
        "cancelResponse": order_text.canceled(done.canceled, call.unit_ns),
        "newOrderResponse": RENDER[told(done.placed.type, call["newOrderRespType"])](done.placed, call.unit_ns),
    }


def _was_placed(error: VenueError) -> bool:
    return (error.data or {}).get("newOrderResult") == "SUCCESS"


def _worded(call: Call, error: VenueError, refusal: LimitError | None) -> VenueError:
    """The desk's records in `data` as clients read them; a limit also says when to come back."""
    if error.data is None:
        return error
    data = {name: error.data[name] for name in _LEGS_TOLD}
    if isinstance(data["cancelResponse"], Order):
        data["cancelResponse"] = order_text.canceled(data["cancelResponse"], call.unit_ns)
    if isinstance(placed := data["newOrderResponse"], Order):
        data["newOrderResponse"] = RENDER[told(placed.type, call["newOrderRespType"])](placed, call.unit_ns)
    if refusal is None:
        return VenueError(error.code, error.message, error.status, data)
    refusal.code, refusal.message, refusal.data = error.code, error.message, data
    return refusal


def amend(call: Call) -> dict[str, Any]:
    """PUT order/amend/keepPriority: fewer, in the same place."""
    done = call.venue.desk.amend(
        call.account,
        call.listing.symbol,
        _ref(call),
        call["newQty"],
        call.now_ns,
        new_client_order_id=call["newClientOrderId"],
    )
    return order_text.amended(done, call.unit_ns)


def amendments(call: Call) -> list[dict[str, Any]]:
    """GET order/amendments."""
    desk, symbol, number = call.venue.desk, call.listing.symbol, call["orderId"]
    order = desk.order(call.account, symbol, OrderRef(number))
    steps = desk.amendments(
        call.account, symbol, number, from_execution_id=call["fromExecutionId"], limit=call["limit"]
    )
    return [order_text.amendment(order, step, call.unit_ns) for step in steps]


def open_orders(call: Call) -> list[dict[str, Any]]:
    """GET openOrders, of one symbol or of all."""
    symbol = None if call["symbol"] is None else call.listing.symbol
    orders = call.venue.desk.open_orders(call.account, symbol)
    return [order_text.queried(order, call.unit_ns) for order in orders]


def all_orders(call: Call) -> list[dict[str, Any]]:
    """GET allOrders, oldest first."""
    orders = call.venue.desk.all_orders(
        call.account,
        call.listing.symbol,
        from_id=call["orderId"],
        start_ns=call["startTime"],
        end_ns=call["endTime"],
        limit=call["limit"],
    )
    return [order_text.queried(order, call.unit_ns) for order in orders]


def my_trades(call: Call) -> list[dict[str, Any]]:
    """GET myTrades, oldest first."""
    trades = call.venue.desk.trades(
        call.account,
        call.listing.symbol,
        order_id=call["orderId"],
        from_id=call["fromId"],
        start_ns=call["startTime"],
        end_ns=call["endTime"],
        limit=call["limit"],
    )
    return [order_text.trade(order, fill, call.unit_ns) for order, fill in trades]


def _ref(call: Call, by_number: str = "orderId", by_client_id: str = "origClientOrderId") -> OrderRef:
    if call[by_number] is None and call[by_client_id] is None:
        raise params.missing_either(by_client_id, by_number)
    return OrderRef(call[by_number], call[by_client_id])


def _weight_of_open(sent: Mapping[str, str]) -> int:
    return 6 if "symbol" in sent else 80


_CANCEL_PARAMS: Final = (Param("newClientOrderId", params.client_id), Param("cancelRestrictions", _restriction))
_REPLACE_PARAMS: Final = (
    *NEW_ORDER,
    Param("cancelReplaceMode", params.one_of(ReplaceMode), is_required=True),
    Param("cancelOrderId", params.integer),
    Param("cancelOrigClientOrderId", params.client_id),
    Param("cancelNewClientOrderId", params.client_id),
    Param("cancelRestrictions", _restriction),
    Param("orderRateLimitExceededMode", params.one_of(LimitMode), default=LimitMode.DO_NOTHING),
)
_TRADE: Final[Mapping[str, Any]] = {"security": Security.TRADE, "is_free_when_done": True, "tells_orders": True}
_READ: Final[Mapping[str, Any]] = {"security": Security.READ}

ENDPOINTS: Final = (
    Endpoint("POST /api/v3/order", "order.place", place, NEW_ORDER, 1, **_TRADE),
    Endpoint(
        "POST /api/v3/order/test",
        "order.test",
        test,
        (*NEW_ORDER, Param("computeCommissionRates", params.boolean, default=False)),
        lambda sent: 20 if sent.get("computeCommissionRates", "").lower() == "true" else 1,
        Security.TRADE,
    ),
    Endpoint("GET /api/v3/order", "order.status", query, (SYMBOL, *REF_PARAMS), 4, **_READ),
    Endpoint("DELETE /api/v3/order", "order.cancel", cancel, (SYMBOL, *REF_PARAMS, *_CANCEL_PARAMS), 1, **_TRADE),
    Endpoint("DELETE /api/v3/openOrders", "openOrders.cancelAll", cancel_all, (SYMBOL,), 1, **_TRADE),
    Endpoint("POST /api/v3/order/cancelReplace", "order.cancelReplace", cancel_replace, _REPLACE_PARAMS, 1, **_TRADE),
    Endpoint(
        "PUT /api/v3/order/amend/keepPriority",
        "order.amend.keepPriority",
        amend,
        (
            SYMBOL,
            *REF_PARAMS,
            Param("newClientOrderId", params.client_id),
            Param("newQty", params.amount, is_required=True),
        ),
        4,
        Security.TRADE,
    ),
    Endpoint(
        "GET /api/v3/order/amendments",
        "order.amendments",
        amendments,
        (
            SYMBOL,
            Param("orderId", params.integer, is_required=True),
            Param("fromExecutionId", params.integer, default=0),
            Param("limit", params.up_to(MAX_ROWS), default=DEFAULT_ROWS),
        ),
        4,
        **_READ,
    ),
    Endpoint(
        "GET /api/v3/openOrders",
        "openOrders.status",
        open_orders,
        (Param("symbol", params.symbol),),
        _weight_of_open,
        **_READ,
    ),
    Endpoint(
        "GET /api/v3/allOrders",
        "allOrders",
        all_orders,
        (SYMBOL, Param("orderId", params.integer), *PAGE_PARAMS),
        20,
        **_READ,
    ),
    Endpoint(
        "GET /api/v3/myTrades",
        "myTrades",
        my_trades,
        (SYMBOL, Param("orderId", params.integer), *PAGE_PARAMS, Param("fromId", params.integer)),
        lambda sent: 5 if "orderId" in sent else 20,
        **_READ,
    ),
)
