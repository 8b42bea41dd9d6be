"""unicorn-binance-rest-api and unicorn-binance-websocket-api."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from unicorn_binance_rest_api import BinanceRestApiManager
from unicorn_binance_websocket_api import BinanceWebSocketApiManager

from tests.mock_exchange.clients.others.report import Report
from tests.mock_exchange.clients.pointing import KEY, SECRET

SYMBOL = "BTCUSDT"


def run(address: str, report: Report, seconds: float) -> None:
    """Everything, against the mock exchange at `address`."""
    logging.disable(logging.CRITICAL)
    BinanceRestApiManager.API_URL = f"http://{address}/api"
    BinanceRestApiManager.MARGIN_API_URL = f"http://{address}/sapi"
    client = BinanceRestApiManager(KEY, SECRET, tld="com", warn_on_update=False)
    price = _rest(client, report)
    manager = BinanceWebSocketApiManager(
        exchange="binance.com",
        websocket_base_uri=f"ws://{address}/",
        websocket_api_base_uri=f"ws://{address}/ws-api/v3",
        restful_base_uri=f"http://{address}",
        warn_on_update=False,
        output_default="dict",
        disable_colorama=True,
    )
    try:
        _streams(manager, report)
        _websocket_api(manager, price, report)
    finally:
        manager.stop_manager()
        logging.disable(logging.NOTSET)


def _rest(client: BinanceRestApiManager, report: Report) -> str:
    bid = float(client.get_order_book(symbol=SYMBOL, limit=5)["bids"][0][0])
    price, above = f"{bid * 0.9:.2f}", f"{bid * 1.1:.2f}"
    report.step("get_server_time", client.get_server_time)
    report.step("get_exchange_info", client.get_exchange_info)
    report.step("get_account", client.get_account)
    report.step("get_klines", lambda: client.get_klines(symbol=SYMBOL, interval="1m")[0])
    limit = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": 0.01, "price": price}
    placed = report.step("create_order", lambda: client.create_order(**limit))
    report.step("create_test_order", lambda: client.create_test_order(**limit))
    report.step("get_order", lambda: client.get_order(symbol=SYMBOL, orderId=placed["orderId"]))
    report.step("cancel_order", lambda: client.cancel_order(symbol=SYMBOL, orderId=placed["orderId"]))
    old = {"symbol": SYMBOL, "side": "SELL", "quantity": 0.01, "price": above, "stopPrice": price}
    report.step("create_oco_order, the form of old", lambda: client.create_oco_order(**old)["orderReports"])
    report.step("cancel_all_open_orders", lambda: client.cancel_all_open_orders(symbol=SYMBOL)[0])
    report.step("get_my_trades", lambda: client.get_my_trades(symbol=SYMBOL))
    report.check("get_used_weight", report.step("used weight", client.get_used_weight)["weight"] > 0)
    return price


def _streams(manager: BinanceWebSocketApiManager, report: Report) -> None:
    stream = manager.create_stream(channels=["trade", "depth@100ms"], markets=["btcusdt", "ethusdt"])
    manager.create_stream(["arr"], ["!miniTicker"])
    heard: list[Any] = []
    wanted = {"btcusdt@trade", "btcusdt@depth@100ms", "ethusdt@depth@100ms"}
    names = _wait(manager, heard, lambda names: wanted <= names)
    report.check(f"streams {sorted(names)}", wanted <= names)
    report.check("an array over all symbols", any(isinstance(one, list) for one in heard))
    manager.subscribe_to_stream(stream, channels=["kline_1m"], markets=["btcusdt"])
    names = _wait(manager, heard, lambda names: "btcusdt@kline_1m" in names)
    report.check("a later subscription", "btcusdt@kline_1m" in names)


def _wait(manager: Any, heard: list[Any], is_enough: Callable[[set[str]], bool]) -> set[str]:
    names: set[str] = set()
    end = time.monotonic() + 8
    while time.monotonic() < end and not (is_enough(names) and any(isinstance(one, list) for one in heard)):
        one = manager.pop_stream_data_from_stream_buffer()
        if one is False:
            time.sleep(0.02)
            continue
        heard.append(one)
        names |= {one["stream"]} if isinstance(one, dict) and "stream" in one else set()
    return names


def _websocket_api(manager: BinanceWebSocketApiManager, price: str, report: Report) -> None:
    events: list[Any] = []
    manager.create_stream(
        "arr", "!userData", api_key=KEY, api_secret=SECRET, output="dict", process_stream_data=events.append
    )
    stream = manager.create_stream(api=True, api_key=KEY, api_secret=SECRET, output="dict")
    time.sleep(3)
    api = manager.api.spot
    placed = report.step(
        "WebSocket API create_order",
        lambda: api.create_order(
            stream_id=stream,
            symbol=SYMBOL,
            order_type="LIMIT",
            side="BUY",
            quantity=0.01,
            price=float(price),
            time_in_force="GTC",
            return_response=True,
        ),
    )
    report.check("it is placed", _answer(placed)["status"] == 200)
    for name, more in (
        ("get_open_orders", {"symbol": SYMBOL}),
        ("cancel_open_orders", {"symbol": SYMBOL}),
        ("get_account_status", {}),
        ("get_exchange_info", {"symbols": ["BTCUSDT"]}),
        ("ping", {}),
    ):
        call = getattr(api, name)
        answer = report.step(name, lambda call=call, more=more: call(stream_id=stream, return_response=True, **more))
        report.check(f"{name} is 200", _answer(answer)["status"] == 200)
    time.sleep(1)
    kinds = [event.get("event", event).get("e") for event in events if isinstance(event, dict)]
    report.check(f"user data {kinds}", kinds.count("executionReport") == 2)


def _answer(returned: Any) -> Any:
    """Of an order it returns its number or id too."""
    if isinstance(returned, tuple):
        return next(one for one in returned if isinstance(one, dict))
    return returned or {"status": None}
