"""Prices in whatever shape a user has them, made into float64 columns, or refused with the reason.

Shapes read:
    one-dimensional sequence, array or series        closes
    mapping of columns                               any of COLUMNS, as sequences
    sequence of bar mappings                         the same keys in every bar
    structured array, data frame                     columns by name (anything with `.columns` and `[name]`)
    two-dimensional array                            1 column: close; 4: open, high, low, close; 5: and volume

Column names are read without regard to case; columns of other names (dates, symbols) are left aside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, cast

import numpy as np

from common.errors import RefusedError
from services.signal_bridge.indicators.layout import FloatArray

PRICE_COLUMNS: Final = ("open", "high", "low", "close")
COLUMNS: Final = (*PRICE_COLUMNS, "volume", "bid_size", "ask_size")
_BY_POSITION: Final = {1: ("close",), 4: PRICE_COLUMNS, 5: (*PRICE_COLUMNS, "volume")}


class PriceDataError(RefusedError, ValueError):
    """Prices that no feature can be computed from; the message says what, where and what to do."""


def columns_of(price_data: object) -> dict[str, FloatArray]:
    """The known columns of `price_data`, each float64[n], n >= 1, all finite; `close` is among them.

    Raises:
        PriceDataError: no data, no close, a value that is no number, NaN, negative or zero prices, negative sizes,
            a high below its low, or columns of different lengths.
    """
    columns = {name: _numbers(name, values) for name, values in _split(price_data).items()}
    if "close" not in columns:
        raise PriceDataError(
            f"no column 'close' in the price data (there is {', '.join(columns) or 'no known column'}); "
            f"pass closes, or columns named {', '.join(COLUMNS)}"
        )
    count = len(columns["close"])
    for name, values in columns.items():
        if len(values) != count:
            raise PriceDataError(
                f"column '{name}' has {len(values)} values and 'close' has {count}; give every column one per bar"
            )
    if count == 0:
        raise PriceDataError("the price data is empty; give at least one close")
    for name, values in columns.items():
        _check_range(name, values)
    if "high" in columns and "low" in columns:
        _refuse_where(
            columns["high"] < columns["low"],
            lambda i: f"bar {i} has high {columns['high'][i]:g} below low {columns['low'][i]:g}; are they swapped?",
        )
    return columns


def _split(data: object) -> dict[str, object]:
    """Take the container apart into columns by name."""
    if data is None or isinstance(data, str | bytes):
        raise PriceDataError(f"price data cannot be {data!r:.60}; pass closes, or columns named {', '.join(COLUMNS)}")
    if isinstance(data, Mapping):
        return _named(data.keys(), data.__getitem__)
    names = getattr(data, "columns", None)
    if names is not None and hasattr(data, "__getitem__"):
        return _named(names, data.__getitem__)
    if isinstance(data, np.ndarray) and data.dtype.names:
        return _named(data.dtype.names, data.__getitem__)
    if isinstance(data, Sequence) and data and isinstance(data[0], Mapping):
        return _from_bars(data)
    return _from_array(data)


def _named(names: Iterable[object], column: Callable[[Any], object]) -> dict[str, object]:
    known: dict[str, object] = {}
    for name in names:
        lower = name.lower() if isinstance(name, str) else None
        if lower in COLUMNS:
            if lower in known:
                raise PriceDataError(f"column '{lower}' is there twice, in different capitals; keep one")
            known[lower] = column(name)
    return known


def _from_bars(bars: Sequence[object]) -> dict[str, object]:
    columns: dict[str, list[object]] = {}
    wanted = set(_named(cast("Mapping[object, object]", bars[0]).keys(), lambda name: name))
    for index, bar in enumerate(bars):
        if not isinstance(bar, Mapping):
            raise PriceDataError(f"bar {index} is {bar!r:.60}, the bars before it are mappings; give one kind")
        row = _named(bar.keys(), bar.__getitem__)
        if set(row) != wanted:
            odd = ", ".join(sorted(wanted.symmetric_difference(row)))
            raise PriceDataError(
                f"bar {index} does not have the same columns as bar 0 ({odd}); give all bars the same"
            )
        for name, value in row.items():
            columns.setdefault(name, []).append(value)
    return dict(columns)


def _from_array(data: object) -> dict[str, object]:
    if not hasattr(data, "__array__") and not isinstance(data, Sequence):
        data = _listed(data)
    array = data if isinstance(data, np.ndarray) else _array("price data", data)
    if array.ndim == 1:
        return {"close": array}
    if array.ndim != 2:
        raise PriceDataError(f"price data has {array.ndim} dimensions; give closes (1) or a table of bars (2)")
    if array.shape[1] not in _BY_POSITION:
        raise PriceDataError(
            f"a table of {array.shape[1]} columns without names; give 1 (close), 4 (open, high, low, close) or "
            "5 (and volume), one row per bar, or name the columns"
        )
    return {name: array[:, i] for i, name in enumerate(_BY_POSITION[array.shape[1]])}


def _listed(data: object) -> list[object]:
    try:
        return list(data)  # type: ignore[call-overload, no-any-return]
    except TypeError:
        raise PriceDataError(
            f"price data cannot be of type {type(data).__name__}; pass closes, or columns named {', '.join(COLUMNS)}"
        ) from None


def _array(what: str, values: object) -> np.ndarray[Any, np.dtype[Any]]:
    try:
        return np.asarray(values)
    except ValueError:
        raise PriceDataError(f"{what} has rows of different lengths; give every bar the same columns") from None


def _numbers(name: str, values: object) -> FloatArray:
    """One column as contiguous float64; what a masked array hides becomes NaN, to be refused as such."""
    array = _array(f"column '{name}'", values)
    if array.ndim != 1:
        raise PriceDataError(f"column '{name}' has {array.ndim} dimensions; give it one value per bar")
    if array.dtype.kind == "O":
        for index, value in enumerate(array):
            if isinstance(value, str | bytes | bool) or not hasattr(value, "__float__"):
                raise PriceDataError(f"column '{name}' has {value!r:.40} at index {index}; give numbers only")
    elif array.dtype.kind not in "iuf":
        raise PriceDataError(f"column '{name}' holds {array.dtype}, not numbers; convert it to float first")
    try:
        numbers = np.array(array, np.float64)
    except (TypeError, ValueError, OverflowError) as exc:
        raise PriceDataError(f"column '{name}' has a value that is no number ({exc}); drop or fill it") from None
    if isinstance(values, np.ma.MaskedArray):
        numbers[np.ma.getmaskarray(values)] = np.nan
    return numbers


def _check_range(name: str, values: FloatArray) -> None:
    _refuse_where(
        ~np.isfinite(values),
        lambda i: f"column '{name}' has {values[i]} at index {i}; drop the bar or fill the value",
    )
    if name in PRICE_COLUMNS:
        _refuse_where(
            values <= 0,
            lambda i: f"column '{name}' has {values[i]:g} at index {i}; a price must be above 0",
        )
    else:
        _refuse_where(
            values < 0,
            lambda i: f"column '{name}' has {values[i]:g} at index {i}; a size cannot be negative",
        )


def _refuse_where(bad: np.ndarray[Any, np.dtype[np.bool_]], text: Callable[[int], str]) -> None:
    where = np.flatnonzero(bad)
    if len(where):
        others = f" ({len(where)} such values)" if len(where) > 1 else ""
        raise PriceDataError(text(int(where[0])) + others)
