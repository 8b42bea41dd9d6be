"""The ledger against pure cash accounting, and against a slow twin in fractions."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.messages import PositionLine, Side
from market.position import PositionLedger

KEY = "binance.BTCUSDT"
fills = st.lists(
    st.tuples(
        st.sampled_from(list(Side)),
        st.integers(1, 10**9),
        st.integers(0, 10**8),
        st.integers(-(10**6), 10**9),
    ),
    max_size=30,
)
small_fills = st.lists(
    st.tuples(st.sampled_from(list(Side)), st.integers(1, 5), st.integers(1, 7), st.just(0)), max_size=40
)


def fed(sequence: list[tuple[Side, int, int, int]]) -> PositionLedger:
    ledger = PositionLedger()
    for side, lots, ticks, fee in sequence:
        ledger.apply_fill("binance", "BTCUSDT", side, lots, ticks, fee)
    return ledger


class FractionTwin:
    """Average cost as the textbook has it: an average price, kept as a fraction."""

    def __init__(self) -> None:
        self.qty = 0
        self.average = Fraction(0)
        self.realised = Fraction(0)
        self.reductions = 0

    def apply(self, side: Side, lots: int, ticks: int) -> None:
        for _ in range(lots):  # a lot at a time: flips need no rule of their own
            if self.qty * side.sign >= 0:
                self.average = (self.average * abs(self.qty) + ticks) / (abs(self.qty) + 1)
            else:
                self.realised += (self.average - ticks) * side.sign
            self.qty += side.sign
        self.reductions += 1


@given(st.one_of(fills, small_fills), st.integers(0, 10**8))
def test_cash_identity_holds_after_every_fill(sequence: list[tuple[Side, int, int, int]], mark: int) -> None:
    ledger, cash, qty, fees = PositionLedger(), 0, 0, 0
    for side, lots, ticks, fee in sequence:
        ledger.apply_fill("binance", "BTCUSDT", side, lots, ticks, fee)
        cash -= side.sign * lots * ticks
        qty += side.sign * lots
        fees += fee
        line = ledger.line(KEY)
        assert line is not None
        assert (line.qty_lots, line.fees_e8) == (qty, fees)
        assert line.realised_tick_lots + qty * mark - line.cost_tick_lots == cash + qty * mark
        assert line.realised_tick_lots + ledger.unrealised_tick_lots(KEY, mark) == cash + qty * mark
        if qty == 0:
            assert line.cost_tick_lots == 0
            assert line.realised_tick_lots == cash


@given(small_fills)
def test_stays_within_one_tick_lot_per_fill_of_the_fraction_twin(sequence: list[tuple[Side, int, int, int]]) -> None:
    ledger, twin = PositionLedger(), FractionTwin()
    for side, lots, ticks, _ in sequence:
        position = ledger.apply_fill("binance", "BTCUSDT", side, lots, ticks)
        twin.apply(side, lots, ticks)
        assert position.qty_lots == twin.qty
        assert abs(position.realised_tick_lots - twin.realised) < twin.reductions
        assert abs(position.cost_tick_lots - twin.average * twin.qty) < twin.reductions
        if position.qty_lots == 0:
            assert position.realised_tick_lots == twin.realised


@given(fills)
def test_long_and_short_mirror_each_other(sequence: list[tuple[Side, int, int, int]]) -> None:
    a = fed(sequence).line(KEY)
    b = fed([(side.opposite, lots, ticks, fee) for side, lots, ticks, fee in sequence]).line(KEY)
    if a is None or b is None:
        assert a is b is None and not sequence
        return
    assert (a.qty_lots, a.cost_tick_lots, a.realised_tick_lots) == (
        -b.qty_lots,
        -b.cost_tick_lots,
        -b.realised_tick_lots,
    )


@given(fills)
def test_equal_fills_give_equal_lines(sequence: list[tuple[Side, int, int, int]]) -> None:
    assert fed(sequence).lines() == fed(sequence).lines()


def test_average_cost_by_hand_with_a_remainder() -> None:
    ledger = fed([(Side.BUY, 1, 100, 0), (Side.BUY, 2, 101, 0)])
    assert ledger.line(KEY) == PositionLine(
        venue="binance", symbol="BTCUSDT", qty_lots=3, cost_tick_lots=302, realised_tick_lots=0, fees_e8=0
    )
    ledger.apply_fill("binance", "BTCUSDT", Side.SELL, 1, 110)  # a third of 302 is 100.67: 100 go, 202 stay
    line = ledger.line(KEY)
    assert line is not None
    assert (line.qty_lots, line.cost_tick_lots, line.realised_tick_lots) == (2, 202, 10)
    ledger.apply_fill("binance", "BTCUSDT", Side.SELL, 2, 110)
    assert ledger.realised_tick_lots(KEY) == 330 - 302
    assert ledger.unrealised_tick_lots(KEY, 5000) == 0


def test_flip_through_zero_opens_the_rest_at_its_own_price() -> None:
    ledger = fed([(Side.BUY, 3, 100, 5), (Side.SELL, 5, 90, 7)])
    line = ledger.line(KEY)
    assert line is not None
    assert (line.qty_lots, line.cost_tick_lots, line.realised_tick_lots, line.fees_e8) == (-2, -180, -30, 12)
    assert ledger.unrealised_tick_lots(KEY, 80) == 20


def test_lines_are_sorted_and_keep_flat_positions() -> None:
    ledger = PositionLedger()
    ledger.apply_fill("kraken", "AAA", Side.BUY, 1, 10)
    ledger.apply_fill("binance", "ZZZ", Side.BUY, 1, 10)
    ledger.apply_fill("binance", "ZZZ", Side.SELL, 1, 12)
    assert [(p.venue, p.symbol, p.qty_lots, p.realised_tick_lots) for p in ledger.lines()] == [
        ("binance", "ZZZ", 0, 2),
        ("kraken", "AAA", 1, 0),
    ]
    assert ledger.line("binance.NONE") is None
    assert ledger.get("binance.NONE") is None
    assert ledger.qty_lots("binance.NONE") == ledger.realised_tick_lots("binance.NONE") == 0
    assert ledger.unrealised_tick_lots("binance.NONE", 5) == 0
    assert [p.symbol for p in ledger.positions()] == ["AAA", "ZZZ"]


@pytest.mark.parametrize(("lots", "ticks"), [(0, 100), (-1, 100), (1, -1)])
def test_refuses_what_is_no_fill(lots: int, ticks: int) -> None:
    ledger = PositionLedger()
    with pytest.raises(ValueError, match=r"a fill of binance\.BTCUSDT must have"):
        ledger.apply_fill("binance", "BTCUSDT", Side.BUY, lots, ticks)
    assert ledger.lines() == ()
