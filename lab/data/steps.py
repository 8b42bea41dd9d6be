"""A tape in equal steps of time: what a dealer saw when he quoted, and how far trades went while the quotes stood."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lab.data.tape import Tape

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class Steps:
    """Paths of steps, in price units.

    `mid` is float64[paths, steps + 1], at the beginning of each step and the end of the last. Per step, float64
    [paths, steps]: `imbalance` (bid - ask) / (bid + ask) of the best quantities at its beginning, and the highest
    price `bought` and lowest `sold` during it, -inf and inf where nobody did. `tick` is the price grid, 0 for none.
    """

    mid: FloatArray
    imbalance: FloatArray
    bought: FloatArray
    sold: FloatArray
    tick: float = 0.0

    def part(self, paths: slice) -> Steps:
        """Some of the paths."""
        return Steps(self.mid[paths], self.imbalance[paths], self.bought[paths], self.sold[paths], self.tick)


def cut_into_steps(tape: Tape, step_s: float, steps: int) -> Steps:
    """Paths of `steps` steps, one behind the other, by time of receipt; what is left at the end is dropped.

    A step begins with the last usable book before it, however old. A trade in the instant a step begins is its own.

    Raises:
        ValueError: a step has no length, a path has none, or the tape is shorter than one path.
    """
    if not (np.isfinite(step_s) and step_s > 0) or steps < 1:
        raise ValueError(f"step_s, steps: {step_s}, {steps}; above 0, and at least 1")
    good = np.flatnonzero(tape.books.usable)
    seen = tape.books.recv_ns[good]
    length_ns = round(step_s * 1e9)
    paths = int((seen[-1] - seen[0]) // (length_ns * steps)) if seen.size else 0
    if not paths:
        raise ValueError(f"tape: its books do not reach over one path of {steps} steps of {step_s:g} s")
    grid_ns = seen[0] + length_ns * np.arange(paths * steps + 1)
    row = good[np.searchsorted(seen, grid_ns, side="right") - 1]
    tick = float(tape.instrument.tick_size)
    mid = (tape.books.bid_ticks[row, 0] + tape.books.ask_ticks[row, 0]) / 2 * tick
    bid, ask = tape.books.bid_lots[row, 0].astype(np.float64), tape.books.ask_lots[row, 0].astype(np.float64)
    imbalance = ((bid - ask) / (bid + ask))[:-1]
    shape = (paths, steps)
    bought, sold = _furthest(tape, grid_ns)
    at = steps * np.arange(paths)[:, None] + np.arange(steps + 1)
    return Steps(mid[at], imbalance.reshape(shape), bought.reshape(shape), sold.reshape(shape), tick)


def _furthest(tape: Tape, grid_ns: npt.NDArray[np.int64]) -> tuple[FloatArray, FloatArray]:
    trades = tape.trades
    step = np.searchsorted(grid_ns, trades.recv_ns, side="right") - 1
    prices = trades.price_ticks * float(tape.instrument.tick_size)
    bought, sold = np.full(grid_ns.size - 1, -np.inf), np.full(grid_ns.size - 1, np.inf)
    within = (step >= 0) & (step < bought.size)
    for side, reached, furthest in ((1, bought, np.maximum), (-1, sold, np.minimum)):
        mine = within & (trades.aggressor == side)
        furthest.at(reached, step[mine], prices[mine])
    return bought, sold
