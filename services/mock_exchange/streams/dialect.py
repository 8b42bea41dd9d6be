"""Market data as Binance spot writes it (venues.md 2.2 and 2.4): JSON text, built once for all readers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from common.messages.base import Side
from market.matching import Depth, DepthDiff, Touch, Trade
from services.mock_exchange.history.market_history import Aggregate
from services.mock_exchange.listing import Listing
from services.mock_exchange.streams.time_unit import TimeUnit

_BOOLEAN: Final = ("false", "true")


def stream_name(symbol: str, kind: str) -> str:
    """`btcusdt@trade`: symbols in stream names are lower case."""
    return f"{symbol.lower()}@{kind}"


def depth_update(listing: Listing, diff: DepthDiff, time_ns: int, unit: TimeUnit = TimeUnit.MILLISECOND) -> str:
    """A diff: absolute quantities, 0 removes."""
    return (
        f'{{"e":"depthUpdate","E":{unit.of_ns(time_ns)},"s":"{listing.symbol}",'
        f'"U":{diff.first_update_id},"u":{diff.last_update_id},'
        f'"b":{_levels(listing, diff.bids)},"a":{_levels(listing, diff.asks)}}}'
    )


def depth_snapshot(listing: Listing, depth: Depth) -> str:
    """The answer to GET depth, and a frame of the partial depth streams."""
    return (
        f'{{"lastUpdateId":{depth.update_id},"bids":{_levels(listing, depth.bids)},'
        f'"asks":{_levels(listing, depth.asks)}}}'
    )


def book_ticker(listing: Listing, touch: Touch, update_id: int) -> str:
    """Best bid and ask; an empty side is written as zeros. It carries no time."""
    price, qty = listing.price_text, listing.qty_text
    return (
        f'{{"u":{update_id},"s":"{listing.symbol}","b":"{price(touch.bid_ticks)}","B":"{qty(touch.bid_lots)}",'
        f'"a":"{price(touch.ask_ticks)}","A":"{qty(touch.ask_lots)}"}}'
    )


def trade(listing: Listing, done: Trade, time_ns: int, unit: TimeUnit = TimeUnit.MILLISECOND) -> str:
    """One match. `m` says that the buyer is the maker, hence that the aggressor sold."""
    time = unit.of_ns(time_ns)
    return (
        f'{{"e":"trade","E":{time},"s":"{listing.symbol}","t":{done.trade_id},'
        f'"p":"{listing.price_text(done.price_ticks)}","q":"{listing.qty_text(done.qty_lots)}",'
        f'"T":{time},"m":{_BOOLEAN[done.aggressor is Side.SELL]},"M":true}}'
    )


def aggregate_trade(listing: Listing, done: Aggregate, unit: TimeUnit = TimeUnit.MILLISECOND) -> str:
    """All matches of one taker order at one price, as one."""
    time = unit.of_ns(done.time_ns)
    return (
        f'{{"e":"aggTrade","E":{time},"s":"{listing.symbol}","a":{done.aggregate_id},'
        f'"p":"{listing.price_text(done.price_ticks)}","q":"{listing.qty_text(done.qty_lots)}",'
        f'"f":{done.first_id},"l":{done.last_id},"T":{time},'
        f'"m":{_BOOLEAN[done.buyer_is_maker]},"M":true}}'
    )


def server_shutdown(time_ns: int, unit: TimeUnit = TimeUnit.MILLISECOND) -> str:
    """The notice before a connection is cut; combined frames carry it under `!serverShutdown`."""
    return f'{{"e":"serverShutdown","E":{unit.of_ns(time_ns)}}}'


def combined(stream: str, payload: str) -> str:
    """A frame of the /stream endpoint: the payload under its stream's name."""
    return f'{{"stream":"{stream}","data":{payload}}}'


def _levels(listing: Listing, levels: Sequence[tuple[int, int]]) -> str:
    price: Callable[[int], str] = listing.price_text
    qty: Callable[[int], str] = listing.qty_text
    return "[" + ",".join([f'["{price(p)}","{qty(q)}"]' for p, q in levels]) + "]"
