"""Signatures and times, held against Binance's documented examples and the vectors of venues.md 9."""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from services.mock_exchange.api import auth
from services.mock_exchange.errors import VenueError
from services.mock_exchange.trading.accounts import ApiKey, KeyKind
from tests.mock_exchange.api.client import KEY, MS, Client, account, hmac_hex

_DOCUMENTED = ApiKey(
    "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A",
    "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j",
)
_HEAD = "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC"
_TAIL = "quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559"
_NOW_NS = 1_700_000_000_123_456_789


@pytest.mark.parametrize(
    ("query", "body", "signature"),
    [
        (f"{_HEAD}&{_TAIL}", "", "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"),
        ("", f"{_HEAD}&{_TAIL}", "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"),
        (_HEAD, _TAIL, "0fd168b8ddb4876a0358a8d14d0c9f3da0e9b20c5d52b2a00fcf7d1c602f9a77"),
    ],
)
def test_the_venues_own_rest_examples(query: str, body: str, signature: str) -> None:
    assert auth.verify(_DOCUMENTED, auth.rest_payload(query.encode(), body.encode()), signature)
    assert auth.verify(_DOCUMENTED, auth.rest_payload(query.encode(), body.encode()), signature.upper())
    assert not auth.verify(_DOCUMENTED, auth.rest_payload(query.encode(), (body + "0").encode()), signature)


def test_vectors_of_the_fact_sheet() -> None:
    key = ApiKey("test-key", "test-secret")
    rest = (
        b"symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.001&price=50000"
        b"&recvWindow=5000&timestamp=1700000000000"
    )
    assert auth.verify(key, rest, "d3f69d342c89f83e60e096616d92f346c21c776b72261afb0b693087aa57a4b2")
    (payload,) = auth.ws_payloads({"timestamp": "1700000000000", "signature": "x", "apiKey": "test-key"})
    assert payload == b"apiKey=test-key&timestamp=1700000000000"
    assert auth.verify(key, payload, "40b4b78df402bffcf600b5c8b83721f029b92dcf6287b6460f5947ed53376448")


@given(st.lists(st.sampled_from(["a=1", "b=2", "c=%F0%9F%90%8B", "sig=3"]), max_size=5), st.data())
def test_the_signature_is_left_out_wherever_it_stands(segments: list[str], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(segments)))
    signed = [*segments[:place], "signature=abc", *segments[place:]]
    plain, with_it = "&".join(segments).encode(), "&".join(signed).encode()
    assert auth.rest_payload(with_it, b"") == auth.rest_payload(plain, b"") == plain
    assert auth.rest_payload(b"", with_it) == plain


def test_bytes_that_had_to_be_percent_encoded_are_refused() -> None:
    client = Client()
    stamp = client.now_ns // MS
    raw = f"symbol=Ｂ&timestamp={stamp}"
    assert _code(client.send("GET", "/api/v3/order", f"{raw}&signature={hmac_hex(raw)}")) in (-1100, -1022)
    with pytest.raises(VenueError) as refusal:
        auth.rest_payload(raw.encode(), b"")
    assert refusal.value.code == -1022
    encoded = f"omitZeroBalances=%74rue&timestamp={stamp}"
    assert client.send("GET", "/api/v3/account", f"{encoded}&signature={hmac_hex(encoded)}").status == 200
    decoded = f"omitZeroBalances=true&timestamp={stamp}"
    assert _code(client.send("GET", "/api/v3/account", f"{encoded}&signature={hmac_hex(decoded)}")) == -1022


def _code(answer: object) -> int:
    code: int = json.loads(answer.body)["code"]  # type: ignore[attr-defined]
    return code


