"""Exchanges by a document: what is taken, and how each mistake is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from common.errors import ConfigError
from services.mock_exchange.io.lab_app import lab_routes
from services.mock_exchange.lab.definitions import BUILT_IN, all_exchanges, plain, read_exchanges, symbols_of
from tests.mock_exchange.lab.build import market

WHERE = "mock_exchange.lab_exchanges_file (more.json)"


def read(*exchanges: dict[str, Any]) -> Any:
    return read_exchanges(json.dumps({"exchanges": exchanges}).encode(), WHERE)


def test_a_definition_is_read_and_stands_beside_the_built_in_ones() -> None:
    (bitstamp,) = read({"name": "bitstamp", "symbols": {"btcusd": "BTCUSDT"}, "lag_ms": 30, "spread_multiplier": 2})
    assert [one.name for one in all_exchanges((bitstamp,))] == ["binance", "kraken", "coinmarketcap", "bitstamp"]
    names = symbols_of(bitstamp, market().listings, WHERE)
    assert {name: listing.symbol for name, listing in names.items()} == {"btcusd": "BTCUSDT"}


def test_a_built_in_exchange_can_be_defined_anew() -> None:
    (kraken,) = read({"name": "kraken", "lag_ms": 900})
    assert [one.lag_ms for one in all_exchanges((kraken,)) if one.name == "kraken"] == [900]
    assert len(all_exchanges((kraken,))) == len(BUILT_IN)


@pytest.mark.parametrize(
    ("exchange", "problem"),
    [
        ({"name": "v3"}, "exchanges.0.name"),
        ({"name": "v3-other"}, "exchanges.0.name"),
        ({"name": "Bitstamp"}, "exchanges.0.name"),
        ({"name": "a/b"}, "exchanges.0.name"),
        ({}, "exchanges.0.name: Field required"),
        ({"name": "x", "colour": 1}, "exchanges.0.colour"),
        ({"name": "x", "lag_ms": 10_001}, "exchanges.0.lag_ms"),
        ({"name": "x", "spread_multiplier": 0}, "exchanges.0.spread_multiplier"),
        ({"name": "x", "max_depth": 0}, "exchanges.0.max_depth"),
        ({"name": "x", "symbols": {}}, "exchanges.0.symbols"),
        ({"name": "x", "symbols": {"BTC/USD": "BTCUSDT", "btcusd": "ETHUSDT"}}, "the same symbol"),
        ({"name": "binance"}, "the simulator's own book"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(exchange: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError) as error:
        read(exchange)
    assert error.value.key == WHERE
    assert problem in error.value.problem
    assert "docs/mock_exchange_lab.md" in error.value.remedy


def test_a_name_given_twice_and_text_that_is_no_json() -> None:
    with pytest.raises(ConfigError, match="'x' is there twice"):
        read({"name": "x"}, {"name": "x"})
    with pytest.raises(ConfigError, match="is not JSON"):
        read_exchanges(b"{", WHERE)
    with pytest.raises(ConfigError, match="the document"):
        read_exchanges(b"[]", WHERE)


def test_a_symbol_the_simulator_does_not_list_and_a_file_that_is_not_there(tmp_path: Path) -> None:
    file = tmp_path / "more.json"
    file.write_text(json.dumps({"exchanges": [{"name": "x", "symbols": {"DOGE/USD": "DOGEUSDT"}}]}))
    with pytest.raises(ConfigError, match=r"more\.json.*'DOGEUSDT', which is not listed.*BTCUSDT, ETHUSDT, ETHBTC"):
        lab_routes(market(), lambda: 0, str(file))
    with pytest.raises(ConfigError, match=r"nothing\.json cannot be read"):
        lab_routes(market(), lambda: 0, str(tmp_path / "nothing.json"))


def test_a_symbol_is_one_however_it_is_written() -> None:
    assert {plain(text) for text in ("BTC/USD", "btc-usd", "Btc_Usd", "BTCUSD")} == {"BTCUSD"}
