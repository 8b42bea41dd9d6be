"""The state file: what outlives a restart, what a restart does in another market, which files are refused."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from common.errors import ConfigError, HaltError
from common.messages.base import Side
from services.mock_exchange.io.state_store import StateStore
from services.mock_exchange.io.state_tables import FILL_FIELDS, ORDER_FIELDS, amount_of_text
from services.mock_exchange.trading.accounts import Accounts, AccountSpec
from services.mock_exchange.trading.amounts import amount_text
from services.mock_exchange.trading.events import OrderReport
from services.mock_exchange.trading.orders import (
    Fill,
    ListRef,
    OcoTicket,
    Order,
    OrderRef,
    OtoTicket,
    SelfTrade,
    SpotStatus,
    SpotType,
)
from tests.mock_exchange.state_file.build import answers, kept_floor, quote
from tests.mock_exchange.trading.build import COIN, ETHBTC, RICH, Floor, floor, ticket

BUY, SELL = Side.BUY, Side.SELL


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.sqlite"


def write(path: Path, *statements: str) -> None:
    with sqlite3.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def count(path: Path, table: str) -> int:
    connection = sqlite3.connect(path)
    (found,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    connection.close()
    return int(found)


def test_everything_of_a_record_is_kept() -> None:
    elsewhere = {"account_id", "listing", "prevented", "amendments", "fills"}
    assert {field.name for field in fields(Order)} == set(ORDER_FIELDS) | elsewhere
    assert {field.name for field in fields(Fill)} == set(FILL_FIELDS)


@pytest.mark.parametrize("amount", [0, 1, -1, 150_000_000, -150_000_001, 2**80])
def test_amounts_as_text_and_back(amount: int) -> None:
    assert amount_of_text(amount_text(amount)) == amount


def test_orders_of_every_kind_answer_the_same_after_a_restart(path: Path) -> None:
    it, store, restored = kept_floor(path, house=True)
    assert restored == (0, 0, 0)
    it.place(ticket(BUY, 5, 98, client_order_id="mine"))
    it.place(ticket(BUY, 7, 101))
    it.place(ticket(SELL, 9, 120, iceberg=2), it.bob)
    it.place(ticket(SELL, 4, None, SpotType.STOP_LOSS, stop=90))
    it.place(ticket(BUY, None, None, SpotType.MARKET, quote=500), it.bob)
    it.place(ticket(SELL, 3, None, SpotType.TAKE_PROFIT, trailing_delta_bps=100))
    it.desk.place_oco(
        it.alice,
        OcoTicket(ticket(SELL, 2, 130, SpotType.LIMIT_MAKER), ticket(SELL, 2, None, SpotType.STOP_LOSS, stop=80)),
        it.now_ns,
    )
    it.desk.place_oto(it.bob, OtoTicket(ticket(BUY, 1, 97), (ticket(SELL, 1, 140),)), it.now_ns)
    it.desk.cancel(it.alice, "COINUSDT", OrderRef(None, "mine"), it.now_ns)
    it.place(ticket(SELL, 6, 115))
    it.place(ticket(BUY, 6, 115, self_trade=SelfTrade.EXPIRE_MAKER))
    it.desk.amend(it.bob, "COINUSDT", OrderRef(3), Decimal(5), it.now_ns, new_client_order_id="smaller")
    it.desk.deposit(it.bob, "EUR", Decimal("0.00000001"), it.now_ns)
    store.flush()
    before = answers(it.desk, it.accounts)
    store.abandon()
    after, store, restored = kept_floor(path)
    assert answers(after.desk, after.accounts) == before
    still_open = after.desk.open_orders(after.alice) + after.desk.open_orders(after.bob)
    assert restored == (2, 12, len(still_open)) and still_open
    # No step is told that nobody took.
    assert not after.reports()
    store.close()


def test_ids_go_on(path: Path) -> None:
    it, store, _ = kept_floor(path, house=True)
    first = it.place(ticket(BUY, 5, 101))
    store.close()
    it, store, _ = kept_floor(path, house=True)
    second = it.place(ticket(BUY, 5, 101))
    assert second.order_id == first.order_id + 1
    assert second.fills[0].trade_id > first.fills[0].trade_id
    assert second.client_order_id != first.client_order_id
    assert [fill.trade_id for _, fill in it.desk.trades(it.alice, "COINUSDT")] == [
        first.fills[0].trade_id,
        second.fills[0].trade_id,
    ]
    assert it.reports(second)[0].execution_id > 2
    store.close()


def test_orders_rest_again_with_what_is_left_in_their_order(path: Path) -> None:
    it, store, _ = kept_floor(path)
    late = it.place(ticket(BUY, 4, 99, SpotType.STOP_LOSS_LIMIT, stop=105))
    early = it.place(ticket(BUY, 6, 99))
    it.place(ticket(SELL, 2, 99), it.bob)
    it.book.limit(SELL, 106, 1)
    it.book.limit(BUY, 106, 1)
    assert late.book_id > early.book_id > 0
    store.flush()
    store.close()
    it, store, restored = kept_floor(path)
    assert restored.open_orders == 2
    assert [(resting.price_ticks, resting.lots) for resting in it.book.queue(BUY)] == [(99, 4), (99, 4)]
    it.place(ticket(SELL, 3, 99), it.bob)
    assert it.desk.order(it.alice, "COINUSDT", OrderRef(early.order_id)).executed_lots == 5
    store.close()


def test_what_the_new_market_reaches_trades_at_once_and_is_told(path: Path) -> None:
    it, store, _ = kept_floor(path)
    bid = it.place(ticket(BUY, 5, 105))
    maker = it.place(ticket(BUY, 5, 104, SpotType.LIMIT_MAKER))
    stop = it.place(ticket(SELL, 5, None, SpotType.STOP_LOSS, stop=95))
    store.close()

    def in_another_market(**more: Any) -> tuple[Any, StateStore]:
        it, store, _ = kept_floor(path, house=True, **more)
        return it, store

    it, store = in_another_market()
    found = {order.order_id: order for order in it.desk.all_orders(it.alice, "COINUSDT")}
    assert found[bid.order_id].status is SpotStatus.FILLED and not found[bid.order_id].fills[0].is_maker
    assert found[maker.order_id].status is SpotStatus.EXPIRED
    assert found[stop.order_id].status is SpotStatus.NEW and found[stop.order_id].working_ns is None
    assert it.steps(found[bid.order_id]) == [("TRADE", "FILLED")]
    assert it.alice.ledger.locked("USDT") == 0 and it.total("USDT") == it.total("COIN") == 0
    it.book.limit(BUY, 94, 1000)
    it.book.limit(SELL, 94, 1001)
    assert found[stop.order_id].status is SpotStatus.FILLED
    store.flush()
    before = answers(it.desk, it.accounts)
    store.abandon()
    it, store = in_another_market()
    assert answers(it.desk, it.accounts) == before
    store.close()


def test_a_trailing_stop_follows_on_from_its_best_price(path: Path) -> None:
    it, store, _ = kept_floor(path)
    stop = it.place(ticket(SELL, 5, None, SpotType.STOP_LOSS, trailing_delta_bps=1000))
    for price in (120, 150):
        it.book.limit(SELL, price, 1)
        it.book.limit(BUY, price, 1)
    store.flush()
    store.abandon()
    it, store, _ = kept_floor(path)
    (found,) = it.desk.open_orders(it.alice)
    it.book.limit(BUY, 134, 100)
    it.book.limit(SELL, 136, 1)
    it.book.limit(BUY, 136, 1)
    assert found.order_id == stop.order_id and found.status is SpotStatus.NEW
    it.book.limit(SELL, 134, 1)
    assert found.status is SpotStatus.FILLED
    store.close()


def test_a_client_id_means_the_order_that_got_it_last(path: Path) -> None:
    it, store, _ = kept_floor(path)
    one = it.place(ticket(BUY, 5, 90, client_order_id="one"))
    two = it.place(ticket(BUY, 5, 90, client_order_id="two"))
    it.desk.cancel(it.alice, "COINUSDT", OrderRef(two.order_id), it.now_ns)
    it.desk.amend(it.alice, "COINUSDT", OrderRef(one.order_id), Decimal(3), it.now_ns + 1, new_client_order_id="two")
    it.desk.cancel(it.alice, "COINUSDT", OrderRef(one.order_id), it.now_ns + 2)
    store.close()
    it, store, _ = kept_floor(path)
    assert it.desk.order(it.alice, "COINUSDT", OrderRef(None, "two")).order_id == one.order_id
    store.close()


def test_balances_are_the_files_not_the_configurations(path: Path) -> None:
    _, store, _ = kept_floor(path, balances={"USDT": Decimal(10**12), "COIN": Decimal(1)})
    store.close()
    it, store, _ = kept_floor(path, balances={"BTC": Decimal(5)})
    assert list(it.alice.ledger.balances()) == [("USDT", 10**20, 0), ("COIN", 10**8, 0)]
    assert it.total("USDT") == it.total("BTC") == 0
    store.close()


def test_an_account_that_is_no_longer_configured_stays_in_the_file(path: Path) -> None:
    it, store, _ = kept_floor(path)
    it.place(ticket(BUY, 5, 90), it.bob)
    store.flush()
    before = answers(it.desk, it.accounts)
    store.close()

    def opened(*names: str) -> tuple[Any, StateStore]:
        it = floor()
        accounts = Accounts([AccountSpec(name, RICH) for name in names], it.accounts.schedule)
        store = StateStore(str(path))
        desk = type(it.desk)(it.books, accounts, store.on_event)
        store.restore(desk, accounts, it.now_ns)
        return Floor(it.books, desk, accounts), store

    it, store = opened("alice")
    assert not list(it.book.queue(BUY))
    assert it.place(ticket(BUY, 5, 90)).order_id == 2
    it.desk.cancel_all(it.alice, "COINUSDT", it.now_ns)
    store.close()
    it, store = opened("carol", "bob", "alice")
    assert [order.order_id for order in it.desk.open_orders(it.accounts[2])] == [1]
    told = answers(it.desk, it.accounts)
    assert told["bob"]["balances"] == before["bob"]["balances"]
    assert told["alice"]["COINUSDT"]["orders"][0]["account_id"] == 3
    store.close()


def test_closed_orders_are_forgotten_as_the_desk_does(path: Path) -> None:
    it, store, _ = kept_floor(path, house=True)
    store._history = 3
    opened = it.place(ticket(BUY, 1, 50))
    legs = (ticket(SELL, 1, 140, SpotType.LIMIT_MAKER), ticket(SELL, 1, None, SpotType.STOP_LOSS, stop=70))
    working = it.desk.place_oto(it.alice, OtoTicket(ticket(BUY, 1, 101), legs), it.now_ns)
    for _ in range(10):
        it.place(ticket(BUY, 1, 101))
        oco = OcoTicket(
            ticket(SELL, 1, 130, SpotType.LIMIT_MAKER), ticket(SELL, 1, None, SpotType.STOP_LOSS, stop=80)
        )
        it.desk.cancel_list(
            it.alice, "COINUSDT", ListRef(it.desk.place_oco(it.alice, oco, it.now_ns).order_list_id), it.now_ns
        )
        store.flush()
    store.close()
    # The three that are open, the one that began their list, and the three latest.
    assert count(path, "orders") == 7
    assert count(path, "fills") == 2
    assert count(path, "order_lists") <= 3
    it, store, restored = kept_floor(path)
    assert restored.orders == 7 and restored.open_orders == 3
    still_open = [opened, *working.orders[1:]]
    assert [one.order_id for one in it.desk.open_orders(it.alice)] == [one.order_id for one in still_open]
    assert [one.order_list_id for one in it.desk.open_order_lists(it.alice)] == [working.order_list_id]
    store.close()


def test_one_request_is_one_transaction_and_nothing_is_none(path: Path) -> None:
    it, store, _ = kept_floor(path, house=True)
    said: list[str] = []
    store._connection.set_trace_callback(said.append)
    store.flush()
    assert not said
    it.desk.cancel_replace(
        it.alice,
        "COINUSDT",
        OrderRef(it.place(ticket(BUY, 1, 50)).order_id),
        ticket(BUY, 3, 101),
        "STOP_ON_FAILURE",
        it.now_ns,
    )
    store.flush()
    assert [text for text in said if text.startswith(("BEGIN", "COMMIT"))] == ["BEGIN IMMEDIATE", "COMMIT"]
    store.close()


def test_a_file_that_cannot_be_written_halts(path: Path) -> None:
    it, store, _ = kept_floor(path)
    it.place(ticket(BUY, 1, 50))
    store._connection.execute("DROP TABLE fills")
    it.place(ticket(SELL, 1, 50), it.bob)
    with pytest.raises(HaltError, match=r"state_file: .*state\.sqlite cannot be written"):
        store.flush()
    store.abandon()
    # Nothing of what failed is there.
    assert count(path, "orders") == 0


def other_version(path: Path) -> None:
    StateStore(str(path)).close()
    write(path, "PRAGMA user_version = 7")


def something_else(path: Path) -> None:
    write(path, "CREATE TABLE songs (name TEXT)")


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (other_version, "holds state of schema version 7, this build knows version 1"),
        (something_else, "is a SQLite file of something else"),
        (lambda path: path.write_bytes(b"not a database at all " * 100), "cannot be used"),
        (lambda path: path.mkdir(), "cannot be opened"),
    ],
)
def test_files_that_are_none_of_ours_are_refused_and_left_alone(
    path: Path, make: Callable[[Path], object], problem: str
) -> None:
    make(path)
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(ConfigError) as refused:
        StateStore(str(path))
    assert refused.value.key == "mock_exchange.state_file"
    assert problem in refused.value.problem and str(path) in refused.value.problem
    assert path.is_dir() or path.read_bytes() == before


def test_a_folder_that_is_not_there_and_a_file_in_use(path: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be opened"):
        StateStore(str(tmp_path / "nowhere" / "state.sqlite"))
    _, store, _ = kept_floor(path)
    with pytest.raises(ConfigError, match="is in use"):
        StateStore(str(path))
    store.close()
    StateStore(str(path)).close()


def test_orders_of_an_unlisted_symbol_or_on_another_grid_are_refused(path: Path) -> None:
    it, store, _ = kept_floor(path, COIN, ETHBTC)
    it.place(ticket(BUY, 1, 50))
    it.desk.place(it.alice, ticket(BUY, 1, "0.001", symbol="ETHBTC"), it.now_ns)
    store.close()
    with pytest.raises(ConfigError, match="1 open orders of ETHBTC, which is not listed"):
        kept_floor(path, COIN)
    other = type(COIN)("COINUSDT", "COIN", "USDT", Decimal("0.1"), Decimal(1), Decimal(0))
    with pytest.raises(ConfigError, match=r"a tick and lot of 1\.0+ and 1\.0+, not of 0\.1 and 1"):
        kept_floor(path, other, ETHBTC)


def test_a_file_whose_numbers_disagree_is_refused(path: Path) -> None:
    it, store, _ = kept_floor(path)
    it.place(ticket(BUY, 1, 50))
    store.close()
    write(path, "UPDATE balances SET locked = '7.00000000' WHERE account = 'alice' AND asset = 'USDT'")
    with pytest.raises(ConfigError, match=r"is damaged .*alice's open orders do not hold what is locked of USDT"):
        kept_floor(path)


def test_the_queue_of_the_house_is_not_kept(path: Path) -> None:
    it, store, _ = kept_floor(path)
    quote(it)
    store.close()
    assert count(path, "orders") == 0
    assert not [e for e in it.events if isinstance(e, OrderReport)]
