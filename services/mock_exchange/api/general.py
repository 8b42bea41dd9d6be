"""Endpoints that need no account: ping, time, exchangeInfo, depth (venues.md 2.4, 3)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

import orjson

from services.mock_exchange.api import params
from services.mock_exchange.api.call import Call, Endpoint
from services.mock_exchange.api.params import Param
from services.mock_exchange.errors import VenueError

_SYMBOL: Final = Param("symbol", params.symbol, is_required=True)
#: Weight of depth by the largest limit it holds for.
_SPOT_DEPTH: Final = ((100, 5), (500, 25), (1000, 50), (5000, 250))
_USDM_DEPTH: Final = ((50, 2), (100, 5), (500, 10), (1000, 20))
_USDM_LIMITS: Final = (5, 10, 20, 50, 100, 500, 1000)
_PERMISSIONS_RANGE: Final = '^\\["[A-Z_0-9]{1,32}"(,"[A-Z_0-9]{1,32}"){0,}\\]$'
_PERMISSION: Final = re.compile(r"[A-Z_0-9]{1,32}\Z")


class SymbolStatus(StrEnum):
    """symbolStatus."""

    TRADING = "TRADING"
    HALT = "HALT"
    BREAK = "BREAK"


def ping(_call: Call) -> dict[str, Any]:
    """Nothing."""
    return {}


def time(call: Call) -> dict[str, Any]:
    """The exchange's clock."""
    return {"serverTime": call.stamp(call.told_ns)}


def depth(call: Call) -> orjson.Fragment:
    """The book, best first."""
    return orjson.Fragment(call.venue.exchange.snapshot(call.listing.symbol, call["limit"]))


def exchange_info(call: Call) -> dict[str, Any]:
    """Everything listed, or what was asked for."""
    asked = [name for name in ("symbol", "symbols", "permissions", "symbolStatus") if call[name] is not None]
    if len(asked) > 1 and asked != ["permissions", "symbolStatus"]:
        raise params.bad_combination()
    exchange = call.venue.exchange
    if call["symbol"] is not None:
        listings = [call.listing]
    elif call["symbols"] is not None:
        listings = [call.venue.listing(name) for name in call["symbols"]]
    else:
        listings = list(exchange.listings.values()) if "SPOT" in (call["permissions"] or ["SPOT"]) else []
    body = exchange.info(listings, call.stamp(call.told_ns))
    body["rateLimits"] = call.venue.limits.describe()
    for symbol in body["symbols"]:
        book = exchange.books.get(symbol["symbol"])
        if book is not None and book.is_halted:
            symbol["status"] = SymbolStatus.HALT.value
        if not call["showPermissionSets"]:
            symbol["permissionSets"] = []
    if call["symbolStatus"] is not None:
        body["symbols"] = [symbol for symbol in body["symbols"] if symbol["status"] == call["symbolStatus"]]
    return body


def usdm_info(call: Call) -> dict[str, Any]:
    """USD-M's, which takes no parameters and has limits of its own."""
    exchange = call.venue.exchange
    return exchange.info(list(exchange.listings.values()), call.stamp(call.told_ns))


def _permissions(name: str, value: str) -> list[str]:
    """One name, or a JSON array of them."""
    if not value.startswith("["):
        value = orjson.dumps([value.encode("utf-8", "replace").decode()]).decode()
    return params.text_list(name, value, _PERMISSIONS_RANGE, _PERMISSION)


def _usdm_limit(name: str, value: str) -> int:
    limit = params.integer(name, value)
    if limit not in _USDM_LIMITS:
        raise params.invalid(name)
    return limit


def _weight_by_limit(sent: Mapping[str, str], default: int, weights: tuple[tuple[int, int], ...]) -> int:
    limit = sent.get("limit", "")
    number = int(limit) if limit.isascii() and limit.isdigit() and len(limit) <= 20 else default
    return next((weight for most, weight in weights if number <= most), weights[-1][1])


ENDPOINTS: Final = (
    Endpoint("GET /api/v3/ping", "ping", ping),
    Endpoint("GET /api/v3/time", "time", time),
    Endpoint(
        "GET /api/v3/exchangeInfo",
        "exchangeInfo",
        exchange_info,
        (
            Param("symbol", params.symbol),
            Param("symbols", params.symbol_list),
            Param("permissions", _permissions),
            Param("showPermissionSets", params.boolean, default=True),
            Param("symbolStatus", params.one_of(SymbolStatus, VenueError(-1122, "Invalid symbolStatus."))),
        ),
        20,
    ),
    Endpoint(
        "GET /api/v3/depth",
        "depth",
        depth,
        (_SYMBOL, Param("limit", params.up_to(5000), default=100)),
        lambda sent: _weight_by_limit(sent, 100, _SPOT_DEPTH),
    ),
)

#: What is served of USD-M, where a recording of it is replayed.
USDM_ENDPOINTS: Final = (
    Endpoint("GET /fapi/v1/ping", None, ping),
    Endpoint("GET /fapi/v1/time", None, time),
    Endpoint("GET /fapi/v1/exchangeInfo", None, usdm_info),
    Endpoint(
        "GET /fapi/v1/depth",
        None,
        depth,
        (_SYMBOL, Param("limit", _usdm_limit, default=500)),
        lambda sent: _weight_by_limit(sent, 500, _USDM_DEPTH),
    ),
)
