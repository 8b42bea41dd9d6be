"""Single orders: what is asked, what is answered, what is refused."""

from __future__ import annotations

import json

import pytest

from common.config.mock_accounts import MockLimitsConfig
from tests.mock_exchange.api.client import MS, RESTING, Client, hmac_hex

_MARKET = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET"}


@pytest.fixture
def client() -> Client:
    return Client()


def test_answers_tell_as_much_as_asked(client: Client) -> None:
    ack = ["symbol", "orderId", "orderListId", "clientOrderId", "transactTime"]
    result = [
        *ack,
        *("price", "origQty", "executedQty", "origQuoteOrderQty", "cummulativeQuoteQty", "status", "timeInForce"),
        *("type", "side", "workingTime", "selfTradePreventionMode"),
    ]
    assert list(client.order(newOrderRespType="ACK")) == ack
    assert list(client.order(newOrderRespType="RESULT")) == result
    assert list(client.order(newOrderRespType="FULL")) == [*result, "fills"] == list(client.order())
    assert client.order()["fills"] == []
    maker = {"type": "LIMIT_MAKER", "symbol": "BTCUSDT", "side": "BUY", "quantity": "0.01", "price": "50000"}
    assert list(client.ok("POST", "order", **maker)) == ack
    filled = client.ok("POST", "order", **_MARKET, quoteOrderQty="1000")
    assert filled["status"] == "FILLED" and filled["origQuoteOrderQty"] == "1000.00000000"
    assert list(filled["fills"][0]) == ["price", "qty", "commission", "commissionAsset", "tradeId"]
    assert filled["fills"][0]["commissionAsset"] == "BTC"


def test_fields_that_are_there_only_for_orders_that_have_them(client: Client) -> None:
    stop = {
        "symbol": "BTCUSDT",
        "side": "SELL",
        "type": "STOP_LOSS_LIMIT",
        "timeInForce": "GTC",
        "quantity": "0.01",
        "price": "40000",
        "stopPrice": "41000",
        "newOrderRespType": "FULL",
    }
    order = client.ok("POST", "order", **stop, strategyId=7, strategyType=1_000_001, icebergQty="0.005")
    assert order["stopPrice"] == "41000.00000000" and order["workingTime"] == -1
    assert (order["strategyId"], order["strategyType"], order["icebergQty"]) == (7, 1_000_001, "0.00500000")
    trailing = {"symbol": "BTCUSDT", "side": "SELL", "type": "STOP_LOSS", "quantity": "0.01", "trailingDelta": 100}
    number = client.ok("POST", "order", **trailing)["orderId"]
    row = client.ok("GET", "order", symbol="BTCUSDT", orderId=number)
    assert row["trailingDelta"] == 100 and row["trailingTime"] <= row["updateTime"]
    row = client.ok("GET", "order", symbol="BTCUSDT", orderId=order["orderId"])
    assert row["isWorking"] is False and row["time"] == order["transactTime"]


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        ({"symbol": "NOPE"}, -1121, "Invalid symbol."),
        ({"side": "buy"}, -1117, "Invalid side."),
        ({"type": "LIMITED"}, -1116, "Invalid orderType."),
        ({"timeInForce": "GTX"}, -1115, "Invalid timeInForce."),
        (
            {"timeInForce": None},
            -1102,
            "Mandatory parameter 'timeInForce' was not sent, was empty/null, or malformed.",
        ),
        ({"price": None}, -1102, "Mandatory parameter 'price' was not sent, was empty/null, or malformed."),
        ({"quantity": "1e-05"}, -1100, None),
        ({"quantity": "0.000000001"}, -1111, "Parameter 'quantity' has too much precision."),
        ({"quantity": "0.000001"}, -1013, "Filter failure: LOT_SIZE"),
        ({"price": "50000.001"}, -1013, "Filter failure: PRICE_FILTER"),
        ({"price": "1000"}, -1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
        ({"quantity": "0.00001"}, -1013, "Filter failure: NOTIONAL"),
        ({"quantity": "8999"}, -1013, "Filter failure: NOTIONAL"),
        ({"quantity": "101"}, -2010, "Account has insufficient balance for requested action."),
        ({"stopPrice": "1"}, -1106, "Parameter 'stopPrice' sent when not required."),
        ({"quoteOrderQty": "1"}, -1106, "Parameter 'quoteOrderQty' sent when not required."),
        ({"type": "MARKET", "timeInForce": None}, -1106, "Parameter 'price' sent when not required."),
        ({"type": "MARKET", "price": None}, -1106, "Parameter 'timeInForce' sent when not required."),
        (
            {"type": "MARKET", "price": None, "timeInForce": None, "quantity": None},
            -1102,
            "Param 'quantity' or 'quoteOrderQty' must be sent, but both were empty/null!",
        ),
        (
            {"type": "MARKET", "price": None, "timeInForce": None, "quoteOrderQty": "10"},
            -1128,
            "Combination of optional parameters invalid.",
        ),
        (
            {"type": "STOP_LOSS_LIMIT"},
            -1102,
            "Param 'stopPrice' or 'trailingDelta' must be sent, but both were empty/null!",
        ),
        (
            {"type": "LIMIT_MAKER", "timeInForce": None, "price": "90000"},
            -2010,
            "Order would immediately match and take.",
        ),
        (
            {"newClientOrderId": "a b"},
            -1100,
            "Illegal characters found in parameter 'newClientOrderId'; legal range is '^[a-zA-Z0-9-_]{1,36}$'.",
        ),
        ({"newClientOrderId": "a" * 37}, -1100, None),
        ({"strategyType": "5"}, -1134, "strategyType was less than 1000000."),
        ({"newOrderRespType": "ALL"}, -1130, "Data sent for parameter 'newOrderRespType' is not valid."),
        (
            {"selfTradePreventionMode": "TRANSFER"},
            -1130,
            "Data sent for parameter 'selfTradePreventionMode' is not valid.",
        ),
        ({"leverage": "5"}, -1104, "Not all sent parameters were read; read '8' parameter(s) but was sent '9'."),
    ],
)
def test_refused_orders_leave_nothing_behind(client: Client, change: dict, code: int, message: str | None) -> None:
    sent = {name: value for name, value in (RESTING | change).items() if value is not None}
    expected = client.refused("POST", "order/test", **sent)
    assert client.refused("POST", "order", **sent) == expected
    assert expected[:2] == (400, code) and message in (None, expected[2])
    assert client.ok("GET", "openOrders") == []
    assert client.ok("GET", "rateLimit/order")[0]["count"] == 0