@pytest.fixture(scope="module")
def ed25519() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def _pem(private: Ed25519PrivateKey | rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.mark.parametrize("place", ["query", "body"])
@pytest.mark.parametrize("kind", [KeyKind.ED25519, KeyKind.RSA])
def test_keys_of_two_halves(
    kind: KeyKind, place: str, ed25519: Ed25519PrivateKey, rsa_key: rsa.RSAPrivateKey
) -> None:
    private = ed25519 if kind is KeyKind.ED25519 else rsa_key
    client = Client(specs=(account("one", ApiKey("pair-key", _pem(private), kind), USDT=1000, BTC=1),))

    def sign(payload: str) -> str:
        if isinstance(private, Ed25519PrivateKey):
            raw = private.sign(payload.encode())
        else:
            raw = private.sign(payload.encode(), padding.PKCS1v15(), SHA256())
        return base64.b64encode(raw).decode()

    def send(signature: str) -> int:
        text = {place: f"{payload}&signature={signature}"}
        return _code(client.send("DELETE", "/api/v3/openOrders", headers=_header("pair-key"), **text))

    payload = f"symbol=BTCUSDT&timestamp={client.now_ns // MS}"
    # -2011: the request was let in, and there is nothing to cancel.
    assert send(quote(sign(payload), safe="")) == -2011
    assert send(quote(sign(payload + "0"), safe="")) == -1022
    assert send(quote(sign(payload).swapcase(), safe="")) == -1022, "base64 is case-sensitive"


def _header(key: str) -> dict[str, str]:
    return {"x-mbx-apikey": key}


def test_a_public_key_is_looked_at_before_it_is_used(ed25519: Ed25519PrivateKey) -> None:
    auth.check_public_key(ApiKey("k", _pem(ed25519), KeyKind.ED25519))
    other = _pem(ec.generate_private_key(ec.SECP256R1()))
    for pem, kind in ((_pem(ed25519), KeyKind.RSA), ("nonsense", KeyKind.RSA), (other, KeyKind.ED25519)):
        with pytest.raises(ValueError, match="public key of 'k'"):
            auth.check_public_key(ApiKey("k", pem, kind))


@pytest.mark.parametrize(
    ("sent_ns", "window", "is_fine"),
    [
        (_NOW_NS, "5000", True),
        (_NOW_NS // MS * MS - 5000 * MS, "5000", True),
        (_NOW_NS // MS * MS - 5001 * MS, "5000", False),
        (_NOW_NS // MS * MS + 1000 * MS, "60000", True),
        (_NOW_NS // MS * MS + 1001 * MS, "60000", False),
        (_NOW_NS // 1000 * 1000 - 500, "0.001", True),
        (_NOW_NS // 1000 * 1000 - 2000, "0.001", False),
    ],
)
def test_the_time_window(sent_ns: int, window: str, is_fine: bool) -> None:
    if is_fine:
        auth.check_time(sent_ns, Decimal(window), _NOW_NS)
        return
    with pytest.raises(VenueError) as refusal:
        auth.check_time(sent_ns, Decimal(window), _NOW_NS)
    assert refusal.value.code == -1021
    ahead = "Timestamp for this request was 1000ms ahead of the server's time."
    late = "Timestamp for this request is outside of the recvWindow."
    assert refusal.value.message == (ahead if sent_ns > _NOW_NS else late)


def test_what_is_missing_or_wrong_has_its_code() -> None:
    client = Client()
    stamp = (client.now_ns + MS) // MS
    good = f"timestamp={stamp}"
    path = "/api/v3/account"
    expected = {
        (good, KEY): (400, -1102),
        (f"signature={hmac_hex('')}", KEY): (400, -1102),
        (f"{good}&signature={'0' * 64}", KEY): (400, -1022),
        (f"{good}&signature=", KEY): (400, -1102),
        (f"{good}&signature={hmac_hex(good)}", ""): (401, -2014),
        (f"{good}&signature={hmac_hex(good)}", "no good"): (401, -2014),
        (f"{good}&signature={hmac_hex(good)}", "None"): (401, -2015),
        (f"{good}&recvWindow=60000.001&signature=0", KEY): (400, -1131),
        (f"{good}&recvWindow=5.0001&signature=0", KEY): (400, -1100),
        (f"{good}&recvWindow=-5&signature=0", KEY): (400, -1100),
        ("timestamp=soon&signature=0", KEY): (400, -1100),
        ("timestamp=1&signature=0", KEY): (400, -1021),
    }
    for (query, key), (status, code) in expected.items():
        client.now_ns = stamp * MS - MS
        answer = client.send("GET", path, query, headers=_header(key))
        assert (answer.status, _code(answer)) == (status, code), query
    assert client.send("GET", path, f"{good}&signature={hmac_hex(good)}").status == 200


def test_microseconds_are_a_time_too() -> None:
    client = Client()
    assert client.signed("GET", "account", timestamp=(client.now_ns + MS) // 1000, recvWindow="0.5").status == 200


def test_a_key_that_may_only_read() -> None:
    spec = account("reader", ApiKey(KEY, "tidewire-demo-secret", permissions=frozenset({"read"})), USDT=100_000)
    client = Client(specs=(spec,))
    assert client.signed("GET", "account").status == 200
    refusal = client.refused("DELETE", "openOrders", symbol="BTCUSDT")
    assert refusal == (401, -2015, "Invalid API-key, IP, or permissions for action.")


def test_parameters_in_query_body_or_both_and_the_query_wins() -> None:
    client = Client()
    for query, body in (
        ("", "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.001&timestamp={t}"),
        ("symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.001&timestamp={t}", ""),
        ("symbol=BTCUSDT&side=BUY&timestamp={t}", "type=MARKET&quantity=0.001"),
        ("symbol=BTCUSDT&side=SELL&timestamp={t}", "side=BUY&type=MARKET&quantity=0.001"),
    ):
        query, body = (text.format(t=(client.now_ns + MS) // MS) for text in (query, body))
        signature = f"signature={hmac_hex(query + body)}"
        if body:
            answer = client.send("POST", "/api/v3/order", query, f"{body}&{signature}")
        else:
            answer = client.send("POST", "/api/v3/order", f"{query}&{signature}")
        assert answer.status == 200, answer.body
        assert json.loads(answer.body)["side"] == ("SELL" if "SELL" in query else "BUY")
