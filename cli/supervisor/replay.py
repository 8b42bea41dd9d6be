"""Looks into the captures to be replayed: are they there, can they be read, what venue and symbols do they hold."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cli.supervisor.plan import Capture
from common.errors import ConfigError, WireError

#: BTCUSD_PERP, BTCUSD_210625; USD-M spells its own BTCUSDT_210625.
_COIN_MARGINED: Final = re.compile(r"USD_(PERP|\d{6})$")


def inspect_captures(files: Sequence[str]) -> Capture:
    """What the files hold together.

    Raises:
        ConfigError: a file is missing, unreadable, or no capture of a venue that can be replayed.
    """
    from venues.binance.capture import describe_capture, read_capture  # a normal run does not need it

    contents = [_read(name) for name in files]
    named = ", ".join(files)
    try:
        info = describe_capture(read_capture(*contents))
    except WireError as exc:
        raise ConfigError("--replay", f"{named}: {exc}", "Give captures of Binance spot or USD-M streams") from None
    inverse = [symbol for symbol in info.symbols if _COIN_MARGINED.search(symbol)]
    if inverse:
        raise ConfigError(
            "--replay",
            f"{named} holds COIN-M futures ({', '.join(inverse)}), whose profit is paid in the coin",
            "Give captures of Binance spot or USD-M streams; inverse contracts cannot be traded by this version",
        )
    if not info.symbols:
        raise ConfigError("--replay", f"{named}: no symbol has prices and quantities", "Give another capture")
    return Capture(tuple(str(Path(name).resolve()) for name in files), info.venue, info.symbols)


def _read(name: str) -> bytes:
    try:
        return Path(name).read_bytes()
    except OSError as exc:
        raise ConfigError(
            "--replay", f"{name} cannot be read ({exc.strerror})", "Give the path of a recorded capture"
        ) from None
