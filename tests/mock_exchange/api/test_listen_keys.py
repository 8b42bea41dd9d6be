"""The listen keys of old, where they are switched on."""

from __future__ import annotations

import json

import pytest

from services.mock_exchange.api.user_streams import LISTEN_KEY_LIFE_NS
from tests.mock_exchange.api.client import Client

PATH = "/api/v3/userDataStream"


@pytest.fixture
def sent() -> list[tuple[str, dict]]:
    return []


@pytest.fixture
def client(sent: list[tuple[str, dict]]) -> Client:
    return Client(send_listen_key=lambda stream, text: sent.append((stream, json.loads(text))))


def open_key(client: Client) -> str:
    answer = client.send("POST", PATH)
    assert answer.status == 200
    key: str = json.loads(answer.body)["listenKey"]
    return key


def test_a_key_is_a_stream_of_bare_events(client: Client, sent: list[tuple[str, dict]]) -> None:
    key = open_key(client)
    assert open_key(client) == key, "one per account"
    client.order()
    assert [(stream, event["e"]) for stream, event in sent] == [
        (key, "executionReport"),
        (key, "outboundAccountPosition"),
    ]
    assert client.send("DELETE", PATH, f"listenKey={key}").status == 200
    assert sent[-1][1]["e"] == "listenKeyExpired"
    client.order()
    assert len(sent) == 3
    assert open_key(client) != key


def test_a_key_lives_an_hour_from_its_last_use(client: Client, sent: list[tuple[str, dict]]) -> None:
    key = open_key(client)
    client.now_ns += LISTEN_KEY_LIFE_NS - 2_000_000_000
    assert client.send("PUT", PATH, f"listenKey={key}").status == 200
    client.now_ns += LISTEN_KEY_LIFE_NS - 2_000_000_000
    client.order()
    assert len(sent) == 2
    client.now_ns += 3_000_000_000
    client.order()
    assert [event["e"] for _, event in sent[2:]] == ["listenKeyExpired"]
    answer = client.send("PUT", PATH, f"listenKey={key}")
    assert json.loads(answer.body) == {"code": -1125, "msg": "This listenKey does not exist."}


def test_only_a_key_of_ones_own_is_needed(client: Client) -> None:
    assert client.send("POST", PATH, headers={"x-mbx-apikey": ""}).status == 401
    assert client.send("POST", PATH, headers={"x-mbx-apikey": "nobody"}).status == 401
    assert json.loads(client.send("PUT", PATH).body)["code"] == -1102