def test_trailing_zeros_are_fine_and_icebergs_need_gtc(client: Client) -> None:
    order = client.order(quantity="0.010000000000", price="50000.0000")
    assert (order["origQty"], order["price"]) == ("0.01000000", "50000.00000000")
    assert client.order(icebergQty="0.005")["icebergQty"] == "0.00500000"
    assert client.refused("POST", "order", **RESTING | {"timeInForce": "IOC", "icebergQty": "0.005"})[1] == -1014


def test_testing_places_nothing_and_tells_of_commissions(client: Client) -> None:
    assert client.ok("POST", "order/test", **RESTING) == {}
    told = client.ok("POST", "order/test", **RESTING, computeCommissionRates="true")
    assert told["standardCommissionForOrder"] == {"maker": "0.00100000", "taker": "0.00100000"}
    assert client.ok("GET", "allOrders", symbol="BTCUSDT") == []


def test_a_duplicate_client_id_is_refused_while_the_order_is_open(client: Client) -> None:
    client.order(newClientOrderId="mine")
    refusal = client.refused("POST", "order", **RESTING, newClientOrderId="mine")
    assert refusal == (400, -2010, "Duplicate order sent.")
    client.ok("DELETE", "order", symbol="BTCUSDT", origClientOrderId="mine")
    assert client.order(newClientOrderId="mine")["clientOrderId"] == "mine"


def test_cancelling(client: Client) -> None:
    order = client.order(newClientOrderId="mine")
    for params in ({"orderId": 999}, {"origClientOrderId": "other"}, {"orderId": 999, "origClientOrderId": "mine"}):
        assert client.refused("DELETE", "order", symbol="BTCUSDT", **params)[1:] == (-2011, "Unknown order sent.")
    both_missing = "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!"
    assert client.refused("DELETE", "order", symbol="BTCUSDT") == (400, -1102, both_missing)
    one = {"symbol": "BTCUSDT", "orderId": order["orderId"]}
    wrong = client.refused("DELETE", "order", **one, cancelRestrictions="ONLY_PARTIALLY_FILLED")
    assert wrong[1:] == (-2011, "Order was not canceled due to cancel restrictions.")
    assert client.refused("DELETE", "order", **one, cancelRestrictions="NONE")[1] == -1145
    gone = client.ok("DELETE", "order", **one, newClientOrderId="the-cancel", cancelRestrictions="ONLY_NEW")
    assert (gone["origClientOrderId"], gone["clientOrderId"], gone["status"]) == ("mine", "the-cancel", "CANCELED")
    assert list(gone)[:6] == [
        "symbol",
        "origClientOrderId",
        "orderId",
        "orderListId",
        "clientOrderId",
        "transactTime",
    ]
    assert client.refused("GET", "order", symbol="BTCUSDT", orderId=999) == (400, -2013, "Order does not exist.")


