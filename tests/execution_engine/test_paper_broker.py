"""The paper venue: its rules one by one, and what holds whatever happens."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.config import PaperConfig
from common.messages import ApprovedOrder, ExecType, FeedState, OrderType, Side, TimeInForce
from market.fees import fee_e8
from services.execution_engine.paper_broker import BOOK_QUIET_NS, BrokerEvent, PaperBroker
from tests.execution_engine.build import MS, T0, Level, S, approved, book, instrument
from tests.execution_engine.test_liquidity import ladders

KEY = "binance.BTCUSDT"
BIDS, ASKS = [(100, 5), (99, 5), (98, 5)], [(101, 5), (102, 5), (103, 5)]
MARKET = {"order_type": OrderType.MARKET, "time_in_force": TimeInForce.IOC}
IOC, FOK = {"time_in_force": TimeInForce.IOC}, {"time_in_force": TimeInForce.FOK}


class Desk:
    """A broker with the positions its events make."""

    def __init__(self, latency_ms: int = 0, **fees: Any) -> None:
        self.lots: Counter[str] = Counter()
        self.broker = PaperBroker(PaperConfig(latency_ms=latency_ms, **fees), lambda key: self.lots[key])
        self.broker.on_instrument(instrument())
        self.broker.set_alive(True, 1)
        self.orders: dict[str, ApprovedOrder] = {}

    def send(self, order: ApprovedOrder, now_ns: int = T0) -> list[BrokerEvent]:
        self.orders[order.order_id] = order
        self.broker.submit(order, order.qty_lots, order.event_ns, now_ns)
        return self._settle(self.broker.poll(KEY, now_ns))

    def cancel(self, order_id: str, event_ns: int = T0, now_ns: int = T0) -> list[BrokerEvent]:
        self.broker.cancel(order_id, event_ns, now_ns)
        return self._settle(self.broker.poll(KEY, now_ns))

    def see(
        self, bids: list[Level], asks: list[Level], event_ns: int = T0, now_ns: int = T0, **more: Any
    ) -> list[BrokerEvent]:
        return self._settle(self.broker.on_book(book(bids, asks, event_ns, **more), now_ns))

    def wait(self, now_ns: int) -> list[BrokerEvent]:
        return self._settle(self.broker.on_deadline(now_ns))

    def _settle(self, events: list[BrokerEvent]) -> list[BrokerEvent]:
        for event in events:
            self.lots[KEY] += self.orders[event.order_id].side.sign * event.last_qty_lots
        return events


def told(events: list[BrokerEvent]) -> list[tuple[str, int, int]]:
    return [(e.exec_type.value, e.last_qty_lots, e.last_price_ticks) for e in events]


def test_a_market_order_walks_the_book_and_what_is_beyond_sight_expires() -> None:
    desk = Desk()
    desk.see(BIDS, ASKS)
    events = desk.send(approved(qty_lots=17, **MARKET))
    assert told(events) == [("NEW", 0, 0), ("TRADE", 5, 101), ("TRADE", 5, 102), ("TRADE", 5, 103), ("EXPIRED", 0, 0)]
    assert "2 lots are left" in events[-1].reason
    assert len(desk.broker) == 0


def test_an_ioc_stops_at_its_limit() -> None:
    desk = Desk()
    desk.see(BIDS, ASKS)
    events = desk.send(approved(qty_lots=12, limit_ticks=102, **IOC))
    assert told(events) == [("NEW", 0, 0), ("TRADE", 5, 101), ("TRADE", 5, 102), ("EXPIRED", 0, 0)]


def test_fok_is_whole_or_nothing() -> None:
    desk = Desk()
    desk.see(BIDS, ASKS)
    assert told(desk.send(approved("a", qty_lots=11, limit_ticks=102, **FOK))) == [("NEW", 0, 0), ("EXPIRED", 0, 0)]
    assert told(desk.send(approved("b", qty_lots=10, limit_ticks=102, **FOK)))[1:] == [
        ("TRADE", 5, 101),
        ("TRADE", 5, 102),
    ]


def test_taker_and_maker_pay_their_own_rates() -> None:
    desk = Desk(taker_fee_bps=Decimal("10"), maker_fee_bps=Decimal("2.5"))
    desk.see(BIDS, ASKS)
    taker = desk.send(approved(qty_lots=8, limit_ticks=101))[1]
    maker = desk.see(BIDS, [(101, 9)], T0 + 1)[0]
    assert (taker.is_maker, taker.fee_e8) == (False, fee_e8(instrument(), 101, 5, 1000))
    assert (maker.is_maker, maker.fee_e8) == (True, fee_e8(instrument(), 101, 3, 250))


def test_the_rest_of_a_gtc_fills_at_its_own_price_when_the_touch_comes_to_it() -> None:
    desk = Desk()
    desk.see(BIDS, ASKS)
    assert told(desk.send(approved(qty_lots=7, limit_ticks=100))) == [("NEW", 0, 0)]
    assert desk.see(BIDS, [(101, 1)], T0 + 1) == []
    assert told(desk.see([(97, 5)], [(98, 2), (99, 1), (101, 9)], T0 + 2)) == [("TRADE", 3, 100)]
    assert desk.see([(97, 5)], [(98, 2), (99, 1), (101, 9)], T0 + 3) == [], "the same lots are not given twice"
    assert told(desk.see([(97, 5)], [(98, 9)], T0 + 4)) == [("TRADE", 4, 100)]
    assert len(desk.broker) == 0


def test_an_order_meets_the_first_book_after_its_latency_in_venue_time() -> None:
    desk = Desk(latency_ms=20)
    desk.see(BIDS, ASKS, T0)
    assert desk.send(approved(qty_lots=1, **MARKET)) == []
    assert desk.see(BIDS, [(105, 5)], T0 + 20 * MS - 1, T0 + 1) == []
    assert told(desk.see(BIDS, [(110, 5)], T0 + 20 * MS, T0 + 2)) == [("NEW", 0, 0), ("TRADE", 1, 110)]


def test_a_quiet_book_is_met_by_local_time() -> None:
    desk = Desk(latency_ms=20)
    desk.see(BIDS, ASKS, T0)
    desk.send(approved(qty_lots=1, **MARKET), now_ns=T0)
    due = desk.broker.deadline_ns()
    assert due == T0 + 20 * MS + BOOK_QUIET_NS
    assert desk.wait(due - 1) == []
    assert told(desk.wait(due)) == [("NEW", 0, 0), ("TRADE", 1, 101)]
    assert desk.broker.deadline_ns() is None


@pytest.mark.parametrize(
    "why",
    [
        "stale",
        "empty",
        "publisher gone",
        "publisher gone and back",
        "publisher restarted",
        "invalidated",
        "no instrument",
        "never seen",
    ],
)
def test_without_a_usable_book_nothing_fills_and_the_order_expires(why: str) -> None:
    desk = Desk()
    if why == "no instrument":
        desk.broker = PaperBroker(PaperConfig(latency_ms=0), lambda _: 0)
        desk.broker.set_alive(True, 1)
    if why != "never seen":
        desk.see(BIDS, [] if why == "empty" else ASKS, state=FeedState.STALE if why == "stale" else FeedState.SYNCED)
    if why in ("publisher gone", "publisher gone and back"):
        desk.broker.set_alive(False, 1)
    if why == "publisher gone and back":
        desk.broker.set_alive(True, 1)
    if why == "publisher restarted":
        desk.broker.set_alive(True, 2)
    if why == "invalidated":
        desk.broker.invalidate(KEY)
    order = approved(**MARKET)
    assert desk.send(order) == []
    assert desk.broker.touch_ticks(KEY, Side.BUY) == 0
    assert desk.wait(order.valid_until_ns) == []
    due = desk.broker.deadline_ns()
    assert due is not None and due > order.valid_until_ns
    events = desk.wait(due)
    assert told(events) == [("EXPIRED", 0, 0)]
    assert "no valid book" in events[0].reason


def test_a_resting_order_outlives_an_invalid_book() -> None:
    desk = Desk()
    desk.see(BIDS, ASKS)
    order = approved(qty_lots=3, limit_ticks=100)
    desk.send(order)
    desk.see(BIDS, ASKS, T0 + 1, state=FeedState.BUFFERING)
    assert desk.broker.deadline_ns() is None
    assert desk.wait(order.valid_until_ns + S) == []
    assert told(desk.see([(98, 1)], [(99, 9)], T0 + 2)) == [("TRADE", 3, 100)]


def test_a_cancel_travels_too_and_the_order_may_fill_before_it_arrives() -> None:
    desk = Desk(latency_ms=20)
    desk.see(BIDS, ASKS)
    desk.send(approved(qty_lots=6, limit_ticks=100))
    desk.see(BIDS, ASKS, T0 + 20 * MS)
    assert desk.cancel("o-1", T0 + 30 * MS, T0 + 1) == []
    assert told(desk.see([(97, 1)], [(100, 2)], T0 + 49 * MS, T0 + 2)) == [("TRADE", 2, 100)]
    assert told(desk.see([(97, 1)], [(100, 9)], T0 + 50 * MS, T0 + 3)) == [("CANCELED", 0, 0)]


def test_a_cancel_arrives_by_local_time_on_a_quiet_book() -> None:
    desk = Desk(latency_ms=20)
    desk.see(BIDS, ASKS)
    desk.send(approved(qty_lots=6, limit_ticks=100))
    desk.cancel("o-1", T0, T0 + 5)
    assert desk.broker.deadline_ns() == T0 + 5 + 20 * MS
    assert told(desk.wait(T0 + 5 + 20 * MS)) == [("CANCELED", 0, 0)]


def test_reduce_only_stops_at_flat() -> None:
    desk = Desk()
    desk.lots[KEY] = 4
    desk.see(BIDS, ASKS)
    first, second = (
        approved("a", Side.SELL, 3, reduce_only=True, **MARKET),
        approved("b", Side.SELL, 3, reduce_only=True, **MARKET),
    )
    assert told(desk.send(first)) == [("NEW", 0, 0), ("TRADE", 3, 100)]
    events = desk.send(second)
    assert told(events) == [("NEW", 0, 0), ("TRADE", 1, 100), ("EXPIRED", 0, 0)]
    assert "reduce-only" in events[-1].reason
    assert desk.lots[KEY] == 0


ORDERS = st.builds(
    lambda side, qty, limit, kind, reduce_only: approved(
        side=side,
        qty_lots=qty,
        reduce_only=reduce_only,
        **({"limit_ticks": limit} | kind if kind != MARKET else kind),
    ),
    st.sampled_from(list(Side)),
    st.integers(1, 25),
    st.integers(35, 75),
    st.sampled_from([{}, IOC, FOK, MARKET]),
    st.booleans(),
)
STEPS = st.lists(
    st.one_of(
        ORDERS,
        ladders(),
        st.tuples(st.just("cancel"), st.integers(0, 8)),
        st.tuples(st.just("wait"), st.integers(0, 3 * S)),
        st.tuples(st.just("invalid"), st.just(0)),
    ),
    max_size=25,
)


class Witness:
    """Plays steps against a desk and checks every event against what was ordered and what was displayed."""

    def __init__(self, latency_ms: int) -> None:
        self.desk = Desk(latency_ms)
        self.now = T0
        self.shown: tuple[list[Level], list[Level]] = ([], [])
        self.displayed: dict[Side, dict[int, int]] = {side: {} for side in Side}
        self.used: Counter[tuple[Side, int]] = Counter()
        self.filled: Counter[str] = Counter()
        self.ended: set[str] = set()

    def play(self, number: int, step: Any) -> list[BrokerEvent]:
        self.now += 15 * MS
        if isinstance(step, ApprovedOrder):
            changes = {"order_id": f"o-{number}", "event_ns": self.now, "valid_until_ns": self.now + S}
            return self.desk.send(step.model_copy(update=changes), self.now)
        if isinstance(step[0], list):
            self._show(step)
            return self.desk.see(*step, self.now, self.now)
        if step[0] == "cancel":
            return self.desk.cancel(f"o-{step[1]}", self.now, self.now)
        if step[0] == "wait":
            self.now += step[1]
            return self.desk.wait(self.now)
        events = self.desk.see(*self.shown, self.now, self.now, state=FeedState.STALE)
        assert not [e for e in events if e.last_qty_lots]
        return events

    def _show(self, ladder: tuple[list[Level], list[Level]]) -> None:
        fresh = {Side.BUY: dict(ladder[1]), Side.SELL: dict(ladder[0])}
        for side, price in list(self.used):
            if self.displayed[side].get(price) != fresh[side].get(price):
                del self.used[side, price]
        self.displayed, self.shown = fresh, ladder

    def check(self, events: list[BrokerEvent], position: int) -> None:
        for event in events:
            order = self.desk.orders[event.order_id]
            assert event.order_id not in self.ended
            if event.last_qty_lots:
                self._check_fill(order, event, position)
                position += order.side.sign * event.last_qty_lots
            is_filled = self.filled[event.order_id] == order.qty_lots
            if event.exec_type in (ExecType.CANCELED, ExecType.EXPIRED) or is_filled:
                self.ended.add(event.order_id)
        for side in Side:
            got = sum(e.last_qty_lots for e in events if self.desk.orders[e.order_id].side is side)
            assert got <= sum(self.displayed[side].values())

    def _check_fill(self, order: ApprovedOrder, event: BrokerEvent, position: int) -> None:
        assert event.exec_type is ExecType.TRADE
        self.filled[order.order_id] += event.last_qty_lots
        assert self.filled[order.order_id] <= order.qty_lots
        if order.order_type is OrderType.LIMIT:
            assert (event.last_price_ticks - order.limit_ticks) * order.side.sign <= 0
        if not event.is_maker:
            self.used[order.side, event.last_price_ticks] += event.last_qty_lots
            assert self.used[order.side, event.last_price_ticks] <= self.displayed[order.side][event.last_price_ticks]
        if order.reduce_only:
            after = position + order.side.sign * event.last_qty_lots
            assert abs(after) < abs(position) and after * position >= 0


@given(steps=STEPS, latency_ms=st.sampled_from([0, 20]))
def test_what_holds_whatever_happens(steps: list[Any], latency_ms: int) -> None:
    """Never more than ordered, never worse than the limit, never more than displayed, never a flipped reduce-only."""
    witness = Witness(latency_ms)
    for number, step in enumerate(steps):
        position = witness.desk.lots[KEY]
        witness.check(witness.play(number, step), position)
        assert witness.desk.broker.poll(KEY, witness.now) == [], "the same book, asked again, says nothing new"
    desk = witness.desk
    assert len(desk.broker) == len(desk.orders) - len(witness.ended)
    for order_id, order in desk.orders.items():
        if order.time_in_force is TimeInForce.FOK and order_id in witness.ended:
            assert witness.filled[order_id] in (0, order.qty_lots)
