"""A replay's history is what was captured, as far as the replay has come."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from services.mock_exchange.history.intervals import INTERVALS
from services.mock_exchange.history.market_history import MarketHistory
from services.mock_exchange.listing import Listing
from services.mock_exchange.recorded.captured_trades import CapturedTrades
from services.mock_exchange.recorded.replay import ReplayExchange
from tests.mock_exchange.build import own_capture

LISTING = Listing("BTCUSDT", "BTC", "USDT", Decimal("0.01"), Decimal("0.00001"), Decimal(5))


def test_history_follows_the_replay() -> None:
    exchange = ReplayExchange({"own.gz": own_capture()})
    history, seen = exchange.histories["BTCUSDT"], []
    assert history.trades(1000) == [] and history.bars(INTERVALS["1m"], exchange.market_ns // 10**6) == []
    while (event := exchange.peek()) is not None:
        exchange.step()
        if event.channel.endswith("@trade"):
            seen.append(json.loads(event.payload))
            assert history.last_trade_id == seen[-1]["t"]
            assert exchange.market_ns // 10**6 >= seen[-1]["T"]
    listing = exchange.listings["BTCUSDT"]
    kept = history.trades(100_000)
    assert len(kept) == len(seen) > 20
    for trade, told in zip(kept, seen, strict=True):
        assert (trade.trade_id, trade.buyer_is_maker) == (told["t"], told["m"])
        assert listing.price_text(trade.price_ticks) == told["p"] and listing.qty_text(trade.qty_lots) == told["q"]
    day = history.bars(INTERVALS["1d"], exchange.market_ns // 10**6)[-1]
    assert day.trades == len(seen) and listing.price_text(day.close_ticks) == seen[-1]["p"]


def test_the_touch_is_the_true_books() -> None:
    exchange = ReplayExchange({"own.gz": own_capture()})
    while exchange.peek() is not None:
        exchange.step()
        touch, listing = exchange.touch("BTCUSDT"), exchange.listings["BTCUSDT"]
        best = json.loads(exchange.snapshot("BTCUSDT", 1))
        assert [[listing.price_text(touch.bid_ticks), listing.qty_text(touch.bid_lots)]] == best["bids"]
        assert [[listing.price_text(touch.ask_ticks), listing.qty_text(touch.ask_lots)]] == best["asks"]


@pytest.mark.parametrize("has_trades", [True, False])
def test_aggregates_are_trades_where_nothing_finer_was_captured(has_trades) -> None:
    history = MarketHistory(LISTING, 6_000_000)
    feed = CapturedTrades(history, has_trades=has_trades)
    aggregate = {"a": 7, "p": "60000.10", "q": "0.02000", "f": 100, "l": 102, "T": 1_700_000_000_000, "m": True}
    feed.apply("aggTrade", json.dumps(aggregate))
    feed.apply("aggTrade", json.dumps(aggregate | {"a": 8, "f": 103, "l": 103, "q": "0"}))
    feed.apply("depth@100ms", "{}")
    assert [one.aggregate_id for one in history.aggregates(10)] == [7, 8]
    assert [trade.trade_id for trade in history.trades(10)] == ([] if has_trades else [102])


def test_a_trade_captured_twice_counts_once_and_time_never_goes_back() -> None:
    history = MarketHistory(LISTING, 6_000_000)
    feed = CapturedTrades(history, has_trades=True)
    trade = {"t": 5, "p": "60000.10", "q": "0.02000", "T": 1_700_000_000_500, "m": False}
    feed.apply("trade", json.dumps(trade))
    feed.apply("trade", json.dumps(trade))
    feed.apply("trade", json.dumps(trade | {"t": 6, "T": 1_700_000_000_400_000}))
    times = [(one.trade_id, one.time_ns) for one in history.trades(10)]
    assert times == [(5, 1_700_000_000_500_000_000), (6, 1_700_000_000_500_000_000)]
