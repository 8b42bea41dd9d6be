"""REST answers and refusals, without a socket."""

from __future__ import annotations

import json

import pytest

from common.config import MockExchangeConfig
from services.mock_exchange.api.rest import RestApi
from services.mock_exchange.simulation.simulated_exchange import SimulatedExchange
from tests.mock_exchange.build import START_NS


@pytest.fixture(scope="module")
def api() -> RestApi:
    return RestApi(SimulatedExchange(MockExchangeConfig()))


def get(api: RestApi, path: str, *params: tuple[str, str], now_ns: int = START_NS) -> tuple[int, dict]:
    answer = api.get(f"/api/v3/{path}", params, now_ns)
    return answer.status, json.loads(answer.body)


def test_ping_and_time(api: RestApi) -> None:
    assert get(api, "ping") == (200, {})
    assert get(api, "time") == (200, {"serverTime": START_NS // 1_000_000})


@pytest.mark.parametrize(("limit", "levels"), [(None, 100), ("5", 5), ("1000", 1000), ("5000", None), ("9999", None)])
def test_depth_respects_its_limit(api: RestApi, limit: str | None, levels: int | None) -> None:
    params = [("symbol", "BTCUSDT")] + ([("limit", limit)] if limit else [])
    status, body = get(api, "depth", *params)
    assert status == 200 and body["lastUpdateId"] > 0
    assert levels is None or len(body["bids"]) == len(body["asks"]) == levels
    assert float(body["bids"][0][0]) < float(body["asks"][0][0])


@pytest.mark.parametrize(
    ("path", "params", "code"),
    [
        ("depth", [], -1102),
        ("depth", [("symbol", "")], -1102),
        ("depth", [("symbol", "NOPEUSDT")], -1121),
        ("depth", [("symbol", "btcusdt")], -1100),
        ("depth", [("symbol", "BTC/USDT")], -1100),
        ("depth", [("symbol", "BTCUSDT"), ("limit", "ten")], -1100),
        ("depth", [("symbol", "BTCUSDT"), ("limit", "-5")], -1100),
        ("depth", [("symbol", "BTCUSDT"), ("limit", "0")], -1130),
        ("depth", [("symbol", "BTCUSDT"), ("symbol", "ETHUSDT")], -1101),
        ("depth", [("symbol", "BTCUSDT"), ("depth", "5")], -1104),
        ("exchangeInfo", [("symbol", "NOPE")], -1121),
        ("exchangeInfo", [("symbols", "BTCUSDT")], -1100),
        ("exchangeInfo", [("symbols", '["BTCUSDT","NOPE"]')], -1121),
        ("exchangeInfo", [("symbol", "BTCUSDT"), ("symbols", '["BTCUSDT"]')], -1128),
        ("ping", [("x", "1")], -1104),
    ],
)
def test_refusals_have_the_venues_codes(api: RestApi, path: str, params: list, code: int) -> None:
    status, body = get(api, path, *params)
    assert (status, body["code"]) == (400, code)
    assert set(body) == {"code", "msg"} and body["msg"]


def test_exchange_info_of_all_of_one_and_of_some(api: RestApi) -> None:
    def names(*params: tuple[str, str]) -> list[str]:
        return [symbol["symbol"] for symbol in get(api, "exchangeInfo", *params)[1]["symbols"]]

    assert names() == ["BTCUSDT", "ETHUSDT", "ETHBTC"]
    assert names(("symbol", "ETHBTC")) == ["ETHBTC"]
    assert names(("symbols", '["ETHBTC","BTCUSDT"]')) == ["ETHBTC", "BTCUSDT"]


def test_weight_is_counted_by_calendar_minute() -> None:
    api = RestApi(SimulatedExchange(MockExchangeConfig()))
    minute_ns = 60_000_000_000
    start_ns = START_NS // minute_ns * minute_ns
    get(api, "ping", now_ns=start_ns)
    get(api, "depth", ("symbol", "BTCUSDT"), ("limit", "1000"), now_ns=start_ns + minute_ns - 1)
    assert api.used_weight == 51
    get(api, "depth", ("symbol", "BTCUSDT"), ("limit", "5000"), now_ns=start_ns + minute_ns)
    assert api.used_weight == 250
