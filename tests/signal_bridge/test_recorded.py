"""On recorded reality: indicators equal TA-Lib, and the stage trades both ways on a captured book."""

from __future__ import annotations

import gzip
import heapq
import lzma
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
import talib

from common.config import SignalConfig
from common.messages import BookUpdate, FeedState, Side, TradeTick
from common.messages.book import HEADER_WORDS, words_needed
from services.signal_bridge import FeatureComputer
from services.signal_bridge.stage import SignalBridgeStage
from tests.signal_bridge.build import SYMBOL, VENUE, drive, instrument, signals, upstream, vectors

pytestmark = pytest.mark.recorded
LEVELS = 20


def test_features_of_recorded_bars_are_talibs(recorded: Path) -> None:
    path = recorded / "bitfinex-historical-data" / "BTCUSD_1m_2019-01_2019-06.csv.xz"
    with lzma.open(path, "rt") as file:
        rows = np.loadtxt(file, delimiter=",", skiprows=1, usecols=(1, 2, 3, 4, 5), max_rows=50_000)
    opened, close, high, low, volume = (np.ascontiguousarray(column) for column in rows.T)
    ours = FeatureComputer().compute_series(
        {"open": opened, "high": high, "low": low, "close": close, "volume": volume}
    )
    np.testing.assert_allclose(ours["atr"], talib.ATR(high, low, close), rtol=1e-9, atol=1e-9)
    theirs = talib.RSI(close)
    moved = ~np.isnan(theirs) & (theirs > 0)
    np.testing.assert_allclose(ours["rsi"][moved], theirs[moved], rtol=1e-9, atol=1e-9)
    for name, line in zip(("macd", "macd_signal", "macd_histogram"), talib.MACD(close), strict=True):
        np.testing.assert_allclose(ours[name], line, rtol=1e-9, atol=1e-8)
    np.testing.assert_allclose(ours["bb_middle"], talib.SMA(close, 20), rtol=1e-12)
    # TA-Lib's deviation is a difference of two sums of squares: right to about 1e-5 of a dollar at these prices.
    np.testing.assert_allclose(ours["bb_upper"], talib.BBANDS(close, 20, 2, 2)[0], rtol=1e-7)


def capture(path: Path) -> Iterator[BookUpdate | TradeTick]:
    """Books and trades of a spot capture, by the plainest of means: dictionaries of decimal text."""
    sides: dict[str, dict[str, str]] = {"b": {}, "a": {}}
    last_id = -1
    held: list[dict[str, Any]] = []
    with gzip.open(path, "rt") as file:
        for line in file:
            local, _, text = line.partition(" ")
            frame = orjson.loads(text)
            if "lastUpdateId" in frame:
                last_id = frame["lastUpdateId"]
                sides = {"b": dict(frame["bids"]), "a": dict(frame["asks"])}
                for diff in held:
                    apply(diff, sides, last_id)
            elif "depth" in frame["stream"]:
                if last_id < 0:
                    held.append(frame["data"])
                elif apply(frame["data"], sides, last_id):
                    yield published(frame["data"], sides, int(local))
            elif "trade" in frame["stream"]:
                yield tick(frame["data"], int(local))


def apply(diff: dict[str, Any], sides: dict[str, dict[str, str]], snapshot_id: int) -> bool:
    if diff["u"] <= snapshot_id:
        return False
    for name, side in sides.items():
        for price, qty in diff[name]:
            if float(qty):
                side[price] = qty
            else:
                side.pop(price, None)
    return True


def steps(text: str, step: str) -> int:
    return int(Decimal(text) / Decimal(step))


def published(diff: dict[str, Any], sides: dict[str, dict[str, str]], local_ns: int) -> BookUpdate:
    bids = heapq.nlargest(LEVELS, sides["b"].items(), key=lambda level: float(level[0]))
    asks = heapq.nsmallest(LEVELS, sides["a"].items(), key=lambda level: float(level[0]))
    words = np.zeros(words_needed(LEVELS, LEVELS), np.int64)
    event_ns = int(diff["E"]) * 1_000_000
    words[:HEADER_WORDS] = (
        event_ns,
        local_ns,
        diff["u"],
        diff["u"],
        FeedState.SYNCED,
        LEVELS,
        LEVELS,
        LEVELS,
        LEVELS,
    )
    columns = [[steps(level[part], size) for level in side] for side in (bids, asks) for part, size in PARTS]
    words[HEADER_WORDS:] = np.concatenate(columns)
    return BookUpdate(VENUE, SYMBOL, words)


PARTS = ((0, "0.01"), (1, "0.00001"))


def tick(data: dict[str, Any], local_ns: int) -> TradeTick:
    return TradeTick(
        event_ns=int(data["T"]) * 1_000_000,
        origin_ns=local_ns,
        trace_id=int(data["t"]),
        venue=VENUE,
        symbol=SYMBOL,
        trade_id=int(data["t"]),
        price_ticks=steps(str(data["p"]), "0.01"),
        qty_lots=steps(str(data["q"]), "0.00001"),
        aggressor=Side.SELL if data["m"] else Side.BUY,
    )


def test_a_captured_market_gives_signals_of_both_sides(recorded: Path) -> None:
    config = SignalConfig(features=("rsi", "macd", "bb", "atr", "volume", "imbalance"), update_interval_ms=100)
    stage = SignalBridgeStage(config)
    drive(stage, [instrument(), upstream()])
    events = list(capture(recorded / "hftbacktest" / "spot" / "btcusdt_20240808.gz"))
    out = drive(stage, events)
    assert {s.side for s in signals(out)} == set(Side)
    assert {s.strategy for s in signals(out)} == {"mean_reversion", "momentum"}
    # Every venue interval of the capture is a bar, nothing was reset, and all volume is in.
    stats = stage.stats()
    books = [e for e in events if isinstance(e, BookUpdate)]
    span = books[-1].event_ns // 100_000_000 - books[0].event_ns // 100_000_000
    assert abs(int(str(stats["bars"])) - span) <= 2
    symbols = stats["symbols"]
    assert isinstance(symbols, dict)
    assert symbols[f"{VENUE}.{SYMBOL}"]["runs"] == 1
    traded = sum(e.qty_lots for e in events if isinstance(e, TradeTick)) * 1e-5
    heard = sum(v.values["volume"] for v in vectors(out))
    assert heard == pytest.approx(traded, rel=0.02)
    last = vectors(out)[-1].values
    assert 61_000 < last["bb_middle"] < 63_000
    assert abs(last["microprice"] - last["bb_middle"]) < 200
    again = SignalBridgeStage(config)
    drive(again, [instrument(), upstream()])
    assert drive(again, events) == out
