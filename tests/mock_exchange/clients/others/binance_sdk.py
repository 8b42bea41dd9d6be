"""binance-sdk-spot. Its answers go into models of strict types: a warning of it is a deviation from the venue."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from binance_common.errors import BadRequestError
from binance_sdk_spot.spot import (
    ConfigurationRestAPI,
    ConfigurationWebSocketAPI,
    ConfigurationWebSocketStreams,
    Spot,
)

from tests.mock_exchange.clients.others.report import Report
from tests.mock_exchange.clients.pointing import KEY, SECRET

SYMBOL = "BTCUSDT"
LIMIT = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "time_in_force": "GTC", "quantity": 0.01}


class _Warnings(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


def run(address: str, report: Report, seconds: float) -> None:
    """Everything, against the mock exchange at `address`."""
    warnings = _Warnings()
    logging.getLogger().addHandler(warnings)
    try:
        rest = Spot(ConfigurationRestAPI(KEY, SECRET, base_path=f"http://{address}")).rest_api
        _market_data(rest, report)
        price = _trading(rest, report)
        asyncio.run(_streams(address, report))
        asyncio.run(_websocket_api(address, price, report))
    finally:
        logging.getLogger().removeHandler(warnings)
    untyped = [text for text in warnings.texts if "did not match" in text or "Failed to parse" in text]
    report.check(f"every answer is of the declared types {untyped}", not untyped)


def _market_data(rest: Any, report: Report) -> None:
    calls: dict[str, Callable[[], Any]] = {
        "ping": rest.ping,
        "time": rest.time,
        "exchange_info": rest.exchange_info,
        "exchange_info of one": lambda: rest.exchange_info(symbol=SYMBOL),
        "exchange_info of some": lambda: rest.exchange_info(symbols=["BTCUSDT", "ETHUSDT"]),
        "depth": lambda: rest.depth(symbol=SYMBOL, limit=5),
        "get_trades": lambda: rest.get_trades(symbol=SYMBOL),
        "historical_trades": lambda: rest.historical_trades(symbol=SYMBOL),
        "agg_trades": lambda: rest.agg_trades(symbol=SYMBOL),
        "klines": lambda: rest.klines(symbol=SYMBOL, interval="1m", limit=5),
        "ui_klines": lambda: rest.ui_klines(symbol=SYMBOL, interval="1h"),
        "avg_price": lambda: rest.avg_price(symbol=SYMBOL),
        "ticker24hr": lambda: rest.ticker24hr(symbol=SYMBOL),
        "ticker24hr of some": lambda: rest.ticker24hr(symbols=["BTCUSDT", "ETHUSDT"]),
        "ticker24hr of all": rest.ticker24hr,
        "ticker_trading_day": lambda: rest.ticker_trading_day(symbol=SYMBOL),
        "ticker_price": rest.ticker_price,
        "ticker_price of one": lambda: rest.ticker_price(symbol=SYMBOL),
        "ticker_book_ticker": rest.ticker_book_ticker,
        "ticker_book_ticker of one": lambda: rest.ticker_book_ticker(symbol=SYMBOL),
        "ticker": lambda: rest.ticker(symbol=SYMBOL, window_size="1h"),
    }
    for name, call in calls.items():
        report.step(name, lambda call=call: _model(call()))


def _model(answer: Any) -> Any:
    """The answer's model, with nothing in it that the model does not know, and the headers' limits."""
    data = answer.data()
    assert answer.rate_limits
    rows = data if isinstance(data, list) else [data]
    for row in rows:
        row = getattr(row, "actual_instance", None) or row
        unknown = getattr(row, "additional_properties", None)
        assert not unknown, f"unknown to the venue's own client: {unknown}"
    return data


def _trading(rest: Any, report: Report) -> float:
    bid = float(rest.depth(symbol=SYMBOL, limit=5).data().bids[0][0])
    price = round(bid * 0.9, 2)
    resting = {**LIMIT, "price": price}

    def step(name: str, **more: Any) -> Any:
        return report.step(name, lambda: _model(getattr(rest, name.split()[0])(**more)))

    step("get_account", omit_zero_balances=True)
    step("account_commission", symbol=SYMBOL)
    step("rate_limit_order")
    step("order_test", symbol=SYMBOL, side="BUY", type="MARKET", quantity=1.0)
    step(
        "order_test with rates", symbol=SYMBOL, side="BUY", type="MARKET", quantity=1.0, compute_commission_rates=True
    )
    refusal = report.refused(
        "a quantity of 1e-05", BadRequestError, lambda: rest.new_order(**{**resting, "quantity": 0.00001})
    )
    report.check(f"is -1100 {refusal}", "-1100" in str(refusal.args) or "Illegal" in str(refusal))
    first = step("new_order", **resting)
    step("new_order at the market", symbol=SYMBOL, side="BUY", type="MARKET", quantity=0.02)
    step("new_order with a stop", symbol=SYMBOL, side="SELL", type="STOP_LOSS", quantity=0.02, stop_price=price)
    step("new_order of ACK", **resting, new_order_resp_type="ACK")
    step("new_order of RESULT", **resting, new_order_resp_type="RESULT")
    step("get_order", symbol=SYMBOL, order_id=first.order_id)
    step("order_amend_keep_priority", symbol=SYMBOL, order_id=first.order_id, new_qty=0.009)
    step("order_amendments", symbol=SYMBOL, order_id=first.order_id)
    replaced = step(
        "order_cancel_replace", **resting, cancel_replace_mode="STOP_ON_FAILURE", cancel_order_id=first.order_id
    )
    step("delete_order", symbol=SYMBOL, order_id=replaced.new_order_response.order_id)
    oco = {"symbol": SYMBOL, "side": "SELL", "quantity": 0.01, "above_type": "LIMIT_MAKER", "below_type": "STOP_LOSS"}
    pair = step("order_list_oco", **oco, above_price=round(bid * 1.2, 2), below_stop_price=price)
    step("get_order_list", order_list_id=pair.order_list_id)
    step("all_order_list")
    step("open_order_list")
    step("delete_order_list", symbol=SYMBOL, order_list_id=pair.order_list_id)
    working = {"working_type": "LIMIT", "working_side": "BUY", "working_price": price, "working_quantity": 0.01}
    pending = {"pending_type": "MARKET", "pending_side": "SELL", "pending_quantity": 0.01}
    step("order_list_oto", symbol=SYMBOL, working_time_in_force="GTC", **working, **pending)
    step("get_open_orders")
    step("delete_open_orders", symbol=SYMBOL)
    step("all_orders", symbol=SYMBOL)
    step("my_trades", symbol=SYMBOL)
    step("my_prevented_matches", symbol=SYMBOL, order_id=first.order_id)
    refusal = report.refused(
        "cancel it again", BadRequestError, lambda: rest.delete_order(symbol=SYMBOL, order_id=first.order_id)
    )
    return price


async def _streams(address: str, report: Report) -> None:
    client = Spot(config_ws_streams=ConfigurationWebSocketStreams(stream_url=f"ws://{address}")).websocket_streams
    connection = await client.create_connection()
    heard: dict[str, list[Any]] = {}
    made = {
        "agg_trade": {"symbol": SYMBOL},
        "trade": {"symbol": SYMBOL},
        "diff_book_depth": {"symbol": SYMBOL, "update_speed": "100ms"},
        "partial_book_depth": {"symbol": SYMBOL, "levels": "5", "update_speed": "100ms"},
        "book_ticker": {"symbol": SYMBOL},
        "kline": {"symbol": SYMBOL, "interval": "1m"},
        "mini_ticker": {"symbol": SYMBOL},
        "ticker": {"symbol": SYMBOL},
        "avg_price": {"symbol": SYMBOL},
        "rolling_window_ticker": {"symbol": SYMBOL, "window_size": "1h"},
        "all_mini_ticker": {},
        "all_market_rolling_window_ticker": {"window_size": "1h"},
    }
    for name, asked in made.items():
        stream = await report.wait(f"stream {name}", getattr(connection, name)(**asked))
        if stream is not None:
            heard[name] = []
            stream.on("message", heard[name].append)
        await asyncio.sleep(0.25)  # Five messages a second, no more.
    await asyncio.sleep(2.5)
    for name, messages in heard.items():
        report.check(f"{name} is heard", bool(messages))
        for row in messages[0] if messages and isinstance(messages[0], list) else messages[:1]:
            unknown = getattr(row, "additional_properties", None)
            report.check(f"{name} holds what the model knows {unknown or ''}", not unknown)
    await report.wait("list_subscribe", connection.list_subscribe())
    await connection.close_connection(close_session=True)


async def _websocket_api(address: str, price: float, report: Report) -> None:
    configuration = ConfigurationWebSocketAPI(KEY, SECRET, stream_url=f"ws://{address}/ws-api/v3")
    connection = await Spot(config_ws_api=configuration).websocket_api.create_connection()
    events: list[Any] = []

    async def step(name: str, **more: Any) -> Any:
        answer = await report.wait(f"ws {name}", getattr(connection, name.split()[0])(**more))
        if answer is None:
            return None
        data = report.step(f"ws {name} is a model", answer.data)
        return getattr(data, "result", None)

    user = await report.wait("user data", connection.user_data_stream_subscribe_signature())
    user.stream.on("message", events.append)
    placed = await step("order_place", **{**LIMIT, "price": price})
    await step("order_status", symbol=SYMBOL, order_id=placed.order_id)
    await step("order_cancel", symbol=SYMBOL, order_id=placed.order_id)
    await step("order_test", symbol=SYMBOL, side="BUY", type="MARKET", quantity=0.01)
    for name, more in (
        ("ping", {}),
        ("time", {}),
        ("account_status", {}),
        ("account_commission", {"symbol": SYMBOL}),
        ("account_rate_limits_orders", {}),
        ("all_orders", {"symbol": SYMBOL}),
        ("my_trades", {"symbol": SYMBOL}),
        ("open_orders_status", {}),
        ("depth", {"symbol": SYMBOL, "limit": 5}),
        ("klines", {"symbol": SYMBOL, "interval": "1m", "limit": 5}),
        ("ticker24hr", {"symbol": SYMBOL}),
        ("ticker_price", {"symbol": SYMBOL}),
        ("ticker_book", {"symbols": ["BTCUSDT", "ETHUSDT"]}),
        ("avg_price", {"symbol": SYMBOL}),
        ("trades_recent", {"symbol": SYMBOL, "limit": 5}),
        ("exchange_info", {"symbols": ["BTCUSDT"]}),
        ("session_subscriptions", {}),
    ):
        await step(name, **more)
    await asyncio.sleep(0.5)
    report.check(f"two reports and positions were heard: {len(events)}", len(events) >= 4)
    await connection.close_connection(close_session=True)
