"""The indicators again, slow and obvious, over plain lists; None where there is no value yet."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from math import sqrt

Series = list[float | None]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def wilder(values: Sequence[float], period: int) -> Series:
    """Plain mean of the first `period`, then the old average weighs period - 1 against 1."""
    out: Series = []
    for i in range(len(values)):
        if i < period - 1:
            out.append(None)
        elif i == period - 1:
            out.append(_mean(values[:period]))
        else:
            before = out[-1]
            assert before is not None
            out.append((before * (period - 1) + values[i]) / period)
    return out


def ema(values: Sequence[float], period: int) -> Series:
    """Plain mean of the first `period`, then weight 2 / (period + 1) for the newest."""
    out: Series = []
    for i in range(len(values)):
        if i < period - 1:
            out.append(None)
        elif i == period - 1:
            out.append(_mean(values[:period]))
        else:
            before = out[-1]
            assert before is not None
            out.append(before + (values[i] - before) * 2 / (period + 1))
    return out


def rsi(close: Sequence[float], period: int) -> Series:
    changes = [b - a for a, b in pairwise(close)]
    gains = wilder([max(c, 0.0) for c in changes], period)
    losses = wilder([max(-c, 0.0) for c in changes], period)
    out: Series = [None]
    for gain, loss in zip(gains, losses, strict=True):
        if gain is None or loss is None:
            out.append(None)
        else:
            out.append(100 * gain / (gain + loss) if gain + loss > 0 else 50.0)
    return out[: len(close)]


def atr(high: Sequence[float], low: Sequence[float], close: Sequence[float], period: int) -> Series:
    ranges = [
        max(high[i] - low[i], abs(high[i] - close[i - 1]), abs(low[i] - close[i - 1])) for i in range(1, len(close))
    ]
    return ([None, *wilder(ranges, period)])[: len(close)]


def macd(close: Sequence[float], fast: int, slow: int, signal: int) -> tuple[Series, Series, Series]:
    """All three lines begin together; the fast average is seeded so that it begins where the slow one does."""
    skipped = slow - fast
    fast_line: Series = [*[None] * min(skipped, len(close)), *ema(close[skipped:], fast)]
    slow_line = ema(close, slow)
    lines = [f - s for f, s in zip(fast_line, slow_line, strict=True) if f is not None and s is not None]
    signals: Series = ([None] * min(slow - 1, len(close)) + ema(lines, signal))[: len(close)]
    macds: Series = [None] * (len(close) - len(lines)) + list(lines)
    line: Series = [m if s is not None else None for m, s in zip(macds, signals, strict=True)]
    histogram: Series = [
        m - s if m is not None and s is not None else None for m, s in zip(macds, signals, strict=True)
    ]
    return line, signals, histogram


def bollinger(close: Sequence[float], period: int, deviations: float) -> list[tuple[float, float, float] | None]:
    """Upper, middle, lower; in exact fractions until the square root."""
    out: list[tuple[float, float, float] | None] = []
    exact = [Fraction(c) for c in close]
    for i in range(len(close)):
        if i < period - 1:
            out.append(None)
            continue
        window = exact[i - period + 1 : i + 1]
        mean = sum(window) / period
        variance = sum((c - mean) ** 2 for c in window) / period
        half = deviations * sqrt(variance)
        out.append((float(mean) + half, float(mean), float(mean) - half))
    return out


def volume_ratio(volume: Sequence[float], period: int) -> Series:
    out: Series = []
    for i in range(len(volume)):
        window = volume[i - period + 1 : i + 1] if i >= period - 1 else None
        out.append(volume[i] / _mean(window) if window and sum(window) > 0 else None)
    return out


def imbalance(bids: Sequence[tuple[int, int]], asks: Sequence[tuple[int, int]], levels: int) -> float:
    bid = sum(size for _, size in bids[:levels])
    ask = sum(size for _, size in asks[:levels])
    return (bid - ask) / (bid + ask)


def microprice(bids: Sequence[tuple[int, int]], asks: Sequence[tuple[int, int]], tick_size: float) -> float:
    (bid, bid_size), (ask, ask_size) = bids[0], asks[0]
    return (bid * ask_size + ask * bid_size) / (bid_size + ask_size) * tick_size
