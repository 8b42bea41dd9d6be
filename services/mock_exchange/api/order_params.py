"""From parameters to tickets: what each order type needs and forbids (venues.md 2.6), before any filter is asked.

One set of rules serves single orders and the legs of lists, whose parameters differ in their names alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final

from common.messages.base import Side
from common.messages.orders import TimeInForce
from services.mock_exchange.api import params
from services.mock_exchange.api.params import Param
from services.mock_exchange.errors import VenueError
from services.mock_exchange.trading.orders import SelfTrade, SpotType, Ticket

MIN_STRATEGY_TYPE: Final = 1_000_000


class ResponseType(StrEnum):
    """How much a placement's answer tells."""

    ACK = "ACK"
    RESULT = "RESULT"
    FULL = "FULL"


side: Final = params.one_of(Side, VenueError(-1117, "Invalid side."))
order_type: Final = params.one_of(SpotType, VenueError(-1116, "Invalid orderType."))
time_in_force: Final = params.one_of(TimeInForce, VenueError(-1115, "Invalid timeInForce."))
self_trade: Final = params.one_of(SelfTrade)
response_type: Final = params.one_of(ResponseType)


def strategy_type(name: str, text: str) -> int:
    """Values below a million are the venue's own."""
    number = params.integer(name, text)
    if number < MIN_STRATEGY_TYPE:
        raise VenueError(-1134, "strategyType was less than 1000000.")
    return number


#: A leg's fields: its reader, by the name it has in a single order.
_FIELDS: Final[Mapping[str, params.Reader]] = {
    "side": side,
    "type": order_type,
    "timeInForce": time_in_force,
    "quantity": params.amount,
    "quoteOrderQty": params.amount,
    "price": params.amount,
    "newClientOrderId": params.client_id,
    "strategyId": params.integer,
    "strategyType": strategy_type,
    "stopPrice": params.amount,
    "trailingDelta": params.integer,
    "icebergQty": params.amount,
}
SYMBOL: Final = Param("symbol", params.symbol, is_required=True)
#: What an order's answer and its self-trade prevention are asked with.
ANSWER_PARAMS: Final = (Param("newOrderRespType", response_type), Param("selfTradePreventionMode", self_trade))
NEW_ORDER: Final = (
    SYMBOL,
    *(Param(name, read, is_required=name in ("side", "type")) for name, read in _FIELDS.items()),
    *ANSWER_PARAMS,
)

#: What every type takes, what each needs, and what it may have beside.
_EVERY: Final = frozenset({"side", "type", "newClientOrderId", "strategyId", "strategyType"})
_TRIGGER: Final = ("stopPrice", "trailingDelta")
_NEEDS: Final[Mapping[SpotType, tuple[str, ...]]] = {
    SpotType.LIMIT: ("timeInForce", "quantity", "price"),
    SpotType.MARKET: (),
    SpotType.LIMIT_MAKER: ("quantity", "price"),
    SpotType.STOP_LOSS: ("quantity",),
    SpotType.STOP_LOSS_LIMIT: ("timeInForce", "quantity", "price"),
    SpotType.TAKE_PROFIT: ("quantity",),
    SpotType.TAKE_PROFIT_LIMIT: ("timeInForce", "quantity", "price"),
}
_MAY_HAVE: Final[Mapping[SpotType, tuple[str, ...]]] = {
    SpotType.LIMIT: ("icebergQty",),
    SpotType.MARKET: ("quantity", "quoteOrderQty"),
    SpotType.LIMIT_MAKER: ("icebergQty",),
    SpotType.STOP_LOSS: _TRIGGER,
    SpotType.STOP_LOSS_LIMIT: (*_TRIGGER, "icebergQty"),
    SpotType.TAKE_PROFIT: _TRIGGER,
    SpotType.TAKE_PROFIT_LIMIT: (*_TRIGGER, "icebergQty"),
}


def leg_params(names: Mapping[str, str], required: frozenset[str] = frozenset()) -> tuple[Param, ...]:
    """Parameters of one leg of a list: `names` from a single order's names to the leg's own."""
    return tuple(Param(own, _FIELDS[name], is_required=own in required) for name, own in names.items())


def new_ticket(values: Mapping[str, Any]) -> Ticket:
    """The ticket of a single order.

    Raises:
        VenueError: something is missing, or there without need.
    """
    return leg_ticket(values, {name: name for name in _FIELDS})


def leg_ticket(values: Mapping[str, Any], names: Mapping[str, str], **given: Any) -> Ticket:
    """The ticket of one leg. `given` are fields, by a single order's names, that its list or its kind decides.

    Raises:
        VenueError: something is missing, or there without need; it names the leg's own parameter.
    """
    fields = {name: values[own] for name, own in names.items()} | given
    _check(fields, lambda name: names.get(name, name))
    return Ticket(
        symbol=values["symbol"],
        side=fields["side"],
        type=fields["type"],
        time_in_force=fields.get("timeInForce"),
        quantity=fields.get("quantity"),
        quote_qty=fields.get("quoteOrderQty"),
        price=fields.get("price"),
        stop_price=fields.get("stopPrice"),
        trailing_delta_bps=fields.get("trailingDelta"),
        iceberg_qty=fields.get("icebergQty"),
        client_order_id=fields.get("newClientOrderId"),
        self_trade=values.get("selfTradePreventionMode"),
        strategy_id=fields.get("strategyId"),
        strategy_type=fields.get("strategyType"),
    )


def _check(fields: Mapping[str, Any], own: Callable[[str], str]) -> None:
    kind: SpotType = fields["type"]
    sent = {name for name, value in fields.items() if value is not None}
    for name in _NEEDS[kind]:
        if name not in sent:
            raise params.missing(own(name))
    if kind is SpotType.MARKET and "quantity" not in sent and "quoteOrderQty" not in sent:
        raise params.missing_either(own("quantity"), own("quoteOrderQty"))
    if kind.is_conditional and sent.isdisjoint(_TRIGGER):
        raise params.missing_either(own("stopPrice"), own("trailingDelta"))
    allowed = _EVERY.union(_NEEDS[kind], _MAY_HAVE[kind])
    for name in fields:
        if name in sent and name not in allowed:
            raise params.not_required(own(name))
    if kind is SpotType.MARKET and {"quantity", "quoteOrderQty"} <= sent:
        raise params.bad_combination()


def told(order_kind: SpotType, asked: ResponseType | None) -> ResponseType:
    """How much to tell: limit and market orders in full unless asked otherwise, the others briefly."""
    if asked is not None:
        return asked
    return ResponseType.FULL if order_kind in (SpotType.LIMIT, SpotType.MARKET) else ResponseType.ACK
