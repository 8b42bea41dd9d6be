"""A capture as arrays: against the certificate of its own replay, and the frames themselves."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from lab.data import recorded as places
from lab.data.tape import read_tape
from tests.rig import ROOT
from venues.captures import CaptureError

SAMPLE = ROOT / "docs" / "market_data" / "sample_capture.txt"


def test_trades_are_those_of_the_frames() -> None:
    tape = read_tape([SAMPLE], "BTCUSDT", levels=3)
    frames = [json.loads(line.partition(" ")[2]) for line in SAMPLE.read_text().splitlines() if '"e":"trade"' in line]
    sent = [frame["data"] for frame in frames if frame["data"]["s"] == "BTCUSDT"]
    tick = tape.instrument.tick_size
    assert [tick * int(x) for x in tape.trades.price_ticks] == [Decimal(trade["p"]) for trade in sent] and sent
    assert list(tape.trades.aggressor) == [-1 if trade["m"] else 1 for trade in sent]
    assert list(tape.trades.event_ns // 1_000_000) == [trade["T"] for trade in sent]


def test_levels_are_in_order_and_void_books_are_marked() -> None:
    books = read_tape([SAMPLE], "BTCUSDT", levels=2).books
    good = books.usable
    assert good.any()
    assert (books.bid_ticks[good, 0] < books.ask_ticks[good, 0]).all()
    assert (np.diff(books.bid_ticks[good], axis=1) < 0).all() and (np.diff(books.ask_ticks[good], axis=1) > 0).all()
    for side in (books.bid_ticks, books.bid_lots, books.ask_ticks, books.ask_lots):
        assert not side[~good].any()
    assert (np.diff(books.recv_ns) >= 0).all()


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="NONE; the capture holds BTCUSDT"):
        read_tape([SAMPLE], "NONE")
    (tmp_path / "text").write_text("hello")
    with pytest.raises(CaptureError, match="no known format"):
        read_tape([tmp_path / "text"])


@pytest.mark.recorded
def test_the_book_equals_the_venues_own_best_prices(recorded: Path) -> None:
    file = recorded / "hftbacktest" / "usdm" / "btcusdt_20240718.gz"
    tape = read_tape([file])
    best = {}
    with gzip.open(file, "rt") as lines:
        for line in lines:
            if '"e":"bookTicker"' in line:
                data = json.loads(line.partition(" ")[2])["data"]
                best[data["T"]] = (Decimal(data["b"]), Decimal(data["a"]))
    tick, books = tape.instrument.tick_size, tape.books
    pairs = [
        ((tick * int(bid), tick * int(ask)), best[ns // 1_000_000])
        for ns, bid, ask in zip(books.event_ns, books.bid_ticks[:, 0], books.ask_ticks[:, 0], strict=True)
        if ns // 1_000_000 in best
    ]
    assert len(pairs) > 200
    assert sum(ours == theirs for ours, theirs in pairs) / len(pairs) > 0.95


def test_files_are_found_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(places.FOLDER_VARIABLE, str(tmp_path))
    (tmp_path / "a").write_text("")
    assert places.recorded("a") == (tmp_path / "a",) and places.recorded("a", "b") == ()
    monkeypatch.setenv(places.CAPTURE_VARIABLE, str(tmp_path / "a"))
    assert places.own_capture() == (tmp_path / "a",)
    monkeypatch.setenv(places.CAPTURE_VARIABLE, str(tmp_path / "b"))
    with pytest.raises(FileNotFoundError, match=places.CAPTURE_VARIABLE):
        places.own_capture()
    monkeypatch.delenv(places.CAPTURE_VARIABLE)
    assert places.own_capture() == ()
