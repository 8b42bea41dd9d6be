"""All risk knows of each symbol, and the sums over symbols that the limits are about.

Sums are kept running, in units (valuation.py): one mark or one report moves the figures of its own symbol alone.
"""

from __future__ import annotations

from typing import NamedTuple

from common.messages import (
    ApprovedOrder,
    BookUpdate,
    ExecType,
    ExecutionReport,
    FeedState,
    Instrument,
    Purpose,
    RefusalCode,
)
from common.messages.book import ASK_COUNT, BID_COUNT, EVENT_NS, HEADER_WORDS, ORIGIN_NS, STATE, TRACE_ID
from market.position import Position, PositionLedger
from services.risk_manager.exposure import LiveOrders
from services.risk_manager.id_memory import IdMemory
from services.risk_manager.limits import Limits
from services.risk_manager.stops import StopTrack
from services.risk_manager.valuation import UNITS_PER_FEE_E8, exact_units, to_units


class Barred(NamedTuple):
    """Why an instrument may not be entered at all."""

    code: RefusalCode
    detail: str


class Holding:
    """One symbol: its market, its position, its stops, what it adds to the sums."""

    __slots__ = (
        "ask_ticks",
        "barred",
        "bid_ticks",
        "event_ns",
        "exit_failures",
        "exit_min_notional_units",
        "exit_not_before_ns",
        "exposure_units",
        "instrument",
        "is_book_valid",
        "is_open",
        "key",
        "max_position_lots",
        "min_notional_units",
        "origin_ns",
        "pnl_units",
        "position",
        "reserved_units",
        "stops",
        "strategy",
        "symbol",
        "tick_lot_units",
        "trace_id",
        "venue",
    )

    def __init__(self, venue: str, symbol: str, limits: Limits) -> None:
        self.venue = venue
        self.symbol = symbol
        self.key = f"{venue}.{symbol}"
        self.instrument: Instrument | None = None
        self.barred: Barred | None = None
        self.tick_lot_units = 0  # 0: not known, so the symbol cannot be valued
        self.max_position_lots = 0
        self.min_notional_units = 0
        self.exit_min_notional_units = 0
        self.is_book_valid = False
        self.bid_ticks = 0  # the last valid touch; 0 before the first
        self.ask_ticks = 0
        self.event_ns = 0  # of the last book, like the two that follow
        self.origin_ns = 0
        self.trace_id = 0
        self.position = Position(venue, symbol)
        self.stops = StopTrack(limits.stop_loss_ppm, limits.trailing_stop_ppm)
        self.strategy = ""
        self.exit_failures = 0
        self.exit_not_before_ns = 0
        self.is_open = False
        self.pnl_units = 0
        self.exposure_units = 0
        self.reserved_units = 0

    @property
    def mark_ticks(self) -> int:
        """What closing now would fetch: best bid of a long, best ask of a short, as last seen; 0 before the first."""
        return self.bid_ticks if self.position.qty_lots > 0 else self.ask_ticks

    @property
    def is_dust(self) -> bool:
        """True when the venue takes no order so small as to close the position: what a partial fill may leave."""
        lots, instrument = abs(self.position.qty_lots), self.instrument
        if instrument is None:
            return False
        notional_units = lots * self.mark_ticks * self.tick_lot_units
        return lots < max(instrument.min_qty_lots, 1) or notional_units < self.exit_min_notional_units

    @property
    def unrealised_tick_lots(self) -> int:
        """At the mark; 0 before the first mark, as if marked at cost."""
        return self.position.unrealised_tick_lots(self.mark_ticks) if self.mark_ticks else 0


