"""The matching engine: examples of each rule, then properties over random order sequences."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.messages import OrderStatus, Side, TimeInForce
from market.matching import LevelChange, MatchingEngine, Outcome
from tests.market.slow_matching import SlowMatching

BUY, SELL = Side.BUY, Side.SELL
GTC, IOC, FOK = TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK


def test_oldest_order_of_the_best_price_trades_first_at_its_own_price() -> None:
    engine = MatchingEngine()
    first = engine.limit(SELL, 101, 5)
    second = engine.limit(SELL, 101, 5)
    better = engine.limit(SELL, 100, 2)
    taker = engine.limit(BUY, 103, 9)
    assert [(t.maker_id, t.price_ticks, t.qty_lots, t.maker_remaining_lots) for t in taker.trades] == [
        (better.order_id, 100, 2, 0),
        (first.order_id, 101, 5, 0),
        (second.order_id, 101, 2, 3),
    ]
    assert [t.trade_id for t in taker.trades] == [1, 2, 3]
    assert taker.status is OrderStatus.FILLED
    assert taker.changes == (LevelChange(SELL, 100, 0), LevelChange(SELL, 101, 3))


def test_the_rest_of_a_gtc_order_waits() -> None:
    engine = MatchingEngine()
    engine.limit(SELL, 100, 2)
    outcome = engine.limit(BUY, 100, 5)
    assert (outcome.status, outcome.filled_lots, outcome.resting_lots) == (OrderStatus.PARTIALLY_FILLED, 2, 3)
    assert engine.touch() == (100, 3, 0, 0)


def test_ioc_and_market_leave_nothing_behind() -> None:
    engine = MatchingEngine()
    engine.limit(SELL, 100, 2)
    ioc = engine.limit(BUY, 100, 5, IOC)
    assert (ioc.status, ioc.filled_lots, ioc.resting_lots) == (OrderStatus.EXPIRED, 2, 0)
    market = engine.market(BUY, 1)
    assert (market.status, market.trades, market.changes) == (OrderStatus.EXPIRED, (), ())
    assert engine.order_count == 0


def test_fok_fills_whole_or_not_at_all() -> None:
    engine = MatchingEngine()
    engine.limit(SELL, 100, 2)
    engine.limit(SELL, 101, 2)
    before = engine.depth()
    assert engine.limit(BUY, 101, 5, FOK).status is OrderStatus.EXPIRED
    assert engine.limit(BUY, 100, 3, FOK).status is OrderStatus.EXPIRED
    assert engine.depth() == before
    assert engine.limit(BUY, 101, 4, FOK).status is OrderStatus.FILLED


def test_post_only_never_takes() -> None:
    engine = MatchingEngine()
    engine.limit(SELL, 100, 2)
    rejected = engine.limit(BUY, 100, 1, post_only=True)
    assert (rejected.status, rejected.trades, engine.update_id) == (OrderStatus.REJECTED, (), 1)
    assert engine.limit(BUY, 99, 1, post_only=True).status is OrderStatus.NEW


def test_cancel_takes_out_what_rests_and_only_once() -> None:
    engine = MatchingEngine()
    order = engine.limit(BUY, 99, 4)
    engine.market(SELL, 1)
    assert engine.remaining_lots(order.order_id) == 3
    outcome = engine.cancel(order.order_id)
    assert outcome is not None and outcome.changes == (LevelChange(BUY, 99, 0),)
    assert engine.cancel(order.order_id) is None
    assert engine.remaining_lots(order.order_id) == 0


def test_an_iceberg_shows_one_slice_and_its_next_one_queues_behind_others() -> None:
    engine = MatchingEngine()
    iceberg = engine.limit(SELL, 100, 10, display_lots=4)
    other = engine.limit(SELL, 100, 5)
    engine.limit(SELL, 101, 5)
    assert (iceberg.resting_lots, iceberg.changes) == (10, (LevelChange(SELL, 100, 4),))
    assert engine.touch() == (0, 0, 100, 9)
    taker = engine.limit(BUY, 101, 12)
    assert [(t.maker_id, t.qty_lots, t.maker_remaining_lots) for t in taker.trades] == [
        (iceberg.order_id, 4, 6),
        (other.order_id, 5, 0),
        (iceberg.order_id, 3, 3),
    ]
    assert taker.changes == (LevelChange(SELL, 100, 1),)
    assert (engine.remaining_lots(iceberg.order_id), engine.depth().asks) == (3, [(100, 1), (101, 5)])


def test_hidden_lots_trade_before_a_worse_price_and_count_for_fok() -> None:
    engine = MatchingEngine()
    engine.limit(SELL, 100, 10, display_lots=1)
    engine.limit(SELL, 101, 1)
    assert engine.limit(BUY, 100, 11, FOK).status is OrderStatus.EXPIRED
    filled = engine.limit(BUY, 101, 11, FOK)
    assert filled.status is OrderStatus.FILLED
    assert [t.price_ticks for t in filled.trades] == [100] * 10 + [101]


def test_an_iceberg_takes_whole_and_shows_a_slice_of_its_rest() -> None:
    engine = MatchingEngine()
    engine.limit(SELL, 100, 7)
    outcome = engine.limit(BUY, 100, 20, display_lots=5)
    assert (outcome.filled_lots, outcome.resting_lots, engine.touch()) == (7, 13, (100, 5, 0, 0))


def test_a_reduced_order_keeps_its_place_and_loses_hidden_lots_first() -> None:
    engine = MatchingEngine()
    first = engine.limit(SELL, 100, 9, display_lots=3)
    second = engine.limit(SELL, 100, 2)
    outcome = engine.reduce(first.order_id, 3)
    assert outcome == (first.order_id, OrderStatus.NEW, 0, 3, (), (), 2)
    outcome = engine.reduce(first.order_id, 1)
    assert outcome is not None and (outcome.resting_lots, outcome.changes) == (1, (LevelChange(SELL, 100, 3),))
    assert list(engine.queue(SELL)) == [(first.order_id, 100, 1), (second.order_id, 100, 2)]
    for left in (0, 1, 2):
        with pytest.raises(ValueError, match="smaller"):
            engine.reduce(first.order_id, left)
    assert engine.reduce(99, 1) is None


def test_update_id_rises_once_per_change_and_the_diff_covers_it() -> None:
    engine = MatchingEngine()
    assert engine.drain_changes() is None
    engine.limit(BUY, 99, 1)
    engine.limit(SELL, 101, 1)
    engine.limit(SELL, 102, 1)
    assert engine.drain_changes() == (1, 3, [(99, 1)], [(101, 1), (102, 1)])
    engine.limit(BUY, 102, 2)
    assert engine.update_id == 4
    engine.market(SELL, 9)
    engine.market(SELL, 9)
    assert engine.drain_changes() == (4, 5, [(99, 0)], [(101, 0), (102, 0)])
    assert engine.drain_changes() is None


@pytest.mark.parametrize(
    "call",
    [
        lambda e: e.limit(BUY, 0, 1),
        lambda e: e.limit(BUY, 1, 0),
        lambda e: e.market(BUY, -1),
        lambda e: e.limit(BUY, 1, 1, IOC, post_only=True),
        lambda e: e.limit(BUY, 1, 1, FOK, display_lots=1),
        lambda e: e.limit(BUY, 1, 1, display_lots=-1),
    ],
)
def test_nonsense_is_refused_and_changes_nothing(call) -> None:
    engine = MatchingEngine()
    with pytest.raises(ValueError):
        call(engine)
    assert (engine.order_count, engine.update_id) == (0, 0)


def test_thousands_of_orders_in_one_level_stay_cheap_and_in_order() -> None:
    engine = MatchingEngine()
    for _ in range(20_000):
        engine.limit(SELL, 100, 1)
    makers = [engine.market(BUY, 1).trades[0].maker_id for _ in range(20_000)]
    assert makers == list(range(1, 20_001))


def test_a_level_of_many_cancels_stays_small_and_in_order() -> None:
    engine = MatchingEngine()
    kept = []
    for number in range(5_000):
        order_id = engine.limit(SELL, 100, 1).order_id
        if number % 1000:
            engine.cancel(order_id)
        else:
            kept.append(order_id)
    assert len(engine._asks.levels[100].queue) < 100
    assert [order_id for order_id, _, _ in engine.queue(SELL)] == kept
    assert [trade.maker_id for trade in engine.market(BUY, 9).trades] == kept
    assert engine.depth().asks == []


PRICES = st.integers(90, 110)
LOTS = st.integers(1, 20)
#: Few prices make long queues.
PRICES = st.one_of(PRICES, st.integers(99, 101))
COMMANDS = st.one_of(
    st.tuples(st.just("limit"), st.sampled_from(Side), PRICES, LOTS, st.sampled_from(TimeInForce)),
    st.tuples(st.just("limit"), st.sampled_from(Side), PRICES, LOTS, st.just(GTC)),
    st.tuples(st.just("post"), st.sampled_from(Side), PRICES, LOTS),
    st.tuples(st.just("market"), st.sampled_from(Side), LOTS),
    st.tuples(st.just("cancel"), st.integers(1, 60)),
    st.tuples(st.just("iceberg"), st.sampled_from(Side), PRICES, LOTS, st.integers(1, 6)),
    st.tuples(st.just("reduce"), st.integers(1, 30), LOTS),
)
SEQUENCES = st.lists(COMMANDS, max_size=60)


def run(engine: MatchingEngine, command: tuple) -> Outcome | None:
    kind, *arguments = command
    if kind == "post":
        return engine.limit(*arguments, post_only=True)
    if kind == "iceberg":
        side, price, lots, display = arguments
        return engine.limit(side, price, lots, display_lots=display)
    if kind == "reduce" and not arguments[1] < engine.remaining_lots(arguments[0]):
        return None
    return getattr(engine, kind)(*arguments)


def run_twin(twin: SlowMatching, command: tuple) -> tuple[OrderStatus, list[tuple[int, int, int]]]:
    match command:
        case ("limit", side, price, lots, tif):
            return twin.order(side, price, lots, tif)
        case ("post", side, price, lots):
            return twin.order(side, price, lots, GTC, post_only=True)
        case ("market", side, lots):
            return twin.order(side, None, lots, IOC)
        case ("iceberg", side, price, lots, display):
            return twin.order(side, price, lots, GTC, display=display)
        case ("reduce", order_id, left):
            return (twin.reduce(order_id, left) or OrderStatus.UNKNOWN), []
        case (_, order_id):
            return (OrderStatus.CANCELED if twin.cancel(order_id) else OrderStatus.UNKNOWN), []
    raise AssertionError(command)


@given(SEQUENCES)
@settings(max_examples=300, deadline=None)
def test_agrees_with_the_slow_twin(commands) -> None:
    engine, twin = MatchingEngine(), SlowMatching()
    for command in commands:
        outcome, (status, trades) = run(engine, command), run_twin(twin, command)
        assert (outcome.status if outcome else OrderStatus.UNKNOWN) == status
        assert [(t.maker_id, t.price_ticks, t.qty_lots) for t in (outcome.trades if outcome else ())] == trades
        assert engine.depth() == (twin.update_id, twin.levels(BUY), twin.levels(SELL))
        assert engine.depth(3).bids == twin.levels(BUY)[:3]
        assert engine.order_count == len(twin.resting)
        assert all(list(engine.queue(side)) == twin.queue(side) for side in Side)


@given(SEQUENCES)
@settings(max_examples=150, deadline=None)
def test_never_crossed_never_through_and_everything_conserved(commands) -> None:
    engine = MatchingEngine()
    entered = traded = gone = 0
    cash = {BUY: 0, SELL: 0}
    owner_side: dict[int, Side] = {}
    for command in commands:
        kind = command[0]
        before = {side: list(engine.queue(side)) for side in Side}
        resting_before = engine.remaining_lots(command[1]) if kind in ("cancel", "reduce") else 0
        outcome = run(engine, command)
        bid, _, ask, _ = engine.touch()
        assert not (bid and ask) or bid < ask
        if outcome is None:
            continue
        if kind in ("cancel", "reduce"):
            gone += resting_before - outcome.resting_lots
            continue
        side, lots = command[1], command[2] if kind == "market" else command[3]
        owner_side[outcome.order_id] = side
        entered += lots
        gone += lots - outcome.filled_lots - outcome.resting_lots
        assert sum(t.qty_lots for t in outcome.trades) == outcome.filled_lots
        limit = None if kind == "market" else command[2]
        opposite: dict[int, int] = {}
        for _, price, resting in before[side.opposite]:
            opposite[price] = opposite.get(price, 0) + resting
        for trade in outcome.trades:
            assert limit is None or (limit - trade.price_ticks) * side.sign >= 0
            assert owner_side[trade.maker_id] is side.opposite
            opposite[trade.price_ticks] -= trade.qty_lots
            # No trade-through: nothing better, shown or hidden, was left standing when this level traded.
            assert not any(left and (trade.price_ticks - p) * side.sign > 0 for p, left in opposite.items())
            traded += trade.qty_lots
            cash[side] -= side.sign * trade.price_ticks * trade.qty_lots
            cash[side.opposite] += side.sign * trade.price_ticks * trade.qty_lots
    resting = sum(lots for s in Side for _, _, lots in engine.queue(s))
    assert entered == 2 * traded + gone + resting
    assert cash[BUY] + cash[SELL] == 0


@given(SEQUENCES)
@settings(max_examples=100, deadline=None)
def test_first_in_first_out_within_every_price(commands) -> None:
    """Whoever has waited longest trades; only an iceberg's next slice goes to the end, and it alone."""
    engine = MatchingEngine()
    for command in commands:
        queues: dict[int, list[int]] = {}
        for side in Side:
            for order_id, price, _ in engine.queue(side):
                queues.setdefault(price, []).append(order_id)
        outcome = run(engine, command)
        for trade in outcome.trades if outcome else ():
            waiting = queues[trade.price_ticks]
            # The taker's last trade may leave a part of the slice where it is.
            assert waiting.pop(0) == trade.maker_id
            if trade.maker_remaining_lots:
                is_slice_done = trade is not outcome.trades[-1] or (
                    [o for o, p, _ in engine.queue(trade.aggressor.opposite) if p == trade.price_ticks]
                    != [trade.maker_id, *waiting]
                )
                waiting.insert(len(waiting) if is_slice_done else 0, trade.maker_id)
        if outcome and outcome.resting_lots and command[0] in ("limit", "iceberg", "post"):
            queues.setdefault(command[2], []).append(outcome.order_id)
        after = [(price, order_id) for side in Side for order_id, price, _ in engine.queue(side)]
        for price, waiting in queues.items():
            gone = outcome is not None and outcome.status is OrderStatus.CANCELED
            assert [o for p, o in after if p == price] == [o for o in waiting if not (gone and o == outcome.order_id)]


@given(SEQUENCES, st.integers(1, 7))
@settings(max_examples=100, deadline=None)
def test_diffs_applied_in_turn_rebuild_the_book_and_runs_repeat(commands, every) -> None:
    engine, again = MatchingEngine(), MatchingEngine()
    book: dict[Side, dict[int, int]] = {BUY: {}, SELL: {}}
    last = 0
    for number, command in enumerate(commands):
        assert run(engine, command) == run(again, command)
        if number % every and number != len(commands) - 1:
            continue
        diff = engine.drain_changes()
        assert diff == again.drain_changes()
        if diff is None:
            assert engine.update_id == last
            continue
        assert diff.first_update_id == last + 1 and diff.last_update_id == engine.update_id
        last = diff.last_update_id
        for side, levels in ((BUY, diff.bids), (SELL, diff.asks)):
            book[side].update(levels)
            book[side] = {price: lots for price, lots in book[side].items() if lots}
    depth = engine.depth()
    assert (dict(depth.bids), dict(depth.asks)) == (book[BUY], book[SELL])
