"""Orders through the matching engine: us of processor time an operation of a mixed flow.

The flow is seeded and made once: a book of four thousand orders, then per hundred operations 45 limit orders near the
touch, 45 cancels of orders that rest and 10 that cross the spread. All run the same integers and must end at the same
touch. The floors: the plainest engine that trades right (an OrderedDict of lists a level; it numbers and tells
nothing), and pyorderbook, a price-time priority engine in Python. Its orders are made outside the time: with their
Decimal prices and random UUIDs they cost more than the matching does.
"""

from __future__ import annotations

import gc
import json
import random
import sys
import tempfile
import time
from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.peer_process import HOW, PeerProcess
from benchmarks.report import Row, median_of
from common.messages import Side
from market.matching import MatchingEngine

RESTING: Final = 4_000
OPERATIONS: Final = 50_000
REPETITIONS: Final = 7
_PEER: Final = "pyorderbook"
_SYMBOL: Final = "X"


class Operation(NamedTuple):
    """A limit order, or (lots 0) the cancel of the order that operation number `price` placed. `sign`: +1 buys."""

    sign: int
    price: int
    lots: int


class Flow(NamedTuple):
    """What builds the book, what is timed, and the touch it ends at (bid, lots, ask, lots)."""

    opening: list[Operation]
    timed: list[Operation]
    touch: tuple[int, int, int, int]


def order_flow(count: int = OPERATIONS, seed: int = 1) -> Flow:
    """Seeded operations, made on an engine so that cancels find their orders and takers the touch."""
    rng = random.Random(seed)
    engine = MatchingEngine()
    operations: list[Operation] = []
    resting: list[int] = []
    placed_by: dict[int, int] = {}

    def place(sign: int, price: int, lots: int) -> None:
        outcome = engine.limit(Side.BUY if sign > 0 else Side.SELL, price, lots)
        placed_by[outcome.order_id] = len(operations)
        operations.append(Operation(sign, price, lots))
        if outcome.resting_lots:
            resting.append(outcome.order_id)

    for number in range(RESTING):
        sign = 1 - number % 2 * 2
        place(sign, 1_000_000 - sign * (1 + int(rng.expovariate(1 / 60))), rng.randint(1, 100))
    while len(operations) < RESTING + count:
        kind, sign = rng.random(), rng.choice((-1, 1))
        bid, _, ask, _ = engine.touch()
        best, opposite = (bid, ask) if sign > 0 else (ask, bid)
        if kind < 0.45:
            price = best - sign * (int(rng.expovariate(1 / 8)) - 1)
            place(sign, sign * min(sign * price, sign * opposite - 1), rng.randint(1, 100))
        elif kind < 0.55:
            place(sign, opposite + 2 * sign, rng.randint(1, 150))
        else:
            at = rng.randrange(len(resting))
            resting[at], resting[-1] = resting[-1], resting[at]
            order_id = resting.pop()
            if engine.cancel(order_id):
                operations.append(Operation(0, placed_by[order_id], 0))
    return Flow(operations[:RESTING], operations[RESTING:], engine.touch())


class PlainEngine:
    """The floor."""

    def __init__(self) -> None:
        self.trades = 0
        self.orders: list[list[int] | None] = []
        #: By sign: keys (price times sign) ascending, and orders by key.
        self.keys: dict[int, list[int]] = {1: [], -1: []}
        self.levels: dict[int, dict[int, OrderedDict[int, list[int]]]] = {1: {}, -1: {}}

    def limit(self, sign: int, price: int, lots: int) -> None:
        """Trade, then wait with the rest."""
        keys, levels = self.keys[-sign], self.levels[-sign]
        order_id = len(self.orders)
        while lots and keys and keys[-1] >= -price * sign:
            level = levels[keys[-1]]
            while lots and level:
                maker_id, maker = next(iter(level.items()))
                traded = min(lots, maker[2])
                maker[2] -= traded
                lots -= traded
                self.trades += 1
                if not maker[2]:
                    del level[maker_id]
            if not level:
                del levels[keys.pop()]
        order = [sign, price * sign, lots] if lots else None
        self.orders.append(order)
        if order:
            own = self.levels[sign]
            if price * sign not in own:
                own[price * sign] = OrderedDict()
                insort(self.keys[sign], price * sign)
            own[price * sign][order_id] = order

    def cancel(self, order_id: int) -> None:
        """Take an order out."""
        order = self.orders[order_id]
        self.orders.append(None)
        if order and order[2]:
            sign, key, _ = order
            level = self.levels[sign][key]
            del level[order_id]
            if not level:
                del self.levels[sign][key]
                del self.keys[sign][bisect_left(self.keys[sign], key)]

    def touch(self) -> tuple[int, int, int, int]:
        """As MatchingEngine.touch."""
        bid, ask = self.keys[1][-1], self.keys[-1][-1]
        lots = [sum(order[2] for order in self.levels[sign][key].values()) for sign, key in ((1, bid), (-1, ask))]
        return bid, lots[0], -ask, lots[1]


