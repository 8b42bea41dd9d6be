"""ccxt's REST, unchanged apart from its addresses: the same calls by its three classes, with default options."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import ccxt
import ccxt.async_support
import ccxt.pro
import pytest
import pytest_asyncio

from tests.mock_exchange.clients.pointing import KEY, SECRET, point_ccxt
from tests.mock_exchange.clients.process import Mock

pytestmark = pytest.mark.asyncio(loop_scope="module")
SYMBOL = "BTC/USDT"
KINDS = {"sync": ccxt.binance, "async": ccxt.async_support.binance, "pro": ccxt.pro.binance}


class Bot:
    """One of the classes, its calls awaited where that is to be done."""

    def __init__(self, kind: str, address: str) -> None:
        made = KINDS[kind]({"apiKey": KEY, "secret": SECRET, "enableRateLimit": False})
        self.exchange = point_ccxt(made, address)

    def __getattr__(self, name: str) -> Any:
        async def call(*args: Any, **kwargs: Any) -> Any:
            result = getattr(self.exchange, name)(*args, **kwargs)
            return await result if inspect.isawaitable(result) else result

        return call

    async def close(self) -> None:
        closing = self.exchange.close()
        if inspect.isawaitable(closing):
            await closing

    async def touch(self) -> tuple[float, float]:
        book = await self.fetch_order_book(SYMBOL, 5)
        return book["bids"][0][0], book["asks"][0][0]


@pytest_asyncio.fixture(params=KINDS, scope="module", loop_scope="module")
async def bot(request: pytest.FixtureRequest, mock: Mock) -> AsyncIterator[Bot]:
    made = Bot(request.param, mock.address)
    yield made
    await made.close()


async def test_markets_of_default_options(bot: Bot) -> None:
    markets = await bot.load_markets()
    assert set(markets) == {"BTC/USDT", "ETH/USDT", "ETH/BTC"}
    market = markets[SYMBOL]
    assert market["spot"] and market["active"] and not market["contract"]
    assert (market["precision"]["price"], market["precision"]["amount"]) == (0.01, 0.00001)
    assert market["limits"]["cost"]["min"] == 5 and market["taker"] == 0.001


async def test_market_data(bot: Bot) -> None:
    book = await bot.fetch_order_book(SYMBOL, 50)
    assert len(book["bids"]) == len(book["asks"]) == 50 and book["nonce"] > 0
    assert book["bids"] == sorted(book["bids"], key=lambda level: -level[0])
    assert book["bids"][0][0] < book["asks"][0][0]

    bars = await bot.fetch_ohlcv(SYMBOL, "1m", limit=200)
    assert len(bars) == 200 and {b[0] - a[0] for a, b in pairwise(bars)} == {60_000}
    assert all(low <= min(open_, close) <= max(open_, close) <= high for _, open_, high, low, close, _ in bars)
    later = await bot.fetch_ohlcv(SYMBOL, "5m", since=bars[0][0], limit=3)
    assert len(later) == 3 and later[0][0] >= bars[0][0]

    ticker = await bot.fetch_ticker(SYMBOL)
    assert ticker["bid"] < ticker["ask"] and ticker["low"] <= ticker["last"] <= ticker["high"]
    assert set(await bot.fetch_tickers()) == {"BTC/USDT", "ETH/USDT", "ETH/BTC"}
    assert set(await bot.fetch_tickers([SYMBOL])) == {SYMBOL}
    assert set(await bot.fetch_bids_asks(["ETH/BTC"])) == {"ETH/BTC"}
    assert (await bot.fetch_last_prices([SYMBOL]))[SYMBOL]["price"] > 0
    trades = await bot.fetch_trades(SYMBOL, limit=20)
    assert trades and all(trade["side"] in ("buy", "sell") and trade["amount"] > 0 for trade in trades)
    plain = await bot.fetch_trades(SYMBOL, limit=20, params={"fetchTradesMethod": "publicGetTrades"})
    assert 0 < len(plain) <= 20 and all(int(b["id"]) - int(a["id"]) == 1 for a, b in pairwise(plain))
    assert (await bot.fetch_status())["status"] == "ok"
    assert abs(await bot.fetch_time() - bot.exchange.milliseconds()) < 2000


class Case(NamedTuple):
    """What is asked for, prices as shares of the middle, and the order the exchange then has."""

    type: str
    side: str
    price: float | None
    params: dict[str, Any]
    wanted: tuple[str, str]


STOP_PRICES = ("stopLossPrice", "takeProfitPrice", "triggerPrice")
TRAILING = {"trailingPercent": 1, "stopLossOrTakeProfit": "stopLoss"}
ORDERS = {
    "limit": Case("limit", "buy", 0.9, {}, ("LIMIT", "open")),
    "crossing limit": Case("limit", "buy", 1.01, {}, ("LIMIT", "closed")),
    "market": Case("market", "buy", None, {}, ("MARKET", "closed")),
    "market sale": Case("market", "sell", None, {}, ("MARKET", "closed")),
    "of a cost": Case("market", "buy", None, {"cost": 500}, ("MARKET", "closed")),
    "post only": Case("limit", "sell", 1.1, {"postOnly": True}, ("LIMIT_MAKER", "open")),
    "immediate or cancel": Case("limit", "buy", 0.9, {"timeInForce": "IOC"}, ("LIMIT", "expired")),
    "fill or kill": Case("limit", "sell", 0.99, {"timeInForce": "FOK"}, ("LIMIT", "closed")),
    "stop": Case("market", "sell", None, {"stopLossPrice": 0.8}, ("STOP_LOSS", "open")),
    "stop limit": Case("limit", "sell", 0.79, {"triggerPrice": 0.8}, ("STOP_LOSS_LIMIT", "open")),
    "take profit": Case("market", "sell", None, {"takeProfitPrice": 1.2}, ("TAKE_PROFIT", "open")),
    "take profit limit": Case("limit", "sell", 1.2, {"takeProfitPrice": 1.2}, ("TAKE_PROFIT_LIMIT", "open")),
    "trailing": Case("market", "sell", None, TRAILING, ("STOP_LOSS", "open")),
    "iceberg": Case("limit", "buy", 0.9, {"icebergAmount": 0.001}, ("LIMIT", "open")),
    "self-trade prevention": Case("limit", "buy", 0.9, {"selfTradePrevention": "EXPIRE_BOTH"}, ("LIMIT", "open")),
}


@pytest.mark.parametrize("name", ORDERS)
async def test_orders_of_every_type(bot: Bot, name: str) -> None:
    case = ORDERS[name]
    middle = sum(await bot.touch()) / 2
    params = {key: value * middle if key in STOP_PRICES else value for key, value in case.params.items()}
    price = case.price and case.price * middle
    order = await bot.create_order(SYMBOL, case.type, case.side, 0.01, price, params)
    assert (order["info"]["type"], order["status"]) == case.wanted
    found = await bot.fetch_order(order["id"], SYMBOL)
    assert (found["info"]["type"], found["status"], found["side"]) == (*case.wanted, case.side)
    for same in ("id", "clientOrderId", "filled", "timeInForce", "price", "amount"):
        assert found[same] == order[same], same
    if order["status"] == "open":
        assert order["id"] in {one["id"] for one in await bot.fetch_open_orders(SYMBOL)}
        cancelled = await bot.cancel_order(order["id"], SYMBOL)
        assert (cancelled["id"], cancelled["status"]) == (order["id"], "canceled")
        assert (await bot.fetch_order(order["id"], SYMBOL))["status"] == "canceled"
    elif order["status"] == "closed":
        assert order["filled"] > 0 and order["average"] > 0 and order["trades"]


async def test_a_purchase_moves_the_balance_by_its_fills_and_fees(bot: Bot) -> None:
    before = await bot.fetch_balance()
    order = await bot.create_order(SYMBOL, "market", "buy", 0.3)
    after = await bot.fetch_balance()
    trades = await bot.fetch_order_trades(order["id"], SYMBOL)
    assert sum(trade["amount"] for trade in trades) == pytest.approx(0.3)
    fees = {trade["fee"]["currency"]: 0.0 for trade in trades}
    for trade in trades:
        fees[trade["fee"]["currency"]] += trade["fee"]["cost"]
    moved = {asset: after["total"][asset] - before["total"][asset] for asset in ("BTC", "USDT")}
    assert moved["BTC"] == pytest.approx(0.3 - fees.get("BTC", 0), abs=1e-7)
    assert moved["USDT"] == pytest.approx(-sum(trade["cost"] for trade in trades), abs=1e-4)
    mine = await bot.fetch_my_trades(SYMBOL, limit=50)
    assert [trade["id"] for trade in mine][-len(trades) :] == [trade["id"] for trade in trades]
    assert order["id"] in {one["id"] for one in await bot.fetch_closed_orders(SYMBOL)}


async def test_orders_are_edited_listed_and_cancelled(bot: Bot) -> None:
    bid, _ask = await bot.touch()
    await bot.load_markets()
    price = float(bot.exchange.price_to_precision(SYMBOL, bid * 0.9))
    named = await bot.create_order(SYMBOL, "limit", "buy", 0.01, price, {"clientOrderId": f"mine-{id(bot)}"})
    assert named["clientOrderId"] == f"mine-{id(bot)}"
    edited = await bot.edit_order(named["id"], SYMBOL, "limit", "buy", 0.02, price)
    assert edited["id"] != named["id"] and (edited["amount"], edited["price"]) == (0.02, price)
    locked = (await bot.fetch_balance())["USDT"]["used"]
    assert locked == pytest.approx(0.02 * price)
    other = await bot.create_order(SYMBOL, "limit", "buy", 0.01, price, {"clientOrderId": f"other-{id(bot)}"})
    by_name = await bot.fetch_order("", SYMBOL, {"clientOrderId": f"other-{id(bot)}"})
    assert by_name["id"] == other["id"]
    assert {one["id"] for one in await bot.fetch_open_orders(SYMBOL)} == {edited["id"], other["id"]}
    bot.exchange.options["fetchOpenOrders"] = {"warnWithoutSymbol": False}
    bot.exchange.options["warnOnFetchOpenOrdersWithoutSymbol"] = False
    assert {one["id"] for one in await bot.fetch_open_orders()} == {edited["id"], other["id"]}
    assert {one["id"] for one in await bot.cancel_all_orders(SYMBOL)} == {edited["id"], other["id"]}
    assert await bot.fetch_open_orders(SYMBOL) == []
    ids = {one["id"] for one in await bot.fetch_orders(SYMBOL, limit=100)}
    assert {named["id"], edited["id"], other["id"]} <= ids
    assert named["id"] in {one["id"] for one in await bot.fetch_canceled_orders(SYMBOL)}


async def test_a_test_order_leaves_nothing(bot: Bot) -> None:
    bid, _ask = await bot.touch()
    order = await bot.create_order(SYMBOL, "limit", "buy", 0.01, bid * 0.9, {"test": True})
    assert order["id"] is None
    assert await bot.fetch_open_orders(SYMBOL) == []


async def test_fees(bot: Bot) -> None:
    fees = await bot.fetch_trading_fees()
    assert set(fees) == {"BTC/USDT", "ETH/USDT", "ETH/BTC"}
    one = await bot.fetch_trading_fee(SYMBOL)
    assert 0 < one["maker"] <= one["taker"] == fees[SYMBOL]["taker"] <= 0.001


async def test_one_cancels_the_other(bot: Bot) -> None:
    bid, ask = await bot.touch()
    above, below = f"{ask * 1.1:.2f}", f"{bid * 0.9:.2f}"
    order = {"symbol": "BTCUSDT", "side": "SELL", "quantity": "0.01"}
    pair = await bot.private_post_orderlist_oco(
        order | {"aboveType": "LIMIT_MAKER", "abovePrice": above, "belowType": "STOP_LOSS", "belowStopPrice": below}
    )
    old = await bot.private_post_order_oco(order | {"price": above, "stopPrice": below})
    for made in (pair, old):
        assert made["contingencyType"] == "OCO" and {one["type"] for one in made["orderReports"]} == {
            "LIMIT_MAKER",
            "STOP_LOSS",
        }
        await bot.cancel_order(made["orders"][0]["orderId"], SYMBOL)
    assert await bot.fetch_open_orders(SYMBOL) == []


async def test_what_ccxt_makes_of_refusals(bot: Bot) -> None:
    bid, _ask = await bot.touch()
    order = partial(bot.create_order, SYMBOL)
    for wanted, call in (
        (ccxt.OrderNotFound, partial(bot.cancel_order, "987654321", SYMBOL)),
        (ccxt.OrderNotFound, partial(bot.fetch_order, "987654321", SYMBOL)),
        (ccxt.InsufficientFunds, partial(order, "limit", "sell", 120, bid * 1.1)),
        (ccxt.OrderImmediatelyFillable, partial(order, "limit", "buy", 1, bid * 1.02, {"postOnly": True})),
        (ccxt.OrderImmediatelyFillable, partial(order, "market", "sell", 1, None, {"stopLossPrice": bid * 2})),
        (ccxt.InvalidOrder, partial(order, "limit", "buy", 1, bid * 0.001)),
        (ccxt.BadRequest, partial(order, "limit", "buy", 0.00001, bid * 0.9)),
        (ccxt.BadSymbol, partial(bot.publicGetDepth, {"symbol": "DOGEUSDT"})),
    ):
        with pytest.raises(wanted):
            await call()
    bot.exchange.secret = "another"
    try:
        with pytest.raises(ccxt.AuthenticationError):
            await bot.fetch_open_orders(SYMBOL)
    finally:
        bot.exchange.secret = SECRET
