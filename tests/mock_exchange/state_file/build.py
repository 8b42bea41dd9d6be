"""What the state's tests share: a floor whose desk is kept in a file, and everything a desk can be asked for."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from common.messages.base import Side
from services.mock_exchange.errors import VenueError
from services.mock_exchange.io.state_store import Restored, StateStore
from services.mock_exchange.listing import Listing
from services.mock_exchange.trading.accounts import Account, Accounts
from services.mock_exchange.trading.desk import Desk
from services.mock_exchange.trading.orders import Order, OrderList, OrderRef
from tests.mock_exchange.trading.build import Floor, floor


def kept_floor(
    path: Path, *listings: Listing, house: bool = False, **more: Any
) -> tuple[Floor, StateStore, Restored]:
    """A floor with what the file holds; `house`: somebody quotes 99 to 101 in its new books."""
    it = floor(*listings, **more)
    store = StateStore(str(path))
    events = it.events

    def tell(event: Any) -> None:
        store.on_event(event)
        events.append(event)

    it.desk.clearing.tell = tell
    if house:
        quote(it)
    return it, store, store.restore(it.desk, it.accounts, it.now_ns)


def quote(it: Floor) -> None:
    for book in it.books.values():
        book.limit(Side.BUY, 99, 1000)
        book.limit(Side.SELL, 101, 1000)


def plain_order(order: Order) -> dict[str, Any]:
    """A record as plain data, but its number in the book, which a new book gives anew."""
    fields = {name: getattr(order, name) for name in Order.__slots__ if name not in ("book_id", "fills")}
    fields |= {"is_in_book": order.book_id > 0, "fills": [asdict(fill) for fill in order.fills]}
    fields["prevented"], fields["amendments"] = list(order.prevented), list(order.amendments)
    return fields


def plain_list(one: OrderList) -> dict[str, Any]:
    fields = {name: getattr(one, name) for name in OrderList.__slots__ if name != "orders"}
    return fields | {"orders": [order.order_id for order in one.orders]}


def answers(desk: Desk, accounts: Accounts) -> dict[str, Any]:
    """What every query of every account says."""
    told: dict[str, Any] = {}
    for account in accounts.all():
        mine = told[account.name] = {
            "balances": list(account.ledger.balances()),
            "volume": (account.volume.days(), account.volume.total),
            "lists": [plain_list(one) for one in desk.order_lists(account, limit=10**6)],
            "open lists": [one.order_list_id for one in desk.open_order_lists(account)],
        }
        for symbol, market in desk.markets.items():
            orders = desk.all_orders(account, symbol, limit=10**6)
            mine[symbol] = {
                "orders": [plain_order(order) for order in orders],
                "open": [order.order_id for order in desk.open_orders(account, symbol)],
                "trades": [(order.order_id, fill) for order, fill in desk.trades(account, symbol, limit=10**6)],
                "prevented": desk.prevented_matches(account, symbol, limit=10**6),
                "by client id": by_client_id(desk, account, symbol, orders),
                "best": [market.placing.triggers.best_ticks(order) for order in orders],
                "numbers": market.placing.numbers,
            }
    told["ids"] = (desk.clearing.executions, desk.last_list_id)
    told["house"] = {asset: (free, locked) for asset, free, locked in accounts.house.balances() if free or locked}
    return told


def by_client_id(desk: Desk, account: Account, symbol: str, orders: list[Order]) -> dict[str, int | None]:
    names = {order.client_order_id for order in orders}
    names |= {name for order in orders for step in order.amendments for name in step[1:3]}
    found: dict[str, int | None] = {}
    for name in sorted(names):
        try:
            found[name] = desk.order(account, symbol, OrderRef(None, name)).order_id
        except VenueError:
            found[name] = None
    return found
