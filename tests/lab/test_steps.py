"""A tape in steps: against a plain walk through its books and trades."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lab.data.steps import cut_into_steps
from lab.data.tape import read_tape
from tests.rig import ROOT

TAPE = read_tape([ROOT / "docs" / "market_data" / "sample_capture.txt"], "BTCUSDT")


@pytest.mark.parametrize(("step_s", "steps"), [(0.1, 4), (0.25, 2), (0.05, 1)])
def test_steps_are_what_a_plain_walk_finds(step_s: float, steps: int) -> None:
    cut = cut_into_steps(TAPE, step_s, steps)
    books, trades, tick = TAPE.books, TAPE.trades, float(TAPE.instrument.tick_size)
    rows = [i for i in range(books.recv_ns.size) if books.bid_lots[i, 0] > 0]
    start, length = int(books.recv_ns[rows[0]]), round(step_s * 1e9)
    assert cut.mid.shape == (cut.imbalance.shape[0], steps + 1) and cut.imbalance.size > 2
    for number in range(cut.imbalance.size):
        path, step = divmod(number, steps)
        begin, end = start + number * length, start + (number + 1) * length
        row = max(i for i in rows if books.recv_ns[i] <= begin)
        bid, ask = int(books.bid_lots[row, 0]), int(books.ask_lots[row, 0])
        assert cut.mid[path, step] == pytest.approx((books.bid_ticks[row, 0] + books.ask_ticks[row, 0]) / 2 * tick)
        assert cut.imbalance[path, step] == pytest.approx((bid - ask) / (bid + ask))
        inside = [i for i in range(trades.recv_ns.size) if begin <= trades.recv_ns[i] < end]
        bought = [int(trades.price_ticks[i]) * tick for i in inside if trades.aggressor[i] > 0]
        sold = [int(trades.price_ticks[i]) * tick for i in inside if trades.aggressor[i] < 0]
        assert cut.bought[path, step] == pytest.approx(max(bought, default=-math.inf))
        assert cut.sold[path, step] == pytest.approx(min(sold, default=math.inf))
    if len(cut.mid) > 1:
        assert (cut.mid[1:, 0] == cut.mid[:-1, -1]).all()
    assert np.isfinite(cut.bought).any() and np.isfinite(cut.sold).any()


def test_a_part_is_some_of_the_paths() -> None:
    cut = cut_into_steps(TAPE, 0.05, 1)
    part = cut.part(slice(1, 3))
    assert (part.mid == cut.mid[1:3]).all() and (part.sold == cut.sold[1:3]).all() and part.tick == cut.tick


def test_what_cannot_be_cut_is_refused() -> None:
    for step_s, steps in ((0.0, 4), (math.inf, 4), (0.1, 0)):
        with pytest.raises(ValueError, match="step_s, steps"):
            cut_into_steps(TAPE, step_s, steps)
    with pytest.raises(ValueError, match="one path of 60 steps of 60 s"):
        cut_into_steps(TAPE, 60.0, 60)
