"""Triangles of simulated books: how far a cross's touch strays from its legs', how often a round pays, for how long.

A round converts at the touch of three books and comes back to where it began, one way or the other. What it leaves of
one unit, less one, is its edge before fees; it pays at a fee of f for each leg when (1 + edge)(1 - f)^3 > 1.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from common.units import NS_PER_S
from services.mock_exchange.simulation.statistics.measures import BPS
from services.mock_exchange.simulation.statistics.tape import FloatArray, IntArray, Tape

BoolArray = npt.NDArray[np.bool_]

#: For each leg, in basis points: none, two of those who trade much, and the venue's usual one.
FEES_BPS: Final = (0.0, 1.0, 2.0, 10.0)


def edges(cross: Tape, numerator: Tape, denominator: Tape) -> tuple[IntArray, FloatArray]:
    """When any of the three touches changed, int64[n], and the better of the two rounds' edges from then on."""
    times = np.unique(np.concatenate([cross.touch_ns, numerator.touch_ns, denominator.touch_ns]))
    bids, asks = [], []
    for tape in (cross, numerator, denominator):
        at = np.searchsorted(tape.touch_ns, times, side="right") - 1
        bids.append(np.log(tape.bid_ticks[at] * tape.tick_size))
        asks.append(np.log(tape.ask_ticks[at] * tape.tick_size))
    sell_cross = bids[0] - asks[1] + bids[2]
    buy_cross = bids[1] - asks[0] - asks[2]
    best: FloatArray = np.expm1(np.maximum(sell_cross, buy_cross))
    return times, best


def spells(times: IntArray, pays: BoolArray, end_ns: int) -> FloatArray:
    """Lengths in seconds of the stretches of time in which a round pays, float64[k]."""
    changes = np.diff(np.concatenate([[0], pays.astype(np.int64), [0]]))
    stamps = np.append(times, end_ns)
    lengths: FloatArray = (stamps[changes == -1] - stamps[changes == 1]) / NS_PER_S
    return lengths


def triangle(cross: Tape, numerator: Tape, denominator: Tape) -> dict[str, float | dict[str, float]]:
    """How well the cross keeps to its legs, and what is to be had of it at each of `FEES_BPS`."""
    times, edge = edges(cross, numerator, denominator)
    held = np.diff(np.append(times, cross.end_ns)).astype(np.float64)
    step_ns = NS_PER_S // 10
    stray = cross.log_mid_every(step_ns) - numerator.log_mid_every(step_ns) + denominator.log_mid_every(step_ns)
    shares, counts, medians, longest = {}, {}, {}, {}
    for fee in FEES_BPS:
        pays = (1.0 + edge) * (1.0 - fee / BPS) ** 3 > 1.0
        lengths = spells(times, pays, cross.end_ns)
        name = f"{fee:g}bps"
        shares[name] = float(held[pays].sum() / held.sum())
        counts[name] = 60.0 * lengths.size / cross.seconds
        medians[name] = float(np.median(lengths)) if lengths.size else math.nan
        longest[name] = float(lengths.max()) if lengths.size else math.nan
    return {
        "stray_bps": BPS * float(np.sqrt(np.mean(np.square(stray)))),
        "greatest_edge_bps": BPS * float(edge.max()),
        "share_of_time": shares,
        "spells_per_minute": counts,
        "median_spell_s": medians,
        "longest_spell_s": longest,
    }
