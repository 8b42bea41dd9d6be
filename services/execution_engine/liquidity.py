"""What a displayed book would give a paper order, and what paper orders have had of it already.

A paper fill leaves no trace in the real book, so the same displayed lots would be there for the next order too. What
was taken from a level is therefore remembered until the venue shows that level with another quantity (or shows that
it is gone): only then is what stands there new.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Final, NamedTuple

from common.messages import ApprovedOrder, BookUpdate, OrderType, Side, TimeInForce
from common.messages.book import ASK_DEPTH, BID_DEPTH, IntArray

#: Levels remembered a side; the longest remembered is forgotten first.
MAX_REMEMBERED: Final = 1_024
#: Displayed quantity of a level that was taken from in an earlier life of this process.
_NOT_SEEN: Final = -1


class LevelFill(NamedTuple):
    """Lots taken at one price."""

    price_ticks: int
    qty_lots: int


def lots_at(ticks: IntArray, lots: IntArray, price_ticks: int, sign: int) -> int:
    """Lots displayed at a price; 0 when there is no such level. `sign`: +1 for asks, -1 for bids."""
    at = bisect_left(ticks, price_ticks * sign, key=lambda t: t * sign)
    return int(lots[at]) if at < len(ticks) and ticks[at] == price_ticks else 0


class _MakerDebt(NamedTuple):
    """Lots that resting orders got on one book in an earlier life, from levels up to `limit_ticks`."""

    event_ns: int
    limit_ticks: int
    qty_lots: int


class _Taken:
    """Lots taken from one displayed level."""

    __slots__ = ("displayed_lots", "taken_lots")

    def __init__(self, displayed_lots: int) -> None:
        self.displayed_lots = displayed_lots
        self.taken_lots = 0


class TakenLiquidity:
    """Lots our fills took from the displayed levels of one side of one book, by price."""

    def __init__(self) -> None:
        self._levels: dict[int, _Taken] = {}

    @property
    def is_empty(self) -> bool:
        """Nothing is remembered."""
        return not self._levels

    def available(self, price_ticks: int, displayed_lots: int) -> int:
        """Lots of a displayed level that are still there for us."""
        level = self._levels.get(price_ticks)
        return displayed_lots if level is None else max(0, displayed_lots - level.taken_lots)

    def take(self, price_ticks: int, qty_lots: int, displayed_lots: int) -> None:
        """Remember a fill."""
        level = self._levels.get(price_ticks)
        if level is None:
            if len(self._levels) >= MAX_REMEMBERED:
                del self._levels[next(iter(self._levels))]
            level = self._levels[price_ticks] = _Taken(displayed_lots)
        level.taken_lots += qty_lots

    def restore(self, price_ticks: int, qty_lots: int) -> None:
        """Remember a fill of an earlier life: the level counts as unchanged until it is seen to change."""
        self.take(price_ticks, qty_lots, _NOT_SEEN)

    def observe(self, ticks: IntArray, lots: IntArray, depth: int, sign: int) -> None:
        """Forget the levels that a newer valid book shows changed.

        Args:
            ticks, lots: int64[n], one displayed side, best first, n > 0.
            depth: levels the whole side has; when more than n, what lies behind the last is not known to be gone.
            sign: +1 for asks (prices rise away from the touch), -1 for bids.
        """
        last = int(ticks[-1])
        for price, level in list(self._levels.items()):
            if depth > len(ticks) and (price - last) * sign > 0:
                continue
            displayed = lots_at(ticks, lots, price, sign)
            if level.displayed_lots == _NOT_SEEN and displayed:
                level.displayed_lots = displayed
            elif displayed != level.displayed_lots:
                del self._levels[price]


class Liquidity:
    """Both sides of the latest valid book of one symbol, less what was taken."""

    def __init__(self) -> None:
        self._asks = TakenLiquidity()
        self._bids = TakenLiquidity()
        self._book: BookUpdate | None = None
        self._debts: dict[Side, _MakerDebt] = {}

    def observe(self, book: BookUpdate) -> None:
        """A newer valid book."""
        self._book = book
        if not self._asks.is_empty:
            self._asks.observe(book.ask_ticks, book.ask_lots, book.head[ASK_DEPTH], 1)
        if not self._bids.is_empty:
            self._bids.observe(book.bid_ticks, book.bid_lots, book.head[BID_DEPTH], -1)
        while self._debts:
            side, debt = self._debts.popitem()
            self.take(side, self.walk(side, debt.limit_ticks, debt.qty_lots))

    def touch_ticks(self, side: Side) -> int:
        """Best displayed price an order of `side` would take at; 0 before the first book."""
        return 0 if self._book is None else int(self._opposite(side)[0][0])

    def walk(self, side: Side, limit_ticks: int | None, qty_lots: int) -> list[LevelFill]:
        """Level by level, best first: what an order of `side` would get now. Takes nothing.

        Args:
            side: the order's; a BUY walks the asks.
            limit_ticks: worst price it may pay; None for any.
            qty_lots: how much it wants.
        """
        fills: list[LevelFill] = []
        if self._book is None:
            return fills
        ticks, lots, taken = self._opposite(side)
        sign = side.sign
        for i in range(len(ticks)):
            price = int(ticks[i])
            if qty_lots <= 0 or (limit_ticks is not None and (price - limit_ticks) * sign > 0):
                break
            got = min(qty_lots, taken.available(price, int(lots[i])))
            if got:
                fills.append(LevelFill(price, got))
                qty_lots -= got
        return fills

    def take(self, side: Side, fills: list[LevelFill]) -> None:
        """An order of `side` got these."""
        ticks, lots, taken = self._opposite(side)
        for price, qty in fills:
            taken.take(price, qty, lots_at(ticks, lots, price, side.sign))

    def restore_take(self, side: Side, price_ticks: int, qty_lots: int, event_ns: int, *, is_maker: bool) -> None:
        """An order of `side` got this in an earlier life, on a book of time `event_ns`.

        A taker's price names the level. A maker's names its own limit, and the lots came from levels up to it: those
        of the latest book are taken from the best levels of the first book seen, for it may be the same one.
        """
        taken = self._asks if side is Side.BUY else self._bids
        debt = self._debts.get(side)
        if debt is not None and event_ns > debt.event_ns:
            taken.restore(debt.limit_ticks, debt.qty_lots)
            del self._debts[side]
            debt = None
        if not is_maker:
            taken.restore(price_ticks, qty_lots)
        elif debt is None:
            self._debts[side] = _MakerDebt(event_ns, price_ticks, qty_lots)
        else:
            worst = max if side is Side.BUY else min
            limit_ticks = worst(debt.limit_ticks, price_ticks)
            self._debts[side] = _MakerDebt(event_ns, limit_ticks, debt.qty_lots + qty_lots)

    def _opposite(self, side: Side) -> tuple[IntArray, IntArray, TakenLiquidity]:
        assert self._book is not None
        if side is Side.BUY:
            return self._book.ask_ticks, self._book.ask_lots, self._asks
        return self._book.bid_ticks, self._book.bid_lots, self._bids


def why_left(order: ApprovedOrder, left_lots: int) -> str:
    """Why an order that may not rest ends with `left_lots` unfilled."""
    if order.time_in_force is TimeInForce.FOK:
        return f"FOK: the visible book does not hold {order.qty_lots} lots"
    if order.order_type is OrderType.MARKET:
        return f"MARKET: the visible book is exhausted, {left_lots} lots are left"
    return f"IOC: {left_lots} lots found no counterparty up to {order.limit_ticks} ticks"
