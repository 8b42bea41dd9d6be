"""Klines and statistics as the venue writes them on its streams, and the numbers both they and REST show."""

from __future__ import annotations

from typing import Final

from market.matching import Touch
from services.mock_exchange.history.bars import Bar
from services.mock_exchange.history.intervals import DAY_MS
from services.mock_exchange.history.market_history import MarketHistory
from services.mock_exchange.listing import Listing
from services.mock_exchange.streams.time_unit import TimeUnit
from services.mock_exchange.trading.amounts import UNIT, amount_text

_BOOLEAN: Final = ("false", "true")


def change_text(listing: Listing, bar: Bar) -> str:
    """What the price has risen by."""
    return amount_text((bar.close_ticks - bar.open_ticks) * listing.tick_amount)


def percent_text(bar: Bar) -> str:
    """The same in percent of the first price, three decimals, rounded half away from zero."""
    if not bar.open_ticks:
        return "0.000"
    thousandths = (abs(bar.close_ticks - bar.open_ticks) * 200_000 + bar.open_ticks) // (2 * bar.open_ticks)
    sign = "-" if bar.close_ticks < bar.open_ticks and thousandths else ""
    return f"{sign}{thousandths // 1000}.{thousandths % 1000:03d}"


def weighted_text(listing: Listing, bar: Bar) -> str:
    """The volume-weighted price; zero when nothing traded."""
    base = bar.lots * listing.lot_amount
    return amount_text(bar.quote * UNIT // base if base else 0)


def kline(listing: Listing, name: str, bar: Bar, is_closed: bool, time_ns: int, unit: TimeUnit) -> str:
    """A frame of a kline stream; `name` is the interval's."""
    price, qty = listing.price_text, listing.qty_text
    return (
        f'{{"e":"kline","E":{unit.of_ns(time_ns)},"s":"{listing.symbol}","k":{{"t":{unit.of_ms(bar.start_ms)},'
        f'"T":{unit.last_before(bar.end_ms)},"s":"{listing.symbol}","i":"{name}","f":{bar.first_id},'
        f'"L":{bar.last_id},"o":"{price(bar.open_ticks)}","c":"{price(bar.close_ticks)}",'
        f'"h":"{price(bar.high_ticks)}","l":"{price(bar.low_ticks)}","v":"{qty(bar.lots)}","n":{bar.trades},'
        f'"x":{_BOOLEAN[is_closed]},"q":"{amount_text(bar.quote)}","V":"{qty(bar.taker_lots)}",'
        f'"Q":"{amount_text(bar.taker_quote)}","B":"0"}}}}'
    )


def mini_ticker(listing: Listing, day: Bar, time_ns: int, unit: TimeUnit) -> str:
    """A frame of miniTicker; `day` is the last 24 hours."""
    price = listing.price_text
    return (
        f'{{"e":"24hrMiniTicker","E":{unit.of_ns(time_ns)},"s":"{listing.symbol}","c":"{price(day.close_ticks)}",'
        f'"o":"{price(day.open_ticks)}","h":"{price(day.high_ticks)}","l":"{price(day.low_ticks)}",'
        f'"v":"{listing.qty_text(day.lots)}","q":"{amount_text(day.quote)}"}}'
    )


def ticker(history: MarketHistory, touch: Touch, day: Bar, time_ns: int, unit: TimeUnit) -> str:
    """A frame of ticker."""
    listing = history.listing
    price, qty = listing.price_text, listing.qty_text
    before = history.close_before(day.start_ms, day.end_ms)
    return (
        f'{{"e":"24hrTicker","E":{unit.of_ns(time_ns)},"s":"{listing.symbol}","p":"{change_text(listing, day)}",'
        f'"P":"{percent_text(day)}","w":"{weighted_text(listing, day)}","x":"{price(before)}",'
        f'"c":"{price(day.close_ticks)}","Q":"{qty(history.last_lots)}","b":"{price(touch.bid_ticks)}",'
        f'"B":"{qty(touch.bid_lots)}","a":"{price(touch.ask_ticks)}","A":"{qty(touch.ask_lots)}",'
        f'"o":"{price(day.open_ticks)}","h":"{price(day.high_ticks)}","l":"{price(day.low_ticks)}",'
        f'"v":"{qty(day.lots)}","q":"{amount_text(day.quote)}","O":{unit.of_ms(day.end_ms - DAY_MS)},'
        f'"C":{unit.of_ms(day.end_ms)},"F":{day.first_id},"L":{day.last_id},"n":{day.trades}}}'
    )


def window_ticker(listing: Listing, window: str, span: Bar, time_ns: int, unit: TimeUnit) -> str:
    """A frame of ticker_<window>; `span` begins on the whole minute the window reaches back to."""
    price = listing.price_text
    return (
        f'{{"e":"{window}Ticker","E":{unit.of_ns(time_ns)},"s":"{listing.symbol}",'
        f'"p":"{change_text(listing, span)}","P":"{percent_text(span)}","o":"{price(span.open_ticks)}",'
        f'"h":"{price(span.high_ticks)}","l":"{price(span.low_ticks)}","c":"{price(span.close_ticks)}",'
        f'"w":"{weighted_text(listing, span)}","v":"{listing.qty_text(span.lots)}","q":"{amount_text(span.quote)}",'
        f'"O":{unit.of_ms(span.start_ms)},"C":{unit.of_ms(span.end_ms)},"F":{span.first_id},"L":{span.last_id},'
        f'"n":{span.trades}}}'
    )


def average_price(history: MarketHistory, minutes: int, time_ns: int, unit: TimeUnit) -> str:
    """A frame of avgPrice."""
    average = history.average_amount(minutes, TimeUnit.MILLISECOND.of_ns(time_ns))
    return (
        f'{{"e":"avgPrice","E":{unit.of_ns(time_ns)},"s":"{history.listing.symbol}","i":"{minutes}m",'
        f'"w":"{amount_text(average)}","T":{unit.of_ns(history.last_time_ns)}}}'
    )
