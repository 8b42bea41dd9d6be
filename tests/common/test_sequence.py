"""Gap accounting against a model that simply remembers every number."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from common.sequence import SequenceTracker, Verdict


@given(st.lists(st.integers(1, 30), max_size=60))
def test_only_the_next_number_is_delivered_and_each_once(numbers: list[int]) -> None:
    tracker, delivered = SequenceTracker(), []
    for number in numbers:
        verdict = tracker.check(1, number)
        expected = len(delivered) + 1
        if number == expected:
            assert verdict is Verdict.NEXT
            delivered.append(number)
        else:
            assert verdict is (Verdict.OLD if number < expected else Verdict.GAP)
    assert delivered == list(range(1, len(delivered) + 1))
    highest = max(numbers, default=0)
    assert tracker.has_gap == (highest > len(delivered) + 1), "what came early is not missing, what is before it is"
    assert tracker.gaps_seen - tracker.gaps_healed == int(tracker.has_gap)


@given(st.lists(st.integers(1, 30), max_size=60), st.integers(0, 40))
def test_a_snapshot_closes_what_it_covers(numbers: list[int], at: int) -> None:
    tracker = SequenceTracker(heals_by_snapshot=True)
    highest = 0
    for number in numbers:
        verdict = tracker.check(1, number)
        assert (verdict is Verdict.OLD) == (number <= highest)
        highest = max(highest, number)
    had_gap = tracker.has_gap
    tracker.jump(1, max(at, highest) if had_gap else at)
    assert not tracker.has_gap
    assert tracker.gaps_seen == tracker.gaps_healed


def test_a_gap_is_counted_once_however_often_it_is_seen() -> None:
    tracker = SequenceTracker()
    assert tracker.check(1, 1) is Verdict.NEXT
    assert tracker.check(1, 4) is Verdict.GAP
    assert tracker.check(1, 6) is Verdict.GAP
    assert tracker.note_behind(6)
    assert (tracker.gaps_seen, tracker.missing) == (1, 3), "2, 3 and 5"
    for number in (2, 3, 4, 5):
        assert tracker.check(1, number) is Verdict.NEXT
        assert tracker.gaps_healed == 0
    assert tracker.check(1, 6) is Verdict.NEXT
    assert tracker.gaps_healed == 1


def test_epochs() -> None:
    fresh, durable = SequenceTracker(), SequenceTracker(continues_over_epochs=True)
    for tracker in (fresh, durable):
        for number in (1, 2, 3):
            assert tracker.check(10, number) is Verdict.NEXT
        assert tracker.check(9, 4) is Verdict.OLD
    assert fresh.check(11, 1) is Verdict.NEXT
    assert durable.check(11, 1) is Verdict.OLD
    assert durable.check(11, 4) is Verdict.NEXT


def test_a_loss_is_not_a_healed_gap() -> None:
    tracker = SequenceTracker()
    tracker.check(1, 5)
    tracker.jump(1, 4, lost=4)
    assert tracker.check(1, 5) is Verdict.NEXT
    assert (tracker.gaps_seen, tracker.gaps_healed, tracker.lost) == (1, 0, 4)


@given(st.sets(st.integers(1, 60)), st.booleans())
def test_missing_is_what_did_not_come(lost: set[int], by_snapshot: bool) -> None:
    tracker = SequenceTracker(heals_by_snapshot=by_snapshot)
    for number in range(1, 61):
        if number not in lost:
            tracker.check(1, number)
    tracker.note_behind(60)
    assert tracker.missing == len(lost)


def test_a_gap_of_a_former_life_is_healed_by_the_next_snapshot_or_lost() -> None:
    latest, ordered = SequenceTracker(heals_by_snapshot=True), SequenceTracker()
    for tracker in (latest, ordered):
        tracker.check(1, 1)
        tracker.check(1, 4)
        tracker.begin_epoch(2)
        assert not tracker.has_gap
        tracker.jump(2, 0)
    assert (latest.gaps_seen, latest.gaps_healed, latest.lost) == (1, 1, 0)
    assert (ordered.gaps_seen, ordered.gaps_healed, ordered.lost) == (1, 0, 3)


def test_a_publisher_that_lost_its_journal_is_followed_from_the_start() -> None:
    tracker = SequenceTracker(continues_over_epochs=True)
    tracker.check(1, 1)
    tracker.note_behind(9)
    tracker.begin_epoch(2)
    tracker.rewind()
    assert not tracker.has_gap
    assert tracker.check(2, 1) is Verdict.NEXT
