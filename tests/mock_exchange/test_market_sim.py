"""A simulated symbol: its streams agree with each other and with REST at every id."""

from __future__ import annotations

import json
from collections import defaultdict
from itertools import pairwise

import pytest

from common.config import MockExchangeConfig
from services.mock_exchange.simulation.simulated_exchange import MAX_CATCH_UP_NS, SimulatedExchange
from tests.mock_exchange.build import SECOND_NS, START_NS, ClientBook, is_event_stream, parse, simulate


@pytest.fixture(scope="module")
def streams() -> dict[str, list[dict]]:
    frames = defaultdict(list)
    for frame in simulate(MockExchangeConfig(seed=2), 12):
        frames[frame.stream].append(parse(frame.payload))
    return frames


def test_the_same_seed_gives_the_same_frames_however_time_is_cut() -> None:
    config = MockExchangeConfig(seed=9)
    fine, coarse = simulate(config, 6, step_s=0.01), simulate(config, 6, step_s=0.5)
    assert fine == coarse
    assert fine != simulate(MockExchangeConfig(seed=10), 6, step_s=0.5)


def test_frames_come_in_order_of_time() -> None:
    times = [frame.time_ns for frame in simulate(MockExchangeConfig(seed=2), 3, step_s=0.2)]
    assert times == sorted(times) and times[-1] <= START_NS + 3 * SECOND_NS


@pytest.mark.parametrize("kind", ["depth@100ms", "depth"])
@pytest.mark.parametrize("symbol", ["btcusdt", "ethusdt", "ethbtc"])
def test_ids_are_contiguous(streams, symbol, kind) -> None:
    diffs = streams[f"{symbol}@{kind}"]
    assert len(diffs) >= (100 if kind == "depth@100ms" else 11)
    for before, after in pairwise(diffs):
        assert before["U"] <= before["u"] and after["U"] == before["u"] + 1


def test_both_depth_speeds_show_the_same_book(streams) -> None:
    fast, slow = (streams[f"btcusdt@{kind}"] for kind in ("depth@100ms", "depth"))
    empty = {"lastUpdateId": fast[0]["U"] - 1, "bids": [], "asks": []}
    one, other = ClientBook(empty), ClientBook(empty)
    for event in slow:
        other.apply(event)
        while one.update_id < other.update_id:
            one.apply(fast.pop(0))
        assert one.sides == other.sides and one.update_id == other.update_id


def test_a_book_from_snapshot_and_diffs_equals_the_engine_at_every_diff() -> None:
    exchange = SimulatedExchange(MockExchangeConfig(seed=6))
    exchange.make_only(is_event_stream)
    list(exchange.advance(START_NS))
    list(exchange.advance(START_NS + SECOND_NS + 37_000_000))
    book = ClientBook(parse(exchange.snapshot("BTCUSDT", 5000)))
    compared = 0
    for step in range(400):
        for frame in exchange.advance(START_NS + SECOND_NS + 37_000_000 + step * 10_000_000):
            if frame.stream == "btcusdt@depth@100ms" and book.apply(parse(frame.payload)):
                truth = parse(exchange.snapshot("BTCUSDT", 5000))
                assert truth["lastUpdateId"] >= book.update_id
                if truth["lastUpdateId"] == book.update_id:
                    assert {k: truth[k] for k in ("bids", "asks")} == book.levels()
                    compared += 1
    assert book.gaps == 0 and compared > 20


def test_the_ticker_is_the_rebuilt_books_touch_at_its_id() -> None:
    frames = [parse(f.payload) | {"k": f.stream} for f in simulate(MockExchangeConfig(seed=4), 20)]
    mine = [f for f in frames if f["s"] == "ETHBTC" and f["k"].rpartition("@")[2] in ("100ms", "bookTicker")]
    exchange = SimulatedExchange(MockExchangeConfig(seed=4))
    exchange.make_only(is_event_stream)
    list(exchange.advance(START_NS))
    book, ticker, compared = ClientBook(parse(exchange.snapshot("ETHBTC", 5000))), None, 0
    for frame in mine:
        if "u" in frame and "U" not in frame:
            ticker = frame
        elif book.apply(frame) and ticker is not None and ticker["u"] <= frame["u"]:
            assert book.best() == (ticker["b"], ticker["B"], ticker["a"], ticker["A"])
            compared += 1
    assert compared > 100


def test_trades_are_numbered_in_turn_and_aggregates_cover_them(streams) -> None:
    trades, aggregates = streams["btcusdt@trade"], streams["btcusdt@aggTrade"]
    first = trades[0]["t"]
    assert [t["t"] for t in trades] == list(range(first, first + len(trades)))
    assert len(trades) > 50
    by_id = {t["t"]: t for t in trades}
    next_id = first
    for aggregate in aggregates:
        parts = [by_id[i] for i in range(aggregate["f"], aggregate["l"] + 1)]
        assert aggregate["f"] == next_id
        next_id = aggregate["l"] + 1
        assert {(p["p"], p["m"], p["T"]) for p in parts} == {(aggregate["p"], aggregate["m"], aggregate["T"])}
        assert round(sum(float(p["q"]) for p in parts), 8) == float(aggregate["q"])
    assert next_id == first + len(trades)


