"""What the lab endpoints answer. The OpenAPI document is made of these.

Prices and sizes are JSON numbers that carry every digit: none has more than fifteen.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

Level = Annotated[tuple[float, float], Field(description="[price, size]")]
Milliseconds = Annotated[int, Field(description="the exchange's time, ms since 1970 UTC")]
Note = Annotated[str, Field(description="how this market comes about")]


class BookBody(BaseModel):
    """One side by side book, best levels first."""

    exchange: str
    symbol: str
    sequence: Annotated[int, Field(description="rises with every change of the book, never falls")]
    timestamp_ms: Milliseconds
    bids: list[Level]
    asks: list[Level]
    synthetic: Annotated[bool, Field(description="made up: the exchange publishes no order book")]
    note: Note


class Ticker(BaseModel):
    """One symbol of an exchange."""

    symbol: str
    sequence: int
    bid: Annotated[float | None, Field(description="null where there is none")]
    bid_size: float | None
    ask: float | None
    ask_size: float | None
    last: float
    open_24h: float
    high_24h: float
    low_24h: float
    volume_24h: Annotated[float, Field(description="in the base asset, of the simulator's market")]
    change_24h_percent: float


class TickerBody(BaseModel):
    """Every symbol of an exchange."""

    exchange: str
    timestamp_ms: Milliseconds
    tickers: list[Ticker]
    note: Note


class LabTrade(BaseModel):
    """One trade."""

    id: int
    timestamp_ms: Milliseconds
    price: float
    size: float
    side: Annotated[str, Field(description="the aggressor's: buy or sell")]
    before_open: Annotated[bool, Field(description="drawn by the seed: the market had not opened yet")]


class TradesBody(BaseModel):
    """The latest trades, oldest first."""

    exchange: str
    symbol: str
    timestamp_ms: Milliseconds
    trades: list[LabTrade]
    note: Note


class ErrorDetail(BaseModel):
    """What was wrong."""

    code: Annotated[str, Field(description="unknown_exchange, unknown_symbol or out_of_range")]
    message: str
    known: Annotated[list[str], Field(description="what there is in its place")]


class ErrorBody(BaseModel):
    """A refusal."""

    error: ErrorDetail


class ExchangeHealth(BaseModel):
    """One exchange of the lab endpoints."""

    symbols: list[str]
    max_depth: int
    has_book: bool
    rule: str


class MarketHealth(BaseModel):
    """One symbol of the simulator."""

    status: Annotated[str, Field(description="TRADING or HALT")]
    sequence: int
    resting_orders: int


class HealthBody(BaseModel):
    """The state of the exchange."""

    status: Annotated[str, Field(description="ok; halted: no symbol trades; closed: the market is over")]
    mode: Annotated[str, Field(description="simulation or replay")]
    timestamp_ms: Milliseconds
    seed: int | None
    exchanges: dict[str, ExchangeHealth]
    markets: dict[str, MarketHealth]
