"""Whatever comes in, a refusal in the venue's form goes out, and nothing is raised."""

from __future__ import annotations

import json
import string
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.config.mock_accounts import MockLimitsConfig
from services.mock_exchange.api.endpoints import SPOT
from services.mock_exchange.api.messages import Request
from tests.mock_exchange.api.client import KEY, MS, Client, hmac_hex

_FAST = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
_REST = [endpoint for endpoint in SPOT if endpoint.rest and "userDataStream" not in endpoint.rest]
_NAMES = sorted({param.name for endpoint in SPOT for param in endpoint.params} | {"timestamp", "signature"})
_WORDS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["BTCUSDT", "BUY", "SELL", "LIMIT", "MARKET", "STOP_LOSS", "GTC", "1", "0", "50000", "0.01", "1m"]
    ),
    st.integers(-(10**25), 10**25).map(str),
    st.text(string.digits + ".", max_size=30),
)
_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def client() -> Client:
    return Client(MockLimitsConfig(request_weight_per_minute=10**9, orders_per_10_s=10**9, orders_per_day=10**9))


def holds_form(status: int, body: Any) -> None:
    assert status in (200, 400, 401, 409)
    if status != 200:
        assert set(body) <= {"code", "msg", "data"} and isinstance(body["msg"], str) and body["msg"]
        assert isinstance(body["code"], int) and body["code"] < 0 and body["code"] != -1000


@_FAST
@given(st.sampled_from(_REST), st.binary(max_size=60), st.binary(max_size=60))
def test_any_bytes(client: Client, endpoint: Any, query: bytes, body: bytes) -> None:
    method, path = endpoint.rest.split(" ")
    answer = client.api.answer(Request(method, path, query, body, {"x-mbx-apikey": KEY}), client.now_ns)
    holds_form(answer.status, json.loads(answer.body))


@_FAST
@given(st.sampled_from(_REST), st.dictionaries(st.sampled_from(_NAMES), _WORDS, max_size=8), st.booleans())
def test_any_values_well_signed(client: Client, endpoint: Any, values: dict[str, str], keeps: bool) -> None:
    """Signed rightly, so that the handlers are reached; half of the time only with names the endpoint knows."""
    known = {param.name for param in endpoint.params}
    values = {name: value for name, value in values.items() if not keeps or name in known}
    values = {"symbol": "BTCUSDT"} | values if "symbol" in known else values
    if endpoint.security.is_signed:
        values |= {"timestamp": str(client.now_ns // MS)}
        values.pop("signature", None)
    text = urlencode(values, errors="replace")
    if endpoint.security.is_signed:
        text += "&signature=" + hmac_hex(text)
    method, path = endpoint.rest.split(" ")
    request = Request(method, path, text.encode(), b"", {"x-mbx-apikey": KEY})
    answer = client.api.answer(request, client.now_ns)
    holds_form(answer.status, json.loads(answer.body))


@_FAST
@given(st.text(max_size=80) | st.binary(max_size=80))
def test_any_text_on_a_connection(client: Client, text: str | bytes) -> None:
    answer = json.loads(client.session.handle(text, client.now_ns)[0])
    assert answer["status"] == 400 and answer["error"]["code"] < 0 and answer["error"]["msg"]


@_FAST
@given(
    st.sampled_from([endpoint.ws for endpoint in SPOT if endpoint.ws]) | st.text(max_size=12),
    _JSON | st.dictionaries(st.sampled_from([*_NAMES, "apiKey", "returnRateLimits"]), _JSON | _WORDS, max_size=6),
    _JSON,
)
def test_any_request_on_a_connection(client: Client, method: str, params: Any, request_id: Any) -> None:
    text = json.dumps({"id": request_id, "method": method, "params": params})
    for one in client.session.handle(text, client.now_ns):
        answer = json.loads(one)
        if "event" in answer:
            continue
        if answer["status"] == 410:
            assert answer["error"]["code"] == -1020
            continue
        holds_form(answer["status"], answer.get("error"))
