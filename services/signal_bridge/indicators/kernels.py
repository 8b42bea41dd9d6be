"""All indicators of one symbol in one call, over the state array that `layout` describes.

Conventions are TA-Lib's, seeds included: Wilder averages (RSI, ATR) start at the plain mean of their first period,
exponential averages at the plain mean too, the fast one at the same sample as the slow one, over the last
`fast` samples before it; Bollinger bands use the population deviation. Two values TA-Lib leaves to chance are
set: a market that did not move at all has RSI 50 (TA-Lib: 0, which would read as oversold) and, when
its band has no width, bb_percent 0.5.

A sample whose high, low or close is not a finite number above 0, or whose high is below its low, is refused whole:
nothing changes. A volume that is not a finite number >= 0 counts as not known: the volume outputs are NaN for this
sample, their window stands as it was, and the price indicators go on.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from common.messages.book import ASK_COUNT, BID_COUNT, HEADER_WORDS, IntArray
from services.signal_bridge.indicators.layout import (
    ATR,
    ATR_PERIOD,
    BB_DEVIATIONS,
    BB_LOWER,
    BB_MIDDLE,
    BB_PERCENT,
    BB_PERIOD,
    BB_UPPER,
    BB_WIDTH,
    EMA_FAST,
    EMA_SIGNAL,
    EMA_SLOW,
    GAIN,
    IMBALANCE,
    IMBALANCE_LEVELS,
    LOSS,
    MACD,
    MACD_FAST_PERIOD,
    MACD_HISTOGRAM,
    MACD_SIGNAL,
    MACD_SIGNAL_PERIOD,
    MACD_SLOW_PERIOD,
    MICROPRICE,
    OUTPUT_START,
    PREVIOUS_CLOSE,
    RINGS,
    RSI,
    RSI_PERIOD,
    SAMPLES,
    TRUE_RANGE,
    VOLUME,
    VOLUME_PERIOD,
    VOLUME_RATIO,
    VOLUME_SAMPLES,
    FloatArray,
    Periods,
    new_state,
)


@njit(cache=True)
def _rsi(state: FloatArray, n: int, close: float) -> None:
    """Wilder's relative strength index (New Concepts in Technical Trading Systems, 1978). `n`: samples before."""
    if n == 0:
        return
    change = close - state[PREVIOUS_CLOSE]
    gain = max(change, 0.0)
    loss = max(-change, 0.0)
    period = state[RSI_PERIOD]
    if n <= period:
        state[GAIN] += gain
        state[LOSS] += loss
        if n < period:
            return
        state[GAIN] /= period
        state[LOSS] /= period
    else:
        state[GAIN] += (gain - state[GAIN]) / period
        state[LOSS] += (loss - state[LOSS]) / period
    total = state[GAIN] + state[LOSS]
    state[RSI] = 100.0 * state[GAIN] / total if total > 0.0 else 50.0


@njit(cache=True)
def _atr(state: FloatArray, n: int, high: float, low: float) -> None:
    """Wilder's average true range."""
    if n == 0:
        return
    previous = state[PREVIOUS_CLOSE]
    true_range = max(high, previous) - min(low, previous)
    period = state[ATR_PERIOD]
    if n <= period:
        state[TRUE_RANGE] += true_range
        if n < period:
            return
        state[TRUE_RANGE] /= period
    else:
        state[TRUE_RANGE] += (true_range - state[TRUE_RANGE]) / period
    state[ATR] = state[TRUE_RANGE]


