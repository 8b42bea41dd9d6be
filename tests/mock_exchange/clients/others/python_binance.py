"""python-binance: Client, AsyncClient, BinanceSocketManager, DepthCacheManager."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from binance import AsyncClient, BinanceSocketManager, Client, DepthCacheManager
from binance.exceptions import BinanceAPIException

from tests.mock_exchange.clients.others.report import Report
from tests.mock_exchange.clients.pointing import KEY, SECRET

SYMBOL = "BTCUSDT"
LIMIT = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": 0.01}


def run(address: str, report: Report, seconds: float) -> None:
    """Everything, against the mock exchange at `address`; its book is kept for `seconds`."""
    for client in (Client, AsyncClient):
        client.API_URL = f"http://{address}/api"
        client.MARGIN_API_URL = f"http://{address}/sapi"
        client.WS_API_URL = f"ws://{address}/ws-api/v3"
    BinanceSocketManager.STREAM_URL = f"ws://{address}/"
    client = Client(KEY, SECRET)
    _market_data(client, report)
    _trading(client, report)
    asyncio.run(_asynchronous(report, seconds))


def _market_data(client: Client, report: Report) -> None:
    one: dict[str, Callable[[], Any]] = {
        "ping": client.ping,
        "server time": client.get_server_time,
        "exchange info": client.get_exchange_info,
        "account status": client.get_account_status,
        "trade fee": lambda: client.get_trade_fee(symbol=SYMBOL)[0]["takerCommission"],
        "ticker": lambda: client.get_ticker(symbol=SYMBOL)["lastPrice"],
        "tickers": lambda: client.get_ticker()[2],
        "all prices": lambda: client.get_all_tickers()[2]["price"],
        "price": lambda: client.get_symbol_ticker(symbol=SYMBOL)["price"],
        "prices": lambda: client.get_symbol_ticker(symbols='["BTCUSDT","ETHUSDT"]')[1]["price"],
        "book ticker": lambda: client.get_orderbook_ticker(symbol=SYMBOL)["bidPrice"],
        "average price": lambda: client.get_avg_price(symbol=SYMBOL)["price"],
        "recent trades": lambda: client.get_recent_trades(symbol=SYMBOL)[0]["isBuyerMaker"],
        "historical trades": lambda: client.get_historical_trades(symbol=SYMBOL)[0]["quoteQty"],
        "aggregate trades": lambda: client.get_aggregate_trades(symbol=SYMBOL)[0]["a"],
    }
    for name, call in one.items():
        report.step(name, call)
    info = report.step("symbol info", lambda: client.get_symbol_info(SYMBOL))
    report.check("its first filter is the price's", info["filters"][0]["filterType"] == "PRICE_FILTER")
    klines = report.step("klines", lambda: client.get_klines(symbol=SYMBOL, interval="1m", limit=5))
    report.check("klines of twelve columns", [len(row) for row in klines] == [12] * 5)
    past = report.step("klines of two hours", lambda: client.get_historical_klines(SYMBOL, "1m", "2 hours ago UTC"))
    report.check("as many as there are minutes", 119 <= len(past) <= 121)
    book = report.step("order book", lambda: client.get_order_book(symbol=SYMBOL, limit=5))
    report.check("order book of five levels", len(book["bids"]) == 5)


def _trading(client: Client, report: Report) -> None:
    price = f"{float(client.get_order_book(symbol=SYMBOL)['bids'][0][0]) * 0.9:.2f}"
    above, below = f"{float(price) * 1.3:.2f}", price
    oco = {"symbol": SYMBOL, "quantity": 0.01, "aboveType": "LIMIT_MAKER", "abovePrice": above}
    oco |= {"belowType": "STOP_LOSS", "belowStopPrice": below}
    report.check("account", bool(report.step("get_account", client.get_account)["canTrade"]))
    report.step("asset balance", lambda: client.get_asset_balance("BTC")["free"])
    placed = report.step("create_order", lambda: client.create_order(**LIMIT, price=price))
    report.check("of full form", placed["status"] == "NEW" and placed["fills"] == [])
    report.step("order_limit_buy", lambda: client.order_limit_buy(symbol=SYMBOL, quantity=0.01, price=price))
    bought = report.step("order_market_buy", lambda: client.order_market_buy(symbol=SYMBOL, quoteOrderQty=100))
    report.check("filled", bought["status"] == "FILLED" and bought["fills"][0]["commissionAsset"] in ("BTC", "BNB"))
    report.step(
        "test order", lambda: client.create_test_order(symbol=SYMBOL, side="BUY", type="MARKET", quantity=0.01)
    )
    tiny = {"symbol": SYMBOL, "side": "BUY", "type": "MARKET", "quantity": 0.00001}
    refusal = report.refused("a quantity of 1e-05", BinanceAPIException, lambda: client.create_test_order(**tiny))
    report.check("is -1100", (refusal.code, refusal.status_code) == (-1100, 400))
    found = report.step("get_order", lambda: client.get_order(symbol=SYMBOL, orderId=placed["orderId"]))
    report.check("is the order", found["clientOrderId"] == placed["clientOrderId"])
    replaced = report.step(
        "cancel_replace_order",
        lambda: client.cancel_replace_order(
            **LIMIT, price=price, cancelReplaceMode="STOP_ON_FAILURE", cancelOrderId=placed["orderId"]
        ),
    )
    again = replaced["newOrderResponse"]["orderId"]
    report.step("cancel_order", lambda: client.cancel_order(symbol=SYMBOL, orderId=again))
    refusal = report.refused(
        "cancel it again", BinanceAPIException, lambda: client.cancel_order(symbol=SYMBOL, orderId=again)
    )
    report.check("is -2011", (refusal.code, refusal.message) == (-2011, "Unknown order sent."))
    report.step("create_oco_order", lambda: client.create_oco_order(side="SELL", **oco)["orderReports"][1])
    report.step("order_oco_sell", lambda: client.order_oco_sell(**oco)["listClientOrderId"])
    is_open = report.step("get_open_orders", lambda: client.get_open_orders(symbol=SYMBOL))
    report.check("five are open", len(is_open) == 5)
    report.step("cancel_all_open_orders", lambda: client.cancel_all_open_orders(symbol=SYMBOL))
    report.check("none is open", client.get_open_orders() == [])
    report.step("get_all_orders", lambda: client.get_all_orders(symbol=SYMBOL, limit=5)[4])
    trades = report.step("get_my_trades", lambda: client.get_my_trades(symbol=SYMBOL))
    report.check("the purchase is among them", bought["orderId"] in {trade["orderId"] for trade in trades})
    ws = report.step("ws_create_order", lambda: client.ws_create_order(**LIMIT, price=price))
    report.step("ws_cancel_order", lambda: client.ws_cancel_order(symbol=SYMBOL, orderId=ws["orderId"]))
    report.step("ws_get_account", lambda: client.ws_get_account()["balances"][0])


async def _asynchronous(report: Report, seconds: float) -> None:
    client = await AsyncClient.create(KEY, SECRET)
    sockets = BinanceSocketManager(client)
    try:
        wanted = (
            ("trade_socket", sockets.trade_socket(SYMBOL), "t"),
            ("aggtrade_socket", sockets.aggtrade_socket(SYMBOL), "a"),
            ("depth_socket", sockets.depth_socket(SYMBOL), "U"),
            ("depth_socket of 5", sockets.depth_socket(SYMBOL, depth="5"), "lastUpdateId"),
            ("kline_socket", sockets.kline_socket(SYMBOL), "k"),
            ("symbol_book_ticker_socket", sockets.symbol_book_ticker_socket(SYMBOL), "b"),
            ("symbol_ticker_socket", sockets.symbol_ticker_socket(SYMBOL), "w"),
            ("multiplex_socket", sockets.multiplex_socket(["btcusdt@trade", "ethusdt@depth@100ms"]), "stream"),
            ("miniticker_socket", sockets.miniticker_socket(), 0),
        )
        heard = await asyncio.gather(*(report.wait(name, _first(socket)) for name, socket, _ in wanted))
        for (name, _, key), message in zip(wanted, heard, strict=True):
            is_array = isinstance(message, list)
            report.check(f"{name} sends {'an array' if key == 0 else key}", is_array if key == 0 else key in message)
        await _user_data(client, sockets, report)
        await report.wait("DepthCacheManager", _kept_book(client, seconds))
    finally:
        await client.close_connection()


async def _first(socket: Any) -> Any:
    async with socket as stream:
        return await asyncio.wait_for(stream.recv(), 8)


async def _user_data(client: AsyncClient, sockets: BinanceSocketManager, report: Report) -> None:
    async with sockets.user_socket() as stream:
        placed = await report.wait(
            "AsyncClient.create_order",
            client.create_order(symbol=SYMBOL, side="BUY", type="MARKET", quantity=0.01),
        )
        kinds = []
        while kinds.count("executionReport") < 2 or kinds[-1] != "outboundAccountPosition":
            event = await asyncio.wait_for(stream.recv(), 8)
            kinds.append(event["e"])
            if event["e"] == "executionReport":
                report.check(f"user_socket: {event['x']}", (event["i"], event["C"]) == (placed["orderId"], ""))
    price = f"{float((await client.get_orderbook_ticker(symbol=SYMBOL))['bidPrice']) * 0.9:.2f}"
    ws = await report.wait("AsyncClient.ws_create_order", client.ws_create_order(**LIMIT, price=price))
    cancel = client.ws_cancel_order(symbol=SYMBOL, orderId=ws["orderId"])
    report.check("cancelled", (await report.wait("AsyncClient.ws_cancel_order", cancel))["status"] == "CANCELED")


async def _kept_book(client: AsyncClient, seconds: float) -> None:
    """Its book against a snapshot of the same update id."""
    async with DepthCacheManager(client, symbol=SYMBOL) as manager:
        end = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < end:
            cache = await asyncio.wait_for(manager.recv(), 8)
            assert cache.get_bids()[0][0] < cache.get_asks()[0][0]
