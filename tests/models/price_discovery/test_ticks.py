"""Series of ticks and the common grid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.price_discovery import Ticks, previous_tick, sample
from models.price_discovery.ticks import MAX_TIME
from tests.models.price_discovery import naive


def ticks(minimum: int = 2) -> st.SearchStrategy[Ticks]:
    times = st.lists(st.integers(0, 60), min_size=minimum, max_size=25, unique=True).map(sorted)
    return times.flatmap(
        lambda t: st.lists(st.integers(-9, 9), min_size=len(t), max_size=len(t)).map(
            lambda v: Ticks(np.array(t, np.int64), np.array(v, np.float64))
        )
    )


@given(st.lists(ticks(), min_size=1, max_size=3), st.lists(st.integers(0, 80), min_size=1, max_size=20).map(sorted))
def test_a_grid_value_is_the_last_tick_at_or_before(series: list[Ticks], times: list[int]) -> None:
    first = max(int(each.times[0]) for each in series)
    grid = [time for time in times if time >= first] or [first]
    found = previous_tick(series, grid)
    for row, time in enumerate(grid):
        for column, each in enumerate(series):
            assert (found.values[row, column], found.ages[row, column]) == naive.previous(each, time)


@given(ticks(), st.integers(0, 60), st.integers(1, 100))
def test_the_future_is_not_in_a_grid_value(series: Ticks, now: int, change: int) -> None:
    now = max(now, int(series.times[0]))
    other = Ticks(series.times, np.where(series.times > now, series.values + change, series.values))
    grid = np.arange(series.times[0], now + 1)
    assert (previous_tick([series], grid).values == previous_tick([other], grid).values).all()


def test_a_grid_spans_what_the_series_have_in_common() -> None:
    x, y = Ticks(np.array([0, 7, 20]), np.array([1.0, 2, 3])), Ticks(np.array([3, 9, 14]), np.array([5.0, 6, 7]))
    found = sample([x, y], 4)
    assert found.times.tolist() == [3, 7, 11]
    assert found.values.tolist() == [[1, 5], [2, 5], [2, 6]]
    assert found.ages.tolist() == [[3, 0], [0, 4], [4, 2]]


def test_of_ties_the_last_is_kept() -> None:
    kept = Ticks.last_of_ties([1, 1, 2, 5, 5, 5], [1.0, 2, 3, 4, 5, 6])
    assert kept.times.tolist() == [1, 2, 5] and kept.values.tolist() == [2, 3, 6]


def test_log_mid_keeps_every_quote() -> None:
    found = Ticks.log_mid([1, 2, 2, 3], [99.0, 99, 100, 100], [101.0, 101, 102, 102])
    np.testing.assert_allclose(np.exp(found.values), [100, 101, 101])


def test_ticks_do_not_share_memory_and_are_read_only() -> None:
    times, values = np.array([1, 2]), np.array([1.0, 2])
    made = Ticks(times, values)
    times[0] = values[0] = -5
    assert made.times[0] == made.values[0] == 1
    with pytest.raises(ValueError):
        made.values[0] = 3


@pytest.mark.parametrize(
    ("times", "values", "message"),
    [
        ([1.0, 2.0], [1, 2], "integers are needed"),
        ([1], [1], "at least 2"),
        ([1, 2], [1, 2, 3], "shapes"),
        ([1, 3, 3], [1, 2, 3], r"times\[2\]: 3 does not follow 3"),
        ([3, 1], [1, 2], "strictly increase"),
        ([1, 2], [1, np.nan], r"values\[1\]"),
        ([0, MAX_TIME + 1], [1, 2], "later origin"),
    ],
)
def test_what_is_no_series_is_refused(times: list[int], values: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Ticks(np.array(times), np.array(values))


def test_what_is_no_quote_is_refused() -> None:
    for bid, ask in ((2.0, 1.0), (0.0, 1.0), (np.nan, 1.0), (1.0, np.inf)):
        with pytest.raises(ValueError, match="quote 1"):
            Ticks.log_mid([1, 2], [1.0, bid], [2.0, ask])
    with pytest.raises(ValueError, match="shapes"):
        Ticks.log_mid([1, 2], [1.0], [2.0])
    with pytest.raises(ValueError, match="shapes"):
        Ticks.last_of_ties([1, 2], [1.0])


def test_what_is_no_grid_is_refused() -> None:
    x, y = Ticks(np.array([0, 5]), np.zeros(2)), Ticks(np.array([9, 12]), np.zeros(2))
    with pytest.raises(ValueError, match="before the first tick of series 1"):
        previous_tick([x, y], [8])
    with pytest.raises(ValueError, match="do not overlap"):
        sample([x, y], 1)
    for step in (0, -1, 0.5, True):
        with pytest.raises(ValueError, match="step"):
            sample([x], step)  # type: ignore[arg-type]
    for grid in ([], [2, 1], [0.5], [[1]]):
        with pytest.raises(ValueError, match="times"):
            previous_tick([x], grid)
    with pytest.raises(ValueError, match="there are none"):
        sample([], 1)
    with pytest.raises(ValueError, match="there are none"):
        previous_tick([], [1])
