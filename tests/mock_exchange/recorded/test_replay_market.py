"""Clients trade in a replay: the desk over recorded books, and what the recording allows them."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from common.messages.base import Side
from market.matching import Outcome, Touch
from services.mock_exchange.recorded.replay import Recorded, ReplayExchange
from services.mock_exchange.trading.accounts import Accounts, AccountSpec
from services.mock_exchange.trading.desk import Desk
from services.mock_exchange.trading.events import AccountEvent, OrderReport
from services.mock_exchange.trading.fees import FeeSchedule, FeeTier
from services.mock_exchange.trading.orders import SpotStatus, SpotType, Ticket
from tests.mock_exchange.build import own_capture, parse

BUY, SELL = Side.BUY, Side.SELL
SYMBOL = "BTCUSDT"


@pytest.fixture(scope="module")
def capture() -> bytes:
    return own_capture()


def a_replay(capture: bytes) -> ReplayExchange:
    return ReplayExchange({"own.gz": capture})


def past_the_snapshot(replay: ReplayExchange) -> None:
    while replay.step().channel:
        pass


def quote(replay: ReplayExchange, qty_lots: int) -> list[Outcome]:
    """A client joins both sides of the touch."""
    book = replay.books[SYMBOL]
    touch = book.touch()
    return [
        book.limit(BUY, touch.bid_ticks, qty_lots, post_only=True),
        book.limit(SELL, touch.ask_ticks, qty_lots, post_only=True),
    ]


def walk(replay: ReplayExchange, every: int = 0, qty_lots: int = 2000) -> list[Recorded]:
    """To the end; a client quotes after `every` so many events."""
    events = []
    while not replay.is_done:
        events.append(replay.step())
        if every and len(events) % every == 0:
            quote(replay, qty_lots)
    return events


def test_what_is_sent_and_answered_stays_as_captured_whatever_clients_do(capture: bytes) -> None:
    quiet, busy = a_replay(capture), a_replay(capture)
    for number in range(10_000):
        if quiet.is_done:
            break
        assert quiet.step() == busy.step()
        if number % 10 == 0:
            quote(busy, 5000)
            busy.books[SYMBOL].market(BUY if number % 20 else SELL, 3000)
    assert busy.is_done
    assert quiet.snapshot(SYMBOL, 5000) == busy.snapshot(SYMBOL, 5000)
    assert quiet.touch(SYMBOL) == busy.touch(SYMBOL) != busy.books[SYMBOL].touch()


def test_the_book_clients_see_is_the_true_one_while_they_take_nothing(capture: bytes) -> None:
    replay = a_replay(capture)
    past_the_snapshot(replay)
    book = replay.books[SYMBOL]
    compared = 0
    book.touch()
    while not replay.is_done:
        event = replay.step()
        if event.is_depth:
            truth: Touch = replay.touch(SYMBOL)
            assert book.touch() == truth
            compared += 1
    assert compared > 20
    assert next(book.queue(BUY)) == (0, truth.bid_ticks, truth.bid_lots)


def test_the_same_capture_and_orders_give_the_same_fills(capture: bytes) -> None:
    told: list[list[Outcome]] = [[], []]
    for outcomes in told:
        replay = a_replay(capture)
        replay.books[SYMBOL].on_outcome = outcomes.append
        walk(replay, every=40)
    assert told[0] == told[1]
    assert any(trade.maker_id for outcome in told[0] for trade in outcome.trades)


def test_a_desk_trades_over_the_replay_and_no_money_is_made_or_lost(capture: bytes) -> None:
    replay = a_replay(capture)
    past_the_snapshot(replay)
    balances = {"BTC": Decimal(100), "USDT": Decimal(10_000_000)}
    accounts = Accounts([AccountSpec("alice", balances)], FeeSchedule((FeeTier(0, 1000, 1000),)))
    alice, events = accounts.all()[0], list[AccountEvent]()
    desk = Desk(replay.books, accounts, events.append)
    taken = desk.place(alice, Ticket(SYMBOL, BUY, SpotType.MARKET, quantity=Decimal("0.05")), replay.market_ns)
    assert taken.status is SpotStatus.FILLED
    listing, touch = replay.listings[SYMBOL], replay.books[SYMBOL].touch()
    resting = [
        desk.place(
            alice,
            Ticket(
                SYMBOL,
                side,
                SpotType.LIMIT_MAKER,
                quantity=Decimal("0.02"),
                price=Decimal(listing.price_text(touch.bid_ticks if side is BUY else touch.ask_ticks)),
            ),
            replay.market_ns,
        )
        for side in Side
    ]
    assert [order.status for order in resting] == [SpotStatus.NEW, SpotStatus.NEW]
    walk(replay)
    assert any(order.status is SpotStatus.FILLED for order in resting)
    fills = [event for event in events if isinstance(event, OrderReport) and event.fill is not None]
    assert {event.order_id for event in fills} >= {taken.order_id}
    for order in resting:
        assert all(fill.is_maker and fill.price_ticks == order.price_ticks for fill in order.fills)
        assert sum(fill.qty_lots for fill in order.fills) == order.executed_lots <= order.qty_lots


def trade_of(event: Recorded, replay: ReplayExchange) -> tuple[Side, int, int] | None:
    """(aggressor, ticks, lots) of a captured trade, read once more by other means."""
    if not event.channel.endswith("@trade"):
        return None
    message, listing = parse(event.payload), replay.listings[SYMBOL]
    lots = int(Decimal(message["q"]) / listing.lot_size)
    if message.get("X", "MARKET") != "MARKET" or not lots:
        return None
    return SELL if message["m"] else BUY, int(Decimal(message["p"]) / listing.tick_size), lots


@pytest.mark.recorded
@pytest.mark.parametrize("name", ["spot/btcusdt_20240808.gz", "usdm/btcusdt_20240718.gz"])
def test_on_a_recorded_market_fills_are_backed_by_what_was_recorded(recorded: Path, name: str) -> None:
    """A resting order gets no more than was printed at or through its price, or was shown across it, meanwhile."""
    replay = ReplayExchange({name: (recorded / "hftbacktest" / name).read_bytes()})
    book = replay.books[SYMBOL]
    prices: dict[int, tuple[Side, int]] = {}
    got: dict[int, int] = {}
    crossed: dict[int, int] = {}
    printed: dict[int, int] = {}
    latest: list[Outcome] = []
    book.on_outcome = latest.append
    steps = 0
    while not replay.is_done and steps < 20_000:
        steps += 1
        latest.clear()
        event = replay.step()
        trade = trade_of(event, replay)
        if trade:
            aggressor, ticks, lots = trade
            for order_id, (side, price) in prices.items():
                if side is not aggressor and (ticks - price) * side.sign <= 0:
                    printed[order_id] = printed.get(order_id, 0) + lots
        for outcome in latest:
            for done in outcome.trades:
                if done.maker_id:
                    assert done.price_ticks == prices[done.maker_id][1]
                    where = got if trade else crossed
                    where[done.maker_id] = where.get(done.maker_id, 0) + done.qty_lots
            if trade:
                assert sum(done.qty_lots for done in outcome.trades) == trade[2]
        if steps > 1000 and steps % 100 == 0:
            for side, outcome in zip(Side, quote(replay, 1500), strict=True):
                prices[outcome.order_id] = side, book.touch()[0 if side is BUY else 2]
    assert sum(got.values()) > 10_000 and crossed
    for order_id, lots in got.items():
        assert lots <= printed[order_id]


@pytest.mark.recorded
def test_on_a_recorded_market_the_first_in_a_queue_is_filled_first(recorded: Path) -> None:
    """Orders that join a price one after the other leave it in that order, and none overtakes."""
    name = "spot/btcusdt_20240808.gz"
    replay = ReplayExchange({name: (recorded / "hftbacktest" / name).read_bytes()})
    book = replay.books[SYMBOL]
    queues: dict[tuple[Side, int], list[int]] = {}
    done = 0

    def told(outcome: Outcome) -> None:
        nonlocal done
        for trade in outcome.trades:
            if trade.maker_id:
                waiting = queues[trade.aggressor.opposite, trade.price_ticks]
                assert waiting[0] == trade.maker_id
                if not trade.maker_remaining_lots:
                    waiting.pop(0)
                    done += 1

    book.on_outcome = told
    for number in range(20_000):
        replay.step()
        if number % 50 == 49:
            touch = book.touch()
            for side, outcome in zip(Side, quote(replay, 700), strict=True):
                price = touch.bid_ticks if side is BUY else touch.ask_ticks
                queues.setdefault((side, price), []).append(outcome.order_id)
    assert done > 100
