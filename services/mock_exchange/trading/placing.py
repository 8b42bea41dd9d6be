"""One symbol's orders: from the first check to the last report."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from common.messages.base import Side
from common.messages.orders import TimeInForce
from market.matching import Outcome, Trade
from services.mock_exchange.trading.accounts import Account
from services.mock_exchange.trading.book import TradingBook
from services.mock_exchange.trading.checks import Checks, require
from services.mock_exchange.trading.clearing import Clearing, need_of
from services.mock_exchange.trading.journal import HISTORY, Journal
from services.mock_exchange.trading.orders import (
    Execution,
    ExpiryReason,
    Fill,
    Order,
    PreventedMatch,
    SelfTrade,
    SpotStatus,
    SpotType,
)
from services.mock_exchange.trading.rules import SymbolRules
from services.mock_exchange.trading.self_trade import Prevention
from services.mock_exchange.trading.triggers import Triggers, is_reached

_LETTERS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class Numbers(NamedTuple):
    """The latest ids given on a symbol."""

    order_id: int
    match_id: int
    auto_id: int


class Placing:
    """Takes orders, matches them, closes them. Order lists hear of starts and ends through the two callbacks."""

    def __init__(self, book: TradingBook, rules: SymbolRules, clearing: Clearing, history: int = HISTORY) -> None:
        self.book = book
        self.rules = rules
        self.clearing = clearing
        #: An order begins to trade, or a condition lets it.
        self.before_start: Callable[[Order, int], None] = lambda _order, _now_ns: None
        self.after_close: Callable[[Order, int], None] = lambda _order, _now_ns: None
        #: Orders whose time has come; they begin when what is going on now is over.
        self.due: deque[Order] = deque()
        self._history = history
        self._journals: dict[int, Journal] = {}
        self._resting: dict[int, Order] = {}
        self.checks = Checks(book, rules, self.journal, self._resting)
        self.triggers = Triggers()
        self._taker: Order | None = None
        self._is_acting = False
        self._now_ns = 0
        self._last_order_id = 0
        self._last_match_id = 0
        self._last_auto_id = 0
        book.on_outcome = self._on_outcome

    def journal(self, account_id: int) -> Journal:
        """An account's orders on this symbol."""
        journal = self._journals.get(account_id)
        if journal is None:
            journal = self._journals[account_id] = Journal(self._history)
        return journal

    @property
    def numbers(self) -> Numbers:
        """The latest ids given; setting them is for a restart."""
        return Numbers(self._last_order_id, self._last_match_id, self._last_auto_id)

    @numbers.setter
    def numbers(self, numbers: Numbers) -> None:
        self._last_order_id, self._last_match_id, self._last_auto_id = numbers

    def auto_id(self) -> str:
        """A client id for a request that brought none: 22 letters and digits, as the venue's are."""
        self._last_auto_id += 1
        name = f"{self.book.listing.symbol}:{self._last_auto_id}"
        number = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=16).digest(), "big")
        return "".join(_LETTERS[number // 62**place % 62] for place in range(22))

    @contextmanager
    def acting(self, now_ns: int) -> Iterator[None]:
        """While the desk changes things here. What that sets off follows at the end, before anybody else's turn."""
        self._is_acting, self._now_ns = True, now_ns
        try:
            yield
            while self.due:
                self._begin_due(self.due.popleft(), now_ns)
        finally:
            self._is_acting = False

    def place(self, account: Account, order: Order, now_ns: int) -> Order:
        """Check a draft, then place it. Raises VenueError -2010; then nothing has changed."""
        amount = self.checks.check(account, order)
        require(account, order.pays_with, amount)
        with self.acting(now_ns):
            self.enter(order, amount, now_ns)
            self.start(order, now_ns)
        return order

    def enter(self, order: Order, amount: int, now_ns: int) -> None:
        """Number a checked draft, hold its money, tell of it."""
        self._last_order_id += 1
        order.order_id = self._last_order_id
        order.client_order_id = order.client_order_id or self.auto_id()
        self.journal(order.account_id).add(order)
        self.clearing.hold(order, amount)
        self._report_new(order, now_ns)

    def start(self, order: Order, now_ns: int) -> None:
        """Match an entered order, or let it wait for its condition."""
        if not order.is_working:
            self.triggers.add(order, self.book.last_price_ticks, now_ns)
        elif order.type is SpotType.LIMIT_MAKER and self.checks.would_take(order):
            self.expire(order, ExpiryReason.REJECTED, now_ns)
        else:
            self._work(order, now_ns)

    def close(
        self,
        order: Order,
        status: SpotStatus,
        execution: Execution,
        now_ns: int,
        request_id: str = "",
        prevented: tuple[int, int, int, int, int] | None = None,
    ) -> None:
        """End an open order, in the book or not; its money is free again."""
        order.status = status
        order.updated_ns = now_ns
        order.cancel_request_id = request_id
        if order.book_id:
            del self._resting[order.book_id]
            self.book.cancel(order.book_id)
            order.book_id = 0
        self.triggers.remove(order)
        self.clearing.hold(order, 0)
        self.journal(order.account_id).close(order)
        self.clearing.report(order, execution, now_ns, is_in_book=False, request_id=request_id, prevented=prevented)
        self.after_close(order, now_ns)

    def cancel(self, order: Order, now_ns: int, request_id: str | None) -> None:
        """At the client's wish."""
        self.close(order, SpotStatus.CANCELED, Execution.CANCELED, now_ns, request_id or self.auto_id())

    def expire(self, order: Order, reason: ExpiryReason, now_ns: int) -> None:
        """By a rule of the venue."""
        order.expiry_reason = reason
        self.close(order, SpotStatus.EXPIRED, Execution.EXPIRED, now_ns)

    def shrink(self, order: Order) -> None:
        """The book learns that fewer lots are left of an open order; what they need is for the caller to hold."""
        if order.book_id:
            self.book.reduce(order.book_id, order.left_lots)

    def _begin_due(self, order: Order, now_ns: int) -> None:
        if not order.status.is_open:
            return
        if order.status is SpotStatus.PENDING_NEW:
            order.status = SpotStatus.NEW
            if order.type.is_conditional:
                self._report_new(order, now_ns)
                if (
                    order.stop_ticks
                    and not order.trailing_delta_bps
                    and is_reached(order, self.book.last_price_ticks)
                ):
                    self.due.append(order)
                else:
                    self.start(order, now_ns)
                return
        else:
            self.before_start(order, now_ns)
        order.working_ns = order.updated_ns = now_ns
        self._report_new(order, now_ns)
        self.start(order, now_ns)

    def _report_new(self, order: Order, now_ns: int) -> None:
        is_in_book = order.is_working and order.status is not SpotStatus.PENDING_NEW
        self.clearing.report(order, Execution.NEW, now_ns, is_in_book=is_in_book)

    def _work(self, order: Order, now_ns: int) -> None:
        is_market = order.limit_ticks is None
        budget = None
        if is_market and order.side is Side.BUY:
            # A stop may find the market dearer than reckoned: it buys what the account can pay.
            budget = order.locked + self.clearing.accounts[order.account_id].ledger.free(order.pays_with)
        plan = self.checks.plan(order, budget)
        if order.time_in_force is TimeInForce.FOK and plan.lots < order.left_lots:
            self.expire(order, ExpiryReason.UNFILLED_FOK_ORDER_EXPIRED, now_ns)
            return
        if budget is not None:
            self.clearing.hold(order, plan.cost)
        for meeting in plan.before:
            self._prevent(order, meeting, now_ns)
        self._match(order, plan.lots if is_market or plan.last else order.left_lots, plan.last is not None)
        if plan.last:
            self._prevent(order, plan.last, now_ns)
        if order.status.is_open and not order.book_id:
            reason = ExpiryReason.INSUFFICIENT_LIQUIDITY if is_market else ExpiryReason.UNFILLED_IOC_QUANTITY_EXPIRED
            self.expire(order, reason, now_ns)

    def _match(self, order: Order, lots: int, is_cut_short: bool) -> None:
        if not lots:
            return
        self._taker = order
        if order.limit_ticks is None:
            self.book.market(order.side, lots)
        elif is_cut_short or order.time_in_force is not TimeInForce.GTC:
            self.book.limit(order.side, order.price_ticks, lots, TimeInForce.IOC)
        else:
            is_maker = order.type is SpotType.LIMIT_MAKER
            self.book.limit(order.side, order.price_ticks, lots, post_only=is_maker, display_lots=order.iceberg_lots)

    def _on_outcome(self, outcome: Outcome) -> None:
        """Whatever happened in the book, by whomever."""
        taker, self._taker = self._taker, None
        if taker is None and not outcome.trades:
            return
        now_ns = self._now_ns if self._is_acting else self.book.time_ns
        if taker and outcome.resting_lots:
            taker.book_id = outcome.order_id
            self._resting[outcome.order_id] = taker
        for trade in outcome.trades:
            self._trade(trade, taker, now_ns)
        for price_ticks in dict.fromkeys(trade.price_ticks for trade in outcome.trades):
            self.due.extend(self.triggers.on_price(price_ticks, now_ns))
        if self.due and not self._is_acting:
            with self.acting(now_ns):
                pass

    def _trade(self, trade: Trade, taker: Order | None, now_ns: int) -> None:
        maker = self._resting.get(trade.maker_id)
        if maker is None and taker is None:
            return
        for order in (maker, taker):
            if order is not None:
                self.before_start(order, now_ns)
        for order, fill in self.clearing.settle(trade, maker, taker, now_ns):
            self.journal(order.account_id).trades.append((order, fill))
            self._after_fill(order, fill, now_ns)

    def _after_fill(self, order: Order, fill: Fill, now_ns: int) -> None:
        is_filled = order.left_lots == 0
        order.status = SpotStatus.FILLED if is_filled else SpotStatus.PARTIALLY_FILLED
        if is_filled:
            if order.book_id:
                del self._resting[order.book_id]
                order.book_id = 0
            self.clearing.hold(order, 0)
            self.journal(order.account_id).close(order)
        elif order.side is Side.SELL or order.limit_ticks is not None:
            self.clearing.hold(order, need_of(order))
        stays = not is_filled and order.limit_ticks is not None and order.time_in_force is TimeInForce.GTC
        self.clearing.report(order, Execution.TRADE, now_ns, is_in_book=stays, fill=fill)
        if is_filled:
            self.after_close(order, now_ns)

    def _prevent(self, taker: Order, meeting: Prevention, now_ns: int) -> None:
        maker = meeting.maker
        lots = {maker.order_id: meeting.maker_lots, taker.order_id: meeting.taker_lots}
        if meeting.taker_lots and taker.self_trade is not SelfTrade.DECREMENT:
            lots[taker.order_id] = taker.left_lots
        self._last_match_id += 1
        match = PreventedMatch(
            self._last_match_id,
            taker.order_id,
            maker.order_id,
            taker.self_trade,
            meeting.price_ticks,
            lots[taker.order_id],
            lots[maker.order_id],
            now_ns,
        )
        self.journal(taker.account_id).prevented.append(match)
        for order, other in ((maker, taker), (taker, maker)):
            order.prevented.append(match)
            if lots[order.order_id]:
                self._lose(order, other, lots[order.order_id], match, now_ns)

    def _lose(self, order: Order, other: Order, lots: int, match: PreventedMatch, now_ns: int) -> None:
        order.prevented_lots += lots
        order.prevented_match_id = match.match_id
        prevented = (match.match_id, other.account_id, lots, match.price_ticks, other.order_id)
        if not order.left_lots:
            self.close(order, SpotStatus.EXPIRED_IN_MATCH, Execution.TRADE_PREVENTION, now_ns, prevented=prevented)
            return
        # A prevented trade decides an OCO as a trade would.
        self.before_start(order, now_ns)
        self.shrink(order)
        if order.side is Side.SELL or order.limit_ticks is not None:
            self.clearing.hold(order, need_of(order))
        order.updated_ns = now_ns
        self.clearing.report(
            order, Execution.TRADE_PREVENTION, now_ns, is_in_book=order.book_id > 0, prevented=prevented
        )
