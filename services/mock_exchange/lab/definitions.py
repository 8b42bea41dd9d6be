"""Which exchanges the lab endpoints show: three that are always there, more by a JSON document, read strictly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from common.errors import ConfigError
from services.mock_exchange.lab.parameters import MAX_DEPTH
from services.mock_exchange.listing import Listing

_REMEDY: Final = "Correct the file; docs/mock_exchange_lab.md says what an exchange may have"
#: Names that would be taken for a version of the venue's own REST interface are not allowed: /api/v3/...
_NAME: Final = r"^([a-uw-z][a-z0-9-]{0,31}|v([a-z-][a-z0-9-]{0,30})?)$"
SymbolText = Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,16}([/_-]?[A-Za-z0-9]{1,16})?$")]
AssetText = Annotated[str, Field(pattern=r"^[A-Z0-9]{1,16}$")]


class LabExchange(BaseModel):
    """One exchange: its names for the simulator's symbols, and how its market differs from the simulator's."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str = Field(pattern=_NAME)
    #: Its name of a symbol -> the simulator's. Without it every symbol is there, named by the next two.
    symbols: dict[SymbolText, str] | None = Field(None, min_length=1)
    separator: Annotated[str, Field(pattern=r"^[/_-]?$")] = ""
    assets: dict[AssetText, AssetText] = {}
    #: False: it publishes prices only. Its book is made up around the mean price of the last minute.
    has_book: bool = True
    price_offset_bps: float = Field(0.0, ge=-5000, le=5000)
    spread_multiplier: float = Field(1.0, ge=0.01, le=100)
    size_multiplier: float = Field(1.0, ge=0.001, le=1000)
    #: Levels a side it gives at most.
    max_depth: int = Field(500, ge=1, le=MAX_DEPTH)
    #: How much later than the simulator's market its own is where that was.
    lag_ms: int = Field(0, ge=0, le=10_000)

    @field_validator("symbols")
    @classmethod
    def _names_differ(cls, symbols: dict[str, str] | None) -> dict[str, str] | None:
        seen: dict[str, str] = {}
        for name in symbols or ():
            other = seen.setdefault(plain(name), name)
            if other != name:
                raise ValueError(f"{other!r} and {name!r} are the same symbol in a URL")
        return symbols


BINANCE: Final = LabExchange(name="binance", max_depth=MAX_DEPTH)
BUILT_IN: Final = (
    BINANCE,
    LabExchange(
        name="kraken",
        separator="/",
        assets={"USDT": "USD"},
        price_offset_bps=2,
        spread_multiplier=1.5,
        size_multiplier=0.4,
        max_depth=500,
        lag_ms=150,
    ),
    LabExchange(name="coinmarketcap", separator="/", assets={"USDT": "USD"}, has_book=False, max_depth=100),
)


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    exchanges: tuple[LabExchange, ...] = Field(max_length=100)

    @field_validator("exchanges")
    @classmethod
    def _are_others(cls, exchanges: tuple[LabExchange, ...]) -> tuple[LabExchange, ...]:
        names = [exchange.name for exchange in exchanges]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"{name!r} is there twice")
            if name == BINANCE.name:
                raise ValueError(f"{name!r} is the simulator's own book; take another name")
        return exchanges


def plain(symbol: str) -> str:
    """What two spellings of a symbol share: "btc/usd", "BTC-USD" and "BTCUSD" are one."""
    return symbol.upper().translate(_DROPPED)


_DROPPED: Final = str.maketrans("", "", "/-_")


def read_exchanges(text: bytes, where: str) -> tuple[LabExchange, ...]:
    """The exchanges of a document; `where` names it in errors.

    Raises:
        ConfigError: it is no JSON, or defines no exchanges: every problem with its place.
    """
    try:
        document: Any = orjson.loads(text)
    except orjson.JSONDecodeError as exc:
        raise ConfigError(where, f"is not JSON ({exc})", _REMEDY) from exc
    try:
        return _Document.model_validate(document).exchanges
    except ValidationError as exc:
        problems = [
            f"{'.'.join(map(str, error['loc'])) or 'the document'}: {error['msg']}"
            for error in exc.errors(include_url=False, include_context=False, include_input=False)
        ]
        raise ConfigError(where, "; ".join(problems), _REMEDY) from exc


def all_exchanges(more: tuple[LabExchange, ...] = ()) -> tuple[LabExchange, ...]:
    """The built-in ones and `more`, which may redefine those that are not the simulator itself."""
    return tuple({exchange.name: exchange for exchange in (*BUILT_IN, *more)}.values())


def symbols_of(exchange: LabExchange, listings: Mapping[str, Listing], where: str) -> dict[str, Listing]:
    """The exchange's own names of the symbols it has. Of two that would be named alike the first listed stays.

    Raises:
        ConfigError: it names a symbol the simulator does not list.
    """
    if exchange.symbols is None:
        names: dict[str, Listing] = {}
        for listing in listings.values():
            base, quote = (exchange.assets.get(asset, asset) for asset in (listing.base, listing.quote))
            names.setdefault(f"{base}{exchange.separator}{quote}", listing)
        return names
    for name, symbol in exchange.symbols.items():
        if symbol not in listings:
            raise ConfigError(
                where,
                f"exchange {exchange.name!r}: {name!r} stands for {symbol!r}, which is not listed",
                f"Take one of {', '.join(listings)}, or list it in mock_exchange.symbols",
            )
    return {name: listings[symbol] for name, symbol in exchange.symbols.items()}
