"""Statistics beside empyrical on ten years of days, and 10^5 trades through the lot ledger.

Beside the ledger runs the shortest first-in-first-out loop in doubles: no checks, no record of what was closed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from itertools import combinations
from typing import Final

import empyrical
import numpy as np

from benchmarks.models.turns import alone, in_turns
from benchmarks.report import Row
from models import statistics as st

TRADES: Final = 100_000
DAYS: Final = 252


def run() -> list[Row]:
    """Microseconds of a metric, milliseconds of the rest."""
    return [*metrics(), overfitting(), *ledgers()]


def metrics() -> list[Row]:
    """One after another, as a report would ask for them."""
    r = 0.01 * np.random.default_rng(1).standard_t(4, 2520) + 0.0004
    pairs: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "Sharpe ratio": (lambda: st.sharpe_ratio(r, DAYS), lambda: empyrical.sharpe_ratio(r)),
        "Sortino ratio": (lambda: st.sortino_ratio(r, DAYS), lambda: empyrical.sortino_ratio(r)),
        "maximum drawdown": (lambda: st.maximum_drawdown(r), lambda: empyrical.max_drawdown(r)),
        "Calmar ratio": (lambda: st.calmar_ratio(r, DAYS), lambda: empyrical.calmar_ratio(r)),
        "CVaR": (lambda: st.expected_shortfall(r), lambda: empyrical.conditional_value_at_risk(r)),
    }
    rows = []
    for name, (ours, theirs) in pairs.items():
        value, floor = in_turns(partial(often, ours), partial(often, theirs))
        # Milliseconds of a thousand calls are microseconds of one.
        rows.append(Row(f"{name}, 2520 days", "us", value, floor, 2.0, "empyrical-reloaded", "ours checks its data"))
    return rows


def often(call: Callable[[], object]) -> None:
    """A thousand times."""
    for _ in range(1000):
        call()


def overfitting() -> Row:
    """CSCV of 50 trials; the floor asks empyrical for every half of every way."""
    trials = np.random.default_rng(2).normal(0.0005, 0.01, (1008, 50))

    def by_looping() -> list[int]:
        parts, chosen = np.split(trials, 6), []
        for half in combinations(range(6), 3):
            inside = np.vstack([parts[i] for i in half])
            outside = np.vstack([parts[i] for i in range(6) if i not in half])
            best = int(np.argmax(empyrical.sharpe_ratio(inside)))
            chosen.append(int((empyrical.sharpe_ratio(outside) <= empyrical.sharpe_ratio(outside)[best]).sum()))
        return chosen

    value, floor = in_turns(partial(st.probability_of_overfitting, trials, 6), by_looping, 9)
    whole = alone(lambda: st.probability_of_overfitting(trials, 16), 3)
    note = f"6 blocks, 20 ways; 16 blocks, 12870 ways: {whole:.0f} ms"
    return Row("overfitting of 50 trials, 1008 days", "ms", value, floor, 1.0, "a loop over empyrical", note)


def ledgers() -> list[Row]:
    """10^5 random trades; the bar is a second."""
    rng = np.random.default_rng(3)
    quantities = (rng.integers(1, 1000, TRADES) * rng.choice([-1, 1], TRADES)).tolist()
    prices = (100_000 + rng.integers(-500, 500, TRADES)).tolist()
    trades = [st.Trade(q, p, 1) for q, p in zip(quantities, prices, strict=True)]
    floats = [(float(q), float(p)) for q, p in zip(quantities, prices, strict=True)]
    rows = []
    for method in st.Method:
        value, plain = in_turns(partial(kept, trades, method), lambda: first_in_first_out(floats), 5)
        note = f"FIFO of doubles, nothing checked or kept: {plain:.0f} ms, {value / plain:.1f} times"
        rows.append(Row(f"10^5 trades, {method.value}", "ms", value, 1000.0, 1.0, "the bar, a second", note))
    grid = st.Grid(Decimal("0.01"), Decimal("0.001"))
    decimals = [(Decimal(q).scaleb(-3), Decimal(p).scaleb(-2)) for q, p in zip(quantities, prices, strict=True)]

    def in_decimals() -> None:
        st.account((grid.trade(*fill) for fill in decimals), st.LotLedger(st.Method.FIFO))

    rows.append(Row("10^5 trades in decimals, fifo", "ms", alone(in_decimals, 5), 1000.0, 1.0, "the bar, a second"))
    return rows


def kept(trades: list[st.Trade], method: st.Method) -> None:
    """Through a ledger that has seen nothing."""
    st.account(trades, st.LotLedger(method))


def first_in_first_out(trades: list[tuple[float, float]]) -> float:
    """Realised profit in doubles."""
    lots: deque[list[float]] = deque()
    realised = 0.0
    for quantity, price in trades:
        while quantity and lots and lots[0][0] * quantity < 0:
            lot = lots[0]
            part = lot[0] if abs(quantity) >= abs(lot[0]) else -quantity
            realised += part * (price - lot[1])
            quantity += part
            lot[0] -= part
            if not lot[0]:
                lots.popleft()
        if quantity:
            lots.append([quantity, price])
    return realised
