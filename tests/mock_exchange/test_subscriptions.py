"""The stream endpoints' requests, without a socket."""

from __future__ import annotations

import json

import pytest

from services.mock_exchange.streams.subscriptions import MAX_STREAMS, Subscriptions, asked_for, plain_name
from services.mock_exchange.streams.time_unit import TimeUnit

SECOND_NS = 1_000_000_000


def ask(session: Subscriptions, **request: object) -> dict:
    return json.loads(session.answer(json.dumps(request)))


@pytest.mark.parametrize("request_id", [1, -5, 2**63 - 1, "a", "6f0e9d8c-4c2b-4d39-9f6a-0f7d2c1b3a4e", None])
def test_ids_come_back_unchanged(request_id: object) -> None:
    session = Subscriptions([], combined=False)
    assert ask(session, method="SUBSCRIBE", params=["x@trade"], id=request_id) == {"result": None, "id": request_id}
    assert ask(session, method="LIST_SUBSCRIPTIONS", id=request_id) == {"result": ["x@trade"], "id": request_id}


def test_subscribing_twice_is_once_and_unsubscribing_the_unknown_is_fine() -> None:
    session = Subscriptions(["a@trade", "", "b@trade"], combined=False)
    ask(session, method="SUBSCRIBE", params=["a@trade", "c@trade"], id=1)
    assert list(session.streams) == ["a@trade", "b@trade", "c@trade"]
    assert ask(session, method="UNSUBSCRIBE", params=["b@trade", "nope"], id=2) == {"result": None, "id": 2}
    assert list(session.streams) == ["a@trade", "c@trade"]


def test_framing_is_a_property() -> None:
    session = Subscriptions([], combined=False)
    assert ask(session, method="GET_PROPERTY", params=["combined"], id=1)["result"] is False
    assert ask(session, method="SET_PROPERTY", params=["combined", True], id=2)["result"] is None
    assert session.combined
    assert ask(session, method="SET_PROPERTY", params=["combined", "yes"], id=3)["code"] == 1
    assert ask(session, method="SET_PROPERTY", params=["speed", True], id=4)["code"] == 0


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", 3),
        ("\xff", 3),
        ("[]", 2),
        ("5", 2),
        ("{}", 2),
        ('{"method":"FLY","id":1}', 2),
        ('{"method":["SUBSCRIBE"],"id":1}', 2),
        ('{"method":"SUBSCRIBE","id":1}', 2),
        ('{"method":"SUBSCRIBE","params":"a@trade","id":1}', 2),
        ('{"method":"SUBSCRIBE","params":[1],"id":1}', 2),
        ('{"method":"LIST_SUBSCRIPTIONS","id":1.5}', 2),
        ('{"method":"LIST_SUBSCRIPTIONS","id":true}', 2),
        ('{"method":"LIST_SUBSCRIPTIONS","id":"' + "x" * 37 + '"}', 2),
    ],
)
def test_nonsense_gets_a_code_and_changes_nothing(text: str, code: int) -> None:
    session = Subscriptions(["a@trade"], combined=False)
    reply = json.loads(session.answer(text))
    assert reply["code"] == code and reply["msg"]
    assert list(session.streams) == ["a@trade"]


def test_streams_are_bounded() -> None:
    session = Subscriptions(["a@trade"], combined=False)
    assert ask(session, method="SUBSCRIBE", params=[f"{i}@trade" for i in range(MAX_STREAMS)], id=1)["code"] == 2
    assert list(session.streams) == ["a@trade"]


def test_five_messages_a_second_and_no_more() -> None:
    session = Subscriptions([], combined=False)
    assert not any(session.is_flooding(i * SECOND_NS // 5) for i in range(20))
    assert session.is_flooding(19 * SECOND_NS // 5 + 1)


@pytest.mark.parametrize(
    ("query", "streams", "unit"),
    [
        (b"", [""], TimeUnit.MILLISECOND),
        (b"streams=a@trade/b@kline_1d@+08:00", ["a@trade", "b@kline_1d@+08:00"], TimeUnit.MILLISECOND),
        (b"timeUnit=microsecond&streams=a%40trade%2Fb%40trade", ["a@trade", "b@trade"], TimeUnit.MICROSECOND),
        (b"streams=a@trade&timeUnit=MICROSECOND", ["a@trade"], TimeUnit.MICROSECOND),
        (b"streams=a@trade&timeUnit=Fortnight&x", ["a@trade"], TimeUnit.MILLISECOND),
    ],
)
def test_the_query_asks_for_streams_and_a_unit_of_time(query, streams, unit) -> None:
    assert asked_for(query) == (streams, unit)


@pytest.mark.parametrize(
    ("spelt", "plain"),
    [
        ("btcusdt@depth@1000ms", "btcusdt@depth"),
        ("btcusdt@depth5@1000ms", "btcusdt@depth5"),
        ("!miniTicker@arr@1000ms", "!miniTicker@arr"),
        ("btcusdt@depth@100ms", "btcusdt@depth@100ms"),
        ("btcusdt@trade@1000ms", "btcusdt@trade@1000ms"),
    ],
)
def test_every_second_may_be_spelt_out(spelt: str, plain: str) -> None:
    assert plain_name(spelt) == plain


def test_the_farewell_is_framed_like_everything_else() -> None:
    session = Subscriptions([], combined=True, unit=TimeUnit.MICROSECOND)
    notice = {"e": "serverShutdown", "E": 1_700_000_000_000_000}
    assert json.loads(session.farewell(1_700_000_000_000_000_123)) == {"stream": "!serverShutdown", "data": notice}
    assert json.loads(Subscriptions([], combined=False).farewell(5_000_000)) == {"e": "serverShutdown", "E": 5}
