"""Public endpoints, paths and methods."""

from __future__ import annotations

import json

import pytest

from services.mock_exchange.api.endpoints import SPOT, USDM
from services.mock_exchange.errors import VenueError
from tests.mock_exchange.api.client import MS, Client


@pytest.fixture(scope="module")
def client() -> Client:
    return Client()


def test_ping_and_time(client: Client) -> None:
    assert client.get("ping") == (200, {})
    assert client.get("time") == (200, {"serverTime": client.now_ns // MS})
    answer = client.send("GET", "/api/v3/time", headers={"x-mbx-time-unit": "microsecond"})
    assert json.loads(answer.body) == {"serverTime": client.now_ns // 1000}
    answer = client.send("GET", "/api/v3/time", headers={"x-mbx-time-unit": "hour"})
    assert json.loads(answer.body)["code"] == -1194


@pytest.mark.parametrize(("limit", "levels"), [(None, 100), ("5", 5), ("1000", 1000), ("5000", None), ("9999", None)])
def test_depth_respects_its_limit(client: Client, limit: str | None, levels: int | None) -> None:
    status, body = client.get("depth", symbol="BTCUSDT", **({"limit": limit} if limit else {}))
    assert status == 200 and body["lastUpdateId"] > 0
    assert levels is None or len(body["bids"]) == len(body["asks"]) == levels
    assert float(body["bids"][0][0]) < float(body["asks"][0][0])


@pytest.mark.parametrize(
    ("limit", "weight"), [("", 5), ("&limit=100", 5), ("&limit=101", 25), ("&limit=501", 50), ("&limit=9999", 250)]
)
def test_depth_weighs_by_its_limit(limit: str, weight: int) -> None:
    answer = Client().send("GET", "/api/v3/depth", f"symbol=BTCUSDT{limit}")
    assert answer.headers["X-MBX-USED-WEIGHT-1M"] == str(weight)


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("depth", "", -1102),
        ("depth", "symbol=", -1102),
        ("depth", "symbol=NOPEUSDT", -1121),
        ("depth", "symbol=btcusdt", -1100),
        ("depth", "symbol=BTC/USDT", -1100),
        ("depth", "symbol=BTCUSDT&limit=ten", -1100),
        ("depth", "symbol=BTCUSDT&limit=-5", -1100),
        ("depth", "symbol=BTCUSDT&limit=0", -1130),
        ("depth", "symbol=BTCUSDT&symbol=ETHUSDT", -1101),
        ("depth", "symbol=BTCUSDT&depth=5", -1104),
        ("exchangeInfo", "symbol=NOPE", -1121),
        ("exchangeInfo", "symbols=BTCUSDT", -1100),
        ("exchangeInfo", 'symbols=["BTCUSDT","NOPE"]', -1121),
        ("exchangeInfo", 'symbol=BTCUSDT&symbols=["BTCUSDT"]', -1128),
        ("exchangeInfo", "symbol=BTCUSDT&symbolStatus=TRADING", -1128),
        ("exchangeInfo", "symbolStatus=GONE", -1122),
        ("exchangeInfo", "showPermissionSets=maybe", -1100),
        ("ping", "x=1", -1101),
    ],
)
def test_refusals_have_the_venues_codes(client: Client, path: str, query: str, code: int) -> None:
    answer = client.send("GET", f"/api/v3/{path}", query)
    body = json.loads(answer.body)
    assert (answer.status, body["code"]) == (400, code)
    assert set(body) == {"code", "msg"} and body["msg"] and answer.media_type.startswith("application/json")


def test_exchange_info_of_all_of_one_and_of_some(client: Client) -> None:
    def names(**params: str) -> list[str]:
        return [symbol["symbol"] for symbol in client.get("exchangeInfo", **params)[1]["symbols"]]

    assert names() == ["BTCUSDT", "ETHUSDT", "ETHBTC"]
    assert names(symbol="ETHBTC") == ["ETHBTC"]
    assert names(symbols='["ETHBTC","BTCUSDT"]') == ["ETHBTC", "BTCUSDT"]
    assert names(permissions="SPOT") == names(permissions='["MARGIN","SPOT"]') == names()
    assert names(permissions="MARGIN") == [] and names(symbolStatus="TRADING") == names()


def test_exchange_info_knows_of_halts_and_hides_permission_sets() -> None:
    client = Client()
    client.exchange.books["BTCUSDT"].halt()
    body = client.get("exchangeInfo", symbolStatus="HALT", showPermissionSets="false")[1]
    assert [(symbol["symbol"], symbol["status"]) for symbol in body["symbols"]] == [("BTCUSDT", "HALT")]
    assert body["symbols"][0]["permissionSets"] == [] == body["symbols"][0]["permissions"]
    assert body["symbols"][0]["filters"][0]["filterType"] == "PRICE_FILTER"
    assert "contractType" not in body["symbols"][0]


def test_unknown_paths_methods_and_what_is_gone(client: Client) -> None:
    for method, path, status in (
        ("GET", "/api/v3/nope", 404),
        ("GET", "/", 404),
        ("POST", "/api/v3/ping", 405),
        ("PATCH", "/api/v3/order", 405),
        ("POST", "/api/v3/userDataStream", 410),
        ("PUT", "/api/v3/userDataStream", 410),
    ):
        answer = client.send(method, path)
        assert (answer.status, answer.media_type) == (status, "text/html")
        assert answer.body.startswith(b"<html>")


def test_a_key_on_public_requests_is_not_looked_at(client: Client) -> None:
    for key in ("", "None", "öäü"):
        assert client.send("GET", "/api/v3/time", headers={"x-mbx-apikey": key}).status == 200


def test_what_clients_load_beside_spot(client: Client) -> None:
    assert json.loads(client.send("GET", "/sapi/v1/system/status").body) == {"status": 0, "msg": "normal"}
    for path in ("/fapi/v1/exchangeInfo", "/dapi/v1/exchangeInfo"):
        assert json.loads(client.send("GET", path).body)["symbols"] == []
    for path in ("capital/config/getall", "margin/allPairs", "margin/isolated/allPairs"):
        assert client.ok("GET", f"/sapi/v1/{path}", recvWindow=10000) == []
    one = client.ok("GET", "/sapi/v1/asset/tradeFee", symbol="ETHBTC")
    assert one == [{"symbol": "ETHBTC", "makerCommission": "0.00100000", "takerCommission": "0.00100000"}]
    assert len(client.ok("GET", "/sapi/v1/asset/tradeFee")) == 3
    assert client.ok("GET", "/sapi/v1/account/status") == {"data": "Normal"}
    rights = client.ok("GET", "/sapi/v1/account/apiRestrictions")
    assert rights["enableReading"] and rights["enableSpotAndMarginTrading"] and not rights["enableWithdrawals"]
    assert client.send("GET", "/sapi/v1/capital/config/getall").status == 400


def test_the_table_names_nothing_twice() -> None:
    rest = [endpoint.rest for endpoint in SPOT if endpoint.rest]
    methods = [endpoint.ws for endpoint in SPOT if endpoint.ws]
    assert len(set(rest)) == len(rest) and len(set(methods)) == len(methods)
    for endpoint in SPOT:
        names = [param.name for param in endpoint.params]
        assert len(set(names)) == len(names), endpoint.rest
        assert endpoint.weighs({}) > 0
        if endpoint.security.is_signed:
            assert not {"timestamp", "signature", "recvWindow"}.intersection(names)


def test_replayed_usdm_has_its_own_table() -> None:
    assert {endpoint.rest for endpoint in USDM} == {
        f"GET /fapi/v1/{name}" for name in ("ping", "time", "exchangeInfo", "depth")
    }
    (depth,) = (endpoint for endpoint in USDM if endpoint.rest == "GET /fapi/v1/depth")
    assert [depth.weighs({"limit": str(limit)}) for limit in (50, 100, 500, 1000)] == [2, 5, 10, 20]
    with pytest.raises(VenueError):
        depth.params[1].read("limit", "7")
