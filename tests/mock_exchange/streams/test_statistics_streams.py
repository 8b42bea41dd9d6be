"""Klines and statistics against what a reader of the raw trade stream would work out."""

from __future__ import annotations

from collections import defaultdict
from decimal import ROUND_FLOOR, Decimal
from functools import cache
from itertools import pairwise

import pytest

from common.config import MockExchangeConfig
from services.mock_exchange.exchange import Frame
from services.mock_exchange.history.intervals import INTERVALS, MINUTE_MS
from services.mock_exchange.simulation.simulated_exchange import MAX_CATCH_UP_NS, SimulatedExchange
from tests.mock_exchange.build import SECOND_NS, parse, simulate

#: A second and a bit before midnight, UTC: bars of every length but the longest end while one watches.
BEGINS_NS = 1_700_006_398_700_000_000
SECONDS = 66
EVERYTHING = MockExchangeConfig(seed=2, prehistory_days=0)
CENTI = Decimal("1e-8")


@cache
def frames() -> list[Frame]:
    return simulate(EVERYTHING, SECONDS, 0.25, lambda _channel: True, BEGINS_NS)


@cache
def of(stream: str) -> list:
    return [parse(frame.payload) for frame in frames() if frame.stream == stream]


class Sum:
    """What trades within [start, end) had added up to at a moment, in decimals, from the raw stream."""

    def __init__(self, symbol: str, start_ms: int, end_ms: int, told_ms: int) -> None:
        # In microseconds: a trade behind a whole second's frames may lie in the same millisecond.
        until_us = min(end_ms, told_ms) * 1000
        mine = [t for t in of(f"{symbol}@trade#us") if start_ms * 1000 <= t["T"] < until_us]
        self.trades = mine
        self.prices = [Decimal(t["p"]) for t in mine]
        self.base = sum((Decimal(t["q"]) for t in mine), Decimal(0))
        self.quote = sum((self._value(t) for t in mine), Decimal(0))
        self.taker_base = sum((Decimal(t["q"]) for t in mine if not t["m"]), Decimal(0))
        self.taker_quote = sum((self._value(t) for t in mine if not t["m"]), Decimal(0))

    @staticmethod
    def _value(trade: dict) -> Decimal:
        return (Decimal(trade["p"]) * Decimal(trade["q"])).quantize(CENTI, ROUND_FLOOR)


def check_kline(symbol: str, frame: dict) -> bool:
    bar = frame["k"]
    mine = Sum(symbol, bar["t"], bar["T"] + 1, frame["E"])
    assert bar["x"] == (frame["E"] > bar["T"])
    if not mine.trades:
        assert (bar["n"], bar["f"], bar["L"], bar["v"]) == (0, -1, -1, "0.00000000")
        assert bar["o"] == bar["h"] == bar["l"] == bar["c"]
        return False
    assert (bar["n"], bar["f"], bar["L"]) == (len(mine.trades), mine.trades[0]["t"], mine.trades[-1]["t"])
    assert [Decimal(bar[key]) for key in "ohlc"] == [
        mine.prices[0], max(mine.prices), min(mine.prices), mine.prices[-1],
    ]  # fmt: skip
    assert [Decimal(bar[key]) for key in "vqVQ"] == [mine.base, mine.quote, mine.taker_base, mine.taker_quote]
    return True


@pytest.mark.parametrize("symbol", ["btcusdt", "ethbtc"])
@pytest.mark.parametrize("name", list(INTERVALS))
@pytest.mark.parametrize("zone", ["", "@+08:00"])
def test_klines_are_what_the_trades_add_up_to(symbol, name, zone) -> None:
    told = of(f"{symbol}@kline_{name}{zone}")
    every_s = 1 if name == "1s" else 2
    assert len(told) >= SECONDS // every_s
    assert sum(check_kline(symbol, frame) for frame in told) > 10
    for before, after in pairwise(told):
        assert after["E"] - before["E"] == every_s * 1000
        if before["k"]["x"]:
            assert after["k"]["t"] == before["k"]["T"] + 1
        else:
            assert after["k"]["t"] == before["k"]["t"]
    closed = [frame["k"]["T"] for frame in told if frame["k"]["x"]]
    midnight_ms = 1_700_006_400_000
    if name == "1s":
        assert len(closed) == len(told)
    elif name == "1m":
        assert closed == [midnight_ms - 1, midnight_ms + MINUTE_MS - 1]
    elif name in ("1w", "1M", "3d") or (zone and name in ("1d", "12h", "6h")):
        assert closed == []
    else:
        assert closed == [midnight_ms - 1]


