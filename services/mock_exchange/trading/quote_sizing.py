"""Market orders given in the quote asset: how many lots that is, exactly, by the book as it stands."""

from __future__ import annotations

from collections.abc import Callable

from common.messages.base import Side
from services.mock_exchange.errors import VenueError
from services.mock_exchange.trading.admission import filter_failure
from services.mock_exchange.trading.amounts import UNIT
from services.mock_exchange.trading.book import TradingBook
from services.mock_exchange.trading.filters import LotSize
from services.mock_exchange.trading.orders import Order
from services.mock_exchange.trading.rules import SymbolRules
from services.mock_exchange.trading.self_trade import ANY_LOTS, Want, plan_match


def size_by_quote(order: Order, book: TradingBook, rules: SymbolRules, own: Callable[[int], Order | None]) -> int:
    """Lots a market order of `quote_qty` asks for: a purchase spends at most that, a sale receives about that.

    Where the book ends before the money does, the rest is reckoned at its last price; it will expire.

    Raises:
        VenueError: -2010 an empty book or less in it than the least quantity, -1013 a lot filter.
    """
    listing = order.listing
    want = Want(ANY_LOTS, order.quote_qty, listing.tick_amount, listing.lot_amount)
    plan = plan_match(book, order.side, None, want, order.self_trade, own)
    touch = book.touch()
    best_ticks = touch.ask_ticks if order.side is Side.BUY else touch.bid_ticks
    if not best_ticks:
        raise VenueError(-2010, "Order book liquidity is less than symbol minimum quantity.")
    last_ticks = plan.levels[-1][0] if plan.levels else best_ticks
    lots = there = plan.lots + plan.prevented_lots
    if plan.is_exhausted:
        lots += want.lots_at(last_ticks)
    elif (
        order.side is Side.SELL
        and plan.last is None
        and _is_nearer_above(want, last_ticks, listing.lot_amount, order)
    ):
        lots += 1
    return _on_lots(lots, there, plan.is_exhausted, listing.lot_amount, rules)


def _is_nearer_above(want: Want, price_ticks: int, lot_amount: int, order: Order) -> bool:
    """One lot more brings the sale closer to what it shall receive."""
    assert want.budget is not None
    return 2 * want.budget * UNIT >= price_ticks * order.listing.tick_amount * lot_amount


def _on_lots(lots: int, there: int, is_exhausted: bool, lot_amount: int, rules: SymbolRules) -> int:
    filters = [rule for rule in rules.filters if isinstance(rule, LotSize)]
    for rule in filters:
        lots -= lots % max(1, rule.step_size // lot_amount)
    for rule in filters:
        if is_exhausted and there * lot_amount < rule.min_qty:
            raise VenueError(-2010, f"Order book liquidity is less than {rule.name} filter minimum quantity.")
        if not lots or not rule.admits(lots * lot_amount):
            raise filter_failure(rule.name)
    return lots