def test_cancelling_everything_lists_included(client: Client) -> None:
    assert client.refused("DELETE", "openOrders", symbol="BTCUSDT")[1:] == (-2011, "Unknown order sent.")
    client.order()
    client.ok("POST", "order", **RESTING | {"symbol": "ETHUSDT", "price": "2000", "quantity": "0.1"})
    oco = {"aboveType": "LIMIT_MAKER", "abovePrice": "70000", "belowType": "STOP_LOSS", "belowStopPrice": "50000"}
    client.ok("POST", "orderList/oco", symbol="BTCUSDT", side="SELL", quantity="0.01", **oco)
    single, ended = client.ok("DELETE", "openOrders", symbol="BTCUSDT")
    assert single["status"] == "CANCELED" and single["orderListId"] == -1
    assert ended["contingencyType"] == "OCO" and ended["listOrderStatus"] == "ALL_DONE"
    assert [report["status"] for report in ended["orderReports"]] == ["CANCELED", "CANCELED"]
    assert [order["symbol"] for order in client.ok("GET", "openOrders")] == ["ETHUSDT"]


def test_cancel_replace_in_its_four_ways(client: Client) -> None:
    first = client.order()["orderId"]
    new = RESTING | {"price": "49000.00"}
    path, stop, allow = "order/cancelReplace", "STOP_ON_FAILURE", "ALLOW_FAILURE"
    done = client.ok("POST", path, **new, cancelReplaceMode=stop, cancelOrderId=first, cancelNewClientOrderId="c")
    assert list(done) == ["cancelResult", "newOrderResult", "cancelResponse", "newOrderResponse"]
    assert done["cancelResult"] == done["newOrderResult"] == "SUCCESS"
    assert done["cancelResponse"]["clientOrderId"] == "c"
    assert done["newOrderResponse"]["price"] == "49000.00000000" and "fills" in done["newOrderResponse"]

    def fails(**params: object) -> tuple[int, dict]:
        answer = client.signed("POST", path, **params)
        return answer.status, json.loads(answer.body)

    status, body = fails(**new, cancelReplaceMode=stop, cancelOrderId=first)
    assert (status, body["code"]) == (400, -2022)
    assert body["data"] == {
        "cancelResult": "FAILURE",
        "newOrderResult": "NOT_ATTEMPTED",
        "cancelResponse": {"code": -2011, "msg": "Unknown order sent."},
        "newOrderResponse": None,
    }
    status, body = fails(**new, cancelReplaceMode=allow, cancelOrderId=first)
    assert (status, body["code"], body["msg"]) == (409, -2021, "Order cancel-replace partially failed.")
    second = body["data"]["newOrderResponse"]["orderId"]
    too_much = new | {"quantity": "150"}
    status, body = fails(**too_much, cancelReplaceMode=allow, cancelOrderId=first)
    assert (status, body["code"], body["msg"]) == (400, -2022, "Order cancel-replace failed.")
    status, body = fails(**too_much, cancelReplaceMode=stop, cancelOrderId=second)
    assert (status, body["code"]) == (409, -2021)
    assert body["data"]["cancelResponse"]["status"] == "CANCELED"
    assert body["data"]["newOrderResponse"]["code"] == -2010
    assert fails(**new, cancelReplaceMode=stop)[1]["code"] == -1102
    assert fails(**new, cancelReplaceMode="SOMEHOW", cancelOrderId=1)[1]["code"] == -1130
    assert client.ok("GET", "rateLimit/order")[0]["count"] == 3, "three were placed, whatever became of the cancel"


def test_cancel_replace_when_orders_are_used_up() -> None:
    client = Client(MockLimitsConfig(orders_per_10_s=2))
    one, two = client.order()["orderId"], client.order()["orderId"]
    new = RESTING | {"cancelReplaceMode": "STOP_ON_FAILURE"}
    assert client.refused("POST", "order/cancelReplace", **new, cancelOrderId=one)[:2] == (429, -1015)
    assert len(client.ok("GET", "openOrders")) == 2
    only = new | {"orderRateLimitExceededMode": "CANCEL_ONLY"}
    answer = client.signed("POST", "order/cancelReplace", **only, cancelOrderId=two)
    body = json.loads(answer.body)
    assert (answer.status, body["code"]) == (429, -2021) and int(answer.headers["Retry-After"]) <= 10
    assert body["data"]["cancelResponse"]["status"] == "CANCELED"
    assert body["data"]["newOrderResponse"]["code"] == -1015
    assert [order["orderId"] for order in client.ok("GET", "openOrders")] == [one]