def test_a_buyer_who_takes_pays_the_ask() -> None:
    ticker, checked = None, 0
    for frame in simulate(MockExchangeConfig(seed=2), 5):
        payload = parse(frame.payload)
        if frame.stream == "btcusdt@bookTicker":
            ticker = payload
        elif frame.stream == "btcusdt@trade" and ticker is not None:
            price = float(payload["p"])
            assert price <= float(ticker["b"]) if payload["m"] else price >= float(ticker["a"])
            checked += 1
    assert checked > 20


def test_payloads_are_written_as_the_venue_writes_them() -> None:
    frames = {f.stream: f.payload for f in simulate(MockExchangeConfig(seed=2), 3)}
    for stream, keys in {
        "btcusdt@depth@100ms": ["e", "E", "s", "U", "u", "b", "a"],
        "btcusdt@bookTicker": ["u", "s", "b", "B", "a", "A"],
        "btcusdt@trade": ["e", "E", "s", "t", "p", "q", "T", "m", "M"],
        "btcusdt@aggTrade": ["e", "E", "s", "a", "p", "q", "f", "l", "T", "m", "M"],
    }.items():
        payload = json.loads(frames[stream])
        assert list(payload) == keys
        assert json.dumps(payload, separators=(",", ":")) == frames[stream]
        assert payload["s"] == "BTCUSDT"
    bid = json.loads(frames["btcusdt@bookTicker"])["b"]
    assert bid.rpartition(".")[2][2:] == "000000" and len(bid.rpartition(".")[2]) == 8


def test_after_a_pause_the_market_makes_up_for_a_while_only_and_the_sequence_is_the_same() -> None:
    config = MockExchangeConfig(seed=9)
    exchange = SimulatedExchange(config)
    exchange.make_only(is_event_stream)
    frames = list(exchange.advance(START_NS)) + list(exchange.advance(START_NS + SECOND_NS))
    late = list(exchange.advance(START_NS + 3600 * SECOND_NS))
    assert late[-1].time_ns - late[0].time_ns <= MAX_CATCH_UP_NS
    assert exchange.stats()["skipped_s"] == pytest.approx(3597, abs=1)
    unpaused = simulate(config, 3)

    def facts(some):
        return [{k: v for k, v in parse(f.payload).items() if k not in "ET"} | {"k": f.stream} for f in some]

    assert facts(frames + late) == facts(unpaused)


def test_diffs_may_be_made_more_often_and_show_the_same_market() -> None:
    fast, usual = (
        simulate(MockExchangeConfig(seed=2, depth_interval_ms=interval), 4, step_s=0.2) for interval in (7, 100)
    )

    def of(frames, stream):
        return [f for f in frames if f.stream == stream]

    for stream in ("btcusdt@trade", "btcusdt@bookTicker"):
        assert of(fast, stream) == of(usual, stream)
    diffs = of(fast, "btcusdt@depth@100ms")
    assert len(diffs) > 3 * len(of(usual, "btcusdt@depth@100ms"))
    assert all((f.time_ns - START_NS) % 7_000_000 == 0 for f in diffs)
    for before, after in pairwise(parse(f.payload) for f in diffs):
        assert after["U"] == before["u"] + 1
    slow = of(fast, "btcusdt@depth")
    # Every second still, at the first diff of it.
    assert [round((f.time_ns - START_NS) / SECOND_NS, 2) for f in slow] == [1.0, 2.0, 3.0]
    whole = ClientBook({"lastUpdateId": 0, "bids": [], "asks": []})
    parts = ClientBook({"lastUpdateId": 0, "bids": [], "asks": []})
    for frame in slow:
        whole.apply(parse(frame.payload))
    for frame in diffs:
        if frame.time_ns <= slow[-1].time_ns:
            parts.apply(parse(frame.payload))
    assert whole.sides == parts.sides and whole.update_id == parts.update_id


def test_a_market_closes_when_told_and_all_it_did_has_been_sent() -> None:
    config = MockExchangeConfig(seed=9, depth_interval_ms=50, closes_after_ms=2000)
    exchange = SimulatedExchange(config)
    exchange.make_only(is_event_stream)
    assert exchange.stats()["is_closed"] is False
    frames = list(exchange.advance(START_NS))
    empty = ClientBook(parse(exchange.snapshot("ETHBTC", 5000)))
    for step in range(1, 8):
        assert exchange.stats()["is_closed"] is False
        frames += exchange.advance(START_NS + step * 300_000_000)
    assert exchange.stats()["is_closed"] is True
    assert list(exchange.advance(START_NS + 3 * SECOND_NS)) == []
    endless = simulate(config.model_copy(update={"closes_after_ms": None}), 2, step_s=0.1)
    assert frames == endless
    for frame in frames:
        if frame.stream == "ethbtc@depth@100ms":
            empty.apply(parse(frame.payload))
    truth = parse(exchange.snapshot("ETHBTC", 5000))
    assert empty.update_id == truth["lastUpdateId"]
    assert empty.levels() == {side: truth[side] for side in ("bids", "asks")}
