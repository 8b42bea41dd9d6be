"""Indicators over a million bars beside TA-Lib, which computes them one by one and keeps no state."""

from __future__ import annotations

import numpy as np
import talib

from benchmarks.models.turns import in_turns
from benchmarks.report import Row
from services.signal_bridge import FeatureComputer
from services.signal_bridge.indicators import kernels
from services.signal_bridge.indicators.layout import OUTPUTS, Periods, new_state

BARS = 1_000_000


def run() -> list[Row]:
    """Rows in milliseconds."""
    kernels.warm_up()
    rng = np.random.default_rng(1)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 1e-4, BARS)))
    high, low, volume = close * 1.0001, close * 0.9999, rng.random(BARS)
    value, other = in_turns(lambda: FeatureComputer("rsi").compute_series(close), lambda: talib.RSI(close), 5)
    note = f"TA-Lib: {other:.1f} ms"
    rows = [Row("RSI of a million bars", "ms", value, 10.0, 1.0, "the bar", note)]
    out, everything = np.empty((len(OUTPUTS), BARS)), np.arange(len(OUTPUTS))

    def one_by_one() -> None:
        talib.RSI(close), talib.ATR(high, low, close), talib.MACD(close), talib.BBANDS(close, 20, 2, 2)

    value, floor = in_turns(
        lambda: kernels.update_many(new_state(Periods()), high, low, close, volume, everything, out), one_by_one, 5
    )
    note = "ours one bar after another, as they come, with volume and shares of the band"
    rows.append(Row("RSI, ATR, MACD, bands of a million bars", "ms", value, floor, 8.0, "TA-Lib", note))
    return rows