def ours(flow: Flow) -> float:
    """Seconds of processor time."""
    engine = MatchingEngine()
    ids: list[int] = []

    def go(operations: list[Operation]) -> None:
        limit, cancel, note = engine.limit, engine.cancel, ids.append
        buy, sell = Side.BUY, Side.SELL
        for sign, price, lots in operations:
            if lots:
                note(limit(buy if sign > 0 else sell, price, lots).order_id)
            else:
                cancel(ids[price])
                note(0)

    seconds = timed(go, flow)
    assert engine.touch() == flow.touch
    return seconds


def plain(flow: Flow) -> float:
    """The floor's."""
    engine = PlainEngine()

    def go(operations: list[Operation]) -> None:
        limit, cancel = engine.limit, engine.cancel
        for sign, price, lots in operations:
            if lots:
                limit(sign, price, lots)
            else:
                cancel(price)

    seconds = timed(go, flow)
    assert engine.touch() == flow.touch
    return seconds


def timed(go: Callable[[list[Operation]], None], flow: Flow) -> float:
    """Build the book, then time the rest."""
    go(flow.opening)
    gc.collect()
    gc.disable()
    began = time.thread_time()
    go(flow.timed)
    seconds = time.thread_time() - began
    gc.enable()
    return seconds


def write(flow: Flow, file: Path) -> None:
    """The flow as the peers' process reads it."""
    events = [
        (kind, _SYMBOL, f"{operation.sign} {operation.price} {operation.lots}")
        for kind, operations in (("snapshot", flow.opening), ("frame", flow.timed))
        for operation in operations
    ]
    file.write_text(json.dumps({"venue": "", "symbols": [_SYMBOL], "depth": 0, "events": events}))


def rows(flow: Flow, peers: PeerProcess, file: Path) -> list[Row]:
    """Ours beside both floors, run in turns."""
    write(flow, file)
    samples: tuple[list[float], list[float], list[float]] = ([], [], [])
    for _ in range(REPETITIONS):
        samples[0].append(ours(flow))
        samples[1].append(plain(flow))
        if (answer := peers.run(_PEER, "orders", file)) is not None:
            seconds, top = answer
            assert top[_SYMBOL] == [str(value) for value in flow.touch], (top, flow.touch)
            samples[2].append(seconds)
    mine, floor, peer = (median_of(s) / len(flow.timed) * 1e6 if s else None for s in samples)
    assert mine is not None
    note = f"{1e6 / mine:,.0f} operations a second"
    peer_name = f"{_PEER} {peers.versions[_PEER]}" if _PEER in peers.versions else f"{_PEER} ({HOW})"
    return [
        Row("matching engine, an operation", "us", mine, floor, 2.0, "a plain engine that tells nothing", note),
        Row("matching engine, an operation", "us", mine, peer, 1.0, peer_name, note),
    ]


def run() -> list[Row]:
    """The registry's entry point."""
    with PeerProcess() as peers, tempfile.TemporaryDirectory() as folder:
        if peers.versions:
            print(f"[bench] peers: {', '.join(f'{k} {v}' for k, v in peers.versions.items())}", file=sys.stderr)
        return rows(order_flow(), peers, Path(folder) / "orders.json")
