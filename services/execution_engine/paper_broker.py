"""The paper broker: a venue made of the live book. Pure and deterministic.

Rules
-----
* Latency is in venue time: an order decided on a book of time T is at the venue at T + latency and meets the first
  usable book of that time or later. The slowest depth stream pushes every second when anything has changed, so a book
  silent for latency + 1 s of local time is still the book: then the order meets that one.
* A taker walks the displayed levels at their prices, from the best, never beyond its limit and never more than is
  displayed. What it took stays taken until the level changes (liquidity.py).
* FOK fills whole or not at all. IOC, and MARKET whatever its time in force, expire with what is left: a MARKET order
  larger than the visible depth fills what is visible; what lies deeper is not known and not invented.
* The rest of a GTC limit order rests. It fills when the opposite touch comes to its price: a real order there would
  have traded with that quote. It fills at its own price, as maker, no more than is displayed up to it. Prints
  alone do not fill it, though they might have: paper must not look better than the venue.
* A reduce-only order never fills more than would close the position as it then stands, and expires when that is
  nothing.
* A book that is not valid, of a publisher that is gone or was restarted since, or of an unknown instrument fills
  nothing. An order that has met no usable book by its `valid_until_ns` expires; one that rests goes on resting.
* A cancel travels as long as an order: until then the order may fill.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from common.config import PaperConfig
from common.messages import (
    ApprovedOrder,
    BookUpdate,
    ExecType,
    ExecutionReport,
    Instrument,
    OrderType,
    Side,
    TimeInForce,
)
from common.units import NS_PER_MS, NS_PER_S, bps_to_ppm
from market.fees import fee_e8
from services.execution_engine.liquidity import LevelFill, Liquidity, why_left

#: A book without a change for this long, local time, has not changed.
BOOK_QUIET_NS: Final = NS_PER_S


class BrokerEvent(NamedTuple):
    """What the venue says about one order. `event_ns` is venue time; `fee_e8` is in quote currency."""

    order_id: str
    exec_type: ExecType
    event_ns: int
    last_qty_lots: int = 0
    last_price_ticks: int = 0
    fee_e8: int = 0
    is_maker: bool = False
    reason: str = ""


class _Working:
    """An order on its way to the paper venue, or there."""

    __slots__ = (
        "arrival_event_ns",
        "cancel_by_ns",
        "cancel_event_ns",
        "is_acked",
        "is_resting",
        "leaves_lots",
        "match_by_ns",
        "order",
    )

    def __init__(self, order: ApprovedOrder, leaves_lots: int, arrival_event_ns: int, match_by_ns: int) -> None:
        self.order = order
        self.leaves_lots = leaves_lots
        self.arrival_event_ns = arrival_event_ns
        self.match_by_ns = match_by_ns
        self.is_acked = False
        self.is_resting = False
        self.cancel_event_ns: int | None = None
        self.cancel_by_ns = 0

    @property
    def limit_ticks(self) -> int | None:
        return None if self.order.order_type is OrderType.MARKET else self.order.limit_ticks

    @property
    def may_rest(self) -> bool:
        return self.order.order_type is OrderType.LIMIT and self.order.time_in_force is TimeInForce.GTC

    def next_ns(self, *, has_usable_book: bool) -> int | None:
        """When local time alone makes something happen to it."""
        times = []
        if self.cancel_event_ns is not None:
            times.append(self.cancel_by_ns)
        if not self.is_resting:
            times.append(self.match_by_ns if has_usable_book else self.order.valid_until_ns + 1)
        return min(times, default=None)


class _Market:
    """One symbol: its instrument, its book, the orders there in order of sending."""

    __slots__ = ("book_event_ns", "instrument", "is_usable", "liquidity", "working")

    def __init__(self) -> None:
        self.instrument: Instrument | None = None
        self.liquidity = Liquidity()
        self.is_usable = False
        self.book_event_ns = 0
        self.working: dict[str, _Working] = {}


class PaperBroker:
    """Matches orders against the books it is shown.

    Args:
        config: fees and latency.
        position_lots: signed lots held of a key, as of the events the broker has returned.
    """

    def __init__(self, config: PaperConfig, position_lots: Callable[[str], int]) -> None:
        self._latency_ns = config.latency_ms * NS_PER_MS
        self._taker_ppm = bps_to_ppm(config.taker_fee_bps)
        self._maker_ppm = bps_to_ppm(config.maker_fee_bps)
        self._position_lots = position_lots
        self._markets: dict[str, _Market] = {}
        self._keys: dict[str, str] = {}
        self._is_alive = False
        self._epoch: int | None = None

    def __len__(self) -> int:
        return len(self._keys)

    def _market(self, key: str) -> _Market:
        market = self._markets.get(key)
        if market is None:
            market = self._markets[key] = _Market()
        return market

    def on_instrument(self, instrument: Instrument) -> None:
        """Learn, or learn anew, what a symbol's ticks and lots are worth."""
        self._market(f"{instrument.venue}.{instrument.symbol}").instrument = instrument

    def set_alive(self, is_alive: bool, epoch: int) -> None:
        """Whether the publisher of the books is there and caught up, and which life of it.

        One that left or was restarted takes its books along; at the first join they come just before, and stand.
        """
        if not is_alive or self._epoch not in (None, epoch):
            for market in self._markets.values():
                market.is_usable = False
        self._epoch = epoch if is_alive else self._epoch
        self._is_alive = is_alive

    def invalidate(self, key: str) -> None:
        """The book of `key` is none until the next valid update."""
        self._market(key).is_usable = False

    def book_event_ns(self, key: str) -> int:
        """Venue time of the latest book of `key`; 0 before the first."""
        market = self._markets.get(key)
        return 0 if market is None else market.book_event_ns

    def touch_ticks(self, key: str, side: Side) -> int:
        """Best price an order of `side` would take at; 0 when the book is not usable."""
        market = self._markets.get(key)
        if market is None or not self._can_match(market):
            return 0
        return market.liquidity.touch_ticks(side)

    def submit(self, order: ApprovedOrder, qty_lots: int, sent_event_ns: int, now_ns: int) -> None:
        """An order leaves for the venue at venue time `sent_event_ns`, local time `now_ns`. `poll` afterwards."""
        at_ns = now_ns + self._latency_ns
        match_by_ns = max(at_ns, min(at_ns + BOOK_QUIET_NS, order.valid_until_ns))
        self._add(_Working(order, qty_lots, sent_event_ns + self._latency_ns, match_by_ns))

    def restore(self, order: ApprovedOrder, leaves_lots: int) -> None:
        """An order that was at the venue in an earlier life of this process."""
        working = _Working(order, leaves_lots, 0, 0)
        working.is_acked = True
        working.is_resting = working.may_rest
        self._add(working)

    def restore_fill(self, report: ExecutionReport) -> None:
        """A fill of an earlier life, so that the lots it took are not given twice."""
        self._market(report.key).liquidity.restore_take(
            report.side, report.last_price_ticks, report.last_qty_lots, report.event_ns, is_maker=report.is_maker
        )

    def _add(self, working: _Working) -> None:
        self._market(working.order.key).working[working.order.order_id] = working
        self._keys[working.order.order_id] = working.order.key

    def cancel(self, order_id: str, sent_event_ns: int, now_ns: int) -> None:
        """A cancel leaves for the venue. Nothing happens when the order is not there. `poll` afterwards."""
        key = self._keys.get(order_id)
        if key is not None:
            working = self._markets[key].working[order_id]
            working.cancel_event_ns = sent_event_ns + self._latency_ns
            working.cancel_by_ns = now_ns + self._latency_ns

    def on_book(self, book: BookUpdate, now_ns: int) -> list[BrokerEvent]:
        """A newer book: what follows for the orders there."""
        key = book.key
        market = self._market(key)
        market.book_event_ns = book.event_ns
        market.is_usable = book.is_valid
        if market.is_usable:
            market.liquidity.observe(book)
        return self.poll(key, now_ns) if market.working else []

    def poll(self, key: str, now_ns: int) -> list[BrokerEvent]:
        """What is due for the orders of `key` on the book as it stands, in order of sending.

        Until nothing more follows: a fill of a later order may leave an earlier reduce-only one nothing to reduce.
        Polling again on the same book says nothing new.
        """
        events: list[BrokerEvent] = []
        market = self._markets.get(key)
        if market is None or not market.working:
            return events
        held_lots = self._position_lots(key)
        while True:
            told = len(events)
            for order_id, working in list(market.working.items()):
                for event in self._advance(market, working, held_lots, now_ns):
                    events.append(event)
                    held_lots += working.order.side.sign * event.last_qty_lots
                    working.leaves_lots -= event.last_qty_lots
                    if working.leaves_lots == 0 or event.exec_type in (ExecType.CANCELED, ExecType.EXPIRED):
                        del market.working[order_id], self._keys[order_id]
            if len(events) == told or not market.working:
                return events

    def deadline_ns(self) -> int | None:
        """When `on_deadline` has something to do; None for never."""
        earliest: int | None = None
        for order_id, key in self._keys.items():
            market = self._markets[key]
            at_ns = market.working[order_id].next_ns(has_usable_book=self._can_match(market))
            if at_ns is not None and (earliest is None or at_ns < earliest):
                earliest = at_ns
        return earliest

    def on_deadline(self, now_ns: int) -> list[BrokerEvent]:
        """What local time alone has made due."""
        return [event for key in dict.fromkeys(self._keys.values()) for event in self.poll(key, now_ns)]

    def _can_match(self, market: _Market) -> bool:
        return self._is_alive and market.is_usable and market.instrument is not None

    def _advance(self, market: _Market, working: _Working, held_lots: int, now_ns: int) -> Iterator[BrokerEvent]:
        order, event_ns = working.order, max(market.book_event_ns, working.order.event_ns)
        if working.cancel_event_ns is not None and (
            market.book_event_ns >= working.cancel_event_ns or now_ns >= working.cancel_by_ns
        ):
            yield BrokerEvent(order.order_id, ExecType.CANCELED, event_ns)
            return
        if not self._can_match(market):
            if not working.is_resting and now_ns > order.valid_until_ns:
                reason = f"no valid book of {order.key} until {order.valid_until_ns}"
                yield BrokerEvent(order.order_id, ExecType.EXPIRED, event_ns, reason=reason)
            return
        if market.book_event_ns < working.arrival_event_ns and now_ns < working.match_by_ns:
            return
        if not working.is_acked:
            working.is_acked = True
            yield BrokerEvent(order.order_id, ExecType.NEW, event_ns)
        yield from self._match(market, working, held_lots, event_ns)

    def _match(self, market: _Market, working: _Working, held_lots: int, event_ns: int) -> Iterator[BrokerEvent]:
        order, is_maker = working.order, working.is_resting
        wanted = working.leaves_lots
        if order.reduce_only:
            wanted = min(wanted, max(0, -order.side.sign * held_lots))
        levels = market.liquidity.walk(order.side, working.limit_ticks, wanted)
        found = sum(qty for _, qty in levels)
        if order.time_in_force is TimeInForce.FOK and found < working.leaves_lots:
            levels, found = [], 0
        market.liquidity.take(order.side, levels)
        if is_maker and levels:
            levels = [LevelFill(order.limit_ticks, found)]
        left = working.leaves_lots - found
        for price, qty in levels:
            yield self._trade(market, order, price, qty, is_maker=is_maker, event_ns=event_ns)
        if order.reduce_only and left and wanted == found:
            reason = "reduce-only: no position is left to reduce"
            yield BrokerEvent(order.order_id, ExecType.EXPIRED, event_ns, reason=reason)
        elif left and not working.may_rest:
            yield BrokerEvent(order.order_id, ExecType.EXPIRED, event_ns, reason=why_left(order, left))
        working.is_resting = working.may_rest

    def _trade(
        self, market: _Market, order: ApprovedOrder, price: int, qty: int, *, is_maker: bool, event_ns: int
    ) -> BrokerEvent:
        assert market.instrument is not None
        rate_ppm = self._maker_ppm if is_maker else self._taker_ppm
        fee = fee_e8(market.instrument, price, qty, rate_ppm)
        return BrokerEvent(order.order_id, ExecType.TRADE, event_ns, qty, price, fee, is_maker)
