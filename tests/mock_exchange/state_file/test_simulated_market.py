"""A client of the simulated exchange before and after a restart: the market begins anew, its orders do not."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from common.config import MockExchangeConfig
from common.messages.base import Side
from common.messages.orders import TimeInForce
from services.mock_exchange.api.exchange_api import ExchangeApi
from services.mock_exchange.io.state_store import StateStore
from services.mock_exchange.simulation.simulated_exchange import SimulatedExchange
from services.mock_exchange.trading.accounts import Account, Accounts
from services.mock_exchange.trading.desk import Desk
from services.mock_exchange.trading.orders import SpotStatus, SpotType, Ticket
from tests.mock_exchange.state_file.build import answers

START_NS = 1_700_000_000_000_000_000
SECOND_NS = 1_000_000_000


class Venue(NamedTuple):
    exchange: SimulatedExchange
    desk: Desk
    accounts: Accounts
    store: StateStore

    @property
    def account(self) -> Account:
        return self.accounts.all()[0]

    def run(self, now_ns: int, seconds: int) -> int:
        """As the exchange is fed: a step of the market, a transaction."""
        for _ in range(seconds * 20):
            now_ns += SECOND_NS // 20
            self.exchange.advance(now_ns)
            self.store.flush()
        return now_ns


def opened(path: Path, now_ns: int, seed: int) -> Venue:
    exchange = SimulatedExchange(MockExchangeConfig(seed=seed, prehistory_days=0))
    store, accounts = StateStore(str(path)), Accounts()
    desk = ExchangeApi(exchange, accounts, on_event=store.on_event).venue.desk
    exchange.catch_up(now_ns)
    store.restore(desk, accounts, now_ns)
    return Venue(exchange, desk, accounts, store)


def limit(side: Side, qty: str, price: Decimal) -> Ticket:
    return Ticket("BTCUSDT", side, SpotType.LIMIT, TimeInForce.GTC, quantity=Decimal(qty), price=price)


def test_makers_fills_by_the_market_are_kept_and_what_is_left_rests_again(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    before = opened(path, START_NS, seed=1)
    touch = before.exchange.books["BTCUSDT"].touch()
    near = before.desk.place(before.account, limit(Side.BUY, "60", Decimal(touch.bid_ticks) / 100), START_NS)
    far = before.desk.place(before.account, limit(Side.BUY, "0.5", Decimal(50_000)), START_NS)
    before.store.flush()
    now_ns = before.run(START_NS, 3)
    assert near.status is SpotStatus.PARTIALLY_FILLED and near.fills[0].is_maker
    told = answers(before.desk, before.accounts)
    before.store.abandon()

    after = opened(path, now_ns, seed=2)
    orders = {order.order_id: order for order in after.desk.all_orders(after.account, "BTCUSDT")}
    again = orders[far.order_id]
    engine = after.exchange.books["BTCUSDT"].engine
    assert engine.remaining_lots(again.book_id) == 50_000
    assert orders[near.order_id].fills[: len(near.fills)] == near.fills
    mine = told[before.account.name]
    assert [one["order_id"] for one in mine["BTCUSDT"]["orders"]] == list(orders)
    placed = after.desk.place(after.account, limit(Side.SELL, "0.01", Decimal(50_000)), now_ns)
    assert placed.order_id == max(orders) + 1
    assert placed.fills[0].trade_id > near.fills[-1].trade_id
    after.run(now_ns, 2)
    again_told = answers(after.desk, after.accounts)
    after.store.abandon()
    last = opened(path, now_ns + SECOND_NS, seed=2)
    for key in ("lists", "open lists", "volume"):
        assert answers(last.desk, last.accounts)[after.account.name][key] == again_told[after.account.name][key]
    last.store.close()
