"""Whatever clients and the market do: nothing is lost, nothing is locked in vain, and the events tell all of it."""

from __future__ import annotations

import math
from collections import defaultdict
from decimal import Decimal
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from common.messages.base import Side
from common.messages.orders import TimeInForce
from services.mock_exchange.errors import VenueError
from services.mock_exchange.listing import Listing
from services.mock_exchange.trading.accounts import Account
from services.mock_exchange.trading.events import AccountPosition, OrderReport
from services.mock_exchange.trading.orders import (
    OcoTicket,
    Order,
    OrderRef,
    OtoTicket,
    SelfTrade,
    SpotStatus,
    SpotType,
    Ticket,
)
from tests.mock_exchange.trading.build import Floor, floor

#: A tick times a lot is a tenth of 1e-8: what changes hands is cut all the time.
FINE = Listing("COINUSDT", "COIN", "USDT", Decimal("0.00001"), Decimal("0.0001"), Decimal(0))
TICK, LOT = FINE.tick_size, FINE.lot_size
BALANCES = {"COIN": 150 * LOT, "USDT": Decimal("0.00001500")}
CLIENT_IDS = ("a", "b", None, None, None, None)

SIDES = st.sampled_from(Side)
PRICES = st.integers(90, 110)
LOTS = st.integers(1, 40)
WHO = st.integers(0, 1)

OPEN = {SpotStatus.NEW, SpotStatus.PENDING_NEW, SpotStatus.PARTIALLY_FILLED}
AFTER_OPEN = {
    SpotStatus.PARTIALLY_FILLED,
    SpotStatus.FILLED,
    SpotStatus.CANCELED,
    SpotStatus.EXPIRED,
    SpotStatus.EXPIRED_IN_MATCH,
}
LEGAL = {
    None: {SpotStatus.NEW, SpotStatus.PENDING_NEW},
    SpotStatus.PENDING_NEW: {SpotStatus.PENDING_NEW, SpotStatus.NEW, SpotStatus.CANCELED, SpotStatus.EXPIRED},
    SpotStatus.NEW: {SpotStatus.NEW} | AFTER_OPEN,
    SpotStatus.PARTIALLY_FILLED: AFTER_OPEN,
}


@st.composite
def tickets(draw: st.DrawFn, side: Side | None = None, types: tuple[SpotType, ...] = tuple(SpotType)) -> Ticket:
    """Well-formed ones of every kind; whether they can be placed is another matter."""
    kind = draw(st.sampled_from(types))
    lots = draw(LOTS)
    fields: dict[str, Any] = {"quantity": lots * LOT}
    if kind.has_price:
        fields["price"] = draw(PRICES) * TICK
    if kind in (SpotType.LIMIT, SpotType.STOP_LOSS_LIMIT, SpotType.TAKE_PROFIT_LIMIT):
        fields["time_in_force"] = draw(st.sampled_from([TimeInForce.GTC, TimeInForce.GTC, *TimeInForce]))
        if fields["time_in_force"] is TimeInForce.GTC and draw(st.integers(0, 3)) == 0:
            fields["iceberg_qty"] = draw(st.integers(1, lots)) * LOT
    if kind.is_conditional:
        trails = draw(st.integers(0, 3)) == 0
        if trails:
            fields["trailing_delta_bps"] = draw(st.integers(10, 500))
        if not trails or draw(st.booleans()):
            fields["stop_price"] = draw(PRICES) * TICK
    if kind is SpotType.MARKET and draw(st.booleans()):
        fields = {"quote_qty": Decimal(draw(st.integers(1, 400))).scaleb(-8)}
    return Ticket(
        "COINUSDT",
        side or draw(SIDES),
        kind,
        client_order_id=draw(st.sampled_from(CLIENT_IDS)),
        self_trade=draw(st.sampled_from([None, *SelfTrade])),
        **fields,
    )


LIMITS = (SpotType.LIMIT_MAKER, SpotType.TAKE_PROFIT, SpotType.TAKE_PROFIT_LIMIT)
STOPS = (SpotType.STOP_LOSS, SpotType.STOP_LOSS_LIMIT)


@st.composite
def ocos(draw: st.DrawFn) -> tuple[Ticket, Ticket]:
    """An above and a below of one side and quantity."""
    side = draw(SIDES)
    types = (STOPS, LIMITS) if side is Side.BUY else (LIMITS, STOPS)
    legs = [draw(tickets(side, one)) for one in types]
    fields = [{name: getattr(leg, name) for name in Ticket.__slots__} for leg in legs]
    for one in fields:
        one |= {"quantity": legs[0].quantity, "iceberg_qty": None}
    for one, prices in zip(fields, (st.integers(101, 110), st.integers(90, 99)), strict=True):
        one["stop_price" if one["type"].is_conditional else "price"] = draw(prices) * TICK
    return Ticket(**fields[0]), Ticket(**fields[1])


