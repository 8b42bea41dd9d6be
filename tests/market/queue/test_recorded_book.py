"""Clients' orders in a recorded book: the rules by example, then properties over random recordings and orders."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.messages import OrderStatus, Side, TimeInForce
from market.matching import LevelChange, MatchingEngine, Outcome, Trade
from market.queue import RECORDED, RecordedBook, behind_first, power, proportional, root
from tests.market.queue.slow_recorded import SlowRecorded

BUY, SELL = Side.BUY, Side.SELL
GTC, IOC, FOK = TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK


def a_book(**settings) -> RecordedBook:
    book = RecordedBook(**settings)
    book.on_snapshot([(99, 10), (98, 20)], [(101, 10), (102, 20)])
    return book


def own_fills(outcome: Outcome | None) -> list[tuple[int, int, int]]:
    return [(t.maker_id, t.price_ticks, t.qty_lots) for t in (outcome.trades if outcome else ()) if t.maker_id]


def test_a_taker_walks_the_recorded_levels_and_what_it_took_stays_taken() -> None:
    book = a_book()
    first = book.limit(BUY, 102, 15, IOC)
    assert [(t.price_ticks, t.qty_lots, t.maker_id) for t in first.trades] == [
        (101, 10, RECORDED),
        (102, 5, RECORDED),
    ]
    assert first.changes == (LevelChange(SELL, 101, 0), LevelChange(SELL, 102, 15))
    assert book.touch() == (99, 10, 102, 15)
    book.on_level(SELL, 101, 10)
    assert book.market(BUY, 1).trades[0].price_ticks == 102
    book.on_level(SELL, 101, 13)
    assert book.depth(1).asks == [(101, 3)]
    book.on_level(SELL, 101, 0)
    book.on_level(SELL, 101, 4)
    assert book.depth(1).asks == [(101, 4)]


def test_a_shrinking_level_loses_what_a_client_already_had_first() -> None:
    book = a_book()
    book.market(BUY, 6)
    book.on_level(SELL, 101, 7)
    assert book.depth(1).asks == [(101, 4)]
    book.on_level(SELL, 101, 2)
    assert book.depth(1).asks == [(101, 2)]


def test_fok_and_post_only_see_the_recorded_book() -> None:
    book = a_book()
    assert book.limit(BUY, 101, 11, FOK).status is OrderStatus.EXPIRED
    assert book.limit(BUY, 102, 30, FOK).status is OrderStatus.FILLED
    assert book.limit(SELL, 99, 1, post_only=True).status is OrderStatus.REJECTED
    assert book.limit(SELL, 100, 1, post_only=True).status is OrderStatus.NEW
    assert book.market(BUY, 2).filled_lots == 1


def test_prints_use_up_the_queue_before_they_fill() -> None:
    book = a_book()
    order = book.limit(BUY, 99, 5)
    assert book.ahead_lots(order.order_id) == 10
    assert own_fills(book.on_trade(99, 8, SELL)) == []
    outcome = book.on_trade(99, 4, SELL)
    assert own_fills(outcome) == [(order.order_id, 99, 2)]
    assert outcome.trades[-1][1:5] == (99, 2, RECORDED, RECORDED)
    assert book.remaining_lots(order.order_id) == 3
    # The report of those trades moves nothing again.
    assert book.on_level(BUY, 99, 0) is None
    assert own_fills(book.on_trade(99, 50, SELL)) == [(order.order_id, 99, 3)]
    assert book.order_count == 0


def test_lots_that_join_later_are_behind() -> None:
    book = a_book()
    order = book.limit(BUY, 99, 5).order_id
    book.on_level(BUY, 99, 100)
    assert book.ahead_lots(order) == 10


@pytest.mark.parametrize(("rule", "ahead"), [(proportional, 7), (behind_first, 10), (power(2), 9), (root, 7)])
def test_cancels_are_spread_by_the_rule(rule, ahead: int) -> None:
    book = a_book(cancel_rule=rule)
    order = book.limit(BUY, 99, 5).order_id
    book.on_level(BUY, 99, 30)
    book.on_level(BUY, 99, 21)
    assert book.ahead_lots(order) == ahead
    book.on_level(BUY, 99, 3)
    assert book.ahead_lots(order) <= 3


def test_no_rule_lets_a_client_overtake_another() -> None:
    book = RecordedBook(power(3))
    book.on_level(BUY, 99, 8)
    first = book.limit(BUY, 99, 1).order_id
    book.on_level(BUY, 99, 12)
    second = book.limit(BUY, 99, 1).order_id
    book.on_level(BUY, 99, 20)
    # By itself the rule puts the first behind 5 (3 of 15 left from ahead of it), the second behind 1.
    book.on_level(BUY, 99, 5)
    assert (book.ahead_lots(first), book.ahead_lots(second)) == (5, 5)


def test_a_trade_printed_after_its_report_moves_an_order_once() -> None:
    book = a_book()
    order = book.limit(BUY, 99, 5).order_id
    book.on_level(BUY, 99, 4)
    assert book.ahead_lots(order) == 4
    assert own_fills(book.on_trade(99, 6, SELL)) == []
    assert book.ahead_lots(order) == 4
    assert own_fills(book.on_trade(99, 5, SELL)) == [(order, 99, 1)]


def test_a_level_gone_by_a_trade_printed_later_leaves_the_order_unfilled() -> None:
    book = a_book()
    order = book.limit(BUY, 99, 5).order_id
    book.on_level(BUY, 99, 0)
    assert own_fills(book.on_trade(99, 10, SELL)) == []
    assert own_fills(book.on_trade(99, 1, SELL)) == [(order, 99, 1)]


def test_a_print_beyond_the_price_fills_best_first_up_to_its_lots() -> None:
    book = a_book()
    low, high = book.limit(BUY, 99, 5).order_id, book.limit(BUY, 100, 2).order_id
    outcome = book.on_trade(98, 4, SELL)
    assert own_fills(outcome) == [(high, 100, 2), (low, 99, 2)]
    assert [t.aggressor for t in outcome.trades] == [SELL, SELL]
    assert own_fills(book.on_trade(105, 9, BUY)) == []


def test_a_recorded_level_that_crosses_fills_and_is_used_up() -> None:
    book = a_book()
    first, second = book.limit(SELL, 100, 4).order_id, book.limit(SELL, 100, 4).order_id
    outcome = book.on_level(BUY, 100, 6)
    assert own_fills(outcome) == [(first, 100, 4), (second, 100, 2)]
    assert outcome is not None and outcome.trades[0].aggressor is BUY and outcome.order_id == RECORDED
    assert book.on_level(BUY, 100, 6) is None
    assert own_fills(book.on_level(BUY, 100, 7)) == [(second, 100, 1)]
    assert book.touch()[:2] == (99, 10)


def test_clients_meet_each_other_in_the_queue_they_stand_in() -> None:
    book = a_book()
    maker = book.limit(SELL, 101, 3).order_id
    assert list(book.queue(SELL)) == [(0, 101, 10), (maker, 101, 3), (0, 102, 20)]
    book.on_level(SELL, 101, 12)
    taker = book.limit(BUY, 101, 14)
    assert [(t.maker_id, t.qty_lots) for t in taker.trades] == [(RECORDED, 10), (maker, 3), (RECORDED, 1)]
    better = book.limit(SELL, 100, 2).order_id
    assert [t.maker_id for t in book.market(BUY, 3).trades] == [better, RECORDED]


def test_an_icebergs_next_slice_queues_behind_what_is_there() -> None:
    book = RecordedBook()
    order = book.limit(BUY, 99, 6, display_lots=2).order_id
    book.on_level(BUY, 99, 10)
    assert book.depth().bids == [(99, 12)]
    assert own_fills(book.on_trade(99, 3, SELL)) == [(order, 99, 2)]
    assert (book.remaining_lots(order), book.ahead_lots(order)) == (4, 7)


def test_a_reduced_order_keeps_its_place() -> None:
    book = a_book()
    order = book.limit(BUY, 99, 6).order_id
    book.on_level(BUY, 99, 50)
    outcome = book.reduce(order, 2)
    assert outcome is not None and (outcome.resting_lots, outcome.changes) == (2, (LevelChange(BUY, 99, 52),))
    assert book.ahead_lots(order) == 10
    with pytest.raises(ValueError, match="smaller"):
        book.reduce(order, 2)
    assert book.cancel(order) is not None and book.cancel(order) is None and book.reduce(order, 1) is None


LOTS, SIDES = st.integers(1, 12), st.sampled_from(Side)


def commands_at(prices: st.SearchStrategy[int]) -> st.SearchStrategy[list[tuple]]:
    client = st.one_of(
        st.tuples(st.just("limit"), SIDES, prices, LOTS, st.sampled_from([GTC, GTC, GTC, IOC, FOK])),
        st.tuples(st.just("post"), SIDES, prices, LOTS),
        st.tuples(st.just("post"), SIDES, prices, LOTS),
        st.tuples(st.just("iceberg"), SIDES, prices, LOTS, st.integers(1, 4)),
        st.tuples(st.just("market"), SIDES, LOTS),
        st.tuples(st.just("cancel"), st.integers(1, 20)),
        st.tuples(st.just("reduce"), st.integers(1, 20), LOTS),
    )
    return st.lists(st.one_of(client, recording_at(prices)), max_size=50)


def recording_at(prices: st.SearchStrategy[int]) -> st.SearchStrategy[tuple]:
    level = st.tuples(st.just("level"), SIDES, prices, st.integers(0, 40))
    return st.one_of(level, level, st.tuples(st.just("trade"), prices, LOTS, SIDES))


#: A whole book, and a single price where every queue is.
SEQUENCES = st.one_of(commands_at(st.integers(95, 105)), commands_at(st.just(100)))
RULES = st.sampled_from([proportional, behind_first, root, power(2), power(3)])


def run(book: RecordedBook | MatchingEngine, command: tuple) -> Outcome | None:
    kind, *arguments = command
    match kind:
        case "post":
            return book.limit(*arguments, post_only=True)
        case "iceberg":
            return book.limit(*arguments[:3], display_lots=arguments[3])
        case "reduce":
            order_id, left = arguments
            return book.reduce(order_id, left) if left < book.remaining_lots(order_id) else None
        case "level" | "trade":
            outcome: Outcome | None = getattr(book, f"on_{kind}")(*arguments)
            return outcome
    done: Outcome | None = getattr(book, kind)(*arguments)
    return done


def run_twin(twin: SlowRecorded, command: tuple) -> list:
    match command:
        case ("limit", side, price, lots, tif):
            return twin.order(side, price, lots, tif)
        case ("post", side, price, lots):
            return twin.order(side, price, lots, GTC, post_only=True)
        case ("iceberg", side, price, lots, display):
            return twin.order(side, price, lots, GTC, display=display)
        case ("market", side, lots):
            return twin.order(side, None, lots, IOC)
        case (kind, *arguments):
            return getattr(twin, kind if kind in ("cancel", "reduce") else f"on_{kind}")(*arguments) or []
    raise AssertionError(command)


def merged(trades: list[tuple[int, int, int, int]]) -> list[tuple[int, int, int, int]]:
    """Trades in a row with the same maker as one: how finely a taker is cut does not matter."""
    result: list[tuple[int, int, int, int]] = []
    for maker, price, lots, rest in trades:
        if result and result[-1][:2] == (maker, price):
            lots += result.pop()[2]
        result.append((maker, price, lots, rest))
    return result


def told(outcome: Outcome | None) -> list[tuple[int, int, int, int]]:
    trades: tuple[Trade, ...] = outcome.trades if outcome else ()
    return merged([(t.maker_id, t.price_ticks, t.qty_lots, t.maker_remaining_lots) for t in trades])


@given(SEQUENCES, RULES)
@settings(max_examples=300, deadline=None)
def test_agrees_with_the_slow_twin(commands, rule) -> None:
    book, twin = RecordedBook(rule), SlowRecorded(rule)
    for command in commands:
        assert told(run(book, command)) == merged(run_twin(twin, command)), command
        depth = book.depth()
        assert (depth.bids, depth.asks) == (twin.visible(BUY), twin.visible(SELL))
        assert book.order_count == len(twin.orders)
        for order in twin.orders:
            assert book.ahead_lots(order.order_id) == order.ahead
            assert book.remaining_lots(order.order_id) == order.shown + order.hidden


@given(SEQUENCES, RULES)
@settings(max_examples=150, deadline=None)
def test_runs_repeat_and_changes_tell_the_whole_book(commands, rule) -> None:
    book, again = RecordedBook(rule), RecordedBook(rule)
    for command in commands:
        before, update_id = book.depth(), book.update_id
        outcome = run(book, command)
        assert outcome == run(again, command)
        if outcome is None or command[0] in ("level", "trade"):
            continue
        assert outcome.update_id == book.update_id == update_id + bool(outcome.changes)
        sides = {BUY: dict(before.bids), SELL: dict(before.asks)}
        for side, price, lots in outcome.changes:
            sides[side][price] = lots
        after = book.depth()
        for side, levels in ((BUY, after.bids), (SELL, after.asks)):
            assert dict(levels) == {price: lots for price, lots in sides[side].items() if lots}


@given(SEQUENCES, RULES)
@settings(max_examples=200, deadline=None)
def test_first_in_first_out_among_clients_and_places_never_move_back(commands, rule) -> None:
    book = RecordedBook(rule)
    icebergs: set[int] = set()
    for command in commands:
        queues: dict[tuple[Side, int], list[int]] = {}
        ahead: dict[int, int] = {}
        for side in Side:
            for order_id, price, _ in book.queue(side):
                if order_id:
                    queues.setdefault((side, price), []).append(order_id)
                    ahead[order_id] = book.ahead_lots(order_id)
        outcome = run(book, command)
        if outcome and command[0] == "iceberg":
            icebergs.add(outcome.order_id)
        for order_id, lots in ahead.items():
            assert order_id in icebergs or book.ahead_lots(order_id) <= lots
        for trade in outcome.trades if outcome else ():
            if trade.maker_id and not icebergs:
                queue = queues[trade.aggressor.opposite, trade.price_ticks]
                assert queue[0] == trade.maker_id
                if not trade.maker_remaining_lots:
                    queue.pop(0)
        for side in Side:
            places: dict[int, int] = {}
            for order_id, price, _ in book.queue(side):
                if order_id:
                    assert book.ahead_lots(order_id) >= places.get(price, 0)
                    places[price] = book.ahead_lots(order_id)


@given(SEQUENCES, RULES)
@settings(max_examples=200, deadline=None)
def test_fills_never_exceed_what_the_recording_had_to_give(commands, rule) -> None:
    """A print gives no more than its lots; a taker and a crossing level no more than the level ever gained."""
    book = RecordedBook(rule)
    shown: dict[tuple[Side, int], int] = {}
    given: dict[tuple[Side, int], int] = {}
    used: dict[tuple[Side, int], int] = {}
    for command in commands:
        if command[0] == "level":
            _, side, price, lots = command
            given[side, price] = given.get((side, price), 0) + max(0, lots - shown.get((side, price), 0))
            shown[side, price] = lots
        outcome = run(book, command)
        for trade in outcome.trades if outcome else ():
            if command[0] not in ("level", "trade") and not trade.maker_id:
                key = (trade.aggressor.opposite, trade.price_ticks)
                used[key] = used.get(key, 0) + trade.qty_lots
        if command[0] == "level" and outcome:
            used[command[1], command[2]] = used.get((command[1], command[2]), 0) + outcome.filled_lots
        if command[0] == "trade":
            assert outcome is not None and sum(t.qty_lots for t in outcome.trades) == command[2]
            assert all((t.price_ticks - command[1]) * command[3].sign <= 0 for t in outcome.trades)
            # Prints eat the level too, and what they ate is not there to take: regained only by a report.
            key = (command[3].opposite, command[1])
            shown[key] = max(0, shown.get(key, 0) - command[2])
    for key, lots in used.items():
        assert lots <= given.get(key, 0)


@given(
    st.integers(0, 20),
    st.integers(0, 20),
    st.lists(recording_at(st.integers(99, 101)), max_size=40),
    SIDES,
    st.sampled_from([proportional, behind_first]),
)
@settings(max_examples=300, deadline=None)
def test_behind_more_queue_never_fills_earlier(ahead, more, recording, side, rule) -> None:
    """Two worlds that differ only in the order's place. Powers above 1 promise this within one book only."""
    worlds = []
    for place in (ahead, ahead + more):
        book = RecordedBook(rule)
        book.on_level(side, 100, place)
        order_id = book.limit(side, 100, 8).order_id
        book.on_level(side, 100, ahead + more)
        worlds.append((book, order_id))
    (near, near_id), (far, far_id) = worlds
    assert (near.ahead_lots(near_id), far.ahead_lots(far_id)) == (ahead, ahead + more)
    for command in recording:
        run(near, command)
        run(far, command)
        assert near.remaining_lots(near_id) <= far.remaining_lots(far_id)
