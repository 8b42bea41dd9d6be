"""Accounts, balances, orders and trades in a SQLite file, so that they outlive the process, however it ends.

One transaction holds what one request, or one step of the market, has changed: after a kill the file is as it was
after one of them. It is in the write-ahead mode and not synchronous: what was committed survives the end of the
process, not that of the machine's power.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict, deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from common.errors import ConfigError, HaltError
from services.mock_exchange.io import state_tables as tables
from services.mock_exchange.io.state_file import KEY, open_state_file, transaction
from services.mock_exchange.io.state_reading import StateReader
from services.mock_exchange.trading.accounts import Accounts
from services.mock_exchange.trading.amounts import amount_text
from services.mock_exchange.trading.desk import Desk
from services.mock_exchange.trading.events import AccountEvent, AccountPosition, ListStatus, OrderReport
from services.mock_exchange.trading.journal import HISTORY
from services.mock_exchange.trading.orders import ListRef, Order, OrderRef
from services.mock_exchange.trading.restoring import restore_balances, restore_records, resume, unbalanced

#: An order, wherever: its symbol, and its id there.
OrderKey = tuple[str, int]


def _put(table: str, columns: int, verb: str = "INSERT OR REPLACE") -> str:
    return f"{verb} INTO {table} VALUES ({', '.join('?' * columns)})"


_PUT_ORDER: Final = _put("orders", 4 + len(tables.ORDER_FIELDS))
_PUT_FILL: Final = "INSERT INTO fills VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_PUT_AMENDMENT: Final = _put("amendments", 8, "INSERT OR IGNORE")
_PUT_MATCH: Final = _put("prevented", 9, "INSERT OR IGNORE")
_PUT_LIST: Final = _put("order_lists", 9)
_PUT_BALANCE: Final = (
    "INSERT INTO balances VALUES (?, ?, ?, ?)"
    " ON CONFLICT (account, asset) DO UPDATE SET free = excluded.free, locked = excluded.locked"
)
_PUT_VOLUME: Final = _put("volumes", 3)
_PUT_MARKET: Final = _put("markets", 6)
_PUT_COUNTER: Final = _put("counters", 2)
_PUT_ACCOUNT: Final = _put("accounts", 1, "INSERT OR IGNORE")
#: An order of a list that is over takes the list along; one of a list that is not stays.
_FORGET_LIST: Final = (
    "DELETE FROM order_lists WHERE order_status = 'ALL_DONE' AND order_list_id ="
    " (SELECT order_list_id FROM orders WHERE symbol = ? AND order_id = ?)"
)
_FORGET_ORDER: Final = (
    "DELETE FROM orders WHERE symbol = ? AND order_id = ?"
    " AND NOT EXISTS (SELECT 1 FROM order_lists WHERE order_lists.order_list_id = orders.order_list_id)"
)
_FORGET_MORE: Final = (
    "DELETE FROM fills WHERE symbol = ? AND order_id = ?",
    "DELETE FROM amendments WHERE symbol = ? AND order_id = ?",
    "DELETE FROM prevented WHERE symbol = ? AND taker_order_id = ?",
)


class Restored(NamedTuple):
    """What a file held."""

    accounts: int
    orders: int
    open_orders: int


@dataclass
class _Changes:
    """What has happened since the last transaction."""

    orders: dict[OrderKey, int] = field(default_factory=dict)
    ended: list[tuple[OrderKey, int]] = field(default_factory=list)
    fills: list[tuple[Any, ...]] = field(default_factory=list)
    lists: dict[int, tuple[str, int]] = field(default_factory=dict)
    balances: dict[tuple[int, str], tuple[int, int]] = field(default_factory=dict)
    traders: dict[int, None] = field(default_factory=dict)
    accounts: list[tuple[str]] = field(default_factory=list)


class StateStore:
    """Hears of every account's events, and writes what they changed when told to `flush`."""

    def __init__(self, path: str, history: int = HISTORY) -> None:
        """`history`: closed orders kept of an account on a symbol, the latest so many.

        Raises:
            ConfigError: the file cannot be used; what is wrong with it.
        """
        self._path = path
        self._connection = open_state_file(path)
        self._history = history
        self._desk: Desk | None = None
        self._names: dict[int, str] = {}
        self._accounts: Accounts | None = None
        self._changes = _Changes()
        self._has_changed = False
        self._ended = 0
        self._closed: dict[tuple[str, int], deque[int]] = defaultdict(deque)
        #: Trailing stops that wait, with what was written of them: they follow the market without an event.
        self._trailing: dict[OrderKey, tuple[Order, int | None, int | None]] = {}

    def on_event(self, event: AccountEvent) -> None:
        """Take note; nothing is written yet."""
        changes = self._changes
        self._has_changed = True
        if isinstance(event, AccountPosition):
            for asset, free, locked in event.balances:
                changes.balances[event.account_id, asset] = (free, locked)
        elif isinstance(event, OrderReport):
            key = (event.listing.symbol, event.order_id)
            changes.orders[key] = event.account_id
            if event.fill is not None:
                changes.fills.append(tables.fill_row(*key, event.fill))
                changes.traders[event.account_id] = None
            if not event.status.is_open:
                changes.ended.append((key, event.account_id))
        elif isinstance(event, ListStatus):
            changes.lists[event.order_list_id] = (event.symbol, event.account_id)

    def restore(self, desk: Desk, accounts: Accounts, now_ns: int) -> Restored:
        """Give a new desk and its accounts what the file holds; an empty one takes what they have.

        The market must have begun (`catch_up(now_ns)`) and `on_event` must be the desk's listener: where limit orders
        trade with the new book, that is told as ever.

        Raises:
            ConfigError: open orders of a symbol that is not listed or has another grid now, or a damaged file. The
                file is closed then.
        """
        self._desk, self._accounts = desk, accounts
        self._names = {account.account_id: account.name for account in accounts.all()}
        reader = StateReader(self._connection, self._path, {account.name: account for account in accounts.all()})
        try:
            reader.check_symbols({name: market.placing.book.listing for name, market in desk.markets.items()})
            found = self._restore(desk, accounts, reader, now_ns)
        except ConfigError:
            self.abandon()
            raise
        except (sqlite3.Error, ValueError, KeyError) as exc:
            self.abandon()
            raise ConfigError(
                KEY, f"{self._path} is damaged ({exc!r})", "Bring back a copy, or move the file away to begin anew"
            ) from exc
        self.flush()
        return found

    def flush(self) -> None:
        """Write what has changed, in one transaction. Before an answer goes out, and after each step of the market.

        Raises:
            HaltError: it cannot be written: what clients are told from now on would not outlive the process.
        """
        self._look_at_trailing()
        if not self._has_changed:
            return
        try:
            with transaction(self._connection):
                self._write(self._changes)
        except sqlite3.Error as exc:
            raise HaltError(f"{KEY}: {self._path} cannot be written ({exc})") from exc
        self._changes = _Changes()
        self._has_changed = False

    def close(self) -> None:
        """Write what is left and close the file."""
        self.flush()
        self._connection.close()

    def abandon(self) -> None:
        """Close the file without writing what is left."""
        with suppress(sqlite3.Error):
            self._connection.close()

    def _restore(self, desk: Desk, accounts: Accounts, reader: StateReader, now_ns: int) -> Restored:
        known = reader.known_accounts()
        counters = reader.counters()
        self._ended = counters.get("ended", 0)
        desk.clearing.executions = counters.get("executions", 0)
        desk.last_list_id = counters.get("order_lists", 0)
        restore_balances(accounts, reader.balances(known))
        for account_id, days in reader.volumes(known).items():
            accounts[account_id].volume.restore(days)
            accounts[account_id].volume.roll(now_ns)
        saved = {name: reader.market(market.placing.book.listing) for name, market in desk.markets.items()}
        for name, market in desk.markets.items():
            restore_records(market, saved[name])
            account_of = {one.order.order_id: one.order.account_id for one in saved[name].orders}
            for order_id in saved[name].closed:
                self._closed[name, account_of[order_id]].append(order_id)
        for account in accounts.all():
            asset = unbalanced(account, desk)
            if asset is not None:
                raise ValueError(f"{account.name}'s open orders do not hold what is locked of {asset}")
        was_open = [
            order for name, market in desk.markets.items() for order in resume(market, saved[name].orders, now_ns)
        ]
        self._take_over(accounts, was_open)
        return Restored(len(known), sum(len(one.orders) for one in saved.values()), len(was_open))

    def _take_over(self, accounts: Accounts, orders: list[Order]) -> None:
        """Let the next flush write what no event tells of: accounts as they are, orders' places in the new book."""
        self._has_changed = True
        self._changes.accounts = [(account.name,) for account in accounts.all()]
        for account in accounts.all():
            for asset, free, locked in account.ledger.balances():
                self._changes.balances[account.account_id, asset] = (free, locked)
        for order in orders:
            self._changes.orders.setdefault((order.symbol, order.order_id), order.account_id)

    def _write(self, changes: _Changes) -> None:
        desk, accounts = self._desk, self._accounts
        assert desk is not None and accounts is not None
        execute, names = self._connection.execute, self._names
        numbers = {}
        for key, _ in changes.ended:
            self._ended += 1
            numbers[key] = self._ended
        for key, account_id in changes.orders.items():
            order = desk.markets[key[0]].placing.journal(account_id).find(OrderRef(key[1]))
            if order is not None:
                self._write_order(key, order, numbers.get(key))
        self._connection.executemany(_PUT_FILL, changes.fills)
        for list_id, (symbol, account_id) in changes.lists.items():
            order_list = desk.markets[symbol].lists.find(account_id, ListRef(list_id))
            if order_list is not None:
                execute(_PUT_LIST, tables.list_row(order_list, names[account_id]))
        self._connection.executemany(_PUT_ACCOUNT, changes.accounts)
        for (account_id, asset), (free, locked) in changes.balances.items():
            if accounts[account_id].ledger.has(asset):
                execute(_PUT_BALANCE, tables.balance_row(names[account_id], asset, free, locked))
        for account_id in changes.traders:
            day, amount = accounts[account_id].volume.days()[-1]
            execute(_PUT_VOLUME, (names[account_id], day, amount_text(amount)))
        for symbol in {symbol for symbol, _ in changes.orders}:
            placing = desk.markets[symbol].placing
            listing = placing.book.listing
            execute(_PUT_MARKET, (symbol, listing.tick_amount, listing.lot_amount, *placing.numbers))
        counters = {"executions": desk.clearing.executions, "order_lists": desk.last_list_id, "ended": self._ended}
        self._connection.executemany(_PUT_COUNTER, counters.items())
        for key, account_id in changes.ended:
            self._forget_oldest(key, account_id)

    def _write_order(self, key: OrderKey, order: Order, ended: int | None) -> None:
        assert self._desk is not None
        best_ticks = self._desk.markets[key[0]].placing.triggers.best_ticks(order)
        name = self._names[order.account_id]
        self._connection.execute(_PUT_ORDER, tables.order_row(order, name, ended, best_ticks))
        for step in order.amendments:
            self._connection.execute(_PUT_AMENDMENT, (*key, *step))
        for match in order.prevented:
            self._connection.execute(_PUT_MATCH, (key[0], *match))
        if order.trailing_delta_bps and order.status.is_open and not order.is_working:
            self._trailing[key] = (order, order.trailing_since_ns, best_ticks)
        else:
            self._trailing.pop(key, None)

    def _look_at_trailing(self) -> None:
        for key, (order, since_ns, best_ticks) in self._trailing.items():
            assert self._desk is not None
            now_ticks = self._desk.markets[key[0]].placing.triggers.best_ticks(order)
            if (order.trailing_since_ns, now_ticks) != (since_ns, best_ticks):
                self._changes.orders[key] = order.account_id
                self._has_changed = True

    def _forget_oldest(self, key: OrderKey, account_id: int) -> None:
        """Keep of closed orders what the desk keeps."""
        closed = self._closed[key[0], account_id]
        closed.append(key[1])
        if len(closed) <= self._history:
            return
        oldest = (key[0], closed.popleft())
        self._connection.execute(_FORGET_LIST, oldest)
        if self._connection.execute(_FORGET_ORDER, oldest).rowcount:
            for statement in _FORGET_MORE:
                self._connection.execute(statement, oldest)
