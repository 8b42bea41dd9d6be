"""Field types the sections share: addresses, URLs, symbols, exact decimals."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

_SYMBOL: Final = re.compile(r"^[A-Z0-9][A-Z0-9_/-]{1,31}$")
_LOOPBACK: Final = ("127.", "localhost", "[::1]", "::1")


class Section(BaseModel):
    """A section of the configuration: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def is_loopback(host: str) -> bool:
    """True for an address that only this machine reaches."""
    return host.startswith(_LOOPBACK)


def _zmq_address(value: str) -> str:
    if value.startswith("ipc://") and len(value) > len("ipc://"):
        return value
    match = re.fullmatch(r"tcp://(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.*-]+):(\d{1,5})", value)
    if not match or not 0 < int(match[2]) < 65536:
        raise ValueError(f"{value!r} is not tcp://HOST:PORT or ipc://PATH")
    if not is_loopback(match[1]):
        raise ValueError(
            f"{value!r} is not a loopback address, and the bus is not encrypted in this version; "
            "use 127.0.0.1, or ipc://PATH"
        )
    return value


def _listen_address(value: str) -> str:
    host, colon, port = value.rpartition(":")
    if not colon or not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(f"{value!r} is not HOST:PORT")
    if not is_loopback(host):
        raise ValueError(
            f"{value!r} is not a loopback address; put a reverse proxy in front to reach it from outside"
        )
    return value


def _url_of(*schemes: str) -> AfterValidator:
    def check(value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in schemes or not parts.hostname:
            raise ValueError(f"{value!r} is not a URL of the form {' or '.join(s + '://HOST' for s in schemes)}")
        if parts.scheme in ("ws", "http") and not is_loopback(parts.hostname):
            raise ValueError(f"{value!r} is not encrypted; outside this machine use {schemes[0]}://")
        if parts.username or parts.password:
            raise ValueError("a URL must not carry a password")
        return value.rstrip("/")

    return AfterValidator(check)


def _symbol(value: str) -> str:
    if not _SYMBOL.match(value):
        raise ValueError(f"{value!r} is not a symbol in capitals, like BTCUSDT")
    return value


def _exact(value: object) -> object:
    """JSON numbers become decimals by their shortest text, so 0.1 is 0.1."""
    return Decimal(repr(value)) if isinstance(value, float) else value


ZmqAddress = Annotated[str, AfterValidator(_zmq_address)]
ListenAddress = Annotated[str, AfterValidator(_listen_address)]
WebsocketUrl = Annotated[str, _url_of("wss", "ws")]
HttpUrl = Annotated[str, _url_of("https", "http")]
SymbolName = Annotated[str, AfterValidator(_symbol)]
Exact = Annotated[Decimal, BeforeValidator(_exact)]
Percent = Annotated[Exact, Field(gt=0, lt=100)]
PositiveMs = Annotated[int, Field(gt=0, le=86_400_000)]
