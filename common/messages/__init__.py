"""The messages, by the room that speaks them."""

from common.messages.base import Message, Side, Source, SymbolMessage, mix64, trace_hex
from common.messages.book import BookHeader, BookUpdate
from common.messages.control import Heartbeat, UpstreamStatus
from common.messages.feed import LinkState, RawFrame, SnapshotReply
from common.messages.market import FeedState, FeedStatus, Instrument, TradeTick
from common.messages.orders import (
    ApprovedOrder,
    CancelOrder,
    ExecType,
    ExecutionReport,
    ExecutionState,
    OrderStatus,
    OrderType,
    PositionLine,
    Purpose,
    Refusal,
    RefusalCode,
    RiskState,
    TimeInForce,
)
from common.messages.signals import FeatureVector, Signal

__all__ = [
    "ApprovedOrder",
    "BookHeader",
    "BookUpdate",
    "CancelOrder",
    "ExecType",
    "ExecutionReport",
    "ExecutionState",
    "FeatureVector",
    "FeedState",
    "FeedStatus",
    "Heartbeat",
    "Instrument",
    "LinkState",
    "Message",
    "OrderStatus",
    "OrderType",
    "PositionLine",
    "Purpose",
    "RawFrame",
    "Refusal",
    "RefusalCode",
    "RiskState",
    "Side",
    "Signal",
    "SnapshotReply",
    "Source",
    "SymbolMessage",
    "TimeInForce",
    "TradeTick",
    "UpstreamStatus",
    "mix64",
    "trace_hex",
]
