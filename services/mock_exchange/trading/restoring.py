"""Taking up what was before a restart: accounts, orders and ids, into a desk whose books are new ones.

The market is another than before: it has begun anew. Stops wait again; limit orders go into the new book in the order
in which they came into the old one, with what was left of them, and trade at once where that book lets them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from services.mock_exchange.trading.accounts import Account, Accounts
from services.mock_exchange.trading.desk import Desk, Market
from services.mock_exchange.trading.orders import Fill, Order, OrderList, PreventedMatch, SpotStatus
from services.mock_exchange.trading.placing import Numbers


class SavedOrder(NamedTuple):
    """An order with its amendments, but no fills; `book_id` is what it was in the old book."""

    order: Order
    #: Of a trailing stop: the best price since it began to follow.
    best_ticks: int | None


@dataclass
class SavedMarket:
    """One symbol, everything in the order in which it happened."""

    numbers: Numbers = field(default_factory=lambda: Numbers(0, 0, 0))
    last_trade_id: int = 0
    #: By id.
    orders: list[SavedOrder] = field(default_factory=list)
    #: Ids of the closed ones, as they ended.
    closed: list[int] = field(default_factory=list)
    fills: list[tuple[int, Fill]] = field(default_factory=list)
    prevented: list[PreventedMatch] = field(default_factory=list)
    #: Without their orders, whose ids stand beside them.
    lists: list[tuple[OrderList, tuple[int, ...]]] = field(default_factory=list)


def restore_balances(accounts: Accounts, saved: Mapping[int, Sequence[tuple[str, int, int]]]) -> None:
    """Give accounts (by id) the (asset, free, locked) they had; the house owes what all of them own."""
    for account_id, balances in saved.items():
        accounts[account_id].ledger.restore(balances)
    owned: dict[str, int] = defaultdict(int)
    for account in accounts.all():
        for asset, free, locked in account.ledger.balances():
            owned[asset] += free + locked
    accounts.house.restore((asset, -amount, 0) for asset, amount in owned.items())


def restore_records(market: Market, saved: SavedMarket) -> None:
    """Let a symbol's desk know its orders, trades and lists of before; none of them acts yet."""
    placing, lists = market
    placing.numbers = saved.numbers
    orders = {one.order.order_id: one.order for one in saved.orders}
    by_account: dict[int, list[Order]] = defaultdict(list)
    for order in orders.values():
        by_account[order.account_id].append(order)
    for account_id, own in by_account.items():
        closed = [orders[number] for number in saved.closed if orders[number].account_id == account_id]
        placing.journal(account_id).restore(own, closed)
    for order_id, fill in saved.fills:
        order = orders[order_id]
        order.fills.append(fill)
        placing.journal(order.account_id).trades.append((order, fill))
    for match in saved.prevented:
        if match.taker_order_id in orders:
            placing.journal(orders[match.taker_order_id].account_id).prevented.append(match)
        for order_id in (match.maker_order_id, match.taker_order_id):
            if order_id in orders:
                orders[order_id].prevented.append(match)
    for order_list, ids in saved.lists:
        if all(order_id in orders for order_id in ids):
            order_list.orders = tuple(orders[order_id] for order_id in ids)
            lists.restore(order_list)
    placing.book.skip_trade_ids(saved.last_trade_id)


def resume(market: Market, saved: Iterable[SavedOrder], now_ns: int) -> list[Order]:
    """Let the open orders act again; those that were open."""
    placing = market.placing
    was_open = [one for one in saved if one.order.status.is_open]
    # Pending orders of a list wait for their turn in it alone.
    acting = [one for one in was_open if one.order.status is not SpotStatus.PENDING_NEW]
    for order, best_ticks in acting:
        if not order.is_working:
            placing.triggers.restore(order, best_ticks)
    resting = sorted((one.order for one in acting if one.order.is_working), key=lambda order: order.book_id)
    for order in resting:
        order.book_id = 0
    for order in resting:
        if order.status.is_open:
            with placing.acting(now_ns):
                placing.start(order, now_ns)
    return [one.order for one in was_open]


def unbalanced(account: Account, desk: Desk) -> str | None:
    """An asset of which an account's open orders hold another amount than is locked; None when all agree."""
    held: dict[str, int] = defaultdict(int)
    for order in desk.open_orders(account):
        held[order.pays_with] += order.locked
    for asset, _, locked in account.ledger.balances():
        if held.pop(asset, 0) != locked:
            return asset
    return next((asset for asset, amount in held.items() if amount), None)