def test_amending_keeps_the_order(client: Client) -> None:
    order = client.order(newClientOrderId="old", quantity="0.02")
    one = {"symbol": "BTCUSDT", "orderId": order["orderId"]}
    done = client.ok("PUT", "order/amend/keepPriority", **one, newQty="0.01", newClientOrderId="new")
    assert list(done) == ["transactTime", "executionId", "amendedOrder"]
    told = done["amendedOrder"]
    assert (told["origClientOrderId"], told["clientOrderId"], told["qty"]) == ("old", "new", "0.01000000")
    assert client.ok("GET", "order", **one)["clientOrderId"] == "new"
    (step,) = client.ok("GET", "order/amendments", **one)
    assert (step["origQty"], step["newQty"], step["executionId"]) == ("0.02000000", "0.01000000", done["executionId"])
    assert client.ok("GET", "order/amendments", **one, fromExecutionId=done["executionId"] + 1) == []
    assert client.refused("PUT", "order/amend/keepPriority", **one, newQty="0.05")[1] == -2038
    assert client.refused("PUT", "order/amend/keepPriority", **one)[1] == -1102


def test_pages_of_orders_and_trades(client: Client) -> None:
    for _ in range(3):
        client.ok("POST", "order", **_MARKET, quantity="0.001")
    orders = client.ok("GET", "allOrders", symbol="BTCUSDT")
    assert [order["orderId"] for order in orders] == sorted(order["orderId"] for order in orders)
    assert len(client.ok("GET", "allOrders", symbol="BTCUSDT", limit=2)) == 2
    assert client.ok("GET", "allOrders", symbol="BTCUSDT", orderId=orders[1]["orderId"]) == orders[1:]
    trades = client.ok("GET", "myTrades", symbol="BTCUSDT")
    assert len(trades) == 3 and list(trades[0]) == [
        *("symbol", "id", "orderId", "orderListId", "price", "qty", "quoteQty", "commission", "commissionAsset"),
        *("time", "isBuyer", "isMaker", "isBestMatch"),
    ]
    assert client.ok("GET", "myTrades", symbol="BTCUSDT", orderId=orders[2]["orderId"]) == trades[2:]
    assert client.ok("GET", "myTrades", symbol="BTCUSDT", fromId=trades[1]["id"]) == trades[1:]
    assert client.ok("GET", "myTrades", symbol="BTCUSDT", startTime=client.now_ns // MS + 1000) == []
    day = {"symbol": "BTCUSDT", "startTime": 0, "endTime": 86_400_001}
    for path in ("allOrders", "myTrades"):
        assert client.refused("GET", path, **day) == (400, -1127, "More than 24 hours between startTime and endTime.")
    assert client.refused("GET", "myTrades", symbol="BTCUSDT", fromId=1, startTime=1)[1] == -1128


@pytest.mark.parametrize(
    ("path", "params", "weight"),
    [
        ("openOrders", {}, 80),
        ("openOrders", {"symbol": "BTCUSDT"}, 6),
        ("allOrders", {"symbol": "BTCUSDT"}, 20),
        ("myTrades", {"symbol": "BTCUSDT"}, 20),
        ("myTrades", {"symbol": "BTCUSDT", "orderId": 1}, 5),
        ("account", {}, 20),
        ("rateLimit/order", {}, 40),
        ("myPreventedMatches", {"symbol": "BTCUSDT", "preventedMatchId": 1}, 2),
        ("openOrderList", {}, 6),
        ("allOrderList", {}, 20),
    ],
)
def test_weights(path: str, params: dict, weight: int) -> None:
    assert Client().signed("GET", path, **params).headers["X-MBX-USED-WEIGHT-1M"] == str(weight)


def test_times_in_microseconds(client: Client) -> None:
    payload = "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.01"
    payload += f"&timestamp={(client.now_ns + MS) // MS}"
    answer = client.send(
        "POST",
        "/api/v3/order",
        f"{payload}&signature={hmac_hex(payload)}",
        headers={"x-mbx-time-unit": "MICROSECOND"},
    )
    assert json.loads(answer.body)["transactTime"] == client.now_ns // 1000


def test_who_asks_to_spend_an_amount_must_own_it() -> None:
    """Also where the book holds less than that for sale."""
    told = Client().refused("POST", "order", **_MARKET, quoteOrderQty="5000001")
    assert told == (400, -2010, "Account has insufficient balance for requested action.")
