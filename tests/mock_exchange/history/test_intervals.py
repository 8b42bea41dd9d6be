"""Where bars begin, held against the calendar of the standard library."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.mock_exchange.history.intervals import DAY_MS, HOUR_MS, INTERVALS, MINUTE_MS

TIMES = st.integers(0, 4_102_444_800_000)
OFFSETS = st.integers(-12 * 60, 14 * 60).map(lambda minutes: minutes * MINUTE_MS)


def local(time_ms: int, offset_ms: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC).astimezone(timezone(timedelta(milliseconds=offset_ms))) + timedelta(
        milliseconds=time_ms
    )


def test_every_interval_of_the_venue_is_there() -> None:
    names = "1s 1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w 1M"
    assert " ".join(INTERVALS) == names


@given(st.sampled_from(sorted(INTERVALS)), TIMES, OFFSETS)
def test_a_time_lies_in_its_bar_and_bars_follow_one_another(name, time_ms, offset_ms) -> None:
    interval = INTERVALS[name]
    index = interval.index_of(time_ms, offset_ms)
    start, end = interval.open_at(index, offset_ms), interval.open_at(index + 1, offset_ms)
    assert start <= time_ms < end
    assert interval.open_of(time_ms, offset_ms) == start
    assert interval.index_of(start, offset_ms) == index == interval.index_of(end - 1, offset_ms)
    assert interval.indices_of(np.array([start, time_ms, end]), offset_ms).tolist() == [index, index, index + 1]


@given(TIMES, OFFSETS)
def test_days_weeks_and_months_begin_at_local_midnight(time_ms, offset_ms) -> None:
    for name in ("1d", "1w", "1M"):
        start = local(INTERVALS[name].open_of(time_ms, offset_ms), offset_ms)
        assert (start.hour, start.minute, start.second, start.microsecond) == (0, 0, 0, 0)
        if name == "1w":
            assert start.weekday() == 0
        if name == "1M":
            now = local(time_ms, offset_ms)
            assert (start.year, start.month, start.day) == (now.year, now.month, 1)


@pytest.mark.parametrize(("name", "length_ms"), [("3m", 3 * MINUTE_MS), ("12h", 12 * HOUR_MS), ("3d", 3 * DAY_MS)])
def test_bars_are_as_long_as_they_are_called(name, length_ms) -> None:
    interval = INTERVALS[name]
    assert interval.open_at(8) - interval.open_at(7) == length_ms
