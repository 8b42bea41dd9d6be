"""Trades, klines, prices and statistics by request, against the streams of the same market and the venue's rules."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.mock_exchange.api.client import Client
from tests.mock_exchange.build import SECOND_NS

SYMBOLS = ["BTCUSDT", "ETHUSDT", "ETHBTC"]
MINUTE_MS = 60_000
DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def market() -> tuple[Client, dict[str, list[Any]]]:
    """A client whose exchange has run for three minutes, and what the streams have said meanwhile."""
    client = Client()
    frames: dict[str, list[Any]] = {}
    for _ in range(190):
        client.now_ns += SECOND_NS
        for frame in client.exchange.advance(client.now_ns):
            frames.setdefault(frame.stream, []).append(json.loads(frame.payload))
    return client, frames


def get(client: Client, path: str, **params: Any) -> Any:
    """A good answer at the present moment, so that tests of one market do not move it."""
    now_ns = client.now_ns
    status, body = client.get(path, **params)
    client.now_ns = now_ns
    assert status == 200, body
    return body


def refused(client: Client, path: str, **params: Any) -> tuple[int, str]:
    status, body = client.get(path, **params)
    assert status == 400
    return body["code"], body["msg"]


def weight(client: Client, path: str, query: str) -> int:
    used = [int(client.send("GET", "/api/v3/ping").headers["X-MBX-USED-WEIGHT-1M"])]
    used.append(int(client.send("GET", f"/api/v3/{path}", query).headers["X-MBX-USED-WEIGHT-1M"]))
    return (used[1] - used[0]) % 100_000


def test_trades_are_those_of_the_stream(market) -> None:
    client, frames = market
    streamed = frames["btcusdt@trade"]
    answered = get(client, "trades", symbol="BTCUSDT", limit=1000)
    assert len(answered) == 1000
    by_id = {trade["t"]: trade for trade in streamed}
    matched = [(trade, by_id[trade["id"]]) for trade in answered if trade["id"] in by_id]
    assert len(matched) >= 990
    for trade, told in matched:
        assert list(trade) == ["id", "price", "qty", "quoteQty", "time", "isBuyerMaker", "isBestMatch"]
        assert (trade["price"], trade["qty"], trade["time"], trade["isBuyerMaker"]) == tuple(told[k] for k in "pqTm")
        assert Decimal(trade["quoteQty"]) == Decimal(told["p"]) * Decimal(told["q"])
    assert len(get(client, "trades", symbol="BTCUSDT")) == 500
    old = get(client, "historicalTrades", symbol="BTCUSDT", fromId=streamed[0]["t"], limit=5)
    assert [trade["id"] for trade in old] == [trade["t"] for trade in streamed[:5]]


def test_aggregates_are_those_of_the_stream(market) -> None:
    client, frames = market
    streamed = frames["ethbtc@aggTrade"]
    told = [{key: one[key] for key in "apqflTmM"} for one in streamed]
    assert get(client, "aggTrades", symbol="ETHBTC", fromId=told[7]["a"], limit=20) == told[7:27]
    start, end = told[10]["T"], told[60]["T"]
    within = [one for one in told if start <= one["T"] <= end]
    assert get(client, "aggTrades", symbol="ETHBTC", startTime=start, endTime=end, limit=1000) == within
    until = [one for one in told if one["T"] <= end]
    assert get(client, "aggTrades", symbol="ETHBTC", endTime=end, limit=3) == until[-3:]
    assert refused(client, "aggTrades", symbol="ETHBTC", fromId=1, startTime=start)[0] == -1128


@pytest.mark.parametrize("path", ["klines", "uiKlines"])
def test_klines_are_those_of_the_stream_and_go_back_into_the_past(market, path) -> None:
    client, frames = market
    rows = get(client, path, symbol="BTCUSDT", interval="1m", limit=1000)
    assert len(rows) == 1000
    assert [row[0] for row in rows] == list(range(rows[0][0], rows[-1][0] + 1, MINUTE_MS))
    assert rows[-1][0] <= client.now_ns // 1_000_000 <= rows[-1][6]
    by_open = {row[0]: row for row in rows}
    closed = [frame["k"] for frame in frames["btcusdt@kline_1m"] if frame["k"]["x"]]
    assert len(closed) >= 3
    for bar in closed:
        assert by_open[bar["t"]] == [bar[key] for key in "tohlcvTqnVQB"]
    for row in rows:
        assert all(isinstance(row[place], str) for place in (1, 2, 3, 4, 5, 7, 9, 10, 11)) and len(row) == 12
        assert Decimal(row[3]) <= min(Decimal(row[1]), Decimal(row[4])) <= Decimal(row[2])


def test_klines_by_time_and_in_a_time_zone(market) -> None:
    client, _ = market
    day = get(client, "klines", symbol="ETHUSDT", interval="1d")
    assert all(row[0] % DAY_MS == 0 and row[6] == row[0] + DAY_MS - 1 for row in day) and len(day) >= 3
    for zone, shift in (("8", 8 * 60), ("-1:00", -60), ("05:45", 345), ("+14:00", 840), ("0", 0)):
        rows = get(client, "klines", symbol="ETHUSDT", interval="1d", timeZone=zone)
        assert all((row[0] + shift * MINUTE_MS) % DAY_MS == 0 for row in rows)
    hours = get(client, "klines", symbol="ETHUSDT", interval="1h", limit=1000)
    some = get(client, "klines", symbol="ETHUSDT", interval="1h", startTime=hours[3][0], endTime=hours[9][0], limit=4)
    assert some == hours[3:7]
    assert get(client, "klines", symbol="ETHUSDT", interval="1h", startTime=hours[3][0] + 1, limit=2) == hours[4:6]
    assert get(client, "klines", symbol="ETHUSDT", interval="1h", endTime=hours[9][0] - 1, limit=2) == hours[7:9]
    assert get(client, "klines", symbol="ETHUSDT", interval="1h", startTime=hours[-1][6] + 1) == []
    for zone in ("15", "-12:01", "1:60", "x", "8:"):
        assert refused(client, "klines", symbol="ETHUSDT", interval="1d", timeZone=zone)[0] == -1130
    assert refused(client, "klines", symbol="ETHUSDT", interval="2m") == (-1120, "Invalid interval.")
    assert refused(client, "klines", symbol="ETHUSDT")[0] == -1102


def test_the_statistics_of_a_day_are_those_of_the_stream(market) -> None:
    client, frames = market
    told = frames["btcusdt@ticker"][-1]
    answer = get(client, "ticker/24hr", symbol="BTCUSDT")
    names = {
        "symbol": "s", "priceChange": "p", "priceChangePercent": "P", "weightedAvgPrice": "w", "prevClosePrice": "x",
        "lastPrice": "c", "lastQty": "Q", "bidPrice": "b", "bidQty": "B", "askPrice": "a", "askQty": "A",
        "openPrice": "o", "highPrice": "h", "lowPrice": "l", "volume": "v", "quoteVolume": "q", "openTime": "O",
        "closeTime": "C", "firstId": "F", "lastId": "L", "count": "n",
    }  # fmt: skip
    assert list(answer) == list(names)
    assert {name: told[key] for name, key in names.items()} == answer or answer["closeTime"] > told["C"]
    assert answer["lastId"] - answer["firstId"] + 1 == answer["count"]
    mini = get(client, "ticker/24hr", symbol="BTCUSDT", type="MINI")
    assert list(mini) == [
        "symbol", "openPrice", "highPrice", "lowPrice", "lastPrice", "volume", "quoteVolume", "openTime", "closeTime",
        "firstId", "lastId", "count",
    ]  # fmt: skip
    assert mini == {name: answer[name] for name in mini}


def test_one_some_or_all_symbols(market) -> None:
    client, _ = market
    for path in ("ticker/24hr", "ticker/price", "ticker/bookTicker"):
        every = get(client, path)
        assert [item["symbol"] for item in every] == SYMBOLS
        assert get(client, path, symbol="ETHBTC") == every[2]
        assert get(client, path, symbols='["ETHBTC","BTCUSDT"]') == [every[2], every[0]]
        assert get(client, path, symbolStatus="TRADING") == every
        assert get(client, path, symbolStatus="HALT") == []
        assert refused(client, path, symbol="ETHBTC", symbols='["ETHBTC"]')[0] == -1128
        assert refused(client, path, symbols='["NONE"]') == (-1121, "Invalid symbol.")
    for path in ("ticker", "ticker/tradingDay"):
        one = get(client, path, symbol="ETHBTC")
        assert get(client, path, symbols='["ETHBTC"]') == [one]
        assert refused(client, path)[0] == -1102
        assert refused(client, path, symbol="ETHBTC", type="SOME")[0] == -1130


def test_prices_are_those_of_the_last_trade_and_the_book(market) -> None:
    client, _ = market
    for symbol in SYMBOLS:
        last = get(client, "trades", symbol=symbol, limit=1)[0]
        assert get(client, "ticker/price", symbol=symbol) == {"symbol": symbol, "price": last["price"]}
        book, best = get(client, "depth", symbol=symbol, limit=1), get(client, "ticker/bookTicker", symbol=symbol)
        assert [[best["bidPrice"], best["bidQty"]]] == book["bids"]
        assert [[best["askPrice"], best["askQty"]]] == book["asks"]


def test_rolling_windows_and_trading_days_are_made_of_klines(market) -> None:
    client, _ = market
    minutes = get(client, "klines", symbol="BTCUSDT", interval="1m", limit=1000)
    # A request comes a millisecond later.
    now_ms = client.now_ns // 1_000_000 + 1
    for window, length in (("2m", 2), ("1h", 60), ("3h", 180)):
        answer = get(client, "ticker", symbol="BTCUSDT", windowSize=window)
        assert answer["openTime"] == (now_ms - length * MINUTE_MS) // MINUTE_MS * MINUTE_MS
        mine = [row for row in minutes if row[0] >= answer["openTime"]]
        assert answer["count"] == sum(row[8] for row in mine) and answer["closeTime"] == now_ms
        assert Decimal(answer["quoteVolume"]) == sum(Decimal(row[7]) for row in mine)
        assert answer["openPrice"] == mine[0][1] and answer["lastPrice"] == mine[-1][4]
    day = get(client, "klines", symbol="BTCUSDT", interval="1d", limit=1, timeZone="8")[0]
    answer = get(client, "ticker/tradingDay", symbol="BTCUSDT", timeZone="8")
    assert (answer["openTime"], answer["closeTime"]) == (day[0], day[6])
    assert [answer[k] for k in ("openPrice", "highPrice", "lowPrice", "lastPrice", "volume")] == day[1:6]
    for wrong in ("60m", "24h", "8d", "0d", "1w", "d"):
        assert refused(client, "ticker", symbol="BTCUSDT", windowSize=wrong)[0] == -1130


def test_the_average_price_is_that_of_five_minutes_and_what_the_desk_uses(market) -> None:
    client, frames = market
    answer = get(client, "avgPrice", symbol="ETHUSDT")
    assert answer["mins"] == 5 and answer["closeTime"] >= frames["ethusdt@trade"][-1]["T"]
    ticks = client.exchange.books["ETHUSDT"].average_price_ticks(5)
    assert abs(Decimal(answer["price"]) - ticks * Decimal("0.01")) <= Decimal("0.005")


def test_times_in_microseconds(market) -> None:
    client, _ = market

    def both(path: str, query: str) -> tuple[Any, Any]:
        now_ns, answers = client.now_ns, []
        for headers in ({}, {"x-mbx-time-unit": "MICROSECOND"}):
            answers.append(json.loads(client.send("GET", f"/api/v3/{path}", query, headers=headers).body))
            client.now_ns = now_ns
        return answers[0], answers[1]

    coarse, fine = both("trades", "symbol=BTCUSDT&limit=20")
    assert [t["time"] // 1000 for t in fine] == [t["time"] for t in coarse]
    assert any(t["time"] % 1000 for t in fine)
    coarse, fine = both("klines", "symbol=BTCUSDT&interval=1h&limit=2")
    assert [row[0] // 1000 for row in fine] == [row[0] for row in coarse]
    assert all(row[6] % 10**6 == 999_999 for row in fine)
    _, fine = both("ticker/24hr", "symbol=BTCUSDT")
    assert fine["closeTime"] - fine["openTime"] == DAY_MS * 1000


@pytest.mark.parametrize(
    ("path", "query", "expected"),
    [
        ("trades", "symbol=BTCUSDT", 25),
        ("historicalTrades", "symbol=BTCUSDT", 25),
        ("aggTrades", "symbol=BTCUSDT", 4),
        ("klines", "symbol=BTCUSDT&interval=1m", 2),
        ("uiKlines", "symbol=BTCUSDT&interval=1m", 2),
        ("avgPrice", "symbol=BTCUSDT", 2),
        ("ticker/24hr", "symbol=BTCUSDT", 2),
        ("ticker/24hr", "symbols=%5B%22BTCUSDT%22,%22ETHUSDT%22%5D", 2),
        ("ticker/24hr", "", 80),
        ("ticker/price", "symbol=BTCUSDT", 2),
        ("ticker/price", "", 4),
        ("ticker/bookTicker", "symbol=BTCUSDT", 2),
        ("ticker/bookTicker", "", 4),
        ("ticker", "symbol=BTCUSDT", 4),
        ("ticker", "symbols=%5B%22BTCUSDT%22,%22ETHUSDT%22%5D", 8),
        ("ticker/tradingDay", "symbol=BTCUSDT", 4),
    ],
)
def test_weights_are_the_venues(path, query, expected) -> None:
    assert weight(Client(), path, query) == expected


@pytest.mark.parametrize(
    ("method", "path", "params"),
    [
        ("trades.recent", "trades", {"symbol": "BTCUSDT", "limit": 3}),
        ("trades.historical", "historicalTrades", {"symbol": "BTCUSDT", "limit": 3, "fromId": 1}),
        ("trades.aggregate", "aggTrades", {"symbol": "BTCUSDT", "limit": 3}),
        ("klines", "klines", {"symbol": "BTCUSDT", "interval": "1h", "limit": 3}),
        ("uiKlines", "uiKlines", {"symbol": "BTCUSDT", "interval": "1h", "limit": 3}),
        ("avgPrice", "avgPrice", {"symbol": "BTCUSDT"}),
        ("ticker.24hr", "ticker/24hr", {"symbol": "BTCUSDT"}),
        ("ticker.tradingDay", "ticker/tradingDay", {"symbol": "BTCUSDT"}),
        ("ticker", "ticker", {"symbol": "BTCUSDT", "windowSize": "7d"}),
        ("ticker.price", "ticker/price", {"symbol": "BTCUSDT"}),
        ("ticker.book", "ticker/bookTicker", {"symbol": "BTCUSDT"}),
        ("depth", "depth", {"symbol": "BTCUSDT", "limit": 3}),
    ],
)
def test_the_websocket_api_answers_the_same(market, method, path, params) -> None:
    client, _ = market
    now_ns = client.now_ns
    answer = client.ws(method, **params)
    client.now_ns = now_ns
    assert answer["status"] == 200, answer
    assert answer["result"] == get(client, path, **params)
