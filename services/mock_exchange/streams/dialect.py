"""Market data as Binance spot writes it (venues.md 2.2 and 2.4): JSON text, built once for all readers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from common.messages.base import Side
from common.units import NS_PER_MS
from market.matching import Depth, DepthDiff, Touch, Trade
from services.mock_exchange.listing import Listing

_BOOLEAN: Final = ("false", "true")


def stream_name(symbol: str, kind: str) -> str:
    """`btcusdt@trade`: symbols in stream names are lower case."""
    return f"{symbol.lower()}@{kind}"


def depth_update(listing: Listing, diff: DepthDiff, time_ns: int) -> str:
    """A diff: absolute quantities, 0 removes."""
    return (
        f'{{"e":"depthUpdate","E":{time_ns // NS_PER_MS},"s":"{listing.symbol}",'
        f'"U":{diff.first_update_id},"u":{diff.last_update_id},'
        f'"b":{_levels(listing, diff.bids)},"a":{_levels(listing, diff.asks)}}}'
    )


def depth_snapshot(listing: Listing, depth: Depth) -> str:
    """The answer to GET depth."""
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


def trade(listing: Listing, done: Trade, time_ns: int) -> str:
    """One match. `m` says that the buyer is the maker, hence that the aggressor sold."""
    time_ms = time_ns // NS_PER_MS
    return (
        f'{{"e":"trade","E":{time_ms},"s":"{listing.symbol}","t":{done.trade_id},'
        f'"p":"{listing.price_text(done.price_ticks)}","q":"{listing.qty_text(done.qty_lots)}",'
        f'"T":{time_ms},"m":{_BOOLEAN[done.aggressor is Side.SELL]},"M":true}}'
    )


def aggregate_trade(listing: Listing, number: int, parts: Sequence[Trade], time_ns: int) -> str:
    """All matches of one taker order at one price, as one."""
    time_ms = time_ns // NS_PER_MS
    first, last = parts[0], parts[-1]
    lots = sum(part.qty_lots for part in parts)
    return (
        f'{{"e":"aggTrade","E":{time_ms},"s":"{listing.symbol}","a":{number},'
        f'"p":"{listing.price_text(first.price_ticks)}","q":"{listing.qty_text(lots)}",'
        f'"f":{first.trade_id},"l":{last.trade_id},"T":{time_ms},'
        f'"m":{_BOOLEAN[first.aggressor is Side.SELL]},"M":true}}'
    )


def combined(stream: str, payload: str) -> str:
    """A frame of the /stream endpoint: the payload under its stream's name."""
    return f'{{"stream":"{stream}","data":{payload}}}'


def _levels(listing: Listing, levels: Sequence[tuple[int, int]]) -> str:
    price: Callable[[int], str] = listing.price_text
    qty: Callable[[int], str] = listing.qty_text
    return "[" + ",".join([f'["{price(p)}","{qty(q)}"]' for p, q in levels]) + "]"
