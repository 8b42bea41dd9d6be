"""All statistics of a simulated market, of its triangles, and of a second venue that hears of prices later."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import Any, Final

import numpy as np

from common.config.mock_exchange import MockSymbolConfig
from common.units import NS_PER_MS, NS_PER_S
from models.price_discovery import Ticks, hayashi_yoshida, lead_lag
from services.mock_exchange.simulation.fundamental import second_flow_seed
from services.mock_exchange.simulation.statistics.measures import measure
from services.mock_exchange.simulation.statistics.tape import Tape, record
from services.mock_exchange.simulation.statistics.triangles import triangle

LEAST_SECONDS: Final = 10.0
#: Lags looked at on each side of 0, and the least distance between two.
_LAGS: Final = 40
_LEAST_LAG_NS: Final = 5 * NS_PER_MS
_BLOCKS: Final = 20


def market_statistics(
    symbols: Sequence[MockSymbolConfig],
    seconds: float,
    seed: int,
    *,
    lag_ns: int | None = None,
    only: Sequence[str] = (),
) -> dict[str, Any]:
    """Run the market and measure it.

    Args:
        symbols: as configured, each with its own flow model.
        seconds: how long, virtual time, after the warm-up.
        seed: one seed, one market.
        lag_ns: of a second venue; None for none.
        only: the symbols whose statistics are wanted; all when empty. All are run, for crosses need their legs.

    Returns:
        "symbols": by name, see `measures.measure`. "correlations": by pair, of changes of the mid over a second, and
        by Hayashi and Yoshida of all changes. "triangles": by cross, see `triangles.triangle`. "venues": by symbol,
        the lag at which the second venue follows the first (positive: the first leads), where it is sought.

    Raises:
        ValueError: `seconds` is below LEAST_SECONDS or four times the lag; a name in `only` is not listed.
    """
    if seconds < max(LEAST_SECONDS, 4 * (lag_ns or 0) / NS_PER_S):
        raise ValueError(f"seconds: {seconds:g} is below {LEAST_SECONDS:g} or four times the lag; watch longer")
    names = [item.symbol for item in symbols]
    for name in only:
        if name not in names:
            raise ValueError(f"only: {name!r} is not listed; there are {', '.join(names)}")
    tapes = record(symbols, seconds, seed)
    wanted = [name for name in names if not only or name in only]
    found: dict[str, Any] = {
        "seconds": seconds,
        "seed": seed,
        "flows": {item.symbol: item.flow for item in symbols if item.symbol in wanted},
        "symbols": {name: measure(tapes[name]) for name in wanted},
        "correlations": {
            f"{one}/{other}": correlation(tapes[one], tapes[other]) for one, other in combinations(wanted, 2)
        },
        "triangles": {
            item.symbol: triangle(tapes[item.symbol], tapes[item.cross_of[0]], tapes[item.cross_of[1]])
            for item in symbols
            if item.cross_of is not None and item.symbol in wanted
        },
        "venues": {},
    }
    if lag_ns is not None:
        second = record(symbols, seconds, seed, lag_ns, second_flow_seed(seed))
        found["venues"] = {name: venue_lag(tapes[name], second[name], lag_ns) for name in wanted}
    return found


def correlation(one: Tape, other: Tape) -> dict[str, float]:
    """Of changes of the mid over a second, and of all changes by Hayashi and Yoshida with its standard error."""
    moves = [np.diff(tape.log_mid_every(NS_PER_S)) for tape in (one, other)]
    moved = all(np.ptp(each) > 0 for each in moves)
    result = {"1s": float(np.corrcoef(moves[0], moves[1])[0, 1]) if moved else math.nan}
    if moved and min(one.touch_ns.size, other.touch_ns.size) > 2 * _BLOCKS:
        exact = hayashi_yoshida(_ticks(one), _ticks(other), blocks=_BLOCKS)
        result |= {"hayashi_yoshida": exact.correlation, "hayashi_yoshida_error": exact.correlation_error}
    return result


def venue_lag(first: Tape, second: Tape, lag_ns: int) -> dict[str, float]:
    """Who moves first: lags up to twice the one that was set, at least half a second.

    "lag_s" is where the contrast is highest (positive: the first venue leads), "correlation" its height there,
    "correlation_at_0" beside it; "ratio" is the squared contrast at positive lags by that at negative ones. Nothing
    but "set_s" is there when a price never moved.
    """
    if not all(np.ptp(tape.log_mid) > 0 for tape in (first, second)):
        return {"set_s": lag_ns / NS_PER_S}
    step_ns = max(_LEAST_LAG_NS, max(2 * lag_ns, NS_PER_S // 2) // _LAGS)
    lags = np.arange(-_LAGS, _LAGS + 1) * step_ns
    contrast = lead_lag(_ticks(first), _ticks(second), lags)
    return {
        "set_s": lag_ns / NS_PER_S,
        "lag_s": contrast.lag / NS_PER_S,
        "correlation": contrast.peak,
        "correlation_at_0": float(contrast.correlation[_LAGS]),
        "ratio": contrast.ratio,
        "is_sure": float(contrast.converged),
    }


def _ticks(tape: Tape) -> Ticks:
    """The middle of the book, which is what it was to the end."""
    times, mids = np.append(tape.touch_ns, tape.end_ns), np.append(tape.log_mid, tape.log_mid[-1])
    return Ticks.last_of_ties(times, mids)