class Portfolio:
    """Positions, live orders and the running sums."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._reports = IdMemory()
        self._unvalued: dict[str, None] = {}
        self.ledger = PositionLedger()
        self.orders = LiveOrders()
        self.holdings: dict[str, Holding] = {}
        self.quote = ""
        self.pnl_units = 0  # realised + unrealised - fees
        self.exposure_units = 0  # sum of |position| x mark
        self.reserved_units = 0
        self.open_count = 0  # symbols with a position or an entry on its way

    @property
    def unvalued(self) -> str:
        """A symbol that is held or being entered and cannot be valued; empty when there is none."""
        return next(iter(self._unvalued), "")

    def holding(self, venue: str, symbol: str) -> Holding:
        """What is known of a symbol, made on first sight."""
        key = f"{venue}.{symbol}"
        holding = self.holdings.get(key)
        if holding is None:
            holding = self.holdings[key] = Holding(venue, symbol, self._limits)
        return holding

    def set_instrument(self, instrument: Instrument) -> None:
        """Learn or update the grid of a symbol. The first instrument's quote currency is what limits are in."""
        holding = self.holding(instrument.venue, instrument.symbol)
        self.quote = self.quote or instrument.quote
        units = exact_units(instrument.tick_lot_value)
        known = holding.instrument
        if known is not None and (known.tick_size, known.lot_size) != (instrument.tick_size, instrument.lot_size):
            holding.barred = Barred(
                RefusalCode.UNKNOWN_INSTRUMENT,
                f"the grid of {holding.key} changed from {known.tick_size} x {known.lot_size} to "
                f"{instrument.tick_size} x {instrument.lot_size} while running; restart the risk manager when flat",
            )
            return
        holding.instrument = instrument
        if instrument.quote != self.quote:
            holding.barred = Barred(
                RefusalCode.QUOTE_CURRENCY,
                f"{holding.key} is quoted in {instrument.quote}, but the limits are in {self.quote}, the quote "
                "currency of the first instrument; trade symbols of one quote currency",
            )
        elif units is None:
            holding.barred = Barred(
                RefusalCode.UNKNOWN_INSTRUMENT,
                f"the grid {instrument.tick_size} x {instrument.lot_size} of {holding.key} is too fine to count",
            )
        else:
            holding.barred = None
            holding.tick_lot_units = units
            holding.max_position_lots = instrument.floor_lots(self._limits.max_position_size)
            holding.min_notional_units = to_units(instrument.min_notional)
            if self._limits.exits_need_notional:
                holding.exit_min_notional_units = holding.min_notional_units
        self.revalue(holding)

    def mark(self, book: BookUpdate) -> Holding:
        """Take in a book. One that may be wrong leaves the last valid marks and says so."""
        holding = self.holdings.get(book.key)
        if holding is None:
            holding = self.holding(book.venue, book.symbol)
        words = book.words
        header = words[:HEADER_WORDS].tolist()
        holding.event_ns, holding.origin_ns, holding.trace_id = header[EVENT_NS], header[ORIGIN_NS], header[TRACE_ID]
        bids, asks = header[BID_COUNT], header[ASK_COUNT]
        if header[STATE] != FeedState.SYNCED or not bids or not asks:
            holding.is_book_valid = False
            return holding
        bid, ask = words.item(HEADER_WORDS), words.item(HEADER_WORDS + 2 * bids)
        holding.is_book_valid = True
        if bid != holding.bid_ticks or ask != holding.ask_ticks:
            holding.bid_ticks, holding.ask_ticks = bid, ask
            if holding.is_open:
                self.revalue(holding)
        return holding

    def distrust_books(self) -> None:
        """Their publisher is gone: no book is a book until it says so again."""
        for holding in self.holdings.values():
            holding.is_book_valid = False

    def apply(self, report: ExecutionReport) -> Holding | None:
        """Take in a report; None when it was known already."""
        if not self._reports.add(report.report_id):
            return None
        holding = self.holding(report.venue, report.symbol)
        self.orders.open(report)
        if report.exec_type is ExecType.TRADE and report.last_qty_lots:
            holding.position = self.ledger.apply_fill(
                report.venue,
                report.symbol,
                report.side,
                report.last_qty_lots,
                report.last_price_ticks,
                report.fee_e8,
            )
            holding.stops.follow(holding.position)
            if report.purpose is Purpose.ENTRY:
                holding.strategy = report.strategy
            self.orders.fill(report.order_id, report.last_qty_lots)
        if report.status.is_terminal:
            self._close(holding, report)
        self.revalue(holding)
        return holding

    def _close(self, holding: Holding, report: ExecutionReport) -> None:
        order = self.orders.close(report.order_id)
        if order is not None and not order.is_entry:
            holding.exit_failures = 0 if report.cum_qty_lots else holding.exit_failures + 1

    def open(self, order: ApprovedOrder) -> None:
        """Reserve for an approved order; one known already changes nothing."""
        self.orders.open(order)
        self.revalue(self.holding(order.venue, order.symbol))

    def revalue(self, holding: Holding) -> None:
        """Bring the sums up to what `holding` is now."""
        units = holding.tick_lot_units
        position = holding.position
        qty, mark = position.qty_lots, holding.mark_ticks
        pnl = (position.realised_tick_lots + holding.unrealised_tick_lots) * units
        pnl -= position.fees_e8 * UNITS_PER_FEE_E8
        exposure = (abs(qty) * mark if mark else abs(position.cost_tick_lots)) * units
        reserved = self.orders.reserved_tick_lots(holding.key, holding.bid_ticks, holding.ask_ticks) * units
        is_open = qty != 0 or self.orders.reserved_lots(holding.key) != 0
        self.pnl_units += pnl - holding.pnl_units
        self.exposure_units += exposure - holding.exposure_units
        self.reserved_units += reserved - holding.reserved_units
        self.open_count += is_open - holding.is_open
        holding.pnl_units, holding.exposure_units, holding.reserved_units = pnl, exposure, reserved
        holding.is_open = is_open
        if is_open and not units:
            self._unvalued[holding.key] = None
        else:
            self._unvalued.pop(holding.key, None)