@njit(cache=True)
def _macd(state: FloatArray, n: int, close: float) -> None:
    """Moving average convergence divergence (Appel)."""
    slow = state[MACD_SLOW_PERIOD]
    fast = state[MACD_FAST_PERIOD]
    if n < slow:
        state[EMA_SLOW] += close
        if n >= slow - fast:
            state[EMA_FAST] += close
        if n < slow - 1:
            return
        state[EMA_SLOW] /= slow
        state[EMA_FAST] /= fast
    else:
        state[EMA_SLOW] += (close - state[EMA_SLOW]) * (2.0 / (slow + 1.0))
        state[EMA_FAST] += (close - state[EMA_FAST]) * (2.0 / (fast + 1.0))
    macd = state[EMA_FAST] - state[EMA_SLOW]
    lines = n - slow + 2.0  # MACD values so far, this one included
    period = state[MACD_SIGNAL_PERIOD]
    if lines <= period:
        state[EMA_SIGNAL] += macd
        if lines < period:
            return
        state[EMA_SIGNAL] /= period
    else:
        state[EMA_SIGNAL] += (macd - state[EMA_SIGNAL]) * (2.0 / (period + 1.0))
    state[MACD] = macd
    state[MACD_SIGNAL] = state[EMA_SIGNAL]
    state[MACD_HISTOGRAM] = macd - state[EMA_SIGNAL]


@njit(cache=True)
def _bollinger(state: FloatArray, n: int, close: float) -> None:
    """Bollinger bands over a ring, summed anew each time.

    Sums are taken of differences to the newest close, then of differences to their mean: differences of near
    prices are exact, so nothing cancels and nothing drifts, whatever passed through the window before.
    """
    period = int(state[BB_PERIOD])
    ring = state[RINGS : RINGS + period]
    ring[n % period] = close
    if n < period - 1:
        return
    shift = 0.0
    for i in range(period):
        shift += ring[i] - close
    shift /= period
    squares = 0.0
    for i in range(period):
        away = (ring[i] - close) - shift
        squares += away * away
    middle = close + shift
    half = state[BB_DEVIATIONS] * np.sqrt(squares / period)
    state[BB_UPPER] = middle + half
    state[BB_MIDDLE] = middle
    state[BB_LOWER] = middle - half
    state[BB_WIDTH] = 2.0 * half / middle
    # Of the same differences, not of the rounded bands: exact where the band is narrower than the price's digits.
    state[BB_PERCENT] = 0.5 - shift / (2.0 * half) if half > 0.0 else 0.5


@njit(cache=True)
def _volume(state: FloatArray, volume: float) -> None:
    """The sample's volume, and its ratio to the mean of the last `period` volumes, this one included."""
    state[VOLUME] = np.nan
    state[VOLUME_RATIO] = np.nan
    if not 0.0 <= volume < np.inf:
        return
    period = int(state[VOLUME_PERIOD])
    start = RINGS + int(state[BB_PERIOD])
    ring = state[start : start + period]
    n = int(state[VOLUME_SAMPLES])
    ring[n % period] = volume
    state[VOLUME_SAMPLES] = n + 1.0
    state[VOLUME] = volume
    if n < period - 1:
        return
    total = 0.0
    for i in range(period):
        total += ring[i]
    if total > 0.0:
        state[VOLUME_RATIO] = volume / (total / period)


@njit(cache=True)
def update(state: FloatArray, high: float, low: float, close: float, volume: float) -> bool:
    """Take one sample into `state`; False when the sample is refused (see the module's text)."""
    if not (0.0 < low <= high < np.inf and 0.0 < close < np.inf):
        return False
    n = int(state[SAMPLES])
    _rsi(state, n, close)
    _atr(state, n, high, low)
    _macd(state, n, close)
    _bollinger(state, n, close)
    _volume(state, volume)
    state[PREVIOUS_CLOSE] = close
    state[SAMPLES] = n + 1.0
    return True


