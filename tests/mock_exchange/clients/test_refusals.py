"""What the venue refuses, by its code, text and HTTP status: over real sockets, by REST and by the WebSocket API."""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import urlencode

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect

from tests.mock_exchange.clients.pointing import KEY, SECRET
from tests.mock_exchange.clients.process import Mock

LIMIT = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01"}
SELL = {"symbol": "BTCUSDT", "side": "SELL", "quantity": "0.01"}
UNKNOWN = {"symbol": "BTCUSDT", "orderId": 987654321}
TAKEN = "taken-1"
#: method and path of REST, and the method of the WebSocket API.
ORDER, CANCEL, QUERY, ACCOUNT, DEPTH = (
    ("POST", "order", "order.place"),
    ("DELETE", "order", "order.cancel"),
    ("GET", "order", "order.status"),
    ("GET", "account", "account.status"),
    ("GET", "depth", "depth"),
)


class Case(NamedTuple):
    """A request, what is done to it, and the refusal. Prices are shares of the best bid."""

    request: tuple[str, str, str]
    params: dict[str, Any]
    status: int
    code: int
    message: str
    key: str | None = KEY
    secret: str = SECRET
    stamp_ms: int = 0


CASES = {
    "wrong signature": Case(
        ACCOUNT, {}, 400, -1022, "Signature for this request is not valid.", secret="another-secret"
    ),
    "no such key": Case(
        ACCOUNT, {}, 401, -2015, "Invalid API-key, IP, or permissions for action.", key="no-such-key-at-all"
    ),
    "key of a wrong form": Case(ACCOUNT, {}, 401, -2014, "API-key format invalid.", key="?"),
    "old timestamp": Case(
        ORDER, LIMIT | {"price": 0.9}, 400, -1021,
        "Timestamp for this request is outside of the recvWindow.", stamp_ms=-10_000,
    ),
    "timestamp of the future": Case(
        ORDER, LIMIT | {"price": 0.9}, 400, -1021,
        "Timestamp for this request was 1000ms ahead of the server's time.", stamp_ms=5_000,
    ),
    "bad symbol": Case(ORDER, LIMIT | {"symbol": "DOGEUSDT", "price": 0.9}, 400, -1121, "Invalid symbol."),
    "bad symbol, unsigned": Case(DEPTH, {"symbol": "DOGEUSDT"}, 400, -1121, "Invalid symbol.", key=None),
    "price off the tick": Case(
        ORDER, LIMIT | {"price": "50000.001"}, 400, -1013, "Filter failure: PRICE_FILTER"
    ),
    "quantity off the step": Case(
        ORDER, LIMIT | {"quantity": "0.0100001", "price": 0.9}, 400, -1013, "Filter failure: LOT_SIZE"
    ),
    "worth too little": Case(
        ORDER, LIMIT | {"quantity": "0.00001", "price": 0.9}, 400, -1013, "Filter failure: NOTIONAL"
    ),
    "price too far away": Case(
        ORDER, LIMIT | {"quantity": "1", "price": 0.1}, 400, -1013, "Filter failure: PERCENT_PRICE_BY_SIDE"
    ),
    "too fine a number": Case(
        ORDER, LIMIT | {"price": "50000.000000001"}, 400, -1111, "Parameter 'price' has too much precision."
    ),
    "not a number": Case(
        ORDER, LIMIT | {"quantity": "1e-05", "price": 0.9}, 400, -1100,
        "Illegal characters found in parameter 'quantity'; legal range is '^([0-9]{1,20})(\\.[0-9]{1,20})?$'.",
    ),
    "no price": Case(
        ORDER, LIMIT, 400, -1102, "Mandatory parameter 'price' was not sent, was empty/null, or malformed."
    ),
    "a parameter too many": Case(
        ORDER, LIMIT | {"type": "LIMIT_MAKER", "price": 0.9}, 400, -1106,
        "Parameter 'timeInForce' sent when not required.",
    ),
    "no such type": Case(ORDER, LIMIT | {"type": "FANCY", "price": 0.9}, 400, -1116, "Invalid orderType."),
    "no such side": Case(ORDER, LIMIT | {"side": "LONG", "price": 0.9}, 400, -1117, "Invalid side."),
    "duplicate client id": Case(
        ORDER, LIMIT | {"price": 0.9, "newClientOrderId": TAKEN}, 400, -2010, "Duplicate order sent."
    ),
    "insufficient balance": Case(
        ORDER, LIMIT | {"side": "SELL", "quantity": "120", "price": 1.1}, 400, -2010,
        "Account has insufficient balance for requested action.",
    ),
    "a maker that would take": Case(
        ORDER, SELL | {"type": "LIMIT_MAKER", "price": 0.9}, 400, -2010,
        "Order would immediately match and take.",
    ),
    "a stop that would trigger": Case(
        ORDER, SELL | {"type": "STOP_LOSS", "stopPrice": 1.1}, 400, -2010,
        "Stop price would trigger immediately.",
    ),
    "cancel of the unknown": Case(CANCEL, UNKNOWN, 400, -2011, "Unknown order sent."),
    "query of the unknown": Case(QUERY, UNKNOWN, 400, -2013, "Order does not exist."),
}  # fmt: skip


