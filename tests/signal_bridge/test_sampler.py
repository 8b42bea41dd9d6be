"""Bars by venue time: a slow twin for events in order, and each rule for those that are not."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.signal_bridge.sampler import MAX_EMPTY, Bar, Sampler

LENGTH = 100

#: (time since the event before, mid2 or None for a trade, lots)
event = st.tuples(st.integers(0, 350), st.one_of(st.none(), st.integers(100, 120)), st.integers(1, 9))


def twin(events: list[tuple[int, int | None, int]]) -> list[Bar]:
    """Every interval from the first mid's to the last event's, but that one, by looking through all events."""
    first = next((i for i, (_, mid2, _) in enumerate(events) if mid2 is not None), None)
    if first is None:
        return []
    heard = events[first:]
    bars = []
    for k in range(heard[0][0] // LENGTH, heard[-1][0] // LENGTH):
        before = [m for t, m, _ in heard if m is not None and t < k * LENGTH][-1:]
        inside = [m for t, m, _ in heard if m is not None and t // LENGTH == k]
        volume = sum(lots for t, m, lots in heard if m is None and t // LENGTH == k)
        stood = before + inside
        bars.append(Bar(k, max(stood), min(stood), stood[-1], volume))
    return bars


def feed(sampler: Sampler, events: list[tuple[int, int | None, int]]) -> list[Bar]:
    bars: list[Bar] = []
    for event_ns, mid2, lots in events:
        bars += sampler.on_trade(event_ns, lots) if mid2 is None else sampler.on_mid(event_ns, mid2)
    return bars


@given(deltas=st.lists(event, max_size=60))
def test_events_in_order_make_the_bars_of_the_twin(deltas: list[tuple[int, int | None, int]]) -> None:
    now, events = 1_000_000, []
    for delta, mid2, lots in deltas:
        now += delta
        events.append((now, mid2, lots))
    assert feed(Sampler(LENGTH), events) == twin(events)


@given(
    deltas=st.lists(st.tuples(st.integers(-30_000, 30_000), event.map(lambda e: e[1:]), st.booleans()), max_size=60)
)
def test_whatever_comes_intervals_of_a_run_follow_each_other(
    deltas: list[tuple[int, tuple[int | None, int], bool]],
) -> None:
    """No order of events, pauses or clock makes a hole, a double bar, or more empty bars than allowed."""
    sampler, now, runs = Sampler(LENGTH), 10**9, dict[int, list[Bar]]()
    for delta, (mid2, lots), pauses in deltas:
        now += delta
        if pauses:
            sampler.pause()
        bars = sampler.on_trade(now, lots) if mid2 is None else sampler.on_mid(now, mid2)
        assert len(bars) <= 2 * MAX_EMPTY + 1
        runs.setdefault(sampler.run, []).extend(bars)
    for bars_of_run in runs.values():
        assert all(b.interval == a.interval + 1 for a, b in pairwise(bars_of_run))
        assert all(b.low2 <= b.close2 <= b.high2 and b.volume_lots >= 0 for b in bars_of_run)


def test_a_mid_stands_until_it_changes() -> None:
    sampler = Sampler(LENGTH)
    assert sampler.on_mid(1_050, 10) == ()
    assert sampler.on_mid(1_150, 14) == (Bar(10, 10, 10, 10, 0),)
    assert sampler.on_mid(1_250, 12) == (Bar(11, 14, 10, 14, 0),)


def test_empty_intervals_are_filled_at_the_mid_carried_on() -> None:
    sampler = Sampler(LENGTH)
    feed(sampler, [(1_000, 10, 0), (1_010, None, 5)])
    assert sampler.on_mid(1_300, 20) == (Bar(10, 10, 10, 10, 5), Bar(11, 10, 10, 10, 0), Bar(12, 10, 10, 10, 0))
    assert sampler.empty_intervals == 2


def test_as_many_empty_intervals_as_allowed_and_one_more() -> None:
    sampler = Sampler(LENGTH)
    sampler.on_mid(1_000, 10)
    assert len(sampler.on_mid(1_000 + (MAX_EMPTY + 1) * LENGTH, 10)) == MAX_EMPTY + 1
    assert sampler.run == 0
    assert sampler.on_mid(1_000 + 2 * (MAX_EMPTY + 1) * LENGTH + LENGTH, 10) == ()
    assert sampler.run == 1


def test_a_trade_closes_a_bar_too() -> None:
    sampler = Sampler(LENGTH)
    sampler.on_mid(1_000, 10)
    assert sampler.on_trade(1_100, 3) == (Bar(10, 10, 10, 10, 0),)
    assert sampler.on_mid(1_200, 10) == (Bar(11, 10, 10, 10, 3),)


def test_late_events_go_into_the_open_bar() -> None:
    sampler = Sampler(LENGTH)
    feed(sampler, [(1_000, 10, 0), (1_100, 11, 0)])
    assert feed(sampler, [(1_099, 15, 0), (1_050, None, 4)]) == []
    assert sampler.on_mid(1_200, 10) == (Bar(11, 15, 10, 15, 4),)
    assert sampler.late_events == 2


def test_a_trade_far_off_counts_for_nothing() -> None:
    """One trade with a wrong time must neither end the run nor hold up the bars."""
    sampler = Sampler(LENGTH)
    sampler.on_mid(100_000, 10)
    assert sampler.on_trade(10**15, 4) == ()
    assert sampler.on_trade(100_000 - (MAX_EMPTY + 1) * LENGTH, 4) == ()
    assert sampler.on_mid(100_100, 10) == (Bar(1000, 10, 10, 10, 0),)
    assert sampler.run == 0


def test_a_clock_set_back_begins_a_new_run() -> None:
    sampler = Sampler(LENGTH)
    feed(sampler, [(100_000, 10, 0), (100_100, 10, 0)])
    assert sampler.on_mid(100_100 - (MAX_EMPTY + 1) * LENGTH, 50) == ()
    assert sampler.run == 1
    assert sampler.on_mid(100_100 - MAX_EMPTY * LENGTH, 50) == (Bar(900, 50, 50, 50, 0),)


def test_a_pause_throws_the_open_bar_away_and_the_hole_is_filled() -> None:
    sampler = Sampler(LENGTH)
    feed(sampler, [(1_000, 10, 0), (1_100, 12, 0), (1_150, 99, 0)])
    sampler.pause()
    assert sampler.on_trade(1_160, 7) == ()
    assert sampler.on_mid(1_320, 20) == ()
    assert sampler.on_mid(1_400, 22) == (
        Bar(11, 10, 10, 10, 0),
        Bar(12, 10, 10, 10, 0),
        Bar(13, 20, 20, 20, 0),
    )


def test_a_long_pause_ends_the_run() -> None:
    sampler = Sampler(LENGTH)
    feed(sampler, [(1_000, 10, 0), (1_100, 12, 0)])
    sampler.pause()
    sampler.on_mid(1_100 + (MAX_EMPTY + 1) * LENGTH, 20)
    assert sampler.run == 1


def test_after_a_pause_no_interval_is_closed_twice() -> None:
    """A snapshot may carry a venue time before the last bar that was closed."""
    sampler = Sampler(LENGTH)
    feed(sampler, [(1_000, 10, 0), (1_100, 12, 0)])
    sampler.pause()
    assert sampler.on_mid(1_050, 20) == ()
    assert sampler.late_events == 1
    assert sampler.on_mid(1_200, 20) == (Bar(11, 20, 20, 20, 0),)
