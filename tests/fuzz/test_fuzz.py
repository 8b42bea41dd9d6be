"""Mutated frames of every venue: nothing comes out but WireError, nothing hangs or grows, and the book heals.

A few thousand a venue here; `make fuzz` throws a million. `TIDEWIRE_FUZZ_FRAMES` sets how many.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.errors import WireError
from common.messages import BookUpdate, FeedState
from common.messages.book import words_needed
from tests.damage.dialects import DIALECTS
from tests.damage.line import BadLine
from tests.damage.session import Session
from tests.damage.streams import made_up
from tests.fuzz import mutations as m
from tests.fuzz.corpus import ANSWERS, CAPTURES, corpus
from tests.fuzz.engine import Fuzz
from tests.fuzz.finding import Finding, check_book
from tests.venues.spoil import spoiled
from venues.registry import venue_named

FRAMES = int(os.environ.get("TIDEWIRE_FUZZ_FRAMES", "4000"))
VENUES = pytest.mark.parametrize("venue", DIALECTS)


@VENUES
def test_made_up_frames(venue: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    report = Fuzz(venue, folder=None, seed=2).run(FRAMES)
    assert report.frames == FRAMES == report.made_of.total()
    assert report.healed_books > 0 and report.synced_share > 0
    # Mutants are neither all refused at the door nor all harmless.
    outcomes = report.outcomes
    assert outcomes["book applied"] > FRAMES // 50 and outcomes["book refused"] > FRAMES // 10
    assert len(report.lines()) == 3


@VENUES
def test_many_made_up_frames(venue: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Fuzz(venue, folder=None, seed=5).run(5 * FRAMES).healed_books > 0


@pytest.mark.recorded
@VENUES
def test_recorded_frames(recorded: Path, venue: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    report = Fuzz(venue, folder=recorded, seed=3).run(5 * FRAMES)
    assert report.healed_books > 0 and report.outcomes["book applied"] > 0


@VENUES
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_frames_that_are_shrunk_when_something_comes_out(venue: str, data: st.DataObject) -> None:
    """The same through hypothesis, which finds the smallest frame."""
    stream = made_up(venue, 1, 30)
    session = Session(stream, BadLine(random.Random(0), 0.0, stream.dialect))
    for frame in stream.frames[:20]:
        session.send(frame)
    session._check = check_book  # type: ignore[method-assign]
    for frame in stream.frames[20:23]:
        session.arrive(data.draw(spoiled(frame)), session.sent)
    session._reconnect()
    del session._check
    for symbol in session.books:
        session.truths[symbol, session.last_ids[symbol]] = session.truth_now(symbol)
    session.heal()
    assert session.is_healed


@VENUES
def test_one_seed_is_one_run(venue: str) -> None:
    first, second = (Fuzz(venue, folder=None, seed=4).run(300) for _ in range(2))
    assert (first.outcomes, first.made_of) == (second.outcomes, second.made_of)


@VENUES
def test_what_is_mutated_is_good_before(venue: str) -> None:
    """Answers and the odd frames of the corpus are read as they are; else their mutants would prove nothing."""
    spoken, (info, clock) = venue_named(venue), ANSWERS[venue]
    assert spoken.parse_instruments(info)
    assert spoken.parse_time_ns(clock) > 0
    stream, frames = corpus(venue, None, 1)
    router, instrument_of = spoken.router(), stream.dialect.instruments.get
    channels = {router.route(stream.dialect.numbered(frame, n)).channel.name for n, frame in enumerate(frames)}
    assert {"BOOK", "TRADES", "CONTROL"} <= channels
    for frame in frames:
        route = spoken.router().route(frame)
        if route.channel.name == "TRADES":
            assert spoken.read_trades(frame, instrument_of, 1, 1), frame
        elif route.channel.name == "TICKER":
            assert spoken.read_ticker(frame, instrument_of), frame
        elif route.channel.name == "CONTROL":
            spoken.read_control(frame)
    assert venue in CAPTURES


@pytest.mark.parametrize("mutate", m.WEIGHTS)
def test_every_mutation_changes_frames(mutate: m.Mutation) -> None:
    frames = [frame for venue in DIALECTS for frame in made_up(venue, 1, 20).frames]
    rng = random.Random(1)
    changed = sum(mutate(rng, frame) != frame for frame in frames)
    assert changed > len(frames) // 10
    assert isinstance(mutate(rng, b""), bytes) and isinstance(mutate(rng, b"{"), bytes)


class _Venue:
    """A venue whose reader fails as no reader may."""

    def __init__(self, venue: str, exc: Exception) -> None:
        self._venue, self._exc = venue_named(venue), exc

    def __getattr__(self, name: str) -> object:
        return getattr(self._venue, name)

    def read_trades(self, *_: object) -> list[object]:
        raise self._exc


def test_what_comes_out_is_found_and_the_frame_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    fuzz = Fuzz("binance", folder=None)
    fuzz.venue = _Venue("binance", KeyError("s"))  # type: ignore[assignment]
    with pytest.raises(Finding, match="KeyError out of"):
        fuzz.run(2000)
    assert list((tmp_path / ".cache" / "fuzz").iterdir())
    fuzz = Fuzz("binance", folder=None)
    fuzz.venue = _Venue("binance", WireError("no trade"))  # type: ignore[assignment]
    assert fuzz.run(500).outcomes["trades refused"] > 0


@pytest.mark.parametrize(
    "levels",
    [[(5, 1), (6, 1), (9, 1), (10, 1)], [(9, 1), (8, 1), (9, 1), (10, 1)], [(6, -1), (5, 1), (9, 1), (10, 1)]],
)
def test_no_book_of_a_market_is_let_through(levels: list[tuple[int, int]]) -> None:
    """Bids out of order; crossed; a quantity below zero."""
    words = np.zeros(words_needed(2, 2), np.int64)
    words[4], words[5:9] = FeedState.SYNCED, 2
    words[9:11], words[11:13] = zip(*levels[:2], strict=True)
    words[13:15], words[15:17] = zip(*levels[2:], strict=True)
    with pytest.raises(Finding):
        check_book(BookUpdate("binance", "BTCUSDT", words))