def test_the_statistics_of_a_day_are_what_the_trades_add_up_to() -> None:
    for ticker, mini in zip(of("btcusdt@ticker"), of("btcusdt@miniTicker"), strict=True):
        mine = Sum("btcusdt", 0, ticker["E"] + 1, ticker["E"])
        first, last = mine.prices[0], mine.prices[-1]
        assert ticker["C"] == ticker["E"] and ticker["C"] - ticker["O"] == 86_400_000
        assert (ticker["F"], ticker["L"], ticker["n"]) == (
            mine.trades[0]["t"],
            mine.trades[-1]["t"],
            len(mine.trades),
        )
        assert [Decimal(ticker[key]) for key in "ohlcvq"] == [
            first, max(mine.prices), min(mine.prices), last, mine.base, mine.quote,
        ]  # fmt: skip
        assert Decimal(ticker["p"]) == last - first
        assert abs(Decimal(ticker["P"]) - (last - first) / first * 100) <= Decimal("0.0005")
        assert Decimal(ticker["w"]) == (mine.quote / mine.base).quantize(CENTI, ROUND_FLOOR)
        assert ticker["Q"] == mine.trades[-1]["q"]
        assert {key: mini[key] for key in "Esohlcvq"} == {key: ticker[key] for key in "Esohlcvq"}
        assert mini["e"] == "24hrMiniTicker" and ticker["e"] == "24hrTicker"


def test_tickers_carry_the_touch_of_their_moment() -> None:
    best, compared = None, 0
    for frame in frames():
        if frame.stream == "ethusdt@bookTicker":
            best = parse(frame.payload)
        elif frame.stream == "ethusdt@ticker" and best is not None:
            ticker = parse(frame.payload)
            assert [ticker[key] for key in "bBaA"] == [best[key] for key in "bBaA"]
            compared += 1
    assert compared > 50


@pytest.mark.parametrize("window", ["1h", "4h", "1d"])
def test_windows_reach_back_to_a_whole_minute(window) -> None:
    for ticker in of(f"btcusdt@ticker_{window}"):
        mine = Sum("btcusdt", ticker["O"], ticker["E"] + 1, ticker["E"])
        assert ticker["e"] == f"{window}Ticker" and ticker["O"] % MINUTE_MS == 0
        length_ms = INTERVALS[window].length_ms
        assert length_ms <= ticker["C"] - ticker["O"] < length_ms + MINUTE_MS
        assert (ticker["n"], Decimal(ticker["q"])) == (len(mine.trades), mine.quote)


