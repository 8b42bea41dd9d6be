"""FeatureComputer: the indicators over a whole history, for notebooks, tests and training.

It runs the same kernels as the daemon, sample by sample, so a model trained on its output sees live what it was
trained on.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Final

import numpy as np

from services.signal_bridge.indicators.kernels import update_many
from services.signal_bridge.indicators.layout import (
    FEATURE_GROUPS,
    OUTPUTS,
    FloatArray,
    Periods,
    new_state,
)
from services.signal_bridge.price_data import PriceDataError, columns_of

#: What a plain price history can give: all but what needs the prices of both book sides.
COMPUTABLE: Final = tuple(name for name in OUTPUTS if name != "microprice")


def feature_keys(features: Iterable[str]) -> tuple[str, ...]:
    """The output keys that `features` (groups like "bb", or keys like "bb_percent") stand for, in their order.

    Raises:
        PriceDataError: a name is neither; the message has the nearest known one.
    """
    names = (features,) if isinstance(features, str) else tuple(features)
    wanted: dict[str, None] = {}
    for name in names:
        if name in FEATURE_GROUPS:
            wanted.update(dict.fromkeys(FEATURE_GROUPS[name]))
        elif name in OUTPUTS:
            wanted[name] = None
        else:
            known = list(dict.fromkeys((*FEATURE_GROUPS, *OUTPUTS)))
            near = difflib.get_close_matches(str(name), known, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"known are {', '.join(known)}"
            raise PriceDataError(f"unknown feature {name!r}; {hint}")
    if not wanted:
        raise PriceDataError(f"no features asked for; name some of {', '.join(FEATURE_GROUPS)}")
    return tuple(wanted)


class FeatureComputer:
    """Computes features of a price history.

    Args:
        features: groups ("rsi", "macd", "bb", "atr", "volume", "imbalance") or single keys; all by default.
        periods: window lengths; the classic ones by default.

    Values are NaN, not errors, where the history is too short for the window (`periods.warm_up_samples` is enough
    for all), and for the volume keys where no volume is given. Without highs and lows the true range is that of
    the closes. `imbalance` is there only if `bid_size` and `ask_size` are given.
    """

    def __init__(self, features: Iterable[str] = tuple(FEATURE_GROUPS), periods: Periods | None = None) -> None:
        self.keys = tuple(key for key in feature_keys(features) if key in COMPUTABLE)
        self.periods = periods or Periods()
        if not self.keys:
            raise PriceDataError("microprice needs a live book, a price history has none; ask for other features")

    def compute(self, price_data: object) -> dict[str, float]:
        """The latest value of every feature, by key.

        Args:
            price_data: closes, or bars, in any shape that `price_data` (the module) reads.

        Raises:
            PriceDataError: the data cannot be read; it says what, where and what to do.
        """
        return {key: float(series[-1]) for key, series in self.compute_series(price_data).items()}

    def compute_series(self, price_data: object) -> dict[str, FloatArray]:
        """Every feature after every bar: float64[n] by key, NaN before its window is full.

        Raises:
            PriceDataError: as `compute`.
        """
        columns = columns_of(price_data)
        close = columns["close"]
        high, low = _extremes(columns)
        volume = columns.get("volume")
        if volume is None:
            # Where nothing reads it, anything of its type will do, and costs no memory.
            is_read = not {"volume", "volume_ratio"}.isdisjoint(self.keys)
            volume = np.full(len(close), np.nan) if is_read else close
        keys = [key for key in self.keys if key != "imbalance"]
        out = np.empty((len(keys), len(close)), np.float64)
        if keys:
            places = np.array([OUTPUTS.index(key) for key in keys], np.int64)
            update_many(new_state(self.periods), high, low, close, volume, places, out)
        imbalance = _imbalance(columns) if "imbalance" in self.keys else None
        if imbalance is None and self.keys == ("imbalance",):
            raise PriceDataError("imbalance needs the columns 'bid_size' and 'ask_size'; give both")
        series: dict[str, FloatArray] = {}
        for key in self.keys:
            if key != "imbalance":
                series[key] = out[keys.index(key)]
            elif imbalance is not None:
                series[key] = imbalance
        return series


def _extremes(columns: dict[str, FloatArray]) -> tuple[FloatArray, FloatArray]:
    """Highs and lows. A side that is not given follows the closes, but never crosses the side that is."""
    close, high, low = columns["close"], columns.get("high"), columns.get("low")
    if high is None:
        high = close if low is None else np.maximum(close, low)
    if low is None:
        low = close if high is close else np.minimum(close, high)
    return high, low


def _imbalance(columns: dict[str, FloatArray]) -> FloatArray | None:
    """(bid size - ask size) / (bid size + ask size), NaN where both are 0; None when no sizes are given."""
    given = [name for name in ("bid_size", "ask_size") if name in columns]
    if not given:
        return None
    if len(given) == 1:
        raise PriceDataError(f"there is a column '{given[0]}' alone; imbalance needs both 'bid_size' and 'ask_size'")
    bid, ask = columns["bid_size"], columns["ask_size"]
    total = bid + ask
    ratio: FloatArray = np.divide(bid - ask, total, out=np.full(len(total), np.nan), where=total > 0)
    return ratio
