"""The kernels against TA-Lib, against slow twins, and against bad samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st

from common.messages import BookUpdate, FeedState
from common.messages.book import ASK_COUNT, BID_COUNT, HEADER_WORDS
from services.signal_bridge.indicators import kernels
from services.signal_bridge.indicators.layout import (
    OUTPUT_END,
    OUTPUT_START,
    OUTPUTS,
    FloatArray,
    Periods,
    new_state,
    reset_state,
)
from tests.signal_bridge import twins

Columns = dict[str, FloatArray]
PERIODS = (
    Periods(),
    Periods(rsi=2, macd_fast=3, macd_slow=7, macd_signal=1, bb=2, atr=1, volume=1),
    Periods(rsi=21, macd_fast=5, macd_slow=35, macd_signal=5, bb=50, bb_deviations=2.5, atr=7, volume=33),
)


def random_walk(seed: int, count: int, start: float = 100.0, step: float = 0.002) -> Columns:
    rng = np.random.default_rng(seed)
    close = start * np.exp(np.cumsum(rng.normal(0, step, count)))
    return {
        "high": close * (1 + rng.random(count) * step),
        "low": close * (1 - rng.random(count) * step),
        "close": close,
        "volume": rng.random(count) * 10,
    }


def run(columns: Columns, periods: Periods) -> Columns:
    out = run_some(columns, periods, np.arange(len(OUTPUTS)))
    return {name: out[i] for i, name in enumerate(OUTPUTS)}


def run_some(columns: Columns, periods: Periods, outputs: np.ndarray) -> FloatArray:
    out = np.empty((len(outputs), len(columns["close"])))
    rows = (columns[name] for name in ("high", "low", "close", "volume"))
    kernels.update_many(new_state(periods), *rows, outputs, out)
    return out


@pytest.mark.parametrize("periods", PERIODS)
def test_any_outputs_asked_for_are_those_of_all(periods: Periods) -> None:
    columns = random_walk(4, 300)
    columns["close"][100] = np.nan
    everything = run_some(columns, periods, np.arange(len(OUTPUTS)))
    some = [[place] for place in range(len(OUTPUTS))] + [[9, 0], [3, 10, 1], [8, 4], [0, 11]]
    for outputs in some:
        found = run_some(columns, periods, np.array(outputs))
        np.testing.assert_array_equal(found, everything[outputs])


def assert_same(
    ours: FloatArray,
    theirs: Sequence[float | None] | FloatArray,
    *,
    rtol: float = 1e-9,
    atol: float = 1e-9,
    name: str = "",
) -> None:
    """Equal within the tolerance, and NaN in the same places."""
    np.testing.assert_allclose(ours, np.array(theirs, np.float64), rtol=rtol, atol=atol, err_msg=name)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("periods", PERIODS)
def test_equals_talib_over_random_walks(seed: int, periods: Periods) -> None:
    walk = random_walk(seed, 600)
    high, low, close = walk["high"], walk["low"], walk["close"]
    ours = run(walk, periods)
    assert_same(ours["rsi"], talib.RSI(close, periods.rsi), name="rsi")
    assert_same(ours["atr"], talib.ATR(high, low, close, periods.atr), name="atr")
    lines = talib.MACD(close, periods.macd_fast, periods.macd_slow, periods.macd_signal)
    for name, theirs in zip(("macd", "macd_signal", "macd_histogram"), lines, strict=True):
        assert_same(ours[name], theirs, name=name)
    bands = talib.BBANDS(close, periods.bb, periods.bb_deviations, periods.bb_deviations)
    for name, theirs in zip(("bb_upper", "bb_middle", "bb_lower"), bands, strict=True):
        assert_same(ours[name], theirs, rtol=1e-9, name=name)


def twin_outputs(walk: Columns, p: Periods) -> dict[str, list[float | None]]:
    high, low, close, volume = (walk[name].tolist() for name in ("high", "low", "close", "volume"))
    lines = twins.macd(close, p.macd_fast, p.macd_slow, p.macd_signal)
    bands = twins.bollinger(close, p.bb, p.bb_deviations)
    return {
        "rsi": twins.rsi(close, p.rsi),
        "atr": twins.atr(high, low, close, p.atr),
        "macd": lines[0],
        "macd_signal": lines[1],
        "macd_histogram": lines[2],
        "bb_upper": [b and b[0] for b in bands],
        "bb_middle": [b and b[1] for b in bands],
        "bb_lower": [b and b[2] for b in bands],
        "bb_width": [b and (b[0] - b[2]) / b[1] for b in bands],
        "volume": list(volume),
        "volume_ratio": twins.volume_ratio(volume, p.volume),
    }


#: Prices on a tick grid: equal neighbours, long flats and jumps are as likely as in a real book.
ticks = st.lists(st.integers(9_900, 10_100), min_size=1, max_size=90)
small_periods = st.builds(
    lambda rsi, fast, more, signal, bb, atr, volume: Periods(
        rsi=rsi, macd_fast=fast, macd_slow=fast + more, macd_signal=signal, bb=bb, atr=atr, volume=volume
    ),
    *(st.integers(2, 12) for _ in range(7)),
)


@given(ticks=ticks, periods=small_periods, seed=st.integers(0, 2**16))
@settings(max_examples=60, deadline=None)
def test_equals_the_twins(ticks: list[int], periods: Periods, seed: int) -> None:
    rng = np.random.default_rng(seed)
    close = np.array(ticks) * 0.01
    walk = {
        "high": close + rng.integers(0, 5, len(close)) * 0.01,
        "low": close - rng.integers(0, 5, len(close)) * 0.01,
        "close": close,
        "volume": rng.integers(0, 4, len(close)) * 0.5,
    }
    ours = run(walk, periods)
    for name, theirs in twin_outputs(walk, periods).items():
        assert_same(ours[name], theirs, name=name, atol=1e-8 if name in ("rsi", "volume_ratio") else 1e-9)


def test_bollinger_at_a_million_with_variance_of_one_ten_thousandth() -> None:
    """A sum of squares would need 21 digits here; the band must still be right to nine."""
    rng = np.random.default_rng(3)
    close = 1e6 + rng.normal(0, 0.01, 400)
    walk = {"high": close, "low": close, "close": close, "volume": np.zeros(400)}
    ours = run(walk, Periods())
    exact = twins.bollinger(close.tolist(), 20, 2.0)
    for i, band in enumerate(exact):
        if band is None:
            assert np.isnan(ours["bb_upper"][i])
            continue
        upper, middle, lower = band
        assert ours["bb_middle"][i] == pytest.approx(middle, abs=3e-10)
        assert ours["bb_width"][i] * ours["bb_middle"][i] == pytest.approx(upper - lower, rel=1e-7)
        percent = 0.5 + (close[i] - middle) / (upper - lower)
        assert ours["bb_percent"][i] == pytest.approx(percent, rel=1e-6, abs=1e-6)


def test_bollinger_forgets_an_outlier_once_it_left_the_window() -> None:
    rng = np.random.default_rng(4)
    close = 100 + rng.normal(0, 1e-4, 100)
    with_outlier = close.copy()
    with_outlier[30] = 1e9
    flat = np.zeros(100)
    clean = run({"high": close, "low": close, "close": close, "volume": flat}, Periods())
    dirty = run({"high": with_outlier, "low": with_outlier, "close": with_outlier, "volume": flat}, Periods())
    np.testing.assert_array_equal(dirty["bb_width"][50:], clean["bb_width"][50:])


def test_a_market_that_does_not_move_is_neutral() -> None:
    close = np.full(60, 0.1)
    ours = run({"high": close, "low": close, "close": close, "volume": np.zeros(60)}, Periods())
    last = {name: values[-1] for name, values in ours.items()}
    assert last["rsi"] == 50
    assert last["bb_percent"] == 0.5
    assert last["bb_width"] == 0
    assert last["atr"] == 0
    assert last["macd_histogram"] == pytest.approx(0, abs=1e-15)
    assert np.isnan(last["volume_ratio"])


def test_nothing_before_it_is_warm() -> None:
    periods = Periods()
    ours = run(random_walk(1, 60), periods)
    first = {name: int(np.argmax(~np.isnan(values))) for name, values in ours.items() if not np.isnan(values).all()}
    assert first == {
        "rsi": 14,
        "macd": 33,
        "macd_signal": 33,
        "macd_histogram": 33,
        "bb_upper": 19,
        "bb_middle": 19,
        "bb_lower": 19,
        "bb_percent": 19,
        "bb_width": 19,
        "atr": 14,
        "volume": 0,
        "volume_ratio": 19,
    }
    assert max(first.values()) == periods.warm_up_samples - 1


@pytest.mark.parametrize(
    "bad",
    [
        (np.nan, 1.0, 1.0),
        (1.0, np.nan, 1.0),
        (1.0, 1.0, np.nan),
        (np.inf, 1.0, 1.0),
        (1.0, 1.0, np.inf),
        (1.0, 1.0, 0.0),
        (1.0, 1.0, -1.0),
        (1.0, -1.0, 1.0),
        (1.0, 2.0, 1.5),
    ],
)
def test_a_bad_sample_changes_nothing(bad: tuple[float, float, float]) -> None:
    state = new_state(Periods())
    for high, low, close, volume in samples(random_walk(5, 50)):
        assert kernels.update(state, high, low, close, volume)
    before = state.copy()
    assert not kernels.update(state, *bad, 1.0)
    np.testing.assert_array_equal(state, before)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1.0])
def test_an_unknown_volume_stops_the_volume_only(bad: float) -> None:
    walk = random_walk(6, 80)
    gapped = {name: values.copy() for name, values in walk.items()}
    gapped["volume"][40] = bad
    whole, holed = run(walk, Periods()), run(gapped, Periods())
    assert np.isnan(holed["volume"][40])
    assert np.isnan(holed["volume_ratio"][40])
    assert holed["volume_ratio"][41] == pytest.approx(
        gapped["volume"][41] / np.mean(np.r_[gapped["volume"][21:40], gapped["volume"][41]])
    )
    for name in ("rsi", "macd_signal", "bb_percent", "atr"):
        np.testing.assert_array_equal(holed[name], whole[name])


def samples(columns: Columns) -> Iterator[tuple[float, float, float, float]]:
    yield from zip(*(columns[name].tolist() for name in ("high", "low", "close", "volume")), strict=True)


@given(count=st.integers(1, 120), seed=st.integers(0, 2**16), periods=small_periods)
@settings(max_examples=40, deadline=None)
def test_one_at_a_time_equals_all_at_once_bit_for_bit(count: int, seed: int, periods: Periods) -> None:
    walk = random_walk(seed, count)
    state = new_state(periods)
    batch = run(walk, periods)
    for i, (high, low, close, volume) in enumerate(samples(walk)):
        kernels.update(state, high, low, close, volume)
        np.testing.assert_array_equal(state[OUTPUT_START:OUTPUT_END], [batch[name][i] for name in OUTPUTS])


def test_a_reset_state_is_a_new_one() -> None:
    state = new_state(PERIODS[1])
    for sample in samples(random_walk(7, 40)):
        kernels.update(state, *sample)
    reset_state(state)
    np.testing.assert_array_equal(state, new_state(PERIODS[1]))


level = st.tuples(st.integers(1, 50), st.integers(1, 10**12))


@given(bids=st.lists(level, min_size=1, max_size=12), asks=st.lists(level, min_size=1, max_size=12))
@settings(max_examples=80, deadline=None)
def test_book_pressure_equals_its_twin(bids: list[tuple[int, int]], asks: list[tuple[int, int]]) -> None:
    bid_levels = [(6_000_000 - i, size) for i, (_, size) in enumerate(bids)]
    ask_levels = [(6_000_000 + asks[0][0] + i, size) for i, (_, size) in enumerate(asks)]
    words = np.zeros(HEADER_WORDS, np.int64)
    words[BID_COUNT], words[ASK_COUNT] = len(bids), len(asks)
    columns = [[p for p, _ in bid_levels], [s for _, s in bid_levels], [p for p, _ in ask_levels]]
    words = np.concatenate([words, *map(np.array, columns), np.array([s for _, s in ask_levels])])
    state = new_state(Periods())
    kernels.book_pressure(state, words, 0.01)
    got = dict(zip(OUTPUTS, state[OUTPUT_START:OUTPUT_END].tolist(), strict=True))
    assert got["imbalance"] == pytest.approx(twins.imbalance(bid_levels, ask_levels, 5), abs=1e-12)
    assert got["microprice"] == pytest.approx(twins.microprice(bid_levels, ask_levels, 0.01), rel=1e-12)


def test_a_book_without_levels_has_no_pressure() -> None:
    book = BookUpdate.empty("binance", "BTCUSDT", FeedState.SYNCED, event_ns=1, origin_ns=1, trace_id=1)
    state = new_state(Periods())
    state[OUTPUT_START:OUTPUT_END] = 1.0
    kernels.book_pressure(state, book.words, 0.01)
    assert np.isnan(state[OUTPUT_END - 2 : OUTPUT_END]).all()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"rsi": 1}, "rsi"),
        ({"bb": 0}, "bb"),
        ({"atr": 0}, "atr"),
        ({"volume": 10**9}, "volume"),
        ({"rsi": 2.5}, "rsi"),
        ({"bb_deviations": 0.0}, "bb_deviations"),
        ({"macd_fast": 26}, "macd_fast"),
    ],
)
def test_periods_out_of_range_are_named(arguments: dict[str, float], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        Periods(**arguments)  # type: ignore[arg-type]


def test_warm_up_runs() -> None:
    kernels.warm_up()
