"""Order lists over REST: parameters of legs, answers, cancels."""

from __future__ import annotations

import pytest

from tests.mock_exchange.api.client import Client

_WHOLE = {"symbol": "BTCUSDT", "side": "SELL", "quantity": "0.01"}
_OCO = {"aboveType": "LIMIT_MAKER", "abovePrice": "70000", "belowType": "STOP_LOSS", "belowStopPrice": "50000"}
_WORKING = {
    "symbol": "BTCUSDT",
    "workingType": "LIMIT",
    "workingSide": "BUY",
    "workingPrice": "50000",
    "workingQuantity": "0.01",
    "workingTimeInForce": "GTC",
}


@pytest.fixture
def client() -> Client:
    return Client()


def test_an_oco_its_answer_and_its_queries(client: Client) -> None:
    ids = {"listClientOrderId": "list", "aboveClientOrderId": "up", "belowClientOrderId": "down"}
    placed = client.ok("POST", "orderList/oco", **_WHOLE, **_OCO, **ids)
    assert list(placed) == [
        *("orderListId", "contingencyType", "listStatusType", "listOrderStatus", "listClientOrderId"),
        *("transactionTime", "symbol", "orders", "orderReports"),
    ]
    assert placed["contingencyType"] == "OCO" and placed["listOrderStatus"] == "EXECUTING"
    assert {order["clientOrderId"] for order in placed["orders"]} == {"up", "down"}
    reports = {report["clientOrderId"]: report for report in placed["orderReports"]}
    assert reports["down"]["stopPrice"] == "50000.00000000" and reports["down"]["workingTime"] == -1
    assert reports["up"]["price"] == "70000.00000000" and "fills" not in reports["up"]
    found = client.ok("GET", "orderList", orderListId=placed["orderListId"])
    assert found == client.ok("GET", "orderList", origClientOrderId="list") and "orderReports" not in found
    assert client.ok("GET", "openOrderList") == client.ok("GET", "allOrderList") == [found]
    assert client.ok("GET", "rateLimit/order")[0]["count"] == 2
    ended = client.ok("DELETE", "orderList", symbol="BTCUSDT", listClientOrderId="list", newClientOrderId="bye")
    assert ended["listOrderStatus"] == "ALL_DONE"
    assert [report["clientOrderId"] for report in ended["orderReports"]] == ["bye", "bye"]
    assert client.ok("GET", "openOrderList") == [] == client.ok("GET", "openOrders")


def test_the_old_oco(client: Client) -> None:
    placed = client.ok(
        *("POST", "order/oco"),
        **_WHOLE,
        price="70000",
        stopPrice="50000",
        stopLimitPrice="49000",
        stopLimitTimeInForce="GTC",
    )
    kinds = {report["type"]: report for report in placed["orderReports"]}
    assert set(kinds) == {"LIMIT_MAKER", "STOP_LOSS_LIMIT"}
    assert kinds["STOP_LOSS_LIMIT"]["price"] == "49000.00000000"
    plain = client.ok("POST", "order/oco", **_WHOLE | {"side": "BUY"}, price="50000", stopPrice="70000")
    assert {report["type"] for report in plain["orderReports"]} == {"LIMIT_MAKER", "STOP_LOSS"}


def test_one_triggers_the_other_and_both(client: Client) -> None:
    pending = {"pendingSide": "SELL", "pendingQuantity": "0.01"}
    placed = client.ok(
        "POST", "orderList/oto", **_WORKING, **pending, pendingType="LIMIT_MAKER", pendingPrice="70000"
    )
    assert [report["status"] for report in placed["orderReports"]] == ["NEW", "PENDING_NEW"]
    legs = {f"pending{name[0].upper()}{name[1:]}": value for name, value in _OCO.items()}
    placed = client.ok("POST", "orderList/otoco", **_WORKING, **pending, **legs, newOrderRespType="FULL")
    assert [report["status"] for report in placed["orderReports"]] == ["NEW", "PENDING_NEW", "PENDING_NEW"]
    assert placed["contingencyType"] == "OTO" and "fills" in placed["orderReports"][0]
    assert client.ok("GET", "rateLimit/order")[0]["count"] == 5


@pytest.mark.parametrize(
    ("change", "code", "about"),
    [
        ({"abovePrice": None}, -1102, "'abovePrice'"),
        ({"belowType": None}, -1102, "'belowType'"),
        ({"belowStopPrice": None}, -1102, "'belowStopPrice' or 'belowTrailingDelta'"),
        ({"belowPrice": "1"}, -1106, "'belowPrice'"),
        ({"aboveTimeInForce": "GTC"}, -1106, "'aboveTimeInForce'"),
        ({"belowStopPrice": "65000"}, -2010, "relationship of the prices"),
        ({"symbol": "NOPE"}, -1121, "Invalid symbol."),
        ({"quantity": "110"}, -2010, "insufficient balance"),
    ],
)
def test_refused_lists(client: Client, change: dict, code: int, about: str) -> None:
    sent = {name: value for name, value in (_WHOLE | _OCO | change).items() if value is not None}
    status, found, message = client.refused("POST", "orderList/oco", **sent)
    assert (status, found) == (400, code) and about in message
    assert client.ok("GET", "openOrders") == [] and client.ok("GET", "rateLimit/order")[0]["count"] == 0


def test_lists_there_are_not(client: Client) -> None:
    assert client.refused("GET", "orderList", orderListId=9) == (400, -2018, "Order list does not exist.")
    assert client.refused("GET", "orderList")[1] == -1102
    assert client.refused("DELETE", "orderList", symbol="BTCUSDT", orderListId=9)[1] == -2011
