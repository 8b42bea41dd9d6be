"""Accounts, keys, fees."""

from __future__ import annotations

from decimal import Decimal

import pytest

from common.messages.base import Side
from services.mock_exchange.trading.accounts import Accounts, AccountSpec, ApiKey, KeyKind
from services.mock_exchange.trading.amounts import UNIT, amount_of
from services.mock_exchange.trading.fees import FeeSchedule, FeeTier, TradedVolume, commission_of
from tests.mock_exchange.trading.build import BTCUSDT, COIN, ETHBTC, NOW_NS, floor, ticket

DAY_NS = 86_400 * 10**9


def test_the_demo_account_is_there_by_default() -> None:
    accounts = Accounts()
    found = accounts.by_key("tidewire-demo-key")
    assert found is not None
    account, key = found
    assert (account.name, key.kind, key.secret_or_public_pem) == ("demo", KeyKind.HMAC, "tidewire-demo-secret")
    assert account.ledger.free("USDT") == 5_000_000 * UNIT
    assert "secret" not in repr(key)
    assert accounts.by_key("another") is None
    assert accounts.all() == (account,) and accounts[account.account_id] is account
    assert accounts.house.total("USDT") == -5_000_000 * UNIT


def test_a_key_opens_one_account() -> None:
    with pytest.raises(ValueError, match="'k' belongs to two"):
        Accounts([AccountSpec("a", {}, (ApiKey("k", "s"),)), AccountSpec("b", {}, (ApiKey("k", "t"),))])


def test_a_balance_finer_than_the_wire_is_refused() -> None:
    with pytest.raises(ValueError, match="decimals"):
        Accounts([AccountSpec("a", {"BTC": Decimal("0.000000001")})])


def test_tiers_go_by_volume_and_named_symbols_go_before() -> None:
    schedule = FeeSchedule((FeeTier(0, 1000, 1000), FeeTier(100, 900, 950)), symbols={"FREE": (0, 0)})
    assert schedule.rates("BTCUSDT", 99) == (1000, 1000)
    assert schedule.rates("BTCUSDT", 100) == (900, 950)
    assert schedule.rates("FREE", 0) == (0, 0)


@pytest.mark.parametrize("volumes", [(), (1,), (0, 5, 5), (0, 7, 3)])
def test_tiers_that_do_not_rise_are_refused(volumes: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="rise"):
        FeeSchedule(tuple(FeeTier(volume, 0, 0) for volume in volumes))


def test_volume_is_that_of_thirty_days() -> None:
    volume = TradedVolume()
    volume.add(5, NOW_NS)
    volume.add(7, NOW_NS + 1)
    volume.add(11, NOW_NS + 29 * DAY_NS)
    assert volume.total == 23
    volume.roll(NOW_NS + 30 * DAY_NS)
    assert volume.total == 11
    volume.roll(NOW_NS + 90 * DAY_NS)
    assert volume.total == 0


def test_commissions_are_cut() -> None:
    assert commission_of(1999, 1000) == 1
    assert commission_of(999, 1000) == 0


def test_trading_lowers_fees_and_other_quotes_count_at_their_price() -> None:
    f = floor(BTCUSDT, ETHBTC)
    f.accounts.schedule = FeeSchedule((FeeTier(0, 1000, 1000), FeeTier(2000 * UNIT, 500, 500)))
    f.alice._schedule = f.accounts.schedule
    f.books["BTCUSDT"].last_price_ticks = 6_000_000  # 60000.00
    f.books["ETHBTC"].last_price_ticks = 5_000
    f.books["ETHBTC"].limit(Side.SELL, 5_000, 10_000)
    f.place(ticket(Side.BUY, "0.6", "0.05", symbol="ETHBTC"))
    # 0.6 x 0.05 BTC at 60000 USDT
    assert f.alice.volume.total == amount_of(Decimal(1800))
    assert f.alice.fees(BTCUSDT) == (1000, 1000)
    f.place(ticket(Side.BUY, "0.1", "0.05", symbol="ETHBTC"))
    assert f.alice.fees(BTCUSDT) == (500, 500)


def test_commission_is_taken_from_what_is_received() -> None:
    f = floor(COIN, fee_ppm=1000)
    f.book.limit(Side.SELL, 100, 4)
    bought = f.place(ticket(Side.BUY, 4, 100))
    assert (bought.fills[0].commission, bought.fills[0].commission_asset) == (amount_of(Decimal("0.004")), "COIN")
    sold = f.place(ticket(Side.SELL, 2, 90), f.bob)
    f.book.limit(Side.BUY, 90, 2)
    assert (sold.fills[0].commission, sold.fills[0].commission_asset) == (amount_of(Decimal("0.18")), "USDT")
    assert sold.fills[0].is_maker and not bought.fills[0].is_maker
