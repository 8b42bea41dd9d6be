"""The account's own endpoints."""

from __future__ import annotations

from services.mock_exchange.trading.accounts import ApiKey
from tests.mock_exchange.api.client import KEY, MS, RESTING, SECRET, Client, account


def test_balances_commissions_and_the_last_change() -> None:
    client = Client(specs=(account("one", ApiKey(KEY, SECRET), USDT=1000, BNB=0),))
    body = client.ok("GET", "account")
    assert list(body) == [
        *("makerCommission", "takerCommission", "buyerCommission", "sellerCommission", "commissionRates"),
        *("canTrade", "canWithdraw", "canDeposit", "brokered", "requireSelfTradePrevention", "preventSor"),
        *("updateTime", "accountType", "balances", "permissions", "uid"),
    ]
    assert body["updateTime"] == 0 and (body["makerCommission"], body["takerCommission"]) == (10, 10)
    assert body["commissionRates"]["maker"] == "0.00100000"
    assert [row["asset"] for row in body["balances"]] == ["USDT", "BNB", "BTC", "ETH"]
    order = client.order()
    rows = client.ok("GET", "account", omitZeroBalances="true")["balances"]
    assert rows == [{"asset": "USDT", "free": "500.00000000", "locked": "500.00000000"}]
    assert client.ok("GET", "account")["updateTime"] == order["transactTime"]
    rates = client.ok("GET", "account/commission", symbol="BTCUSDT")
    assert list(rates) == ["symbol", "standardCommission", "specialCommission", "taxCommission", "discount"]
    assert rates["standardCommission"]["taker"] == "0.00100000"


def test_meeting_oneself_leaves_a_record() -> None:
    client = Client()
    touch = client.exchange.touch("BTCUSDT")
    price = client.exchange.listings["BTCUSDT"].price_text((touch.bid_ticks + touch.ask_ticks) // 2)
    maker = client.order(price=price)
    taker = client.order(side="SELL", price=price, timeInForce="IOC", selfTradePreventionMode="EXPIRE_TAKER")
    assert taker["status"] == "EXPIRED_IN_MATCH" and taker["preventedQuantity"] == "0.01000000"
    (row,) = client.ok("GET", "myPreventedMatches", symbol="BTCUSDT", orderId=taker["orderId"])
    assert (row["takerOrderId"], row["makerOrderId"]) == (taker["orderId"], maker["orderId"])
    assert row["price"] == price and row["selfTradePreventionMode"] == "EXPIRE_TAKER"
    assert row["transactTime"] == client.now_ns // MS - 1
    by_match = {"symbol": "BTCUSDT", "preventedMatchId": row["preventedMatchId"]}
    assert client.ok("GET", "myPreventedMatches", **by_match) == [row]
    assert client.refused("GET", "myPreventedMatches", symbol="BTCUSDT")[1] == -1128
    assert client.ok("GET", "myAllocations", symbol="BTCUSDT") == []


def test_accounts_see_their_own_alone() -> None:
    specs = (
        account("one", ApiKey(KEY, SECRET), USDT=1000),
        account("two", ApiKey("second-key", "second-secret"), USDT=1000),
    )
    client = Client(specs=specs)
    number = client.order()["orderId"]
    theirs = {"key": "second-key", "secret": "second-secret"}
    assert client.ok("GET", "openOrders", **theirs) == []
    assert client.refused("DELETE", "order", symbol="BTCUSDT", orderId=number, **theirs)[1] == -2011
    assert client.refused("GET", "order", symbol="BTCUSDT", orderId=number, **theirs)[1] == -2013
    assert client.refused("GET", "account", key="second-key")[1] == -1022
    assert client.ok("POST", "order", **RESTING, **theirs)["orderId"] != number
