"""Statistics of one tape: how close and deep its book is, how its price moves, how its trades follow each other."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from common.units import NS_PER_S
from models.statistics import kurtosis
from services.mock_exchange.simulation.statistics.tape import DEPTH_LEVELS, SAMPLE_NS, FloatArray, Tape

BPS: Final = 1e4
SIGN_LAGS: Final = (1, 2, 5, 10, 20, 50)
RETURN_LAGS: Final = (1, 2, 5, 10)
HORIZONS_MS: Final = (100, 500, 1_000, 5_000, 10_000, 30_000)
KURTOSIS_MS: Final = (100, 1_000)
COUNT_WINDOWS_MS: Final = (100, 1_000, 10_000)

Table = dict[str, float | dict[str, float]]


def autocorrelation(values: npt.ArrayLike, lag: int) -> float:
    """Of a series with itself `lag` later, about its mean; NaN when it is too short or never changes."""
    series = np.asarray(values, np.float64)
    if series.size < lag + 2:
        return math.nan
    around = series - series.mean()
    square = float(around @ around)
    return float(around[lag:] @ around[:-lag]) / square if square > 0 else math.nan


def fano_factor(times_ns: npt.ArrayLike, start_ns: int, end_ns: int, window_ns: int) -> float:
    """Variance of the counts in even windows by their mean: 1 for a Poisson process, above for clusters.

    NaN when there are fewer than two whole windows or no events.
    """
    edges = np.arange(start_ns, end_ns + 1, window_ns)
    if edges.size < 3:
        return math.nan
    counts = np.histogram(np.asarray(times_ns), edges)[0]
    mean = float(counts.mean())
    return float(counts.var(ddof=1)) / mean if mean else math.nan


def volatility(log_prices: FloatArray, step_s: float) -> float:
    """Root of the mean square change, per square root of a second."""
    return math.sqrt(float(np.mean(np.square(np.diff(log_prices)))) / step_s)


def spread(tape: Tape) -> dict[str, float]:
    """Ask less bid: means and the median over time, not over changes."""
    ticks = (tape.ask_ticks - tape.bid_ticks).astype(np.float64)
    relative = BPS * ticks / ((tape.ask_ticks + tape.bid_ticks) / 2)
    held = np.diff(np.append(tape.touch_ns, tape.end_ns)).astype(np.float64)
    order = np.argsort(ticks)
    middle = np.searchsorted(np.cumsum(held[order]), held.sum() / 2)
    return {
        "mean_ticks": float(np.average(ticks, weights=held)),
        "median_ticks": float(ticks[order][middle]),
        "mean_bps": float(np.average(relative, weights=held)),
    }


def signature(tape: Tape) -> tuple[dict[str, float], dict[str, float]]:
    """Volatility of the mid over several horizons in bps per root second, and its ratio to the fundamental's."""
    own, ratios = {}, {}
    fundamental = tape.fundamental
    for horizon_ms in HORIZONS_MS:
        step_ns = horizon_ms * 1_000_000
        if 4 * step_ns > tape.end_ns - tape.start_ns:
            continue
        value = volatility(tape.log_mid_every(step_ns), step_ns / NS_PER_S)
        base = volatility(fundamental[:: step_ns // SAMPLE_NS], step_ns / NS_PER_S)
        own[_ms(horizon_ms)] = BPS * value
        ratios[_ms(horizon_ms)] = value / base if base else math.nan
    return own, ratios


def measure(tape: Tape) -> Table:
    """All statistics of one symbol, by name; keys of the inner tables are lags, levels or lengths of time."""
    signs = tape.taker_signs
    moves = {ms: np.diff(tape.log_mid_every(ms * 1_000_000)) for ms in KURTOSIS_MS}
    calm = np.abs(moves[1_000])
    volatilities, ratios = signature(tape)
    takers = max(1, signs.size)
    gaps = np.diff(tape.taker_ns) / NS_PER_S
    return {
        "spread": spread(tape),
        "depth_quote": {str(n): float(v) for n, v in zip(DEPTH_LEVELS, tape.depth.mean(axis=0), strict=True)},
        "volatility_bps_per_sqrt_s": volatilities,
        "volatility_to_fundamental": ratios,
        "excess_kurtosis": {_ms(ms): _kurtosis(values) for ms, values in moves.items()},
        "return_autocorrelation": {str(lag): autocorrelation(moves[1_000], lag) for lag in RETURN_LAGS},
        "absolute_return_autocorrelation": {str(lag): autocorrelation(calm, lag) for lag in RETURN_LAGS},
        "sign_autocorrelation": {str(lag): autocorrelation(signs, lag) for lag in SIGN_LAGS},
        "taker_fano_factor": {
            _ms(ms): fano_factor(tape.taker_ns, tape.start_ns, tape.end_ns, ms * 1_000_000) for ms in COUNT_WINDOWS_MS
        },
        "taker_gap_variation": float(gaps.std() / gaps.mean()) if gaps.size > 1 else math.nan,
        "takers_per_s": signs.size / tape.seconds,
        "messages_per_s": (tape.orders + tape.cancels) / tape.seconds,
        "messages_per_taker": (tape.orders + tape.cancels) / takers,
        "distance_to_fundamental_bps": BPS * _distance(tape),
        "one_sided_share": tape.one_sided,
    }


def _distance(tape: Tape) -> float:
    """Root mean square distance of the mid from the fundamental, relative."""
    mids = tape.log_mid_every(SAMPLE_NS)
    return math.sqrt(float(np.mean(np.square(mids - tape.fundamental[: mids.size]))))


def _kurtosis(values: FloatArray) -> float:
    return kurtosis(values) - 3 if values.size >= 4 else math.nan


def _ms(length_ms: int) -> str:
    return f"{length_ms / 1000:g}s"
