"""What an account is told: reports of its orders and changes of its balances (venues.md 2.7).

Events carry what was true at their moment; a listener writes, stores or sends them.
"""

from __future__ import annotations

from typing import NamedTuple

from common.messages.base import Side
from common.messages.orders import TimeInForce
from services.mock_exchange.listing import Listing
from services.mock_exchange.trading.orders import Execution, ExpiryReason, Fill, SelfTrade, SpotStatus, SpotType


class OrderReport(NamedTuple):
    """`executionReport`: one step of one order, a copy of the record as it was then."""

    account_id: int
    time_ns: int
    execution_id: int
    execution: Execution
    listing: Listing
    order_id: int
    #: The order's own id; on CANCELED and REPLACED `request_id` is the cancelling request's.
    client_order_id: str
    request_id: str
    side: Side
    type: SpotType
    time_in_force: TimeInForce
    status: SpotStatus
    qty_lots: int
    price_ticks: int
    stop_ticks: int
    trailing_delta_bps: int
    trailing_since_ns: int | None
    iceberg_lots: int
    quote_qty: int
    order_list_id: int
    executed_lots: int
    executed_quote: int
    created_ns: int
    working_ns: int | None
    is_in_book: bool
    self_trade: SelfTrade
    strategy_id: int | None
    strategy_type: int | None
    reject_reason: str = "NONE"
    expiry_reason: ExpiryReason = ExpiryReason.NONE
    fill: Fill | None = None
    #: Self-trade prevention: (match id, account of the other order, lots of this event, price, other order's id).
    prevented: tuple[int, int, int, int, int] | None = None
    prevented_lots: int = 0


class BalanceChange(NamedTuple):
    """One asset after a change, in 1e-8."""

    asset: str
    free: int
    locked: int


class AccountPosition(NamedTuple):
    """`outboundAccountPosition`: the balances an order's step has changed."""

    account_id: int
    time_ns: int
    balances: tuple[BalanceChange, ...]


class BalanceUpdate(NamedTuple):
    """`balanceUpdate`: a deposit or withdrawal, in 1e-8."""

    account_id: int
    time_ns: int
    asset: str
    delta: int


class ListOrder(NamedTuple):
    """One order of a list, as `listStatus` names it."""

    symbol: str
    order_id: int
    client_order_id: str


class ListStatus(NamedTuple):
    """`listStatus`: what became of an order list as a whole."""

    account_id: int
    time_ns: int
    symbol: str
    order_list_id: int
    contingency: str
    list_status_type: str
    list_order_status: str
    list_client_order_id: str
    reject_reason: str
    orders: tuple[ListOrder, ...]


AccountEvent = OrderReport | AccountPosition | BalanceUpdate | ListStatus