@pytest.fixture(scope="module")
def bid(mock: Mock) -> float:
    with httpx.Client(base_url=f"http://{mock.address}/api/v3", trust_env=False) as client:
        return float(client.get("/depth?symbol=BTCUSDT&limit=5").json()["bids"][0][0])


@pytest.fixture(scope="module")
def rest(mock: Mock, bid: float) -> Iterator[Callable[[Case], tuple[int, Any]]]:
    with httpx.Client(base_url=f"http://{mock.address}/api/v3", trust_env=False) as client:

        def send(case: Case) -> tuple[int, Any]:
            method, path, _ = case.request
            query = urlencode(priced(case, bid) | stamp(case))
            if case.key is not None:
                query += f"&signature={hmac.new(case.secret.encode(), query.encode(), 'sha256').hexdigest()}"
            headers = {"X-MBX-APIKEY": case.key} if case.key else {}
            answer = client.request(method, f"/{path}?{query}", headers=headers)
            assert answer.headers["content-type"].startswith("application/json")
            return answer.status_code, answer.json()

        placed = send(Case(ORDER, LIMIT | {"price": 0.9, "newClientOrderId": TAKEN}, 200, 0, ""))
        assert placed[0] == 200, placed
        yield send


@pytest.fixture(scope="module")
def socket(mock: Mock, rest: object) -> Iterator[ClientConnection]:
    with connect(f"ws://{mock.address}/ws-api/v3") as connection:
        yield connection


def priced(case: Case, bid: float) -> dict[str, Any]:
    shares = {name: f"{value * bid:.2f}" for name, value in case.params.items() if isinstance(value, float)}
    return case.params | shares


def stamp(case: Case) -> dict[str, int]:
    return {} if case.key is None else {"timestamp": int(time.time() * 1000) + case.stamp_ms}


@pytest.mark.parametrize("name", CASES)
def test_rest(rest: Callable[[Case], tuple[int, Any]], name: str) -> None:
    case = CASES[name]
    status, body = rest(case)
    assert (status, body) == (case.status, {"code": case.code, "msg": case.message})


@pytest.mark.parametrize("name", CASES)
def test_the_websocket_api(socket: ClientConnection, bid: float, name: str) -> None:
    case = CASES[name]
    params = priced(case, bid) | stamp(case)
    if case.key is not None:
        params["apiKey"] = case.key
        payload = "&".join(f"{key}={params[key]}" for key in sorted(params))
        params["signature"] = hmac.new(case.secret.encode(), payload.encode(), "sha256").hexdigest()
    socket.send(
        json.dumps({"id": name.replace(" ", "-").replace(",", ""), "method": case.request[2], "params": params})
    )
    answer = json.loads(socket.recv(5))
    assert (answer["status"], answer["error"]) == (case.status, {"code": case.code, "msg": case.message})
