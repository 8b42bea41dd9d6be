"""FeatureComputer: every shape of input gives the same numbers, bad input gives a clear error."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st

from services.signal_bridge import FeatureComputer, Periods, PriceDataError

RNG = np.random.default_rng(11)
CLOSE = 100 * np.exp(np.cumsum(RNG.normal(0, 0.002, 200)))
BARS = {
    "open": np.r_[100.0, CLOSE[:-1]],
    "high": np.maximum(CLOSE, np.r_[100.0, CLOSE[:-1]]) + 0.05,
    "low": np.minimum(CLOSE, np.r_[100.0, CLOSE[:-1]]) - 0.05,
    "close": CLOSE,
    "volume": RNG.random(200) * 5,
}
SIZES = {"bid_size": RNG.random(200), "ask_size": RNG.random(200)}
BAND_KEYS = tuple(f"bb_{part}" for part in ("upper", "middle", "lower", "percent", "width"))
PRICE_KEYS = ("rsi", "macd", "macd_signal", "macd_histogram", *BAND_KEYS, "atr", "volume", "volume_ratio")


class Frame:
    """Stands for a data frame: columns by name, iterating gives names, and a column knows `__array__` only."""

    class Column:
        def __init__(self, values: npt.NDArray[np.float64]) -> None:
            self.values = values

        def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[np.float64]:
            return self.values if dtype is None else self.values.astype(dtype)

    def __init__(self, columns: dict[str, npt.NDArray[np.float64]]) -> None:
        self.data = columns
        self.columns = list(columns)

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __getitem__(self, name: str) -> Column:
        return Frame.Column(self.data[name])


def structured() -> npt.NDArray[Any]:
    table = np.zeros(200, dtype=[("ts", "i8"), *((name, "f8") for name in BARS)])
    for name, values in BARS.items():
        table[name] = values
    return table


def test_the_numbers_are_talibs() -> None:
    got = FeatureComputer().compute(BARS)
    assert set(got) == set(PRICE_KEYS)
    assert got["rsi"] == pytest.approx(talib.RSI(CLOSE)[-1], abs=1e-9)
    assert got["atr"] == pytest.approx(talib.ATR(BARS["high"], BARS["low"], CLOSE)[-1], abs=1e-9)
    for key, line in zip(("macd", "macd_signal", "macd_histogram"), talib.MACD(CLOSE), strict=True):
        assert got[key] == pytest.approx(line[-1], abs=1e-9)
    for key, line in zip(("bb_upper", "bb_middle", "bb_lower"), talib.BBANDS(CLOSE, 20, 2, 2), strict=True):
        assert got[key] == pytest.approx(line[-1], abs=1e-9)
    assert got["bb_percent"] == pytest.approx((CLOSE[-1] - got["bb_lower"]) / (got["bb_upper"] - got["bb_lower"]))
    assert got["volume"] == BARS["volume"][-1]
    assert all(type(value) is float for value in got.values())


@pytest.mark.parametrize(
    "shape",
    [
        {name: values.tolist() for name, values in BARS.items()},
        {name.capitalize(): values for name, values in BARS.items()},
        {**BARS, "date": ["2024-01-01"] * 200},
        [dict(zip(BARS, row, strict=True)) for row in zip(*BARS.values(), strict=True)],
        np.column_stack(list(BARS.values())),
        np.column_stack(list(BARS.values())).tolist(),
        np.asfortranarray(np.column_stack(list(BARS.values()))),
        structured(),
        Frame({**BARS, "symbol": np.zeros(200)}),
    ],
    ids=["lists", "Capitals", "more columns", "bars", "table", "rows", "fortran", "structured", "frame"],
)
def test_every_shape_of_bars_gives_the_same(shape: object) -> None:
    assert FeatureComputer().compute(shape) == FeatureComputer().compute(BARS)


@pytest.mark.parametrize(
    "shape",
    [
        CLOSE,
        CLOSE.tolist(),
        tuple(CLOSE),
        iter(CLOSE.tolist()),
        {"close": CLOSE},
        [{"close": c} for c in CLOSE],
        CLOSE.reshape(-1, 1),
        np.repeat(CLOSE, 2)[::2],
        [Decimal(repr(float(c))) for c in CLOSE],
        Frame.Column(CLOSE),
    ],
    ids=["array", "list", "tuple", "iterator", "mapping", "bars", "column", "strided", "decimals", "series"],
)
def test_every_shape_of_closes_gives_the_same(shape: object) -> None:
    expected = FeatureComputer().compute({"close": CLOSE, "high": CLOSE, "low": CLOSE})
    np.testing.assert_equal(FeatureComputer().compute(shape), expected)
    assert np.isnan(expected["volume"])
    assert expected["atr"] > 0


def test_integers_will_do() -> None:
    assert FeatureComputer("rsi").compute(list(range(1, 40))) == {"rsi": 100.0}


def test_the_input_is_left_as_it_was() -> None:
    before = {name: values.copy() for name, values in BARS.items()}
    FeatureComputer().compute_series(BARS)
    for name, values in BARS.items():
        np.testing.assert_array_equal(values, before[name])


def test_a_single_price_is_too_short_for_all_but_no_error() -> None:
    got = FeatureComputer().compute([100.0])
    assert set(got) == set(PRICE_KEYS)
    assert all(np.isnan(value) for value in got.values())


def test_groups_and_keys_may_be_named() -> None:
    assert list(FeatureComputer(["bb_percent", "rsi"]).compute(CLOSE)) == ["bb_percent", "rsi"]
    assert list(FeatureComputer(["macd"]).compute(CLOSE)) == ["macd", "macd_signal", "macd_histogram"]
    assert list(FeatureComputer(["imbalance", "atr"]).compute({**BARS, **SIZES})) == ["imbalance", "atr"]


def test_imbalance_needs_sizes() -> None:
    series = FeatureComputer().compute_series({**BARS, **SIZES})["imbalance"]
    bid, ask = SIZES["bid_size"], SIZES["ask_size"]
    np.testing.assert_allclose(series, (bid - ask) / (bid + ask))
    empty = {"close": [1.0, 1.0], "bid_size": [0, 1], "ask_size": [0, 0]}
    np.testing.assert_equal(FeatureComputer("imbalance").compute_series(empty)["imbalance"], [np.nan, 1.0])
    assert "imbalance" not in FeatureComputer().compute(BARS)


@given(cut=st.integers(1, 200), rsi=st.integers(2, 30), bb=st.integers(2, 40))
@settings(max_examples=25, deadline=None)
def test_the_latest_values_are_the_ends_of_the_series(cut: int, rsi: int, bb: int) -> None:
    """No value depends on what comes after it."""
    computer = FeatureComputer(periods=Periods(rsi=rsi, bb=bb))
    series = computer.compute_series(BARS)
    part = computer.compute({name: values[:cut] for name, values in BARS.items()})
    np.testing.assert_equal(part, {key: values[cut - 1] for key, values in series.items()})


def nan_at_7() -> npt.NDArray[np.float64]:
    bad = CLOSE.copy()
    bad[7] = np.nan
    return bad


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ([], "empty"),
        (np.array([]), "empty"),
        ({"close": []}, "empty"),
        (None, "cannot be None"),
        (42, "of type int"),
        ("CLOSE", "cannot be 'CLOSE'"),
        ({}, "no column 'close'"),
        ({"high": [1.0], "low": [1.0]}, "no column 'close' .*high, low"),
        (nan_at_7(), "'close' has nan at index 7"),
        ({**BARS, "volume": nan_at_7()}, "'volume' has nan at index 7"),
        ([1.0, float("inf")], "'close' has inf at index 1"),
        ([1.0, -2.0, -3.0], r"'close' has -2 at index 1; .*above 0 \(2 such values\)"),
        ([1.0, 0.0], "'close' has 0 at index 1"),
        ({"close": [1.0], "volume": [-1.0]}, "'volume' has -1 at index 0"),
        ({"close": [1.0, 2.0], "volume": [1.0]}, "'volume' has 1 values and 'close' has 2"),
        ({"close": [1.0], "high": [1.0], "low": [2.0]}, "bar 0 has high 1 below low 2"),
        ({"close": [1.0], "Close": [1.0]}, "'close' is there twice"),
        (["1.0", "2.0"], "not numbers; convert"),
        ([1.0, None], "'close' has None at index 1"),
        ([1.0, [2.0]], "rows of different lengths"),
        ([True, False], "holds bool, not numbers"),
        ({"close": 5.0}, "'close' has 0 dimensions"),
        (np.ones((5, 3)), "a table of 3 columns without names"),
        (np.ones((2, 2, 2)), "3 dimensions"),
        ([{"close": 1.0}, {"open": 1.0}], "bar 1 does not have the same columns"),
        ([{"close": 1.0}, 2.0], "bar 1 is 2.0"),
        (np.ma.MaskedArray([1.0, 2.0], mask=[False, True]), "'close' has nan at index 1"),
    ],
)
def test_bad_input_is_named(data: object, says: str) -> None:
    with pytest.raises(PriceDataError, match=says):
        FeatureComputer().compute(data)


@pytest.mark.parametrize(
    ("features", "says"),
    [
        (["rsj"], "unknown feature 'rsj'; did you mean 'rsi'"),
        (["zzzzzz"], "known are rsi, macd, bb"),
        ([], "no features asked for"),
        (["microprice"], "needs a live book"),
    ],
)
def test_bad_feature_names_are_told(features: list[str], says: str) -> None:
    with pytest.raises(PriceDataError, match=says):
        FeatureComputer(features)


def test_imbalance_without_sizes_is_told() -> None:
    with pytest.raises(PriceDataError, match="bid_size"):
        FeatureComputer("imbalance").compute(CLOSE)
    with pytest.raises(PriceDataError, match="bid_size"):
        FeatureComputer().compute({"close": [1.0], "bid_size": [1.0]})


def test_price_data_errors_are_value_errors() -> None:
    with pytest.raises(ValueError):
        FeatureComputer().compute([])


def test_the_package_alone_is_light() -> None:
    """Printing help or reading a model file must not pay for numba."""
    code = "import sys, services.signal_bridge; sys.exit(any(m in sys.modules for m in ('numba', 'numpy', 'zmq')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
