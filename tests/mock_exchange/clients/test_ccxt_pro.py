"""ccxt's WebSocket classes: streams, user data and orders on the WebSocket API."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import ccxt.pro
import pytest
import pytest_asyncio

from tests.mock_exchange.clients.pointing import KEY, SECRET, point_ccxt
from tests.mock_exchange.clients.process import Mock

pytestmark = pytest.mark.asyncio(loop_scope="module")
SYMBOL = "BTC/USDT"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def exchange(mock: Mock) -> AsyncIterator[Any]:
    made = ccxt.pro.binance({"apiKey": KEY, "secret": SECRET, "enableRateLimit": False})
    point_ccxt(made, mock.address)
    await made.load_markets()
    yield made
    await made.close()


async def within(awaitable: Any, seconds: float = 8) -> Any:
    return await asyncio.wait_for(awaitable, seconds)


async def test_what_can_be_watched(exchange: Any) -> None:
    async def bars() -> None:
        (bar,) = await exchange.watch_ohlcv(SYMBOL, "1m")
        assert bar[0] % 60_000 == 0 and bar[3] <= bar[4] <= bar[2]

    async def trades() -> None:
        before = 0
        for _ in range(3):
            for trade in await exchange.watch_trades(SYMBOL):
                assert int(trade["id"]) > before and trade["symbol"] == SYMBOL
                before = int(trade["id"])

    async def tickers() -> None:
        ticker = await exchange.watch_ticker(SYMBOL)
        assert ticker["low"] <= ticker["last"] <= ticker["high"]
        assert set(await exchange.watch_tickers()) <= {"BTC/USDT", "ETH/USDT", "ETH/BTC"}
        assert set(await exchange.watch_tickers(["ETH/USDT"])) == {"ETH/USDT"}

    async def touch() -> None:
        best = (await exchange.watch_bids_asks([SYMBOL]))[SYMBOL]
        assert best["bid"] < best["ask"]

    await within(asyncio.gather(bars(), trades(), tickers(), touch()))
    assert await exchange.un_watch_trades(SYMBOL)


async def watch_book(exchange: Any, seconds: float, symbol: str = SYMBOL) -> int:
    """Updates of a book; ccxt raises ChecksumError at a gap."""
    updates, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        book = await within(exchange.watch_order_book(symbol))
        assert book["bids"][0][0] < book["asks"][0][0]
        updates += 1
    return updates


async def test_a_book_is_watched_without_a_gap(exchange: Any) -> None:
    counts = await asyncio.gather(watch_book(exchange, 6), watch_book(exchange, 6, "ETH/USDT"))
    assert min(counts) > 40
    while True:  # Until both are of the same moment.
        snapshot, book = await exchange.fetch_order_book(SYMBOL, 20), exchange.orderbooks[SYMBOL]
        while book["nonce"] < snapshot["nonce"]:
            book = await within(exchange.watch_order_book(SYMBOL))
        if book["nonce"] == snapshot["nonce"]:
            break
    assert [list(level[:2]) for level in book["bids"][:20]] == snapshot["bids"]
    assert [list(level[:2]) for level in book["asks"][:20]] == snapshot["asks"]


@pytest.mark.slow
async def test_a_book_is_watched_for_longer(exchange: Any) -> None:
    assert await watch_book(exchange, 12, "ETH/BTC") > 40


async def test_own_orders_are_heard_of(exchange: Any) -> None:
    watching = {
        name: asyncio.create_task(getattr(exchange, name)())
        for name in ("watch_orders", "watch_my_trades", "watch_balance")
    }
    # Requests of one connection are answered in their order: behind this one, all is subscribed.
    await within(exchange.fetch_open_orders_ws(SYMBOL))
    before = await within(exchange.fetch_balance())
    order = await within(exchange.create_order_ws(SYMBOL, "market", "buy", 0.02))
    assert order["status"] == "closed" and order["filled"] == 0.02
    orders, trades, balance = [await within(watching[name]) for name in watching]
    while orders[-1]["status"] != "closed":
        orders = await within(exchange.watch_orders())
    assert {one["id"] for one in orders} == {order["id"]} == {one["order"] for one in trades}
    assert orders[-1]["filled"] == 0.02 and orders[-1]["clientOrderId"] == order["clientOrderId"]
    while balance.get("BTC", before["BTC"]) == before["BTC"]:
        balance = await within(exchange.watch_balance())
    now = await within(exchange.fetch_balance())
    assert {asset: balance[asset] for asset in ("BTC", "USDT")} == {asset: now[asset] for asset in ("BTC", "USDT")}


async def test_orders_on_the_websocket_api(exchange: Any) -> None:
    bid = (await exchange.fetch_order_book(SYMBOL, 5))["bids"][0][0]
    price = float(exchange.price_to_precision(SYMBOL, bid * 0.9))
    placed = await within(exchange.create_order_ws(SYMBOL, "limit", "buy", 0.01, price))
    assert (placed["status"], placed["price"]) == ("open", price)
    edited = await within(exchange.edit_order_ws(placed["id"], SYMBOL, "limit", "buy", 0.02, price))
    assert (await within(exchange.fetch_order_ws(edited["id"], SYMBOL)))["amount"] == 0.02
    assert (await within(exchange.create_order_ws(SYMBOL, "market", "buy", 0.01, None, {"test": True})))["id"] is None
    assert {one["id"] for one in await within(exchange.fetch_open_orders_ws(SYMBOL))} == {edited["id"]}
    cancelled = await within(exchange.cancel_order_ws(edited["id"], SYMBOL))
    assert cancelled["status"] == "canceled"
    other = await within(exchange.create_order_ws(SYMBOL, "limit", "buy", 0.01, price))
    assert {one["id"] for one in await within(exchange.cancel_all_orders_ws(SYMBOL))} == {other["id"]}
    ids = {one["id"] for one in await within(exchange.fetch_orders_ws(SYMBOL))}
    assert {placed["id"], edited["id"], other["id"]} <= ids
    assert (await within(exchange.fetch_my_trades_ws(SYMBOL)))[-1]["price"] > 0
    assert (await within(exchange.fetch_trades_ws(SYMBOL)))[-1]["price"] > 0
    assert len(await within(exchange.fetch_ohlcv_ws(SYMBOL, "1m", limit=5))) == 5
    with pytest.raises(ccxt.OrderNotFound):
        await within(exchange.cancel_order_ws("987654321", SYMBOL))
    with pytest.raises(ccxt.InsufficientFunds):
        await within(exchange.create_order_ws(SYMBOL, "limit", "sell", 120, bid * 1.1))
