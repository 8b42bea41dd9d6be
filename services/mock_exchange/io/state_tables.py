"""The tables of a state file, and records as their rows.

Prices are ticks, quantities lots, times nanoseconds since 1970 UTC, amounts integers of 1e-8: all as in the records.
Amounts that have no bound (balances, volumes) are decimals in text, for SQLite's integers end at 9.2e18.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from common.messages.base import Side
from common.messages.orders import TimeInForce
from services.mock_exchange.listing import Listing
from services.mock_exchange.trading.amounts import UNIT, amount_text
from services.mock_exchange.trading.orders import (
    Amendment,
    ExpiryReason,
    Fill,
    Order,
    OrderList,
    PreventedMatch,
    SelfTrade,
    SpotStatus,
    SpotType,
)

#: Of the tables below; a file says which it has.
SCHEMA_VERSION: Final = 1
#: "TWMX" in a SQLite file's header: this is one of ours.
APPLICATION_ID: Final = 0x54574D58

#: An order's own fields, as they are called in its record.
ORDER_FIELDS: Final = (
    "order_id", "side", "type", "time_in_force", "client_order_id", "qty_lots", "price_ticks", "created_ns",
    "updated_ns", "working_ns", "status", "quote_qty", "stop_ticks", "trailing_delta_bps", "trailing_since_ns",
    "iceberg_lots", "self_trade", "strategy_id", "strategy_type", "order_list_id", "executed_lots", "executed_quote",
    "prevented_lots", "prevented_match_id", "hold_ticks", "cancel_request_id", "locked", "book_id",
    "expiry_reason",
)  # fmt: skip
FILL_FIELDS: Final = (
    "trade_id", "price_ticks", "qty_lots", "quote_amount", "commission", "commission_asset", "time_ns", "is_maker",
)  # fmt: skip
_TEXTS: Final = frozenset(
    {"side", "type", "time_in_force", "client_order_id", "status", "self_trade", "cancel_request_id", "expiry_reason"}
)
_ENUMS: Final[Mapping[str, Any]] = {
    "side": Side,
    "type": SpotType,
    "time_in_force": TimeInForce,
    "status": SpotStatus,
    "self_trade": SelfTrade,
    "expiry_reason": ExpiryReason,
}
_ORDER_COLUMNS: Final = ", ".join(f"{name} {'TEXT' if name in _TEXTS else 'INTEGER'}" for name in ORDER_FIELDS)

TABLES: Final = (
    "CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE accounts (account TEXT PRIMARY KEY) WITHOUT ROWID",
    "CREATE TABLE balances (account TEXT, asset TEXT, free TEXT NOT NULL, locked TEXT NOT NULL,"
    " PRIMARY KEY (account, asset))",
    "CREATE TABLE volumes (account TEXT, day INTEGER, amount TEXT NOT NULL,"
    " PRIMARY KEY (account, day)) WITHOUT ROWID",
    "CREATE TABLE markets (symbol TEXT PRIMARY KEY, tick_amount INTEGER NOT NULL, lot_amount INTEGER NOT NULL,"
    " order_id INTEGER NOT NULL, match_id INTEGER NOT NULL, auto_id INTEGER NOT NULL) WITHOUT ROWID",
    # `closed_number` counts ends, of open orders it is null; `best_ticks` is a trailing stop's best price.
    "CREATE TABLE orders (symbol TEXT, account TEXT NOT NULL, closed_number INTEGER, best_ticks INTEGER,"
    f" {_ORDER_COLUMNS}, PRIMARY KEY (symbol, order_id)) WITHOUT ROWID",
    "CREATE TABLE fills (number INTEGER PRIMARY KEY, symbol TEXT NOT NULL, order_id INTEGER NOT NULL,"
    " trade_id INTEGER NOT NULL, price_ticks INTEGER NOT NULL, qty_lots INTEGER NOT NULL,"
    " quote_amount INTEGER NOT NULL, commission INTEGER NOT NULL, commission_asset TEXT NOT NULL,"
    " time_ns INTEGER NOT NULL, is_maker INTEGER NOT NULL)",
    "CREATE INDEX fills_of_order ON fills (symbol, order_id)",
    "CREATE TABLE amendments (symbol TEXT, order_id INTEGER, execution_id INTEGER, old_client_order_id TEXT NOT NULL,"
    " new_client_order_id TEXT NOT NULL, old_lots INTEGER NOT NULL, new_lots INTEGER NOT NULL,"
    " time_ns INTEGER NOT NULL, PRIMARY KEY (symbol, order_id, execution_id)) WITHOUT ROWID",
    "CREATE TABLE prevented (symbol TEXT, match_id INTEGER, taker_order_id INTEGER NOT NULL,"
    " maker_order_id INTEGER NOT NULL, self_trade TEXT NOT NULL, price_ticks INTEGER NOT NULL,"
    " taker_lots INTEGER NOT NULL, maker_lots INTEGER NOT NULL, time_ns INTEGER NOT NULL,"
    " PRIMARY KEY (symbol, match_id)) WITHOUT ROWID",
    "CREATE INDEX prevented_of_taker ON prevented (symbol, taker_order_id)",
    "CREATE TABLE order_lists (order_list_id INTEGER PRIMARY KEY, symbol TEXT NOT NULL, account TEXT NOT NULL,"
    " contingency TEXT NOT NULL, list_client_order_id TEXT NOT NULL, created_ns INTEGER NOT NULL,"
    " status_type TEXT NOT NULL, order_status TEXT NOT NULL, order_ids TEXT NOT NULL)",
)


def order_row(order: Order, account: str, closed_number: int | None, best_ticks: int | None) -> tuple[Any, ...]:
    """A row of `orders`."""
    own = (getattr(order, name) for name in ORDER_FIELDS)
    return (order.symbol, account, closed_number, best_ticks, *own)


def order_of(row: Mapping[str, Any], account_id: int, listing: Listing) -> Order:
    """The record a row of `orders` tells of, without fills, amendments and prevented matches."""
    own = {name: _ENUMS[name](row[name]) if name in _ENUMS else row[name] for name in ORDER_FIELDS}
    return Order(account_id=account_id, listing=listing, **own)


def fill_row(symbol: str, order_id: int, fill: Fill) -> tuple[Any, ...]:
    """A row of `fills`, but its number."""
    return (symbol, order_id, *(getattr(fill, name) for name in FILL_FIELDS))


def fill_of(row: Mapping[str, Any]) -> Fill:
    """The fill a row of `fills` tells of."""
    own = {name: row[name] for name in FILL_FIELDS}
    return Fill(**own | {"is_maker": bool(row["is_maker"])})


def amendment_of(row: Mapping[str, Any]) -> Amendment:
    """The step a row of `amendments` tells of."""
    return Amendment(*(row[name] for name in Amendment._fields))


def match_of(row: Mapping[str, Any]) -> PreventedMatch:
    """The match a row of `prevented` tells of."""
    named = {name: row[name] for name in PreventedMatch._fields}
    return PreventedMatch(**named | {"self_trade": SelfTrade(named["self_trade"])})


def list_row(order_list: OrderList, account: str) -> tuple[Any, ...]:
    """A row of `order_lists`."""
    ids = ",".join(str(order.order_id) for order in order_list.orders)
    return (
        order_list.order_list_id, order_list.listing.symbol, account, order_list.contingency,
        order_list.list_client_order_id, order_list.created_ns, order_list.status_type, order_list.order_status, ids,
    )  # fmt: skip


def list_of(row: Mapping[str, Any], account_id: int, listing: Listing) -> tuple[OrderList, tuple[int, ...]]:
    """The list a row of `order_lists` tells of, without its orders; and their ids."""
    order_list = OrderList(
        row["order_list_id"],
        account_id,
        listing,
        row["contingency"],
        row["list_client_order_id"],
        (),
        row["created_ns"],
        row["status_type"],
        row["order_status"],
    )
    return order_list, tuple(map(int, row["order_ids"].split(",")))


def amount_of_text(text: str) -> int:
    """The inverse of `amount_text`."""
    whole, _, part = text.lstrip("-").partition(".")
    amount = int(whole) * UNIT + int(part)
    return -amount if text.startswith("-") else amount


def balance_row(account: str, asset: str, free: int, locked: int) -> tuple[str, str, str, str]:
    """A row of `balances`."""
    return account, asset, amount_text(free), amount_text(locked)
