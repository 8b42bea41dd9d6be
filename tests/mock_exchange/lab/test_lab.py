"""The exchanges over a simulated market: the very book, the lagging one, the one that is made up."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from common.messages.base import Side
from services.mock_exchange.lab.definitions import LabExchange
from services.mock_exchange.lab.lab import Lab
from services.mock_exchange.lab.parameters import LabError
from tests.mock_exchange.lab.build import MS, START_NS, book, market, run

EXCHANGES = ("binance", "kraken", "coinmarketcap")
LATE = LabExchange(name="late", lag_ms=400, max_depth=1000)


def test_binance_shows_the_very_book() -> None:
    exchange = market()
    lab = Lab(exchange)
    run(exchange, 0, 1000)
    shown = book(lab, "binance", "ETHUSDT", 1000, depth=50)
    truth = json.loads(exchange.snapshot("ETHUSDT", 50))
    assert shown["sequence"] == truth["lastUpdateId"]
    for side in ("bids", "asks"):
        assert [list(level) for level in shown[side]] == [[float(p), float(q)] for p, q in truth[side]]


def test_a_lagging_exchange_shows_exactly_what_was() -> None:
    exchange = market(seed=4)
    lab = Lab(exchange, (LATE,))
    past = {}
    for now_ms in range(0, 2000, 20):
        past[now_ms] = book(lab, "binance", "BTCUSDT", now_ms, 1000)
        if now_ms >= 400:
            late, then = book(lab, "late", "BTCUSDT", now_ms, 1000), past[now_ms - 400]
            assert all(late[key] == then[key] for key in ("bids", "asks", "sequence"))
    assert len({body["sequence"] for body in past.values()}) > 60


def test_a_lagging_exchange_sees_clients_orders_too() -> None:
    exchange = market()
    lab = Lab(exchange, (LATE,))
    run(exchange, 0, 100)
    touch = exchange.books["BTCUSDT"].touch()
    exchange.books["BTCUSDT"].limit(Side.BUY, touch.bid_ticks + 1, 12_345)
    assert 0.12345 in [size for _, size in book(lab, "binance", "BTCUSDT", 100)["bids"]]
    assert 0.12345 not in [size for _, size in book(lab, "late", "BTCUSDT", 100)["bids"]]
    sizes = set()
    for now_ms in range(110, 900, 10):
        sizes |= {size for _, size in book(lab, "late", "BTCUSDT", now_ms)["bids"]}
    assert 0.12345 in sizes


def test_a_lab_made_before_the_desk_says_so() -> None:
    exchange = market()
    lab = Lab(exchange)
    exchange.books["BTCUSDT"].on_outcome = lambda _outcome: None
    run(exchange, 0, 500)
    with pytest.raises(RuntimeError, match="after the desk"):
        book(lab, "kraken", "BTC/USD", 500)


@pytest.mark.parametrize("name", EXCHANGES)
def test_books_are_sorted_uncrossed_and_their_sequence_never_falls(name: str) -> None:
    exchange = market(seed=2)
    lab = Lab(exchange)
    before = 0
    for now_ms in range(0, 2000, 40):
        body = book(lab, name, "ETHBTC", now_ms, 100)
        bids, asks = ([price for price, _ in body[side]] for side in ("bids", "asks"))
        assert bids == sorted(set(bids), reverse=True) and asks == sorted(set(asks))
        assert bids[0] < asks[0]
        assert body["sequence"] >= before
        assert body["timestamp_ms"] == START_NS // MS + now_ms
        before = body["sequence"]
    assert before > 0


def test_the_same_seed_answers_the_same_at_the_same_time_however_often_it_was_asked() -> None:
    answers = []
    for step_ms, chatty in ((50, False), (7, True)):
        exchange = market(seed=9)
        lab = Lab(exchange)
        for now_ms in range(0, 2000, step_ms):
            exchange.advance(START_NS + now_ms * MS)
            if chatty:
                book(lab, "kraken", "BTC/USD", now_ms)
                lab.trades("coinmarketcap", "BTC/USD", {}, START_NS + now_ms * MS)
        end_ns = START_NS + 2000 * MS
        answers.append(
            [
                *(lab.ticker(name, end_ns) for name in EXCHANGES),
                *(lab.orderbook(name, "ETHUSDT", {}, end_ns)[0] for name in EXCHANGES),
                *(lab.trades(name, "ETHUSDT", {"n": "300"}, end_ns) for name in EXCHANGES),
            ]
        )
    assert answers[0] == answers[1]
    other = Lab(market(seed=10))
    assert other.ticker("binance", START_NS) != Lab(market(seed=9)).ticker("binance", START_NS)


def test_trades_are_the_markets_own_and_before_it_opened_the_seeds() -> None:
    exchange = market(seed=3)
    lab = Lab(exchange)
    run(exchange, 0, 1500)
    now_ns = START_NS + 1500 * MS
    real = [trade.trade_id for trade in exchange.histories["BTCUSDT"].trades(1000)]
    trades = lab.trades("binance", "BTCUSDT", {"n": "1000"}, now_ns).model_dump()["trades"]
    assert len(trades) == 1000
    assert [trade["id"] for trade in trades if not trade["before_open"]] == real and real
    assert all(b["id"] == a["id"] + 1 and b["timestamp_ms"] >= a["timestamp_ms"] for a, b in pairwise(trades))
    few = lab.trades("binance", "BTCUSDT", {"n": str(len(real) + 5)}, now_ns).model_dump()["trades"]
    assert few == trades[-len(few) :]


def test_a_lagging_exchange_tells_of_trades_later() -> None:
    exchange = market(seed=3)
    lab = Lab(exchange, (LATE,))
    run(exchange, 0, 2000)
    now_ns = START_NS + 2000 * MS
    real = [t for t in exchange.histories["BTCUSDT"].trades(1000) if t.time_ns <= now_ns - 400 * MS]
    shown = lab.trades("late", "BTCUSDT", {"n": "30"}, now_ns).model_dump()["trades"]
    assert [trade["id"] for trade in shown] == [trade.trade_id for trade in real[-30:]]
    assert shown[-1]["timestamp_ms"] == (real[-1].time_ns + 400 * MS) // MS <= now_ns // MS


def test_coinmarketcap_says_that_its_book_is_made_up() -> None:
    lab = Lab(market())
    body = book(lab, "coinmarketcap", "BTC/USD", 0)
    assert body["synthetic"] is True and "no order book" in body["note"]
    assert book(lab, "binance", "BTCUSDT", 0)["synthetic"] is False
    (btc, *_) = lab.ticker("coinmarketcap", START_NS).model_dump()["tickers"]
    assert btc["symbol"] == "BTC/USD" and btc["bid"] is btc["ask"] is None and btc["last"] > 0


@pytest.mark.parametrize("text", ["BTC/USD", "BTC-USD", "btc_usd", "BTCUSD", "BTCUSDT", "btc/usdt"])
def test_symbols_in_every_spelling_and_by_the_simulators_name(text: str) -> None:
    assert book(Lab(market()), "kraken", text, 0)["symbol"] == "BTC/USD"


def test_what_is_unknown_names_what_is_known() -> None:
    lab = Lab(market())
    with pytest.raises(LabError) as refused:
        lab.ticker("mtgox", START_NS)
    assert (refused.value.status, refused.value.code) == (404, "unknown_exchange")
    assert refused.value.body()["error"]["known"] == list(EXCHANGES)
    with pytest.raises(LabError) as refused:
        lab.trades("kraken", "DOGE/USD", {}, START_NS)
    assert (refused.value.status, refused.value.code) == (404, "unknown_symbol")
    assert refused.value.known == ["BTC/USD", "ETH/USD", "ETH/BTC"]


def test_an_exchanges_own_bound_on_depth_holds() -> None:
    lab = Lab(market(), (LabExchange(name="thin", max_depth=3),))
    assert len(lab.orderbook("thin", "BTCUSDT", {}, START_NS)[0].model_dump()["bids"]) == 3
    with pytest.raises(LabError, match="from 1 to 3, not '4'"):
        lab.orderbook("thin", "BTCUSDT", {"depth": "4"}, START_NS)


def test_health_tells_of_a_halt_and_of_the_end() -> None:
    exchange = market(closes_after_ms=1000)
    lab = Lab(exchange)
    health = lab.health(START_NS)
    assert (health.status, health.mode, health.seed) == ("ok", "simulation", 1)
    assert set(health.exchanges) == set(EXCHANGES) and health.markets["BTCUSDT"].status == "TRADING"
    for number, name in enumerate(exchange.books):
        exchange.books[name].halt()
        assert lab.health(START_NS).status == ("halted" if number == 2 else "ok")
    assert lab.health(START_NS + 1500 * MS).status == "closed"
