"""The WebSocket API without a socket: frames, ids, signatures, sessions, user data."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from services.mock_exchange.api.endpoints import SPOT
from services.mock_exchange.api.ws_session import method_of, refusal
from services.mock_exchange.errors import VenueError, unknown_failure
from services.mock_exchange.trading.accounts import ApiKey, KeyKind
from tests.mock_exchange.api.client import KEY, MS, RESTING, SECRET, Client, account, hmac_hex


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture(scope="module")
def lasting() -> Client:
    """For tests that leave no trace."""
    return Client()


@pytest.mark.parametrize("request_id", [1, 0, -5, 2**63 - 1, "7f-a_b", "x" * 36, None])
def test_ids_come_back_as_they_were(lasting: Client, request_id: Any) -> None:
    answer = lasting.ws("ping", request_id=request_id)
    assert list(answer) == ["id", "status", "result", "rateLimits"]
    assert answer["id"] == request_id and type(answer["id"]) is type(request_id) and answer["status"] == 200


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", -1135),
        ("{", -1135),
        (b"\xff\xfe", -1135),
        ("[]", -1135),
        ("7", -1135),
        ('{"id":NaN,"method":"ping"}', -1135),
        ("[" * 100_000, -1135),
        ('{"id":1}', -1102),
        ('{"id":1,"method":5}', -1102),
        ('{"id":1,"method":"ping","params":[]}', -1102),
        ('{"id":1,"method":"order.fly"}', -1020),
        ('{"id":1.5,"method":"ping"}', -1100),
        ('{"id":true,"method":"ping"}', -1100),
        ('{"id":9223372036854775808,"method":"ping"}', -1100),
        ('{"id":"%s","method":"ping"}' % ("x" * 37), -1100),
        ('{"id":1,"method":"ping","params":{"x":1}}', -1101),
    ],
)
def test_nonsense_gets_an_error(lasting: Client, text: str | bytes, code: int) -> None:
    answer = lasting.raw(text)
    assert (answer["status"], answer["error"]["code"]) == (400, code) and answer["error"]["msg"]
    assert lasting.ws("ping")["status"] == 200


def test_every_endpoint_has_its_method() -> None:
    methods = {endpoint.ws for endpoint in SPOT}
    assert methods >= {
        *("ping", "time", "exchangeInfo", "depth", "trades.recent", "trades.historical", "trades.aggregate"),
        *("klines", "uiKlines", "avgPrice", "ticker", "ticker.24hr", "ticker.tradingDay", "ticker.price"),
        *("ticker.book", "session.logon", "session.status", "session.logout", "session.subscriptions"),
        *("userDataStream.subscribe", "userDataStream.subscribe.signature", "userDataStream.unsubscribe"),
        *("order.place", "order.test", "order.status", "order.cancel", "order.cancelReplace"),
        *("order.amend.keepPriority", "order.amendments", "openOrders.status", "openOrders.cancelAll"),
        *("orderList.place", "orderList.place.oco", "orderList.place.oto", "orderList.place.otoco"),
        *("orderList.status", "orderList.cancel", "openOrderLists.status", "allOrders", "allOrderLists"),
        *("account.status", "account.commission", "account.rateLimits.orders", "myTrades"),
        *("myPreventedMatches", "myAllocations"),
    }


def test_version_prefix_and_arrays_in_both_spellings(client: Client) -> None:
    assert client.ws("v3/ping")["status"] == 200
    for symbols in (["BTCUSDT", "ETHBTC"], '["BTCUSDT","ETHBTC"]'):
        answer = client.ws("exchangeInfo", symbols=symbols)
        assert [symbol["symbol"] for symbol in answer["result"]["symbols"]] == ["BTCUSDT", "ETHBTC"]
    for limit in (5, "5"):
        assert len(client.ws("depth", symbol="BTCUSDT", limit=limit)["result"]["bids"]) == 5


def test_the_same_answers_as_rest(client: Client) -> None:
    placed = client.ws_signed("order.place", **RESTING)["result"]
    rest = client.ok("GET", "order", symbol="BTCUSDT", orderId=placed["orderId"])
    assert client.ws_signed("order.status", symbol="BTCUSDT", orderId=placed["orderId"])["result"] == rest
    for number in (placed["orderId"], str(placed["orderId"])):
        assert client.ws_signed("order.status", symbol="BTCUSDT", orderId=number)["result"] == rest
    gone = client.ws_signed("order.cancel", symbol="BTCUSDT", orderId=placed["orderId"])
    assert gone["result"]["status"] == "CANCELED"
    again = client.ws_signed("order.cancel", symbol="BTCUSDT", orderId=placed["orderId"])
    assert (again["status"], again["error"]) == (400, {"code": -2011, "msg": "Unknown order sent."})


def test_rate_limits_are_told_unless_not_wanted(client: Client) -> None:
    told = client.ws_signed("order.place", **RESTING)["rateLimits"]
    kinds = [(limit["rateLimitType"], limit["interval"], limit["count"]) for limit in told]
    assert kinds == [("ORDERS", "SECOND", 1), ("ORDERS", "DAY", 1), ("REQUEST_WEIGHT", "MINUTE", 2)]
    refused = client.ws_signed("order.place", **RESTING | {"quantity": "110"})
    assert [limit["count"] for limit in refused["rateLimits"]] == [1, 1, 3]
    assert len(client.ws("time")["rateLimits"]) == 1
    assert "rateLimits" not in client.ws("time", returnRateLimits=False)
    assert "rateLimits" not in client.ws("time", returnRateLimits="false")
    assert "rateLimits" not in client.ws_signed("openOrders.status", returnRateLimits=False)
    quiet = client.open(tells_limits=False)
    assert "rateLimits" not in client.ws("time", quiet)
    assert "rateLimits" in client.ws("time", quiet, returnRateLimits=True)


def test_signatures_cover_numbers_as_they_were_written(client: Client) -> None:
    for quantity in ("0.0100", "1.0E-2", "0.01"):
        stamp = (client.now_ns + MS) // MS
        words = {**RESTING, "quantity": quantity, "apiKey": KEY, "timestamp": stamp}
        signature = hmac_hex("&".join(f"{name}={words[name]}" for name in sorted(words)))
        params = json.dumps(words | {"quantity": "@", "signature": signature}).replace('"@"', quantity)
        answer = client.raw(f'{{"id":1,"method":"order.place","params":{params}}}')
        assert answer["status"] == (400 if "E" in quantity else 200), answer
        assert "E" not in quantity or answer["error"]["code"] == -1100


def test_a_percent_encoded_payload_is_taken_too(client: Client) -> None:
    sent = {"apiKey": KEY, "timestamp": (client.now_ns + MS) // MS, "symbol": "BTCUSDT", "newClientOrderId": "a b/c"}
    encoded = hmac_hex(urlencode(sorted(sent.items())))
    plain = hmac_hex("&".join(f"{name}={sent[name]}" for name in sorted(sent)))
    for signature, code in ((encoded, -1100), (plain, -1100)):
        answer = client.ws("orderList.cancel", **sent, orderListId=1, signature=signature)
        assert answer["error"]["code"] == code, "the id is looked at before the signature"
    del sent["newClientOrderId"]
    assert client.ws("openOrders.cancelAll", **sent, signature="0" * 64)["error"]["code"] == -1022


def test_who_sends_must_show_it(client: Client) -> None:
    sent = {"apiKey": KEY, "timestamp": client.now_ns // MS}
    assert client.ws("account.status")["error"]["code"] == -1102
    assert client.ws("account.status", **sent)["error"]["code"] == -1102
    wrong = client.ws_signed("account.status", secret="wrong")
    assert (wrong["status"], wrong["error"]["code"]) == (400, -1022)
    unknown = client.ws_signed("account.status", apiKey="nobody")
    assert (unknown["status"], unknown["error"]["code"]) == (401, -2015)
    assert client.ws_signed("account.status", apiKey="no good")["error"]["code"] == -2014
    assert client.ws_signed("account.status", timestamp=1)["error"]["code"] == -1021


def test_a_session_needs_no_signature_until_it_logs_out(client: Client) -> None:
    assert client.ws("session.status")["result"]["apiKey"] is None
    on = client.ws_signed("session.logon")["result"]
    assert list(on) == [
        *("apiKey", "authorizedSince", "connectedSince", "returnRateLimits", "serverTime", "userDataStream"),
    ]
    assert (on["apiKey"], on["authorizedSince"], on["userDataStream"]) == (KEY, client.now_ns // MS, False)
    assert client.ws("session.status")["result"]["apiKey"] == KEY

    def stamped(method: str, **params: Any) -> dict[str, Any]:
        return client.ws(method, **params, timestamp=(client.now_ns + MS) // MS)

    assert stamped("order.place", **RESTING)["status"] == 200
    assert client.ws("order.place", **RESTING)["error"]["code"] == -1102, "the time is needed still"
    assert client.ws("account.status", timestamp=1)["error"]["code"] == -1021
    other = client.open()
    assert client.ws("account.status", other, timestamp=client.now_ns // MS)["error"]["code"] == -1102
    assert client.ws("session.logout")["result"]["apiKey"] is None
    assert stamped("account.status")["error"]["code"] == -1102


def test_an_ed25519_logon() -> None:
    private = Ed25519PrivateKey.generate()
    pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    client = Client(specs=(account("one", ApiKey("pair", pem, KeyKind.ED25519), USDT=1),))
    stamp = (client.now_ns + MS) // MS
    signature = base64.b64encode(private.sign(f"apiKey=pair&timestamp={stamp}".encode())).decode()
    assert client.ws("session.logon", apiKey="pair", timestamp=stamp, signature=signature)["status"] == 200
    assert client.ws("account.status", timestamp=client.now_ns // MS)["result"]["uid"] == 1


def test_a_placed_order_is_heard_of_from_its_subscription_on(client: Client) -> None:
    client.order()
    assert client.heard == []
    assert client.ws_signed("userDataStream.subscribe.signature")["result"] == {"subscriptionId": 0}
    order = client.ok("POST", "order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.01")
    assert {one["subscriptionId"] for one in client.heard} == {0}
    kinds = [one["event"]["e"] for one in client.heard]
    assert kinds == ["executionReport", "outboundAccountPosition"] * (len(kinds) // 2)
    new, *trades = client.events()
    assert (new["x"], new["X"], new["C"], new["N"]) == ("NEW", "NEW", "", None)
    assert [trade["x"] for trade in trades] == ["TRADE"] * len(order["fills"]) and trades[-1]["X"] == "FILLED"
    assert [trade["t"] for trade in trades] == [fill["tradeId"] for fill in order["fills"]]
    assert trades[-1]["z"] == order["executedQty"] and trades[-1]["Z"] == order["cummulativeQuoteQty"]


def test_one_subscription_per_account_and_connection(client: Client) -> None:
    client.ws_signed("session.logon")
    assert client.ws("userDataStream.subscribe")["result"] == {"subscriptionId": 0}
    twice = client.ws_signed("userDataStream.subscribe.signature")
    assert (twice["status"], twice["error"]["code"]) == (400, -2035)
    other = client.open()
    assert client.ws_signed("userDataStream.subscribe.signature", other)["result"] == {"subscriptionId": 0}
    client.order()
    assert len(client.events()) == 2, "both connections hear"
    assert client.ws("session.subscriptions")["result"] == [{"subscriptionId": 0}]
    assert client.ws("userDataStream.subscribe", client.open())["error"]["code"] == -2015


def test_the_end_of_a_subscription_is_told_after_the_answer(client: Client) -> None:
    client.ws_signed("userDataStream.subscribe.signature")
    assert client.ws("userDataStream.unsubscribe", subscriptionId=7)["error"]["code"] == -2036
    client.now_ns += MS
    texts = client.session.handle(
        '{"id":2,"method":"userDataStream.unsubscribe","params":{"subscriptionId":0}}', client.now_ns
    )
    assert json.loads(texts[0])["result"] == {}
    assert json.loads(texts[1]) == {
        "subscriptionId": 0,
        "event": {"e": "eventStreamTerminated", "E": client.now_ns // MS},
    }
    client.order()
    assert client.heard == []
    assert client.ws_signed("userDataStream.subscribe.signature")["result"] == {"subscriptionId": 1}


def test_logging_out_ends_what_rested_on_it_alone(client: Client) -> None:
    specs = (
        account("one", ApiKey(KEY, SECRET), USDT=1000),
        account("two", ApiKey("second-key", "second-secret"), USDT=1000),
    )
    client = Client(specs=specs)
    client.ws_signed("session.logon")
    client.ws("userDataStream.subscribe")
    client.ws_signed("userDataStream.subscribe.signature", apiKey="second-key", secret="second-secret")
    client.ws("session.logout")
    assert [one["subscriptionId"] for one in client.heard] == [0]
    assert client.ws("session.subscriptions")["result"] == [{"subscriptionId": 1}]


def test_a_key_taken_away(client: Client) -> None:
    client.ws_signed("session.logon")
    client.ws("userDataStream.subscribe")
    client.api.revoke(KEY, client.now_ns)
    assert [one["event"]["e"] for one in client.heard] == ["eventStreamTerminated"]
    assert client.refused("GET", "account")[:2] == (401, -2015)
    assert client.ws("account.status", timestamp=client.now_ns // MS)["error"]["code"] == -1102


def test_a_closed_connection_hears_nothing(client: Client) -> None:
    client.ws_signed("userDataStream.subscribe.signature")
    client.session.close()
    client.order()
    assert client.heard == []


def test_cancels_name_both_ids_and_times_can_be_microseconds(client: Client) -> None:
    fine = client.open(time_unit="MICROSECOND")
    client.ws_signed("userDataStream.subscribe.signature", fine)
    client.order(newClientOrderId="mine")
    client.ok("DELETE", "order", symbol="BTCUSDT", origClientOrderId="mine", newClientOrderId="bye")
    new, gone = client.events()
    assert (new["c"], new["C"], gone["c"], gone["C"], gone["x"]) == ("mine", "", "bye", "mine", "CANCELED")
    assert gone["E"] == gone["T"] == client.now_ns // 1000
    with pytest.raises(VenueError) as error:
        client.open(time_unit="HOUR")
    assert error.value.code == -1194


def test_answers_given_in_a_sessions_place() -> None:
    text = '{"id":"a","method":"v3/order.place"}'
    assert method_of(text) == "order.place" and method_of("{") == ""
    told = json.loads(refusal(text, unknown_failure()))
    assert (told["id"], told["status"], told["error"]["code"]) == ("a", 500, -1000)
    assert json.loads(refusal("{", unknown_failure()))["id"] is None
