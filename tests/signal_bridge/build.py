"""Inputs for the stage, made by hand."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import numpy as np

from common.messages import (
    BookUpdate,
    FeatureVector,
    FeedState,
    FeedStatus,
    Instrument,
    Side,
    Signal,
    Source,
    TradeTick,
    UpstreamStatus,
)
from common.messages.book import HEADER_WORDS, words_needed
from common.stage import Output
from common.topics import Event
from services.signal_bridge.stage import SignalBridgeStage

VENUE = "binance"
SYMBOL = "BTCUSDT"
START_NS = 1_700_000_000_000_000_000
INTERVAL_NS = 100_000_000


def instrument(symbol: str = SYMBOL, tick_size: str = "0.01") -> Instrument:
    return Instrument(
        event_ns=START_NS,
        origin_ns=START_NS,
        trace_id=0,
        venue=VENUE,
        symbol=symbol,
        base="BTC",
        quote="USDT",
        tick_size=Decimal(tick_size),
        lot_size=Decimal("0.00001"),
    )


def upstream(*, is_alive: bool = True, epoch: int = 1, source: Source = Source.MARKET_DATA) -> UpstreamStatus:
    return UpstreamStatus(event_ns=0, origin_ns=0, trace_id=0, source=source, is_alive=is_alive, epoch=epoch)


def feed_status(state: FeedState) -> FeedStatus:
    return FeedStatus(
        event_ns=START_NS, origin_ns=START_NS, trace_id=0, venue=VENUE, symbol=SYMBOL, state=state, reason="test"
    )


def book(
    event_ns: int,
    bid_ticks: int,
    ask_ticks: int,
    *,
    bid_lots: int = 100,
    ask_lots: int = 100,
    state: FeedState = FeedState.SYNCED,
    symbol: str = SYMBOL,
    levels: int = 3,
) -> BookUpdate:
    """A book of `levels` a side, one tick apart, equal sizes; trace_id and origin_ns follow from event_ns."""
    words = np.zeros(words_needed(levels, levels), np.int64)
    words[:HEADER_WORDS] = (event_ns, event_ns + 1, event_ns % 10**9, 1, state, levels, levels, levels, levels)
    steps = np.arange(levels)
    words[HEADER_WORDS:] = np.concatenate(
        [bid_ticks - steps, np.full(levels, bid_lots), ask_ticks + steps, np.full(levels, ask_lots)]
    )
    return BookUpdate.from_body(f"{VENUE}.{symbol}", words.tobytes())


def trade(event_ns: int, price_ticks: int, qty_lots: int) -> TradeTick:
    return TradeTick(
        event_ns=event_ns,
        origin_ns=event_ns + 1,
        trace_id=event_ns % 10**9 + 1,
        venue=VENUE,
        symbol=SYMBOL,
        trade_id=event_ns,
        price_ticks=price_ticks,
        qty_lots=qty_lots,
        aggressor=Side.BUY,
    )


def market(
    seed: int, intervals: int, *, start_ns: int = START_NS, step: float = 0.0004, symbol: str = SYMBOL
) -> list[BookUpdate | TradeTick]:
    """A random walk of the mid, a book and mostly a trade per interval, sizes leaning at random."""
    rng = np.random.default_rng(seed)
    mids = 6_000_000 * np.exp(np.cumsum(rng.normal(0, step * np.sqrt(INTERVAL_NS / 1e9), intervals)))
    events: list[BookUpdate | TradeTick] = []
    for i, mid in enumerate(mids.astype(int).tolist()):
        now = start_ns + i * INTERVAL_NS
        sizes = rng.integers(1, 1000, 2).tolist()
        events.append(book(now, mid, mid + 1, bid_lots=sizes[0], ask_lots=sizes[1], symbol=symbol))
        if rng.random() < 0.7 and symbol == SYMBOL:
            events.append(trade(now + int(rng.integers(0, INTERVAL_NS)), mid, int(rng.integers(1, 500))))
    return events


def drive(stage: SignalBridgeStage, events: Iterable[Event], lag_ns: int = 5_000_000) -> list[Output]:
    """Feed `events`, each `lag_ns` after its venue time; everything that came out."""
    out: list[Output] = []
    now_ns = 0
    for event in events:
        now_ns = max(now_ns, event.event_ns + lag_ns)
        out += stage.handle(event, now_ns)
    return out


def signals(outputs: Iterable[Output]) -> list[Signal]:
    return [output for output in outputs if isinstance(output, Signal)]


def vectors(outputs: Iterable[Output]) -> list[FeatureVector]:
    return [output for output in outputs if isinstance(output, FeatureVector)]
