"""The REST endpoints' answers, without a socket: parameters in, status, body and weight out (venues.md 2.4, 2.9)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import orjson

from common.units import NS_PER_MS, NS_PER_S
from services.mock_exchange.exchange import Exchange
from services.mock_exchange.listing import Listing

_SYMBOL: Final = re.compile(r"^[A-Z0-9-_.]{1,20}$")
_LIMIT: Final = re.compile(r"^[0-9]{1,20}$")
_DEFAULT_LIMIT: Final = {"/api/v3": 100, "/fapi/v1": 500}
_USDM_LIMITS: Final = (5, 10, 20, 50, 100, 500, 1000)
#: Weight of GET depth by the largest limit it holds for.
_DEPTH_WEIGHT: Final = {
    "/api/v3": ((100, 5), (500, 25), (1000, 50), (5000, 250)),
    "/fapi/v1": ((50, 2), (100, 5), (500, 10), (1000, 20)),
}
_MINUTE_NS: Final = 60 * NS_PER_S


class Answer(NamedTuple):
    """A response: JSON text, HTTP status, and the request weight it costs."""

    body: str
    status: int = 200
    weight: int = 1


class VenueError(Exception):
    """A request the venue refuses."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


Params = Sequence[tuple[str, str]]


class RestApi:
    """Public market data endpoints of one exchange."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        prefix = exchange.rest_prefix
        self._handlers: dict[str, Callable[[dict[str, str], int], Answer]] = {
            f"{prefix}/ping": self._ping,
            f"{prefix}/time": self._time,
            f"{prefix}/exchangeInfo": self._exchange_info,
            f"{prefix}/depth": self._depth,
        }
        self._weight_minute = 0
        self._weight_used = 0

    @property
    def paths(self) -> tuple[str, ...]:
        """What is served."""
        return tuple(self._handlers)

    def get(self, path: str, params: Params, now_ns: int) -> Answer:
        """Answer GET `path` at UTC `now_ns`."""
        try:
            given = dict(params)
            if len(given) != len(params):
                raise VenueError(-1101, "Duplicate values for a parameter detected.")
            answer = self._handlers[path](given, now_ns // NS_PER_MS)
        except VenueError as error:
            answer = Answer(orjson.dumps({"code": error.code, "msg": error.message}).decode(), error.status)
        self._count(answer.weight, now_ns)
        return answer

    @property
    def used_weight(self) -> int:
        """Weight used in the current calendar minute, as the header tells it."""
        return self._weight_used

    def _count(self, weight: int, now_ns: int) -> None:
        minute = now_ns // _MINUTE_NS
        if minute != self._weight_minute:
            self._weight_minute, self._weight_used = minute, 0
        self._weight_used += weight

    def _ping(self, params: dict[str, str], _now_ms: int) -> Answer:
        _refuse_others(params, ())
        return Answer("{}")

    def _time(self, params: dict[str, str], now_ms: int) -> Answer:
        _refuse_others(params, ())
        return Answer(f'{{"serverTime":{now_ms}}}')

    def _depth(self, params: dict[str, str], _now_ms: int) -> Answer:
        _refuse_others(params, ("symbol", "limit"))
        listing = self._listing(params.get("symbol"))
        prefix = self._exchange.rest_prefix
        limit = _DEFAULT_LIMIT[prefix]
        if "limit" in params:
            if not _LIMIT.match(params["limit"]):
                raise VenueError(-1100, _illegal("limit", "^[0-9]{1,20}$"))
            limit = int(params["limit"])
        weights = _DEPTH_WEIGHT[prefix]
        limit = min(limit, weights[-1][0]) if prefix == "/api/v3" else limit
        if limit == 0 or (prefix == "/fapi/v1" and limit not in _USDM_LIMITS):
            raise VenueError(-1130, "Data sent for parameter 'limit' is not valid.")
        weight = next(weight for most, weight in weights if limit <= most)
        return Answer(self._exchange.snapshot(listing.symbol, limit), weight=weight)

    def _exchange_info(self, params: dict[str, str], now_ms: int) -> Answer:
        _refuse_others(params, ("symbol", "symbols", "permissions", "showPermissionSets", "symbolStatus"))
        if "symbol" in params and "symbols" in params:
            raise VenueError(-1128, "Combination of optional parameters invalid.")
        listings = list(self._exchange.listings.values())
        if "symbol" in params:
            listings = [self._listing(params["symbol"])]
        elif "symbols" in params:
            listings = [self._listing(name) for name in _symbol_list(params["symbols"])]
        body: dict[str, Any] = self._exchange.info(listings, now_ms)
        return Answer(orjson.dumps(body).decode(), weight=20)

    def _listing(self, symbol: str | None) -> Listing:
        if not symbol:
            raise VenueError(-1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.")
        if not _SYMBOL.match(symbol):
            raise VenueError(-1100, _illegal("symbol", "^[A-Z0-9-_.]{1,20}$"))
        listing = self._exchange.listings.get(symbol)
        if listing is None:
            raise VenueError(-1121, "Invalid symbol.")
        return listing


def _illegal(name: str, pattern: str) -> str:
    return f"Illegal characters found in parameter '{name}'; legal range is '{pattern}'."


def _refuse_others(params: dict[str, str], known: tuple[str, ...]) -> None:
    read = sum(name in known for name in params)
    if read != len(params):
        raise VenueError(
            -1104, f"Not all sent parameters were read; read '{read}' parameter(s) but was sent '{len(params)}'."
        )


def _symbol_list(text: str) -> list[str]:
    try:
        names = orjson.loads(text)
    except orjson.JSONDecodeError:
        names = None
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise VenueError(-1100, _illegal("symbols", '^\\["[A-Z0-9-_.]{1,20}"(,"[A-Z0-9-_.]{1,20}"){0,}\\]$'))
    return names
