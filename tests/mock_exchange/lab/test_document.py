"""The OpenAPI document: complete, resolvable, true of the answers; its page asks nobody for anything."""

from __future__ import annotations

import re
from typing import Any

import pytest

from services.mock_exchange.lab.document import openapi, page
from services.mock_exchange.lab.lab import Lab
from tests.mock_exchange.lab.build import START_NS, market


def references(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"]} if "$ref" in node else set()
        return own.union(*map(references, node.values()))
    return set().union(*map(references, node)) if isinstance(node, list) else set()


def test_every_endpoint_with_its_parameters_and_bounds() -> None:
    document = openapi()
    assert set(document["paths"]) == {
        "/api/{exchange}/ticker",
        "/api/{exchange}/orderbook/{symbol}",
        "/api/{exchange}/mock_trades/{symbol}",
        "/ws/orderbook/{exchange}/{symbol}",
        "/health",
    }
    operation = document["paths"]["/api/{exchange}/orderbook/{symbol}"]["get"]
    assert [it["name"] for it in operation["parameters"]] == ["exchange", "symbol", "depth", "latency_ms"]
    assert operation["parameters"][2]["schema"] == {"type": "integer", "default": 20, "minimum": 1, "maximum": 1000}
    assert set(operation["responses"]) == {"200", "404", "422"}


def test_every_reference_leads_somewhere() -> None:
    document = openapi()
    found = references(document)
    assert len(found) > 5
    for reference in found:
        assert reference.rpartition("/")[2] in document["components"]["schemas"]


@pytest.mark.parametrize("kind", ["TickerBody", "BookBody", "TradesBody", "HealthBody"])
def test_an_answer_has_exactly_the_documented_fields(kind: str) -> None:
    lab = Lab(market())
    answer = {
        "TickerBody": lambda: lab.ticker("kraken", START_NS),
        "BookBody": lambda: lab.orderbook("kraken", "BTC/USD", {}, START_NS)[0],
        "TradesBody": lambda: lab.trades("kraken", "BTC/USD", {}, START_NS),
        "HealthBody": lambda: lab.health(START_NS),
    }[kind]()
    schema = openapi()["components"]["schemas"][kind]
    assert set(answer.model_dump()) == set(schema["properties"]) == set(schema["required"])


def test_the_page_needs_nothing_from_elsewhere_and_its_links_lead_somewhere() -> None:
    html = page(openapi())
    assert "<script" not in html and "src=" not in html and "://" not in html
    anchors = set(re.findall(r'id="([^"]+)"', html))
    links = set(re.findall(r'href="#([^"]+)"', html))
    assert links and links <= anchors
    for path in openapi()["paths"]:
        assert f"GET {path}" in html
