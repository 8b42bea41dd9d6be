"""What parameters may look like, and how the venue says that they do not."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.mock_exchange.api import params
from services.mock_exchange.api.order_params import side, strategy_type, time_in_force
from services.mock_exchange.api.params import Param
from services.mock_exchange.errors import VenueError

_SPECS = (Param("symbol", params.symbol, is_required=True), Param("limit", params.up_to(1000), default=500))


def refusal(act: object, *args: object) -> tuple[int, str]:
    with pytest.raises(VenueError) as error:
        act(*args)  # type: ignore[operator]
    return error.value.code, error.value.message


@pytest.mark.parametrize(
    ("sent", "code", "message"),
    [
        ({}, -1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."),
        ({"symbol": ""}, -1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."),
        (
            {"symbol": "btcusdt"},
            -1100,
            "Illegal characters found in parameter 'symbol'; legal range is '^[A-Z0-9-_.]{1,20}$'.",
        ),
        ({"symbol": "BTCUSDT\n"}, -1100, None),
        ({"symbol": "BTCUSDT", "limit": ""}, -1105, "Parameter 'limit' was empty."),
        ({"symbol": "BTCUSDT", "limit": "0"}, -1130, "Data sent for parameter 'limit' is not valid."),
        ({"symbol": "BTCUSDT", "limit": "١"}, -1100, None),
        (
            {"symbol": "BTCUSDT", "limit": "5", "depth": "1"},
            -1104,
            "Not all sent parameters were read; read '2' parameter(s) but was sent '3'.",
        ),
    ],
)
def test_refusals(sent: dict[str, str], code: int, message: str | None) -> None:
    found = refusal(params.read_params, _SPECS, sent)
    assert found[0] == code and message in (None, found[1])


def test_defaults_and_caps() -> None:
    assert params.read_params(_SPECS, {"symbol": "A-B_C.D"}) == {"symbol": "A-B_C.D", "limit": 500}
    assert params.read_params(_SPECS, {"symbol": "A", "limit": "99999"})["limit"] == 1000


def test_endpoints_without_parameters_count_what_was_sent() -> None:
    assert refusal(params.read_params, (), {"a": "1", "b": "2"}) == (
        -1101,
        "Too many parameters; expected '0' and received '2'.",
    )


@pytest.mark.parametrize("text", ["1e-05", "-1", "+1", ".5", "1.", "1,5", "0x1", "NaN", " 1", "1" * 21, "", "１"])
def test_decimals_are_plain(text: str) -> None:
    assert refusal(params.amount, "price", text)[0] == -1100


def test_zeros_behind_the_last_decimal_do_not_count() -> None:
    assert params.amount("q", "0.100000000000") == Decimal("0.1")
    assert refusal(params.amount, "q", "0.000000001") == (-1111, "Parameter 'q' has too much precision.")
    assert params.amount("q", "9" * 20 + ".00000001") == Decimal("9" * 20 + ".00000001")


@given(st.integers(0, 2**63 - 1))
def test_integers_have_64_bits(number: int) -> None:
    assert params.integer("n", str(number)) == number
    assert refusal(params.integer, "n", str(number + 2**63))[0] == -1102


def test_enumerations_have_codes_of_their_own() -> None:
    assert refusal(side, "side", "buy") == (-1117, "Invalid side.")
    assert refusal(time_in_force, "timeInForce", "DAY") == (-1115, "Invalid timeInForce.")
    assert refusal(strategy_type, "strategyType", "999999") == (-1134, "strategyType was less than 1000000.")
    assert strategy_type("strategyType", "1000000") == 1_000_000


@pytest.mark.parametrize("text", ["BTCUSDT", "[]", '["btc"]', "[1]", '{"a":1}', '["A",]', "nonsense"])
def test_lists_are_json(text: str) -> None:
    assert refusal(params.symbol_list, "symbols", text)[0] == -1100


def test_a_symbol_twice() -> None:
    assert params.symbol_list("symbols", '["A","B"]') == ["A", "B"]
    assert refusal(params.symbol_list, "symbols", '["A","A"]') == (
        -1151,
        "Symbol is present multiple times in the list.",
    )


def test_pairs_are_decoded_once() -> None:
    assert params.form_pairs(b"a=%2541&b=1+2&c=&d&&e=x%3Dy=z") == {
        "a": "%41",
        "b": "1 2",
        "c": "",
        "d": "",
        "e": "x=y=z",
    }
    assert refusal(params.form_pairs, b"a=1&%61=2") == (-1101, "Duplicate values for parameter 'a' detected.")
    many = b"&".join(b"p%d=1" % number for number in range(params.MAX_PARAMS + 1))
    assert refusal(params.form_pairs, many)[0] == -1101


def test_times_are_milliseconds_or_microseconds() -> None:
    assert params.moment("t", "1700000000123") == params.moment("t", "1700000000123000") == 1_700_000_000_123_000_000
