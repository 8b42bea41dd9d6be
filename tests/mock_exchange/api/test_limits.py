"""Counters, their windows, and what happens to those who do not keep to them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.config.mock_accounts import MockLimitsConfig
from services.mock_exchange.api.limits import LONGEST_BAN_NS, MAX_ADDRESSES, PATIENCE, LimitError, Limits
from services.mock_exchange.errors import VenueError
from tests.mock_exchange.api.client import RESTING, Client
from tests.mock_exchange.build import START_NS

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
_START = START_NS // MINUTE_NS * MINUTE_NS
_SMALL = MockLimitsConfig(request_weight_per_minute=100, orders_per_10_s=3, orders_per_day=5, ban_ms=1000)


def over(limits: Limits, now_ns: int, ip: str = "a") -> LimitError:
    try:
        limits.admit(ip, now_ns)
        limits.charge(ip, 101, now_ns)
    except LimitError as error:
        return error
    raise AssertionError("nothing was refused")


def test_weight_is_the_calendar_minutes_and_the_addresses() -> None:
    limits = Limits(_SMALL)
    limits.charge("a", 90, _START + MINUTE_NS - 1)
    limits.charge("b", 5, _START + MINUTE_NS - 1)
    assert limits.used_weight("a", _START + MINUTE_NS - 1) == 90
    assert limits.used_weight("b", _START + MINUTE_NS - 1) == 5
    assert limits.used_weight("a", _START + MINUTE_NS) == 0
    limits.charge("a", 100, _START + MINUTE_NS)
    with pytest.raises(LimitError) as error:
        limits.charge("a", 1, _START + MINUTE_NS + SECOND_NS // 2)
    assert (error.value.code, error.value.status, error.value.retry_after_s) == (-1003, 429, 60)
    assert error.value.message == (
        "Too much request weight used; current limit is 100 request weight per 1 MINUTE. "
        "Please use WebSocket Streams for live updates to avoid polling the API."
    )


def test_who_goes_on_is_banned_and_longer_each_time() -> None:
    limits, now_ns = Limits(_SMALL), _START
    lengths_ns = []
    for _ in range(30):
        for _ in range(PATIENCE):
            assert over(limits, now_ns).status == 429
        assert over(limits, now_ns).status == 429
        banned = over(limits, now_ns)
        assert banned.status == 418 and banned.code == -1003
        until_ns = limits._addresses["a"].banned_until_ns
        assert f"IP banned until {until_ns // 1_000_000}." in banned.message
        assert banned.retry_after_s == -(-(until_ns - now_ns) // SECOND_NS)
        limits.admit("b", now_ns)
        lengths_ns.append(until_ns - now_ns)
        now_ns = (until_ns // MINUTE_NS + 1) * MINUTE_NS
        limits.admit("a", now_ns)
    doubling = [min(SECOND_NS << number, LONGEST_BAN_NS) for number in range(30)]
    assert lengths_ns == doubling and lengths_ns[-1] == LONGEST_BAN_NS


def test_raw_requests_and_connections() -> None:
    limits = Limits(MockLimitsConfig(raw_requests_per_5_minutes=3, connections_per_5_minutes=2))
    limits.connect("a", _START)
    limits.connect("a", _START)
    with pytest.raises(LimitError) as error:
        limits.connect("a", _START)
    assert (error.value.code, error.value.status) == (-1034, 429)
    with pytest.raises(LimitError, match="Too many requests"):
        limits.admit("a", _START)


def test_orders_count_when_they_are_taken() -> None:
    limits = Limits(_SMALL)
    counts = lambda now_ns: [count for _, count in limits.order_counts(1, now_ns)]  # noqa: E731
    for _ in range(3):
        with limits.taking_orders(1, 1, _START):
            pass
    with pytest.raises(VenueError), limits.taking_orders(2, 1, _START):
        raise VenueError(-2010, "no")
    assert counts(_START) == [3, 3] and [count for _, count in limits.order_counts(2, _START)] == [0, 0]
    with pytest.raises(LimitError) as error:
        limits.check_orders(1, 1, _START + 4 * SECOND_NS)
    assert error.value.message == "Too many new orders; current limit is 3 orders per 10 SECOND."
    assert (error.value.code, error.value.status, error.value.retry_after_s) == (-1015, 429, 6)
    limits.check_orders(1, 2, _START + 10 * SECOND_NS)
    with pytest.raises(LimitError, match="5 orders per 1 DAY"):
        limits.check_orders(1, 3, _START + 10 * SECOND_NS)
    limits.first_fill(1, _START + 10 * SECOND_NS)
    assert counts(_START + 10 * SECOND_NS) == [0, 2]


@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 30))))
def test_a_count_is_never_negative(steps: list[tuple[int, int]]) -> None:
    limits, now_ns = Limits(), _START
    for amount, seconds in steps:
        now_ns += seconds * SECOND_NS
        limits._add_orders(1, amount, now_ns)
        assert all(count >= 0 for _, count in limits.order_counts(1, now_ns))


def test_addresses_are_forgotten_the_banned_last() -> None:
    limits = Limits()
    limits.ban("bad", _START)
    for number in range(3 * MAX_ADDRESSES):
        limits.admit(str(number), _START + number)
    assert len(limits._addresses) <= MAX_ADDRESSES
    with pytest.raises(LimitError):
        limits.admit("bad", _START + SECOND_NS)


def test_headers_of_rest_and_rate_limits_of_the_websocket_api_are_one_count() -> None:
    client = Client()
    client.now_ns = _START
    before = client.ws("ping", request_id="p")["rateLimits"]
    client.session.ip = "127.0.0.1"
    answer = client.send("GET", "/api/v3/depth", "symbol=BTCUSDT&limit=1000")
    assert answer.headers["X-MBX-USED-WEIGHT"] == answer.headers["X-MBX-USED-WEIGHT-1M"] == "50"
    (weight,) = client.ws("ping")["rateLimits"]
    assert weight == before[0] | {"count": 51}
    assert "X-MBX-ORDER-COUNT-10S" not in answer.headers


def test_placements_are_free_when_they_succeed_and_count_until_they_trade() -> None:
    client = Client()
    answer = client.signed("POST", "order", **RESTING)
    assert answer.headers["X-MBX-USED-WEIGHT-1M"] == "0"
    assert (answer.headers["X-MBX-ORDER-COUNT-10S"], answer.headers["X-MBX-ORDER-COUNT-1D"]) == ("1", "1")
    answer = client.signed("POST", "order", **RESTING | {"price": "1"})
    assert answer.status == 400 and answer.headers["X-MBX-USED-WEIGHT-1M"] == "1"
    answer = client.signed("POST", "order", **RESTING | {"price": "90000"})
    assert json.loads(answer.body)["status"] == "FILLED" and answer.headers["X-MBX-ORDER-COUNT-10S"] == "1"
    answer = client.signed("DELETE", "openOrders", symbol="BTCUSDT")
    assert answer.status == 200 and answer.headers["X-MBX-USED-WEIGHT-1M"] == "1"
    told = client.ok("GET", "rateLimit/order")
    assert [(row["interval"], row["intervalNum"], row["limit"], row["count"]) for row in told] == [
        ("SECOND", 10, 100, 1),
        ("DAY", 1, 200_000, 1),
    ]


def test_too_many_orders_and_a_ban_over_rest() -> None:
    client = Client(_SMALL)
    client.now_ns = _START
    for _ in range(3):
        client.order()
    answer = client.signed("POST", "order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.01")
    assert answer.status == 429 and json.loads(answer.body) == {
        "code": -1015,
        "msg": "Too many new orders; current limit is 3 orders per 10 SECOND.",
    }
    assert answer.headers["Retry-After"] == "10"
    statuses = [client.send("GET", "/api/v3/exchangeInfo").status for _ in range(20)]
    assert statuses == [200] * 4 + [429] * 11 + [418] * 5
    last = client.send("GET", "/api/v3/ping")
    assert last.status == 418 and "IP banned until" in json.loads(last.body)["msg"]
    assert int(last.headers["Retry-After"]) == 1
    assert client.ws("ping")["status"] == 200, "another address is not banned"
    client.session.ip = "127.0.0.1"
    refused = client.ws("ping")
    assert (
        refused["status"] == 418 and refused["error"]["data"]["retryAfter"] > refused["error"]["data"]["serverTime"]
    )


def test_exchange_info_tells_of_the_limits_that_hold() -> None:
    client = Client(_SMALL)
    limits = client.get("exchangeInfo")[1]["rateLimits"]
    assert [(limit["rateLimitType"], limit["limit"]) for limit in limits] == [
        ("REQUEST_WEIGHT", 100),
        ("ORDERS", 3),
        ("ORDERS", 5),
        ("RAW_REQUESTS", 300_000),
    ]