class DeskMachine(RuleBasedStateMachine):
    """Two clients of little means against each other and against the house."""

    def __init__(self) -> None:
        super().__init__()
        self.floor: Floor = floor(FINE, balances=BALANCES, fee_ppm=37_000)
        self.desk = self.floor.desk
        self.seen: dict[int, OrderReport] = {}
        self.fills: dict[int, list[Any]] = defaultdict(list)
        self.balances: dict[tuple[int, str], tuple[int, int]] = {}
        self.read = 0

    def account(self, who: int) -> Account:
        return self.floor.accounts.all()[who]

    def pick(self, who: int, number: int) -> OrderRef:
        """Mostly an open order."""
        orders = self.desk.open_orders(self.account(who)) or self.desk.all_orders(self.account(who), "COINUSDT")
        return OrderRef(orders[number % len(orders)].order_id if orders else 77)

    def attempt(self, act: Any) -> None:
        before = self.floor.state()
        refusal = None
        try:
            act()
        except VenueError as error:
            refusal = error
        if refusal is not None and refusal.code == -2021:
            assert {refusal.data["cancelResult"], refusal.data["newOrderResult"]} == {"SUCCESS", "FAILURE"}
        elif refusal is not None:
            assert self.floor.state() == before

    @rule(side=SIDES, price=PRICES, lots=LOTS, display=st.sampled_from([0, 0, 3]), ioc=st.booleans())
    def house(self, side: Side, price: int, lots: int, display: int, ioc: bool) -> None:
        if ioc:
            self.floor.book.limit(side, price, lots, TimeInForce.IOC)
        else:
            self.floor.book.limit(side, price, lots, display_lots=display)

    @rule(who=WHO, ticket=tickets())
    def place(self, who: int, ticket: Ticket) -> None:
        self.attempt(lambda: self.desk.place(self.account(who), ticket, self.floor.now_ns))

    @rule(who=WHO, ticket=tickets(types=(SpotType.LIMIT,)))
    def place_limit(self, who: int, ticket: Ticket) -> None:
        self.place(who, ticket)

    @rule(who=WHO, number=st.integers(0, 50), request_id=st.sampled_from([None, "mine"]))
    def cancel(self, who: int, number: int, request_id: str | None) -> None:
        which = self.pick(who, number)
        now_ns = self.floor.now_ns
        self.attempt(lambda: self.desk.cancel(self.account(who), "COINUSDT", which, now_ns, request_id=request_id))

    @rule(who=WHO, really=st.sampled_from([False, False, False, True]))
    def cancel_all(self, who: int, really: bool) -> None:
        if not really:
            return
        self.attempt(lambda: self.desk.cancel_all(self.account(who), "COINUSDT", self.floor.now_ns))
        assert not self.desk.open_orders(self.account(who))

    @rule(who=WHO, number=st.integers(0, 50), ticket=tickets(), stops=st.booleans())
    def replace(self, who: int, number: int, ticket: Ticket, stops: bool) -> None:
        mode = "STOP_ON_FAILURE" if stops else "ALLOW_FAILURE"
        which = self.pick(who, number)
        self.attempt(
            lambda: self.desk.cancel_replace(self.account(who), "COINUSDT", which, ticket, mode, self.floor.now_ns)
        )

    @rule(who=WHO, number=st.integers(0, 50), lots=st.integers(1, 20), client_id=st.sampled_from(CLIENT_IDS))
    def amend(self, who: int, number: int, lots: int, client_id: str | None) -> None:
        which = self.pick(who, number)
        self.attempt(
            lambda: self.desk.amend(
                self.account(who), "COINUSDT", which, lots * LOT, self.floor.now_ns, new_client_order_id=client_id
            )
        )

    @rule(who=WHO, legs=ocos())
    def oco(self, who: int, legs: tuple[Ticket, Ticket]) -> None:
        self.attempt(lambda: self.desk.place_oco(self.account(who), OcoTicket(*legs), self.floor.now_ns))

    @rule(who=WHO, working=tickets(types=(SpotType.LIMIT, SpotType.LIMIT_MAKER)), pending=tickets())
    def oto(self, who: int, working: Ticket, pending: Ticket) -> None:
        self.attempt(
            lambda: self.desk.place_oto(self.account(who), OtoTicket(working, (pending,)), self.floor.now_ns)
        )

    @rule(who=WHO, working=tickets(types=(SpotType.LIMIT, SpotType.LIMIT_MAKER)), legs=ocos())
    def otoco(self, who: int, working: Ticket, legs: tuple[Ticket, Ticket]) -> None:
        self.attempt(lambda: self.desk.place_oto(self.account(who), OtoTicket(working, legs), self.floor.now_ns))

    @invariant()
    def nothing_is_lost(self) -> None:
        assert self.floor.total("COIN") == self.floor.total("USDT") == 0

    @invariant()
    def locks_are_what_open_orders_need(self) -> None:
        for account in self.floor.accounts.all():
            orders = self.desk.all_orders(account, "COINUSDT")
            assert not any(order.locked for order in orders if order.status not in OPEN)
            expected = slow_locks([order for order in orders if order.status in OPEN], self.desk, account)
            for asset in ("COIN", "USDT"):
                assert account.ledger.locked(asset) == expected[asset] >= 0
                assert account.ledger.free(asset) >= 0

    @invariant()
    def records_agree_with_the_book(self) -> None:
        engine = self.floor.book.engine
        touch = engine.touch()
        assert not touch.bid_ticks or not touch.ask_ticks or touch.bid_ticks < touch.ask_ticks
        for order in self.floor.orders():
            assert order.executed_lots == sum(fill.qty_lots for fill in order.fills)
            assert order.executed_quote == sum(fill.quote_amount for fill in order.fills)
            assert order.left_lots >= 0
            if order.price_ticks:
                assert all((fill.price_ticks - order.price_ticks) * order.side.sign <= 0 for fill in order.fills)
            if order.book_id:
                assert engine.remaining_lots(order.book_id) == order.left_lots > 0
            in_book = order.status in OPEN - {SpotStatus.PENDING_NEW} and order.is_working
            assert bool(order.book_id) == in_book

    @invariant()
    def nobody_trades_with_himself_unless_he_wants_to(self) -> None:
        takers = {}
        for order in self.floor.orders():
            takers.update({fill.trade_id: order for fill in order.fills if not fill.is_maker})
        for order in self.floor.orders():
            for fill in order.fills:
                taker = takers.get(fill.trade_id) if fill.is_maker else None
                if taker is not None and taker.account_id == order.account_id:
                    assert taker.self_trade is SelfTrade.NONE

    @invariant()
    def events_tell_the_same_story(self) -> None:
        events = self.floor.events
        for event in events[self.read :]:
            if isinstance(event, OrderReport):
                before = self.seen.get(event.order_id)
                assert event.status in LEGAL[before and before.status]
                assert event.execution_id == 1 + max((r.execution_id for r in self.seen.values()), default=0)
                self.seen[event.order_id] = event
                if event.fill:
                    self.fills[event.order_id].append(event.fill)
            elif isinstance(event, AccountPosition):
                for change in event.balances:
                    self.balances[event.account_id, change.asset] = (change.free, change.locked)
        self.read = len(events)
        assert set(self.seen) == {order.order_id for order in self.floor.orders()}
        for order in self.floor.orders():
            report = self.seen[order.order_id]
            named = ("status", "qty_lots", "executed_lots", "executed_quote", "prevented_lots", "working_ns")
            for name in named:
                assert getattr(report, name) == getattr(order, name)
            assert self.fills[order.order_id] == order.fills
        for (account_id, asset), (free, locked) in self.balances.items():
            ledger = self.floor.accounts[account_id].ledger
            assert (ledger.free(asset), ledger.locked(asset)) == (free, locked)


def slow_locks(orders: list[Order], desk: Any, account: Account) -> dict[str, int]:
    """What open orders must hold, reckoned from their records alone: fractions, then rounded up."""
    partners = {}
    for one in desk.open_order_lists(account):
        legs = one.orders if one.contingency == "OCO" else one.orders[1:]
        partners.update({leg.order_id: one.order_list_id for leg in legs if len(legs) == 2})
    groups: dict[Any, list[Order]] = defaultdict(list)
    for order in orders:
        groups[partners.get(order.order_id, ("alone", order.order_id))].append(order)
    locks: dict[str, int] = defaultdict(int)
    for group in groups.values():
        locks[group[0].pays_with] += max(slow_need(order) for order in group)
    return locks


def slow_need(order: Order) -> int:
    lots = order.qty_lots - sum(fill.qty_lots for fill in order.fills) - order.prevented_lots
    qty = lots * LOT
    if order.side is Side.BUY:
        qty *= (order.price_ticks or order.hold_ticks) * TICK
    return math.ceil(qty.scaleb(8))


DeskMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestDeskMachine = DeskMachine.TestCase
