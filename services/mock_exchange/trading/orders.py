"""Orders of spot: what a client asks for, and the record the venue keeps of it (venues.md 2.6 and 2.7).

Prices are integer ticks, quantities integer lots of the listing, amounts of money integers of 1e-8 (amounts.py),
times integer nanoseconds UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple

from common.messages.base import Side
from common.messages.orders import TimeInForce
from services.mock_exchange.listing import Listing

NO_LIST: Final = -1


class SpotType(StrEnum):
    """Order types of spot, as venues.md 2.6 lists them."""

    LIMIT = "LIMIT"
    MARKET = "MARKET"
    LIMIT_MAKER = "LIMIT_MAKER"
    STOP_LOSS = "STOP_LOSS"
    STOP_LOSS_LIMIT = "STOP_LOSS_LIMIT"
    TAKE_PROFIT = "TAKE_PROFIT"
    TAKE_PROFIT_LIMIT = "TAKE_PROFIT_LIMIT"

    @property
    def is_conditional(self) -> bool:
        """It waits outside the book until the market reaches its stop price."""
        return self.name.startswith(("STOP_LOSS", "TAKE_PROFIT"))

    @property
    def has_price(self) -> bool:
        """It carries a limit price."""
        return self.name.endswith(("LIMIT", "LIMIT_MAKER"))


class SpotStatus(StrEnum):
    """Where an order is in its life."""

    NEW = "NEW"
    PENDING_NEW = "PENDING_NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    EXPIRED_IN_MATCH = "EXPIRED_IN_MATCH"

    @property
    def is_open(self) -> bool:
        """It can still trade."""
        return self in (SpotStatus.NEW, SpotStatus.PENDING_NEW, SpotStatus.PARTIALLY_FILLED)


class Execution(StrEnum):
    """What happened to an order in one report (`x`)."""

    NEW = "NEW"
    CANCELED = "CANCELED"
    REPLACED = "REPLACED"
    REJECTED = "REJECTED"
    TRADE = "TRADE"
    EXPIRED = "EXPIRED"
    TRADE_PREVENTION = "TRADE_PREVENTION"


class ExpiryReason(StrEnum):
    """Why an order has expired (`expiryReason`, `eR`)."""

    NONE = "NONE"
    REJECTED = "REJECTED"
    OCO_TRIGGER = "OCO_TRIGGER"
    OTO_PHASE_ONE_EXPIRED = "OTO_PHASE_ONE_EXPIRED"
    UNFILLED_IOC_QUANTITY_EXPIRED = "UNFILLED_IOC_QUANTITY_EXPIRED"
    UNFILLED_FOK_ORDER_EXPIRED = "UNFILLED_FOK_ORDER_EXPIRED"
    INSUFFICIENT_LIQUIDITY = "INSUFFICIENT_LIQUIDITY"


class SelfTrade(StrEnum):
    """What happens when an order would meet one of its own account."""

    NONE = "NONE"
    EXPIRE_MAKER = "EXPIRE_MAKER"
    EXPIRE_TAKER = "EXPIRE_TAKER"
    EXPIRE_BOTH = "EXPIRE_BOTH"
    DECREMENT = "DECREMENT"


class OrderRef(NamedTuple):
    """Which order is meant. With both, both must fit."""

    order_id: int | None = None
    client_order_id: str | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """A well-formed request for an order, not yet held against the symbol's filters: decimals as the client wrote.

    What the type needs is there and nothing it forbids (the request's parser saw to that); None is "not sent".
    """

    symbol: str
    side: Side
    type: SpotType
    time_in_force: TimeInForce | None = None
    quantity: Decimal | None = None
    quote_qty: Decimal | None = None
    price: Decimal | None = None
    stop_price: Decimal | None = None
    trailing_delta_bps: int | None = None
    iceberg_qty: Decimal | None = None
    client_order_id: str | None = None
    self_trade: SelfTrade | None = None
    strategy_id: int | None = None
    strategy_type: int | None = None


@dataclass(frozen=True, slots=True)
class Fill:
    """One trade of one order."""

    trade_id: int
    price_ticks: int
    qty_lots: int
    quote_amount: int
    commission: int
    commission_asset: str
    time_ns: int
    is_maker: bool


class PreventedMatch(NamedTuple):
    """A trade with oneself that was prevented. The lots are what each order lost by it."""

    match_id: int
    taker_order_id: int
    maker_order_id: int
    self_trade: SelfTrade
    price_ticks: int
    taker_lots: int
    maker_lots: int
    time_ns: int


class Amendment(NamedTuple):
    """An order made smaller in its place."""

    execution_id: int
    old_client_order_id: str
    new_client_order_id: str
    old_lots: int
    new_lots: int
    time_ns: int


@dataclass(slots=True, eq=False)
class Order:
    """The venue's record of one order. Only the desk changes it."""

    order_id: int
    account_id: int
    listing: Listing
    side: Side
    type: SpotType
    time_in_force: TimeInForce
    client_order_id: str
    qty_lots: int
    price_ticks: int
    created_ns: int
    updated_ns: int
    #: When it began to work in the book; None while a condition holds it back.
    working_ns: int | None = None
    status: SpotStatus = SpotStatus.NEW
    quote_qty: int = 0
    stop_ticks: int = 0
    trailing_delta_bps: int = 0
    #: When a trailing stop began to follow; None before.
    trailing_since_ns: int | None = None
    iceberg_lots: int = 0
    self_trade: SelfTrade = SelfTrade.EXPIRE_MAKER
    strategy_id: int | None = None
    strategy_type: int | None = None
    order_list_id: int = NO_LIST
    executed_lots: int = 0
    #: Sum of what the fills paid, in 1e-8 of the quote asset.
    executed_quote: int = 0
    #: Lots taken off by self-trade prevention.
    prevented_lots: int = 0
    prevented_match_id: int = -1
    prevented: list[PreventedMatch] = field(default_factory=list)
    amendments: list[Amendment] = field(default_factory=list)
    #: What its lock is reckoned at while it waits, if it buys at the market's price.
    hold_ticks: int = 0
    #: The client id of the request that cancelled it.
    cancel_request_id: str = ""
    expiry_reason: ExpiryReason = ExpiryReason.NONE
    #: What is still locked for it, in 1e-8 of the asset it pays with.
    locked: int = 0
    fills: list[Fill] = field(default_factory=list)
    #: The order's number in its market's book while it rests there; 0 when it does not.
    book_id: int = 0

    @property
    def symbol(self) -> str:
        """The listing's name."""
        return self.listing.symbol

    @property
    def is_working(self) -> bool:
        """It is, or was, in the book: no condition holds it back."""
        return self.working_ns is not None

    @property
    def left_lots(self) -> int:
        """What may still trade."""
        return self.qty_lots - self.executed_lots - self.prevented_lots

    @property
    def pays_with(self) -> str:
        """The asset its locks are in."""
        return self.listing.quote if self.side is Side.BUY else self.listing.base

    @property
    def limit_ticks(self) -> int | None:
        """The price it does not trade beyond; None at the market's."""
        return self.price_ticks if self.type.has_price else None


@dataclass(frozen=True, slots=True)
class OcoTicket:
    """One cancels the other: the leg whose price is above the market, and the one below."""

    above: Ticket
    below: Ticket
    list_client_order_id: str | None = None

    @classmethod
    def of_legs(cls, limit: Ticket, stop: Ticket, list_client_order_id: str | None = None) -> OcoTicket:
        """The old form, a limit and a stop order: of a sale the limit is above, of a purchase below."""
        above, below = (limit, stop) if limit.side is Side.SELL else (stop, limit)
        return cls(above, below, list_client_order_id)


@dataclass(frozen=True, slots=True)
class OtoTicket:
    """One triggers the other: when `working` is filled, `pending` begin: one order, or an OCO's above and below."""

    working: Ticket
    pending: tuple[Ticket, ...]
    list_client_order_id: str | None = None


class ListRef(NamedTuple):
    """Which order list is meant."""

    order_list_id: int | None = None
    list_client_order_id: str | None = None


@dataclass(slots=True, eq=False)
class OrderList:
    """Orders that depend on one another. Contingency: OCO or OTO (an OTO of three is the venue's OTOCO)."""

    order_list_id: int
    account_id: int
    listing: Listing
    contingency: str
    list_client_order_id: str
    orders: tuple[Order, ...]
    created_ns: int
    #: EXEC_STARTED or ALL_DONE.
    status_type: str = "EXEC_STARTED"
    #: EXECUTING or ALL_DONE.
    order_status: str = "EXECUTING"

    @property
    def is_open(self) -> bool:
        """What becomes of one of its orders still matters to another."""
        return self.order_status == "EXECUTING"


class Replaced(NamedTuple):
    """Both legs of a cancelReplace that went well."""

    canceled: Order
    placed: Order


class Amended(NamedTuple):
    """An order after it was made smaller, and the step that did it."""

    order: Order
    amendment: Amendment
    order_list: OrderList | None
