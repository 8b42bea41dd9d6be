"""`tidewire market-statistics`: what the mock exchange's simulated market is like, in numbers.

The market of the configuration runs on virtual time, as fast as it can, and nothing is served. JSON has null where
a number does not exist, such as a kurtosis of a few seconds.
"""

from __future__ import annotations

import argparse
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from common.config.mock_exchange import MockSymbolConfig
from common.errors import EXIT_OK, ConfigError
from common.runtime.settings import add_config_arguments, settings_of
from common.units import NS_PER_MS
from services.mock_exchange.simulation.statistics.report import LEAST_SECONDS, market_statistics

FLOWS: Final = ("zero-intelligence", "hawkes", "chiarella")
MAX_LAG_MS: Final = 30_000
MAX_SECONDS: Final = 86_400.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `tidewire market-statistics`."""
    add_config_arguments(parser)
    parser.add_argument("--flow", choices=FLOWS, help="the model of every symbol's order flow; else as configured")
    parser.add_argument("--seconds", type=float, default=600.0, metavar="S", help="virtual time to watch (600)")
    parser.add_argument("--seed", type=int, metavar="N", help="stronger than mock_exchange.seed")
    parser.add_argument(
        "--symbol", action="append", default=[], metavar="NAME", help="only this one; may be given again"
    )
    parser.add_argument(
        "--lag-ms", type=int, metavar="MS", help="also a second venue, so much later; else as configured"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object in place of tables")


def main(args: argparse.Namespace) -> int:
    """Run the market and print; the exit code.

    Raises:
        ConfigError: a flag is out of its range, or the configuration is wrong.
    """
    config = settings_of(args, os.environ).config.mock_exchange
    symbols = [item.model_copy(update={"flow": args.flow}) if args.flow else item for item in config.symbols]
    lag_ms = args.lag_ms
    if lag_ms is None and config.second_venue is not None:
        lag_ms = config.second_venue.lag_ms
    seed = config.seed if args.seed is None else args.seed
    _check(args, symbols, lag_ms, seed)
    found = market_statistics(
        symbols, args.seconds, seed, lag_ns=None if lag_ms is None else lag_ms * NS_PER_MS, only=args.symbol
    )
    print(json.dumps(_plain(found), indent=2, allow_nan=False) if args.json else "\n".join(tables(found)))
    return EXIT_OK


def _check(args: argparse.Namespace, symbols: Sequence[MockSymbolConfig], lag_ms: int | None, seed: int) -> None:
    if lag_ms is not None and not 0 <= lag_ms <= MAX_LAG_MS:
        raise ConfigError("--lag-ms", f"{lag_ms} is not from 0 to {MAX_LAG_MS}", "Give, for example, 200")
    least = max(LEAST_SECONDS, 4 * (lag_ms or 0) / 1000)
    if not least <= args.seconds <= MAX_SECONDS:
        raise ConfigError(
            "--seconds", f"{args.seconds:g} is not from {least:g} to {MAX_SECONDS:g}", "Give, for example, 600"
        )
    if not 0 <= seed < 2**63:
        raise ConfigError("--seed", f"{seed} is not from 0 to 2^63 - 1", "Give, for example, 1")
    listed = [item.symbol for item in symbols]
    for name in args.symbol:
        if name not in listed:
            raise ConfigError("--symbol", f"{name!r} is not listed", f"Take one of {', '.join(listed)}")


def tables(found: Mapping[str, Any]) -> Iterator[str]:
    """The lines of the report: a table each for symbols, correlations, triangles and venues."""
    yield f"{found['seconds']:g} s of virtual time, seed {found['seed']}"
    by_symbol = {name: {"flow": found["flows"][name], **table} for name, table in found["symbols"].items()}
    for title, columns in (
        ("symbols", by_symbol),
        ("correlations", found["correlations"]),
        ("triangles", found["triangles"]),
        ("venues", found["venues"]),
    ):
        if columns:
            yield ""
            yield from _table(title, {name: dict(_rows(table)) for name, table in columns.items()})


def _table(title: str, columns: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    rows = list(dict.fromkeys(key for column in columns.values() for key in column))
    width = max(map(len, rows)) + 2
    widths = [max(len(name), *(len(_text(value)) for value in column.values())) for name, column in columns.items()]
    yield f"{title:{width}}" + "".join(f"  {name:>{size}}" for name, size in zip(columns, widths))
    for row in rows:
        cells = (_text(column.get(row, math.nan)) for column in columns.values())
        yield f"{row:{width}}" + "".join(f"  {cell:>{size}}" for cell, size in zip(cells, widths))


def _rows(table: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        name = key.replace("_", " ")
        if isinstance(value, Mapping):
            yield from ((f"{name} {part.replace('_', ' ')}", number) for part, number in value.items())
        else:
            yield name, value


def _text(value: float | str) -> str:
    if isinstance(value, str):
        return value
    if math.isnan(value):
        return "-"
    return f"{value:.0f}" if abs(value) >= 10_000 else f"{value:.4g}"


def _plain(value: Any) -> Any:
    """As JSON has it: no NaN."""
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