def test_the_average_price_is_that_of_five_minutes() -> None:
    for average in of("btcusdt@avgPrice"):
        mine = Sum("btcusdt", 0, average["E"] + 1, average["E"])
        assert Decimal(average["w"]) == (mine.quote / mine.base).quantize(CENTI, ROUND_FLOOR)
        assert (average["i"], average["T"]) == ("5m", mine.trades[-1]["T"] // 1000)


@pytest.mark.parametrize(("all_of", "one"), [("!miniTicker@arr", "miniTicker"), ("!ticker_1h@arr", "ticker_1h")])
def test_arrays_hold_what_the_single_streams_say_of_those_that_traded(all_of, one) -> None:
    single = {(item["s"], item["E"]): item for s in ("btc", "eth") for item in of(f"{s}usdt@{one}")}
    single |= {(item["s"], item["E"]): item for item in of(f"ethbtc@{one}")}
    traded = defaultdict(set)
    for symbol in ("btcusdt", "ethusdt", "ethbtc"):
        for trade in of(f"{symbol}@trade"):
            traded[-(-trade["T"] // 1000) * 1000].add(symbol.upper())
    arrays = of(all_of)
    assert len(arrays) > 60
    for array in arrays:
        assert all(item == single[item["s"], item["E"]] for item in array)
        assert {item["s"] for item in array} >= traded[array[0]["E"]]


def test_frames_do_not_depend_on_how_time_is_cut() -> None:
    coarse = simulate(EVERYTHING, 12, 1.7, lambda _channel: True, BEGINS_NS)
    fine = simulate(EVERYTHING, 12, 0.013, lambda _channel: True, BEGINS_NS)
    assert fine[: len(coarse)] == coarse and len(coarse) > 5000
    assert fine[len(coarse) :] == [frame for frame in fine if frame.time_ns > coarse[-1].time_ns]


def test_what_a_stream_says_does_not_depend_on_who_else_reads() -> None:
    every = frames()
    for alone in (
        "btcusdt@bookTicker",
        "ethbtc@depth",
        "btcusdt@depth10@100ms",
        "ethusdt@kline_1m",
        "!miniTicker@arr",
    ):
        mine = simulate(EVERYTHING, SECONDS, 0.25, {alone}.__contains__, BEGINS_NS)
        assert mine and mine == [frame for frame in every if frame.stream == alone]


def test_who_comes_later_reads_what_the_others_read() -> None:
    exchange = SimulatedExchange(EVERYTHING)
    exchange.make_only(lambda _channel: False)
    exchange.advance(BEGINS_NS)
    for step in range(1, 21):
        assert exchange.advance(BEGINS_NS + step * SECOND_NS // 2) == []
    exchange.make_only(lambda _channel: True)
    later = []
    for step in range(21, 31):
        later += exchange.advance(BEGINS_NS + step * SECOND_NS // 2)
    expected = [f for f in frames() if BEGINS_NS + 10 * SECOND_NS < f.time_ns <= BEGINS_NS + 15 * SECOND_NS]
    assert later == expected


def in_milliseconds(value):
    """A message in microseconds as the same one in milliseconds."""
    if isinstance(value, dict):
        return {
            key: item // 1000 if key in ("E", "T", "O", "C", "t") and isinstance(item, int) and item > 10**14
            else in_milliseconds(item)
            for key, item in value.items()
        }  # fmt: skip
    return [in_milliseconds(item) for item in value] if isinstance(value, list) else value


def test_streams_in_microseconds_say_the_same_with_finer_times() -> None:
    streams = {frame.stream for frame in frames() if not frame.stream.endswith("#us")}
    assert len(streams) == 3 * (5 + 6 + 32 + 6) + 4
    for stream in sorted(streams):
        fine = of(f"{stream}#us")
        assert [in_milliseconds(message) for message in fine] == of(stream)
    trades = of("btcusdt@trade#us")
    assert any(trade["T"] % 1000 for trade in trades)
    assert all(bar["k"]["t"] % 10**6 == 0 and bar["k"]["T"] % 10**6 == 999_999 for bar in of("btcusdt@kline_1s#us"))


def test_a_bar_that_ended_while_the_clock_jumped_is_told_as_closed() -> None:
    exchange = SimulatedExchange(EVERYTHING)
    exchange.make_only({"btcusdt@kline_1m"}.__contains__)
    exchange.advance(BEGINS_NS + 10 * SECOND_NS)
    told = [exchange.advance(BEGINS_NS + second * SECOND_NS) for second in range(11, 20)]
    last = parse([frame for batch in told for frame in batch][-1].payload)["k"]
    late = exchange.advance(BEGINS_NS + 200 * SECOND_NS)
    late += exchange.advance(BEGINS_NS + 200 * SECOND_NS + MAX_CATCH_UP_NS)
    first, then = (parse(frame.payload)["k"] for frame in late[:2])
    assert not last["x"] and first["x"] and first["t"] == last["t"] and first["n"] >= last["n"]
    assert then["t"] > first["T"] and not then["x"]
