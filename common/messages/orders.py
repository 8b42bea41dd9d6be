"""Orders, refusals, reports: the lossless part of the vocabulary."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from common.messages.base import Message, Side, SymbolMessage

#: The venue's rule for client order ids that is also the narrowest of all venues we know.
ORDER_ID_PATTERN: Final = r"^[a-zA-Z0-9_-]{1,36}$"


class OrderType(StrEnum):
    LIMIT = "LIMIT"
    MARKET = "MARKET"


class TimeInForce(StrEnum):
    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"


class Purpose(StrEnum):
    """Why an order exists."""

    ENTRY = "ENTRY"
    EXIT = "EXIT"
    STOP_LOSS = "STOP_LOSS"
    TRAILING_STOP = "TRAILING_STOP"
    CIRCUIT_BREAKER = "CIRCUIT_BREAKER"


class OrderStatus(StrEnum):
    """Where an order is in its life. The transitions stand in services/execution_engine/order_states.py."""

    PENDING_NEW = "PENDING_NEW"
    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    UNKNOWN = "UNKNOWN"

    @property
    def is_terminal(self) -> bool:
        """No further fill can come."""
        return self in _TERMINAL


_TERMINAL: Final = frozenset({OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.REJECTED, OrderStatus.EXPIRED})


class ExecType(StrEnum):
    """What happened to an order in one report."""

    PENDING_NEW = "PENDING_NEW"
    NEW = "NEW"
    TRADE = "TRADE"
    CANCELED = "CANCELED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    UNKNOWN = "UNKNOWN"


class RefusalCode(StrEnum):
    """Why risk said no. One code per check."""

    NOT_READY = "NOT_READY"
    DUPLICATE = "DUPLICATE"
    SIGNAL_EXPIRED = "SIGNAL_EXPIRED"
    UNKNOWN_INSTRUMENT = "UNKNOWN_INSTRUMENT"
    INSTRUMENT_HALTED = "INSTRUMENT_HALTED"
    QUOTE_CURRENCY = "QUOTE_CURRENCY"
    BOOK_INVALID = "BOOK_INVALID"
    CIRCUIT_BREAKER = "CIRCUIT_BREAKER"
    LOW_CONFIDENCE = "LOW_CONFIDENCE"
    ORDER_PENDING = "ORDER_PENDING"
    ALREADY_POSITIONED = "ALREADY_POSITIONED"
    SHORT_NOT_ALLOWED = "SHORT_NOT_ALLOWED"
    BELOW_MINIMUM = "BELOW_MINIMUM"
    MAX_POSITION_SIZE = "MAX_POSITION_SIZE"
    MAX_NOTIONAL_EXPOSURE = "MAX_NOTIONAL_EXPOSURE"
    MAX_OPEN_POSITIONS = "MAX_OPEN_POSITIONS"


class ApprovedOrder(SymbolMessage):
    """An order that passed every check. Only services/risk_manager builds one; a test holds that line."""

    order_id: str = Field(pattern=ORDER_ID_PATTERN, description="derived from facts; the client order id")
    signal_id: str = ""
    strategy: str
    purpose: Purpose
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    qty_lots: int = Field(gt=0)
    limit_ticks: int = Field(default=0, ge=0, description="0 for MARKET")
    reduce_only: bool = False
    valid_until_ns: int = Field(description="execution must not send it after this local time")


class CancelOrder(SymbolMessage):
    """Risk wants a live order gone."""

    order_id: str = Field(pattern=ORDER_ID_PATTERN)
    reason: str


class Refusal(SymbolMessage):
    """A signal that was not acted on, with the code and the numbers compared."""

    signal_id: str
    strategy: str
    side: Side
    code: RefusalCode
    detail: str
    numbers: dict[str, str] = Field(default_factory=dict, description="decimal text by name")


class ExecutionReport(SymbolMessage):
    """What became of an order. `report_id` is derived from facts: applying one twice equals applying it once."""

    report_id: str = Field(min_length=1, max_length=80)
    order_id: str = Field(pattern=ORDER_ID_PATTERN)
    venue_order_id: str = ""
    strategy: str
    purpose: Purpose
    exec_type: ExecType
    status: OrderStatus
    side: Side
    order_type: OrderType
    qty_lots: int = Field(gt=0, description="as ordered")
    limit_ticks: int = Field(ge=0)
    last_qty_lots: int = Field(default=0, ge=0, description="filled by this report")
    last_price_ticks: int = Field(default=0, ge=0)
    cum_qty_lots: int = Field(default=0, ge=0, description="filled so far")
    fee_e8: int = Field(default=0, description="commission of this fill, 1e-8 of fee_asset")
    fee_asset: str = ""
    is_maker: bool = False
    reason: str = ""

    @property
    def leaves_lots(self) -> int:
        """What may still fill."""
        return 0 if self.status.is_terminal else self.qty_lots - self.cum_qty_lots


class PositionLine(BaseModel):
    """One position, as risk and execution each keep it; equal facts give equal lines."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    venue: str
    symbol: str
    qty_lots: int
    cost_tick_lots: int = Field(description="signed cost of what is open: sum of price_ticks x lots")
    realised_tick_lots: int = Field(description="realised P&L before fees, ticks x lots")
    fees_e8: int = Field(description="fees paid, 1e-8 of the quote currency")


class RiskState(Message):
    """Risk's view: positions, money, halt. Money is decimal text in the quote currency."""

    is_halted: bool
    halt_reason: str = ""
    positions: tuple[PositionLine, ...] = ()
    realised_pnl: str = "0"
    unrealised_pnl: str = "0"
    fees: str = "0"
    exposure_notional: str = "0"
    reserved_notional: str = "0"
    open_orders: int = 0

    @property
    def key(self) -> str:
        return "risk"


class ExecutionState(Message):
    """Execution's view: what it has filled, what is still open."""

    positions: tuple[PositionLine, ...] = ()
    orders: dict[str, int] = Field(default_factory=dict, description="orders by status")
    open_order_ids: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return "execution"
