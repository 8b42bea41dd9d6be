"""What a state file holds, read into records."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any

from common.errors import ConfigError
from services.mock_exchange.io import state_tables as tables
from services.mock_exchange.io.state_file import KEY
from services.mock_exchange.listing import Listing
from services.mock_exchange.trading.accounts import Account
from services.mock_exchange.trading.amounts import amount_text
from services.mock_exchange.trading.placing import Numbers
from services.mock_exchange.trading.restoring import SavedMarket, SavedOrder


class StateReader:
    """Reads the records of the accounts that there are, by name; others stay in the file, untouched."""

    def __init__(self, connection: sqlite3.Connection, path: str, accounts: Mapping[str, Account]) -> None:
        self._connection = connection
        self._path = path
        self._accounts = accounts

    def known_accounts(self) -> set[str]:
        """Names of those the file has."""
        return {row["account"] for row in self._rows("SELECT account FROM accounts")} & set(self._accounts)

    def counters(self) -> dict[str, int]:
        """Ids that are given across symbols."""
        return {row["name"]: row["value"] for row in self._rows("SELECT name, value FROM counters")}

    def balances(self, names: set[str]) -> dict[int, list[tuple[str, int, int]]]:
        """(asset, free, locked) by account id, in the order they came to own them."""
        found: dict[int, list[tuple[str, int, int]]] = {self._accounts[name].account_id: [] for name in names}
        for row in self._rows("SELECT * FROM balances ORDER BY rowid"):
            if row["account"] in names:
                amounts = (tables.amount_of_text(row[key]) for key in ("free", "locked"))
                found[self._accounts[row["account"]].account_id].append((row["asset"], *amounts))
        return found

    def volumes(self, names: set[str]) -> dict[int, list[tuple[int, int]]]:
        """(day, amount) by account id."""
        found: dict[int, list[tuple[int, int]]] = {self._accounts[name].account_id: [] for name in names}
        for row in self._rows("SELECT * FROM volumes ORDER BY day"):
            if row["account"] in names:
                amount = tables.amount_of_text(row["amount"])
                found[self._accounts[row["account"]].account_id].append((row["day"], amount))
        return found

    def check_symbols(self, listings: Mapping[str, Listing]) -> None:
        """Raises ConfigError: open orders of a symbol that is not listed, or orders on another grid."""
        for row in self._rows(
            "SELECT symbol, count(*) AS orders FROM orders WHERE closed_number IS NULL GROUP BY symbol"
        ):
            if row["symbol"] not in listings:
                raise ConfigError(
                    KEY,
                    f"{self._path} holds {row['orders']} open orders of {row['symbol']}, which is not listed",
                    "List it in mock_exchange.symbols, or move the file away to begin anew",
                )
        for row in self._rows("SELECT symbol, tick_amount, lot_amount FROM markets"):
            listing = listings.get(row["symbol"])
            if listing is not None and (row["tick_amount"], row["lot_amount"]) != (
                listing.tick_amount,
                listing.lot_amount,
            ):
                steps = " and ".join(amount_text(row[key]) for key in ("tick_amount", "lot_amount"))
                raise ConfigError(
                    KEY,
                    f"{self._path} holds orders of {listing.symbol} with a tick and lot of {steps}, not of "
                    f"{listing.tick_size} and {listing.lot_size}",
                    "Give the symbol its former steps, or move the file away to begin anew",
                )

    def market(self, listing: Listing) -> SavedMarket:
        """Everything of a symbol."""
        symbol, saved = listing.symbol, SavedMarket()
        for row in self._of(symbol, "SELECT * FROM markets WHERE symbol = ?"):
            saved.numbers = Numbers(row["order_id"], row["match_id"], row["auto_id"])
        for row in self._of(symbol, "SELECT coalesce(max(trade_id), 0) AS last FROM fills WHERE symbol = ?"):
            saved.last_trade_id = row["last"]
        ended: list[tuple[int, int]] = []
        orders = {}
        for row in self._of(symbol, "SELECT * FROM orders WHERE symbol = ? ORDER BY order_id"):
            account = self._accounts.get(row["account"])
            if account is not None:
                order = tables.order_of(row, account.account_id, listing)
                orders[order.order_id] = order
                saved.orders.append(SavedOrder(order, row["best_ticks"]))
                if row["closed_number"] is not None:
                    ended.append((row["closed_number"], order.order_id))
        saved.closed = [order_id for _, order_id in sorted(ended)]
        for row in self._of(symbol, "SELECT * FROM amendments WHERE symbol = ? ORDER BY execution_id"):
            if row["order_id"] in orders:
                orders[row["order_id"]].amendments.append(tables.amendment_of(row))
        saved.fills = [
            (row["order_id"], tables.fill_of(row))
            for row in self._of(symbol, "SELECT * FROM fills WHERE symbol = ? ORDER BY number")
            if row["order_id"] in orders
        ]
        saved.prevented = [
            tables.match_of(row)
            for row in self._of(symbol, "SELECT * FROM prevented WHERE symbol = ? ORDER BY match_id")
        ]
        saved.lists = [
            tables.list_of(row, self._accounts[row["account"]].account_id, listing)
            for row in self._of(symbol, "SELECT * FROM order_lists WHERE symbol = ? ORDER BY order_list_id")
            if row["account"] in self._accounts
        ]
        return saved

    def _of(self, symbol: str, query: str) -> Iterator[Mapping[str, Any]]:
        return self._rows(query, symbol)

    def _rows(self, query: str, *values: Any) -> Iterator[Mapping[str, Any]]:
        cursor = self._connection.execute(query, values)
        names = [column[0] for column in cursor.description]
        return (dict(zip(names, row, strict=True)) for row in cursor)
