"""binance-connector, the venue's former client: all parameters in the query, a JSON content type on empty bodies."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from binance.error import ClientError
from binance.spot import Spot
from binance.websocket.spot.websocket_api import SpotWebsocketAPIClient
from binance.websocket.spot.websocket_stream import SpotWebsocketStreamClient

from tests.mock_exchange.clients.others.report import Report
from tests.mock_exchange.clients.pointing import KEY, SECRET

SYMBOL = "BTCUSDT"
#: It sends without a pause; the venue takes five messages a second.
PAUSE_S = 0.25


def run(address: str, report: Report, seconds: float) -> None:
    """Everything, against the mock exchange at `address`."""
    client = Spot(api_key=KEY, api_secret=SECRET, base_url=f"http://{address}", show_limit_usage=True)
    _market_data(client, report)
    price = _trading(client, report)
    _streams(address, report)
    _websocket_api(address, price, report)


def _market_data(client: Spot, report: Report) -> None:
    calls: dict[str, Callable[[], Any]] = {
        "time": client.time,
        "exchange_info": client.exchange_info,
        "exchange_info of some": lambda: client.exchange_info(symbols=["BTCUSDT", "ETHUSDT"]),
        "exchange_info by permission": lambda: client.exchange_info(permissions=["SPOT"]),
        "depth": lambda: client.depth(SYMBOL, limit=5),
        "trades": lambda: client.trades(SYMBOL),
        "historical_trades": lambda: client.historical_trades(SYMBOL),
        "agg_trades": lambda: client.agg_trades(SYMBOL),
        "klines": lambda: client.klines(SYMBOL, "1m", limit=2),
        "ui_klines": lambda: client.ui_klines(SYMBOL, "1m", limit=2),
        "avg_price": lambda: client.avg_price(SYMBOL),
        "ticker_24hr": lambda: client.ticker_24hr(symbols=["BTCUSDT", "ETHUSDT"]),
        "ticker_price": lambda: client.ticker_price(SYMBOL),
        "book_ticker": lambda: client.book_ticker(symbols=["BTCUSDT", "ETHUSDT"]),
        "rolling_window_ticker": lambda: client.rolling_window_ticker(SYMBOL, windowSize="1d"),
    }
    for name, call in calls.items():
        report.step(name, lambda call=call: call()["limit_usage"]["x-mbx-used-weight-1m"])


def _trading(client: Spot, report: Report) -> str:
    bid = float(client.depth(SYMBOL, limit=5)["data"]["bids"][0][0])
    price = f"{bid * 0.9:.2f}"
    limit = {"timeInForce": "GTC", "quantity": 0.01, "price": price}

    def step(name: str, call: Callable[[], Any]) -> Any:
        answer = report.step(name, call)
        return answer and answer["data"]

    report.check("account", step("account", client.account)["canTrade"])
    placed = step("new_order", lambda: client.new_order(SYMBOL, "BUY", "LIMIT", **limit))
    tiny = {**limit, "quantity": 0.00001}
    refusal = report.refused("1e-05", ClientError, lambda: client.new_order(SYMBOL, "BUY", "LIMIT", **tiny))
    report.check("is -1100", (refusal.status_code, refusal.error_code) == (400, -1100))
    step("new_order_test", lambda: client.new_order_test(SYMBOL, "BUY", "MARKET", quantity=1))
    step("get_order", lambda: client.get_order(SYMBOL, orderId=placed["orderId"]))
    replaced = step(
        "cancel_and_replace",
        lambda: client.cancel_and_replace(
            SYMBOL, "BUY", "LIMIT", "STOP_ON_FAILURE", cancelOrderId=placed["orderId"], **limit
        ),
    )
    again = replaced["newOrderResponse"]["orderId"]
    step("cancel_order", lambda: client.cancel_order(SYMBOL, orderId=again))
    refusal = report.refused("again", ClientError, lambda: client.cancel_order(SYMBOL, orderId=again))
    report.check("is -2011", (refusal.status_code, refusal.error_code) == (400, -2011))
    failed = report.refused(
        "replace what is gone",
        ClientError,
        lambda: client.cancel_and_replace(SYMBOL, "BUY", "LIMIT", "ALLOW_FAILURE", cancelOrderId=again, **limit),
    )
    report.check("is 409 with its data", (failed.status_code, failed.error_data["cancelResult"]) == (409, "FAILURE"))
    oco = {"aboveType": "LIMIT_MAKER", "abovePrice": f"{bid * 1.2:.2f}", "belowType": "STOP_LOSS"}
    step("new_oco_order", lambda: client.new_oco_order(SYMBOL, "SELL", 0.01, belowStopPrice=price, **oco))
    step("get_oco_orders", lambda: client.get_oco_orders())
    report.check("four are open", len(step("get_open_orders", client.get_open_orders)) >= 3)
    step("cancel_open_orders", lambda: client.cancel_open_orders(SYMBOL))
    step("get_orders", lambda: client.get_orders(SYMBOL))
    step("my_trades", lambda: client.my_trades(SYMBOL))
    step("trade_fee", client.trade_fee)
    step("get_order_rate_limit", client.get_order_rate_limit)
    step("query_commission_rates", lambda: client.query_commission_rates(SYMBOL))
    gone = report.refused("new_listen_key", ClientError, client.new_listen_key)
    report.check("is 410, as at the venue", gone is None or gone.status_code == 410)
    return price


def _streams(address: str, report: Report) -> None:
    for is_combined in (False, True):
        heard: list[Any] = []
        client = SpotWebsocketStreamClient(
            stream_url=f"ws://{address}",
            on_message=lambda _, text, heard=heard: heard.append(json.loads(text)),
            is_combined=is_combined,
        )
        for subscribe in (
            lambda client=client: client.agg_trade(symbol="btcusdt"),
            lambda client=client: client.diff_book_depth(symbol="btcusdt", speed=100),
            lambda client=client: client.partial_book_depth(symbol="btcusdt", level=5, speed=1000),
            lambda client=client: client.mini_ticker(symbol="BTCUSDT"),
            lambda client=client: client.kline("btcusdt", "1m"),
            lambda client=client: client.list_subscribe(),
        ):
            subscribe()
            time.sleep(PAUSE_S)
        client.ping()
        time.sleep(2.5)
        client.stop()
        events = [message["data"] if is_combined else message for message in heard if "id" not in message]
        kinds = {event.get("e", "depth5") for event in events}
        wanted = {"aggTrade", "depthUpdate", "depth5", "24hrMiniTicker", "kline"}
        report.check(f"streams, combined {is_combined}: {sorted(kinds)}", kinds == wanted)
        report.check("every request was answered", len([one for one in heard if "id" in one]) == 6)


def _websocket_api(address: str, price: str, report: Report) -> None:
    heard: list[Any] = []
    client = SpotWebsocketAPIClient(
        stream_url=f"ws://{address}/ws-api/v3",
        api_key=KEY,
        api_secret=SECRET,
        on_message=lambda _, text: heard.append(json.loads(text)),
    )
    client.new_order(symbol=SYMBOL, side="BUY", type="LIMIT", timeInForce="GTC", quantity=0.01, price=price)
    client.account()
    client.ping_connectivity()
    client.order_book(symbol=SYMBOL)
    client.exchange_info(symbols=["BTCUSDT"])
    client.cancel_open_orders(symbol=SYMBOL)
    time.sleep(1)
    client.stop()
    report.check(f"six answers of the WebSocket API {heard}", [one["status"] for one in heard] == [200] * 6)
