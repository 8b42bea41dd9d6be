"""What the view knows: last books, signals, orders and fills, out of events and statuses. Pure.

Prices and quantities are shown in the instrument's own digits; until the instrument is known there is a dash.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from common.messages import (
    ApprovedOrder,
    BookUpdate,
    CancelOrder,
    ExecType,
    ExecutionReport,
    Instrument,
    OrderStatus,
    OrderType,
    Refusal,
    Signal,
)
from common.topics import Event
from dashboard.statuses import StatusLedger, Totals
from dashboard.terminal.text import UNKNOWN

#: Rows of history kept; the screen shows what fits of them.
ROWS: Final = 30


@dataclass(frozen=True, slots=True)
class Health:
    """One daemon as the supervisor sees it."""

    service: str
    phase: str
    pid: int | None
    ready: bool
    deaths: int
    uptime_s: float


@dataclass(frozen=True, slots=True)
class BookTop:
    """Best bid and ask of one symbol, as text."""

    state: str
    bid: str
    bid_qty: str
    ask: str
    ask_qty: str
    spread: str
    update_id: int


@dataclass(slots=True)
class SignalRow:
    """A signal and what risk made of it."""

    event_ns: int
    symbol: str
    side: str
    strategy: str
    confidence: float
    reason: str
    outcome: str = "..."


@dataclass(slots=True)
class OrderRow:
    """An order as it stands."""

    event_ns: int
    symbol: str
    side: str
    purpose: str
    qty: str
    limit: str
    status: str = "approved"


@dataclass(frozen=True, slots=True)
class FillRow:
    """One fill."""

    event_ns: int
    symbol: str
    side: str
    qty: str
    price: str
    fee: str


@dataclass(slots=True)
class MarketView:
    """Filled from the bus by `apply`; every collection is bounded."""

    instruments: dict[str, Instrument] = field(default_factory=dict)
    books: dict[str, BookUpdate] = field(default_factory=dict)
    signals: dict[str, SignalRow] = field(default_factory=dict)
    orders: dict[str, OrderRow] = field(default_factory=dict)
    fills: deque[FillRow] = field(default_factory=lambda: deque(maxlen=ROWS))

    def apply(self, event: Event) -> None:
        """Take in what the bus says; types the view does not show are ignored."""
        match event:
            case BookUpdate():
                self.books[event.key] = event
            case Instrument():
                self.instruments[f"{event.venue}.{event.symbol}"] = event
            case Signal():
                self._on_signal(event)
            case Refusal():
                self._outcome(event.signal_id, event.code.value)
            case ApprovedOrder():
                self._on_order(event)
            case CancelOrder():
                self._order_status(event.order_id, "cancel sent")
            case ExecutionReport():
                self._on_report(event)
            case _:
                pass

    def _on_signal(self, signal: Signal) -> None:
        self.signals[signal.signal_id] = SignalRow(
            signal.event_ns,
            signal.symbol,
            signal.side.value,
            signal.strategy,
            signal.confidence,
            signal.reason,
        )
        _forget_oldest(self.signals)

    def _outcome(self, signal_id: str, outcome: str) -> None:
        row = self.signals.get(signal_id)
        if row is not None:
            row.outcome = outcome

    def _on_order(self, order: ApprovedOrder) -> None:
        self._outcome(order.signal_id, "approved")
        limit = "market" if order.order_type is OrderType.MARKET else self.price(order.key, order.limit_ticks)
        self.orders[order.order_id] = OrderRow(
            order.event_ns,
            order.symbol,
            order.side.value,
            order.purpose.value,
            self.qty(order.key, order.qty_lots),
            limit,
        )
        _forget_oldest(self.orders)

    def _order_status(self, order_id: str, status: str) -> None:
        row = self.orders.get(order_id)
        if row is not None:
            row.status = status

    def _on_report(self, report: ExecutionReport) -> None:
        status = report.status.value.lower().replace("_", " ")
        if report.status is OrderStatus.REJECTED and report.reason:
            status = f"rejected: {report.reason}"
        self._order_status(report.order_id, status)
        if report.exec_type is ExecType.TRADE:
            self.fills.append(
                FillRow(
                    report.event_ns,
                    report.symbol,
                    report.side.value,
                    self.qty(report.key, report.last_qty_lots),
                    self.price(report.key, report.last_price_ticks),
                    f"{report.fee_e8 / 1e8:.6f} {report.fee_asset}".strip(),
                )
            )

    def price(self, key: str, ticks: int) -> str:
        """Ticks of `venue.SYMBOL` as text."""
        instrument = self.instruments.get(key)
        return instrument.price_text(ticks) if instrument else UNKNOWN

    def qty(self, key: str, lots: int) -> str:
        """Lots of `venue.SYMBOL` as text."""
        instrument = self.instruments.get(key)
        return instrument.qty_text(lots) if instrument else UNKNOWN

    def top(self, key: str) -> BookTop | None:
        """Best bid and ask from the last book heard; None before the first, or while its digits are unknown."""
        book, instrument = self.books.get(key), self.instruments.get(key)
        if book is None or instrument is None:
            return None
        bid = (int(book.bid_ticks[0]), int(book.bid_lots[0])) if len(book.bid_ticks) else None
        ask = (int(book.ask_ticks[0]), int(book.ask_lots[0])) if len(book.ask_ticks) else None
        return BookTop(
            state=book.state.name,
            bid=instrument.price_text(bid[0]) if bid else UNKNOWN,
            bid_qty=instrument.qty_text(bid[1]) if bid else UNKNOWN,
            ask=instrument.price_text(ask[0]) if ask else UNKNOWN,
            ask_qty=instrument.qty_text(ask[1]) if ask else UNKNOWN,
            spread=instrument.price_text(ask[0] - bid[0]) if bid and ask else UNKNOWN,
            update_id=book.update_id,
        )


def _forget_oldest(rows: dict[str, SignalRow] | dict[str, OrderRow]) -> None:
    while len(rows) > ROWS:
        rows.pop(next(iter(rows)))


@dataclass(slots=True)
class RunView:
    """All that one picture, or one plain line, is made of."""

    title: str
    elapsed_s: float
    duration_s: float | None
    is_trading: bool
    health: tuple[Health, ...]
    ledger: StatusLedger
    totals: Totals
    market: MarketView
    notices: tuple[str, ...] = ()

    @property
    def book_keys(self) -> list[str]:
        """`venue.SYMBOL` of every book market data keeps."""
        return list(self.ledger.stage("market_data").get("books", {}))

    def top(self, key: str) -> BookTop | None:
        """From the bus when it was heard there, else from market data's status (no quantities)."""
        seen = self.market.top(key)
        if seen is not None:
            return seen
        book = self.ledger.stage("market_data").get("books", {}).get(key)
        if not book:
            return None
        return BookTop(
            state=str(book.get("state", UNKNOWN)),
            bid=str(book.get("bid") or UNKNOWN),
            bid_qty=UNKNOWN,
            ask=str(book.get("ask") or UNKNOWN),
            ask_qty=UNKNOWN,
            spread=UNKNOWN,
            update_id=int(book.get("update_id", 0)),
        )
