"""The lab endpoints' OpenAPI document, and the same as a page that needs nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from services.mock_exchange.lab import bodies, parameters
from services.mock_exchange.lab.parameters import Parameter

_REFERENCE: Final = "#/components/schemas/{model}"
_JSON: Final = "application/json"
_INTRODUCTION: Final = (
    "One seeded simulator behind the names of several exchanges. binance shows its very book, as /api/v3 and the "
    "streams do; what the others make of it, /health tells. Symbols are taken in any case, with / - _ or nothing "
    "between their assets."
)


class Operation:
    """One endpoint: its path, what it does, its path and query parameters, what it answers."""

    def __init__(
        self, path: str, summary: str, answer: type[BaseModel], query: Sequence[Parameter], note: str = ""
    ) -> None:
        self.path, self.summary, self.answer, self.query, self.note = path, summary, answer, query, note
        self.places = [part.strip("{}") for part in path.split("/") if part.startswith("{")]


OPERATIONS: Final = (
    Operation("/api/{exchange}/ticker", "Prices of every symbol of an exchange", bodies.TickerBody, ()),
    Operation(
        "/api/{exchange}/orderbook/{symbol}",
        "The order book",
        bodies.BookBody,
        (parameters.DEPTH, parameters.LATENCY_MS),
    ),
    Operation("/api/{exchange}/mock_trades/{symbol}", "The latest trades", bodies.TradesBody, (parameters.COUNT,)),
    Operation(
        "/ws/orderbook/{exchange}/{symbol}",
        "The order book as a WebSocket message every interval_ms",
        bodies.BookBody,
        (parameters.DEPTH, parameters.INTERVAL_MS),
        "WebSocket. Closes with 4404 and 4422, where HTTP would answer 404 and 422, and the reason in words.",
    ),
    Operation("/health", "State of the exchange", bodies.HealthBody, ()),
)


def openapi() -> dict[str, Any]:
    """The OpenAPI 3.1 document."""
    models = [(model, "serialization") for model in {operation.answer: None for operation in OPERATIONS}]
    models.append((bodies.ErrorBody, "serialization"))
    references, schemas = models_json_schema(models, ref_template=_REFERENCE)  # type: ignore[arg-type]
    named = {str(model): reference for (model, _), reference in references.items()}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Mock exchange, lab endpoints", "version": "1", "description": _INTRODUCTION},
        "paths": {operation.path: {"get": _operation(operation, named)} for operation in OPERATIONS},
        "components": {"schemas": schemas["$defs"]},
    }


def _operation(operation: Operation, named: dict[str, Any]) -> dict[str, Any]:
    answer, error = named[str(operation.answer)], named[str(bodies.ErrorBody)]
    if operation.path.startswith("/ws"):
        answers = {"101": ("each message", answer)}
    else:
        answers = {"200": ("the answer", answer)}
        if operation.places:
            answers["404"] = ("no such exchange or symbol", error)
        if operation.query:
            answers["422"] = ("a parameter is no whole number or out of range", error)
    places = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in operation.places
    ]
    query = [
        {
            "name": it.name,
            "in": "query",
            "description": it.description,
            "schema": {"type": "integer", "default": it.default, "minimum": it.least, "maximum": it.most},
        }
        for it in operation.query
    ]
    return {
        "summary": operation.summary,
        **({"description": operation.note} if operation.note else {}),
        "parameters": [*places, *query],
        "responses": {
            status: {"description": text, "content": {_JSON: {"schema": schema}}}
            for status, (text, schema) in answers.items()
        },
    }


def page(document: dict[str, Any]) -> str:
    """The document as HTML: no script, no style sheet, no image from anywhere."""
    schemas = document["components"]["schemas"]
    info = document["info"]
    operations = "".join(_section(path, item["get"]) for path, item in document["paths"].items())
    types = "".join(_type(name, schema) for name, schema in schemas.items())
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(info["title"])}</title>'
        "<style>body{font:16px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em}"
        "td,th{text-align:left;vertical-align:top;padding:.1em 1em .1em 0}h2,h3{font-family:monospace}</style></head>"
        f"<body><h1>{escape(info['title'])}</h1><p>{escape(info['description'])}</p>"
        f'<p><a href="/openapi.json">openapi.json</a></p>{operations}<h1>Bodies</h1>{types}</body></html>'
    )


def _section(path: str, operation: dict[str, Any]) -> str:
    rows = "".join(
        _row(parameter["name"], _bounds(parameter["schema"]), parameter.get("description", "in the path"))
        for parameter in operation["parameters"]
    )
    answers = "".join(
        _row(status, _type_text(answer["content"][_JSON]["schema"]), answer["description"])
        for status, answer in operation["responses"].items()
    )
    note = f"<p>{escape(operation['description'])}</p>" if "description" in operation else ""
    return (
        f"<h2>GET {escape(path)}</h2><p>{escape(operation['summary'])}</p>{note}"
        f"<table>{rows}</table><table>{answers}</table>"
    )


def _bounds(schema: dict[str, Any]) -> str:
    if "minimum" not in schema:
        return escape(schema["type"])
    return f"{schema['minimum']} to {schema['maximum']}, default {schema['default']}"


def _type(name: str, schema: dict[str, Any]) -> str:
    rows = "".join(
        _row(key, _type_text(field), field.get("description", "")) for key, field in schema["properties"].items()
    )
    text = escape(schema.get("description", ""))
    return f'<h3 id="{escape(name)}">{escape(name)}</h3><p>{text}</p><table>{rows}</table>'


def _type_text(schema: dict[str, Any]) -> str:
    """A schema in a word, as HTML."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_type_text(part) for part in schema["anyOf"])
    if schema.get("type") == "array":
        return f"array of {_type_text(schema['items'])}" if "items" in schema else "[number, number]"
    if isinstance(schema.get("additionalProperties"), dict):
        return f"object of {_type_text(schema['additionalProperties'])}"
    return escape(schema.get("type", "any"))


def _row(name: str, kind: str, text: str) -> str:
    return f"<tr><td><code>{escape(name)}</code></td><td>{kind}</td><td>{escape(text)}</td></tr>"