@njit(cache=True)
def book_pressure(state: FloatArray, words: IntArray, tick_size: float) -> None:
    """Imbalance over the first levels and microprice at the touch, from a BookUpdate's words.

    imbalance = (bid size - ask size) / (bid size + ask size), in [-1, 1]; microprice is the touch weighted by the
    opposite sizes, in quote currency (Gatheral and Oomen's weighted mid). Both NaN for a book without two sides.
    """
    bids = words[BID_COUNT]
    asks = words[ASK_COUNT]
    state[IMBALANCE] = np.nan
    state[MICROPRICE] = np.nan
    if bids <= 0 or asks <= 0:
        return
    levels = int(state[IMBALANCE_LEVELS])
    bid_size = 0.0
    for i in range(min(levels, bids)):
        bid_size += words[HEADER_WORDS + bids + i]
    ask_size = 0.0
    for i in range(min(levels, asks)):
        ask_size += words[HEADER_WORDS + 2 * bids + asks + i]
    if bid_size + ask_size <= 0.0:
        return
    state[IMBALANCE] = (bid_size - ask_size) / (bid_size + ask_size)
    bid = float(words[HEADER_WORDS])
    ask = float(words[HEADER_WORDS + 2 * bids])
    bid_lots = float(words[HEADER_WORDS + bids])
    ask_lots = float(words[HEADER_WORDS + 2 * bids + asks])
    if bid_lots + ask_lots > 0.0:
        state[MICROPRICE] = (bid + (ask - bid) * bid_lots / (bid_lots + ask_lots)) * tick_size


@njit(cache=True)
def close_bar(
    state: FloatArray, words: IntArray, high: float, low: float, close: float, volume: float, tick_size: float
) -> bool:
    """`update` and `book_pressure` in one call: what the stage does at the end of a sampling interval."""
    book_pressure(state, words, tick_size)
    return update(state, high, low, close, volume)


@njit(cache=True)
def update_many(
    state: FloatArray,
    high: FloatArray,
    low: FloatArray,
    close: FloatArray,
    volume: FloatArray,
    outputs: IntArray,
    out: FloatArray,
) -> None:
    """`update` for every sample in turn, but only of the indicators that are asked for.

    Args:
        state: as made by `new_state`; changed in place, where an indicator was asked for.
        high, low, close, volume: float64[n].
        outputs: int64[k], places in OUTPUTS.
        out: float64[k, n]; column i receives the outputs after sample i (the former ones when refused).
    """
    first, last = outputs.min() + OUTPUT_START, outputs.max() + OUTPUT_START
    has_rsi = first == RSI
    has_macd = has_bands = has_atr = has_volume = False
    for place in outputs:
        at = place + OUTPUT_START
        has_macd |= MACD <= at <= MACD_HISTOGRAM
        has_bands |= BB_UPPER <= at <= BB_WIDTH
        has_atr |= at == ATR
        has_volume |= VOLUME <= at <= VOLUME_RATIO
    has_rsi_alone = has_rsi and last == RSI
    for i in range(close.shape[0]):
        if 0.0 < low[i] <= high[i] < np.inf and 0.0 < close[i] < np.inf:
            n = int(state[SAMPLES])
            if has_rsi:
                _rsi(state, n, close[i])
            if not has_rsi_alone:
                if has_atr:
                    _atr(state, n, high[i], low[i])
                if has_macd:
                    _macd(state, n, close[i])
                if has_bands:
                    _bollinger(state, n, close[i])
                if has_volume:
                    _volume(state, volume[i])
            state[PREVIOUS_CLOSE] = close[i]
            state[SAMPLES] = n + 1.0
        for j in range(out.shape[0]):
            out[j, i] = state[OUTPUT_START + outputs[j]]


def warm_up() -> None:
    """Call each kernel once with the types used in production, so that numba's cache holds them."""
    state = new_state(Periods())
    words = np.zeros(HEADER_WORDS + 4, np.int64)
    words[[BID_COUNT, ASK_COUNT]] = 1
    words[HEADER_WORDS:] = (99, 1, 101, 1)
    off_the_wire = np.frombuffer(words.tobytes(), np.int64)  # read-only arrays are a type of their own
    close_bar(state, words, 1.0, 1.0, 1.0, 0.0, 0.01)
    close_bar(state, off_the_wire, 1.0, 1.0, 1.0, 0.0, 0.01)
    update(state, 1.0, 1.0, 1.0, 0.0)
    book_pressure(state, words, 0.01)
    column = np.ones(2, np.float64)
    everything = np.arange(14, dtype=np.int64)
    update_many(state, column, column, column, column, everything, np.empty((14, 2), np.float64))
