"""Expired orders say why: in the answer, in queries and in the report."""

from __future__ import annotations

import pytest

from tests.mock_exchange.api.client import Client


@pytest.fixture
def client() -> Client:
    made = Client()
    made.ws_signed("userDataStream.subscribe.signature")
    return made


def price(client: Client, share: float) -> str:
    _, book = client.get("depth", symbol="BTCUSDT", limit=5)
    return f"{float(book['bids'][0][0]) * share:.2f}"


@pytest.mark.parametrize(
    ("time_in_force", "reason"),
    [("IOC", "UNFILLED_IOC_QUANTITY_EXPIRED"), ("FOK", "UNFILLED_FOK_ORDER_EXPIRED")],
)
def test_what_could_not_trade_at_once(client: Client, time_in_force: str, reason: str) -> None:
    order = client.order(timeInForce=time_in_force, price=price(client, 0.9))
    assert (order["status"], order["expiryReason"]) == ("EXPIRED", reason)
    assert client.ok("GET", "order", symbol="BTCUSDT", orderId=order["orderId"])["expiryReason"] == reason
    assert [report.get("eR") for report in client.events()] == [None, reason]


def test_what_the_other_order_of_a_list_ended(client: Client) -> None:
    leg = {"aboveType": "STOP_LOSS", "aboveStopPrice": price(client, 1.1)}
    below = {"belowType": "LIMIT_MAKER", "belowPrice": price(client, 0.9999)}
    pair = client.ok("POST", "orderList/oco", symbol="BTCUSDT", side="BUY", quantity="0.01", **leg, **below)
    taken = client.ok("POST", "order", symbol="BTCUSDT", side="SELL", type="MARKET", quantity="1",
                      selfTradePreventionMode="NONE")  # fmt: skip
    ids = {one["type"]: one["orderId"] for one in pair["orderReports"]}
    stop = client.ok("GET", "order", symbol="BTCUSDT", orderId=ids["STOP_LOSS"])
    assert taken["status"] == "FILLED"
    assert (stop["status"], stop["expiryReason"]) == ("EXPIRED", "OCO_TRIGGER")


def test_orders_that_did_not_expire_give_no_reason(client: Client) -> None:
    order = client.order(price=price(client, 0.9))
    client.ok("DELETE", "order", symbol="BTCUSDT", orderId=order["orderId"])
    assert all("expiryReason" not in one for one in client.ok("GET", "allOrders", symbol="BTCUSDT"))
    assert all("eR" not in report for report in client.events())
