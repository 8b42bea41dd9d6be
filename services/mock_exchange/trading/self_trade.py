"""What an order will trade with, known before it does: its cost, and where it would meet its own account.

The book is walked in the order it would trade: level by level, in each the shown slices as queued, then what
icebergs hide. Prevention follows the taker's mode (venues.md 2.6): the makers in the way are dealt with before the
match, an end of the taker comes after it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final, NamedTuple

from common.messages.base import Side
from services.mock_exchange.trading.amounts import UNIT, value_to_hold
from services.mock_exchange.trading.book import Resting, TradingBook
from services.mock_exchange.trading.orders import Order, SelfTrade

#: More lots than any book has: a limit by budget alone.
ANY_LOTS: Final = 2**62


class Prevention(NamedTuple):
    """One meeting with an own order: how many lots each of the two loses."""

    maker: Order
    price_ticks: int
    taker_lots: int
    maker_lots: int


@dataclass(slots=True)
class Plan:
    """What a taker will trade, and the meetings before and after it."""

    levels: list[tuple[int, int]] = field(default_factory=list)
    before: list[Prevention] = field(default_factory=list)
    #: The meeting that ends the taker.
    last: Prevention | None = None
    #: What the levels cost at most, in 1e-8 of the quote asset.
    cost: int = 0
    #: There was not enough in the book, or not at the order's price.
    is_exhausted: bool = False

    @property
    def lots(self) -> int:
        """What will trade."""
        return sum(lots for _, lots in self.levels)

    @property
    def prevented_lots(self) -> int:
        """What the taker will lose to prevention."""
        ending = self.last.taker_lots if self.last else 0
        return ending + sum(meeting.taker_lots for meeting in self.before)


class Want:
    """How much a taker still wants: lots, and money it may spend (None: any)."""

    __slots__ = ("_lot_amount", "_tick_amount", "budget", "lots")

    def __init__(self, lots: int, budget: int | None, tick_amount: int, lot_amount: int) -> None:
        self.lots = lots
        self.budget = budget
        self._tick_amount = tick_amount
        self._lot_amount = lot_amount

    def lots_at(self, price_ticks: int) -> int:
        """Lots it would take at a price."""
        if self.budget is None:
            return self.lots
        return min(self.lots, self.budget * UNIT // (price_ticks * self._tick_amount * self._lot_amount))

    def take(self, price_ticks: int, lots: int) -> int:
        """It gets so many; what they cost at most."""
        cost = value_to_hold(price_ticks * self._tick_amount, lots * self._lot_amount)
        self.lots -= lots
        if self.budget is not None:
            self.budget -= cost
        return cost


def plan_match(
    book: TradingBook,
    side: Side,
    limit_ticks: int | None,
    want: Want,
    mode: SelfTrade,
    own: Callable[[int], Order | None],
) -> Plan:
    """What an order of `side` would do now. `own` knows the account's orders by their number in the book.

    `want` is used up by it. The order's remainder after `last` is prevented: all of it, or what DECREMENT took.
    """
    plan = Plan()
    for price_ticks, level in groupby(book.queue(side.opposite), key=lambda resting: resting.price_ticks):
        is_beyond = limit_ticks is not None and (price_ticks - limit_ticks) * side.sign > 0
        if not want.lots_at(price_ticks):
            return plan
        if is_beyond:
            break
        _walk_level(plan, price_ticks, list(level), want, mode, own, book.shown_lots)
        if plan.last is not None:
            return plan
    plan.is_exhausted = True
    return plan


def _walk_level(
    plan: Plan,
    price_ticks: int,
    level: list[Resting],
    want: Want,
    mode: SelfTrade,
    own: Callable[[int], Order | None],
    shown_lots: Callable[[int], int],
) -> None:
    orders = [None if mode is SelfTrade.NONE else own(resting.book_id) for resting in level]
    if not any(orders):
        _take(plan, price_ticks, sum(resting.lots for resting in level), want)
        return
    hidden = 0
    for resting, order in zip(level, orders, strict=True):
        wanted = want.lots_at(price_ticks)
        if not wanted:
            return
        if order is None:
            shown = shown_lots(resting.book_id) if resting.book_id else resting.lots
            hidden += resting.lots - shown
            _take(plan, price_ticks, shown, want)
        elif mode is SelfTrade.EXPIRE_MAKER:
            plan.before.append(Prevention(order, price_ticks, 0, resting.lots))
        elif mode is SelfTrade.DECREMENT:
            lots = min(wanted, resting.lots)
            meeting = Prevention(order, price_ticks, lots, lots)
            want.take(price_ticks, lots)
            if not want.lots_at(price_ticks):
                plan.last = meeting
                return
            plan.before.append(meeting)
        else:
            maker_lots = resting.lots if mode is SelfTrade.EXPIRE_BOTH else 0
            plan.last = Prevention(order, price_ticks, wanted, maker_lots)
            return
    _take(plan, price_ticks, hidden, want)


def _take(plan: Plan, price_ticks: int, there: int, want: Want) -> None:
    lots = min(there, want.lots_at(price_ticks))
    if lots:
        plan.cost += want.take(price_ticks, lots)
        plan.levels.append((price_ticks, lots))
