"""Trades, klines, prices and statistics (venues.md 2.4): the same answers for REST and WebSocket API.

They tell of the market's own present: of a closed market the moment of its close, of a replay the recorded time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

import orjson

from common.units import NS_PER_MS
from services.mock_exchange.api import params
from services.mock_exchange.api.call import Call, Endpoint
from services.mock_exchange.api.params import Param
from services.mock_exchange.errors import VenueError
from services.mock_exchange.history.bars import Bar
from services.mock_exchange.history.intervals import DAY_MS, HOUR_MS, INTERVALS, MINUTE_MS, Interval
from services.mock_exchange.history.market_history import MarketHistory, PastTrade
from services.mock_exchange.streams.bar_text import change_text, percent_text, weighted_text
from services.mock_exchange.trading.amounts import UNIT, amount_text

_SYMBOL: Final = Param("symbol", params.symbol, is_required=True)
_LIMIT: Final = Param("limit", params.up_to(1000), default=500)
_AVERAGE_MINUTES: Final = 5
_MOST_SYMBOLS: Final = 100
_ZONE: Final = re.compile(r"([+-]?)(\d{1,2})(?::(\d{2}))?\Z")
_EARLIEST_ZONE_MS: Final = -12 * HOUR_MS
_LATEST_ZONE_MS: Final = 14 * HOUR_MS
_WINDOW: Final = re.compile(r"([1-9]\d?)([mhd])\Z")
#: Length and largest count of the units of windowSize.
_WINDOW_UNITS: Final = {"m": (MINUTE_MS, 59), "h": (HOUR_MS, 23), "d": (DAY_MS, 7)}


class TickerType(StrEnum):
    """How much a ticker tells."""

    FULL = "FULL"
    MINI = "MINI"


class ListedStatus(StrEnum):
    """symbolStatus of tickers."""

    TRADING = "TRADING"
    HALT = "HALT"
    BREAK = "BREAK"


def recent_trades(call: Call) -> list[dict[str, Any]]:
    """The latest trades."""
    history = _history(call)
    return [_trade(call, history, trade) for trade in history.trades(call["limit"])]


def historical_trades(call: Call) -> list[dict[str, Any]]:
    """Trades from an id on; the latest without one."""
    history = _history(call)
    return [_trade(call, history, trade) for trade in history.trades(call["limit"], call["fromId"])]


def aggregate_trades(call: Call) -> list[dict[str, Any]]:
    """Aggregates from an id or a time on; the latest without either."""
    from_id, start_ns, end_ns = call["fromId"], call["startTime"], call["endTime"]
    if from_id is not None and (start_ns is not None or end_ns is not None):
        raise params.bad_combination()
    history = _history(call)
    price, qty = history.listing.price_text, history.listing.qty_text
    # A millisecond asked for means all of it.
    last_ns = None if end_ns is None else end_ns + call.unit_ns - 1
    return [
        {
            "a": done.aggregate_id,
            "p": price(done.price_ticks),
            "q": qty(done.qty_lots),
            "f": done.first_id,
            "l": done.last_id,
            "T": call.stamp(done.time_ns),
            "m": bool(done.buyer_is_maker),
            "M": True,
        }
        for done in history.aggregates(call["limit"], from_id=from_id, start_ns=start_ns, end_ns=last_ns)
    ]


def klines(call: Call) -> list[list[Any]]:
    """Bars of an interval, oldest first; the last may be unfinished."""
    history = _history(call)
    start_ns, end_ns = call["startTime"], call["endTime"]
    bars = history.bars(
        call["interval"],
        _now_ms(call),
        offset_ms=call["timeZone"],
        start_ms=None if start_ns is None else -(-start_ns // NS_PER_MS),
        end_ms=None if end_ns is None else end_ns // NS_PER_MS,
        limit=call["limit"],
    )
    price, qty = history.listing.price_text, history.listing.qty_text
    return [
        [
            _stamp(call, bar.start_ms),
            price(bar.open_ticks),
            price(bar.high_ticks),
            price(bar.low_ticks),
            price(bar.close_ticks),
            qty(bar.lots),
            _stamp(call, bar.end_ms) - 1,
            amount_text(bar.quote),
            bar.trades,
            qty(bar.taker_lots),
            amount_text(bar.taker_quote),
            "0",
        ]
        for bar in bars
    ]


def average_price(call: Call) -> dict[str, Any]:
    """The volume-weighted price of five minutes."""
    history = _history(call)
    return {
        "mins": _AVERAGE_MINUTES,
        "price": amount_text(history.average_amount(_AVERAGE_MINUTES, _now_ms(call))),
        "closeTime": call.stamp(history.last_time_ns),
    }


def ticker_24h(call: Call) -> Any:
    """Statistics of 24 hours, of one symbol, some, or all."""
    return _of_symbols(call, _day_ticker, is_one_needed=False)


def ticker_trading_day(call: Call) -> Any:
    """Statistics of the present day."""
    return _of_symbols(call, _trading_day_ticker, is_one_needed=True)


def ticker_rolling(call: Call) -> Any:
    """Statistics of a window of the client's choice."""
    return _of_symbols(call, _window_ticker, is_one_needed=True)


def ticker_price(call: Call) -> Any:
    """The latest price."""

    def of(call: Call, history: MarketHistory) -> dict[str, Any]:
        return {"symbol": history.listing.symbol, "price": history.listing.price_text(history.last_ticks)}

    return _of_symbols(call, of, is_one_needed=False)


def ticker_book(call: Call) -> Any:
    """Best bid and ask."""

    def of(call: Call, history: MarketHistory) -> dict[str, Any]:
        return {"symbol": history.listing.symbol, **_touch(call, history)}

    return _of_symbols(call, of, is_one_needed=False)


def _of_symbols(
    call: Call, answer: Callable[[Call, MarketHistory], dict[str, Any]], *, is_one_needed: bool
) -> dict[str, Any] | list[dict[str, Any]]:
    """One object for `symbol`, a list for `symbols`, a list of all for neither."""
    names, histories = call["symbols"], call.venue.exchange.histories
    if call["symbol"] is not None:
        if names is not None:
            raise params.bad_combination()
        if not _has_status(call, call.listing.symbol):
            raise VenueError(-1220, "The symbol's status does not match the requested symbolStatus.")
        return answer(call, _history(call))
    if names is None:
        if is_one_needed:
            raise params.missing_either("symbol", "symbols")
        names = list(histories)
    elif is_one_needed and len(names) > _MOST_SYMBOLS:
        raise VenueError(-1101, f"Too many parameters; expected '{_MOST_SYMBOLS}' and received '{len(names)}'.")
    symbols = [call.venue.listing(name).symbol for name in names]
    return [answer(call, histories[symbol]) for symbol in symbols if _has_status(call, symbol)]


def _has_status(call: Call, symbol: str) -> bool:
    if call["symbolStatus"] is None:
        return True
    book = call.venue.exchange.books.get(symbol)
    is_halted = book is not None and book.is_halted
    return bool(call["symbolStatus"] == (ListedStatus.HALT if is_halted else ListedStatus.TRADING))


def _day_ticker(call: Call, history: MarketHistory) -> dict[str, Any]:
    now_ms = _now_ms(call)
    bar = history.span(_whole_minute(now_ms - DAY_MS), now_ms)
    times = {"openTime": _stamp(call, now_ms - DAY_MS), "closeTime": _stamp(call, now_ms)}
    if call["type"] is TickerType.MINI:
        return _mini(history, bar, times)
    listing = history.listing
    return {
        **_change(history, bar),
        "prevClosePrice": listing.price_text(history.close_before(bar.start_ms, now_ms)),
        "lastPrice": listing.price_text(bar.close_ticks),
        "lastQty": listing.qty_text(history.last_lots),
        **_touch(call, history),
        **_extremes(history, bar),
        **_volumes(history, bar),
        **times,
        **_ids(bar),
    }


def _trading_day_ticker(call: Call, history: MarketHistory) -> dict[str, Any]:
    now_ms, day = _now_ms(call), INTERVALS["1d"]
    start_ms = day.open_of(now_ms, call["timeZone"])
    times = {"openTime": _stamp(call, start_ms), "closeTime": _stamp(call, start_ms + DAY_MS) - 1}
    return _span_ticker(call, history, history.span(start_ms, now_ms), times)


def _window_ticker(call: Call, history: MarketHistory) -> dict[str, Any]:
    now_ms = _now_ms(call)
    start_ms = _whole_minute(now_ms - call["windowSize"])
    times = {"openTime": _stamp(call, start_ms), "closeTime": _stamp(call, now_ms)}
    return _span_ticker(call, history, history.span(start_ms, now_ms), times)


def _span_ticker(call: Call, history: MarketHistory, bar: Bar, times: Mapping[str, int]) -> dict[str, Any]:
    if call["type"] is TickerType.MINI:
        return _mini(history, bar, times)
    return {
        **_change(history, bar),
        **_extremes(history, bar),
        "lastPrice": history.listing.price_text(bar.close_ticks),
        **_volumes(history, bar),
        **times,
        **_ids(bar),
    }


def _mini(history: MarketHistory, bar: Bar, times: Mapping[str, int]) -> dict[str, Any]:
    return {
        "symbol": history.listing.symbol,
        **_extremes(history, bar),
        "lastPrice": history.listing.price_text(bar.close_ticks),
        **_volumes(history, bar),
        **times,
        **_ids(bar),
    }


def _change(history: MarketHistory, bar: Bar) -> dict[str, Any]:
    listing = history.listing
    return {
        "symbol": listing.symbol,
        "priceChange": change_text(listing, bar),
        "priceChangePercent": percent_text(bar),
        "weightedAvgPrice": weighted_text(listing, bar),
    }


def _extremes(history: MarketHistory, bar: Bar) -> dict[str, Any]:
    price = history.listing.price_text
    return {"openPrice": price(bar.open_ticks), "highPrice": price(bar.high_ticks), "lowPrice": price(bar.low_ticks)}


def _volumes(history: MarketHistory, bar: Bar) -> dict[str, Any]:
    return {"volume": history.listing.qty_text(bar.lots), "quoteVolume": amount_text(bar.quote)}


def _ids(bar: Bar) -> dict[str, Any]:
    return {"firstId": bar.first_id, "lastId": bar.last_id, "count": bar.trades}


def _touch(call: Call, history: MarketHistory) -> dict[str, Any]:
    listing = history.listing
    touch = call.venue.exchange.touch(listing.symbol)
    return {
        "bidPrice": listing.price_text(touch.bid_ticks),
        "bidQty": listing.qty_text(touch.bid_lots),
        "askPrice": listing.price_text(touch.ask_ticks),
        "askQty": listing.qty_text(touch.ask_lots),
    }


def _trade(call: Call, history: MarketHistory, done: PastTrade) -> dict[str, Any]:
    listing = history.listing
    value = done.price_ticks * listing.tick_amount * done.qty_lots * listing.lot_amount // UNIT
    return {
        "id": done.trade_id,
        "price": listing.price_text(done.price_ticks),
        "qty": listing.qty_text(done.qty_lots),
        "quoteQty": amount_text(value),
        "time": call.stamp(done.time_ns),
        "isBuyerMaker": bool(done.buyer_is_maker),
        "isBestMatch": True,
    }


def _history(call: Call) -> MarketHistory:
    return call.venue.exchange.histories[call.listing.symbol]


def _now_ms(call: Call) -> int:
    return call.venue.exchange.market_ns // NS_PER_MS


def _stamp(call: Call, time_ms: int) -> int:
    return call.stamp(time_ms * NS_PER_MS)


def _whole_minute(time_ms: int) -> int:
    return time_ms - time_ms % MINUTE_MS


def _interval(_name: str, value: str) -> Interval:
    interval = INTERVALS.get(value)
    if interval is None:
        raise VenueError(-1120, "Invalid interval.")
    return interval


def _zone(name: str, value: str) -> int:
    """`8`, `-1:00`, `+05:45`: what to add to UTC, milliseconds."""
    match = _ZONE.match(value)
    minutes = int(match[3] or 0) if match else 60
    if match is None or minutes > 59:
        raise params.invalid(name)
    offset_ms = (-1 if match[1] == "-" else 1) * (int(match[2]) * HOUR_MS + minutes * MINUTE_MS)
    if not _EARLIEST_ZONE_MS <= offset_ms <= _LATEST_ZONE_MS:
        raise params.invalid(name)
    return offset_ms


def _window(name: str, value: str) -> int:
    """`15m`, `4h`, `7d`, in milliseconds."""
    match = _WINDOW.match(value)
    if match is None or int(match[1]) > _WINDOW_UNITS[match[2]][1]:
        raise params.invalid(name)
    return int(match[1]) * _WINDOW_UNITS[match[2]][0]


def _symbols_sent(sent: Mapping[str, str]) -> int | None:
    """How many symbols a request names; None for all."""
    if "symbol" in sent:
        return 1
    if "symbols" not in sent:
        return None
    try:
        names = orjson.loads(sent["symbols"])
    except orjson.JSONDecodeError:
        return 1
    return len(names) if isinstance(names, Sequence) and names else 1


def _day_weight(sent: Mapping[str, str]) -> int:
    count = _symbols_sent(sent)
    return 80 if count is None or count > 100 else 40 if count > 20 else 2


def _window_weight(sent: Mapping[str, str]) -> int:
    return min(200, 4 * (_symbols_sent(sent) or 1))


def _price_weight(sent: Mapping[str, str]) -> int:
    return 2 if "symbol" in sent else 4


_ZONE_PARAM: Final = Param("timeZone", _zone, default=0)
_START: Final = Param("startTime", params.moment)
_END: Final = Param("endTime", params.moment)
_KLINES: Final = (_SYMBOL, Param("interval", _interval, is_required=True), _START, _END, _ZONE_PARAM, _LIMIT)
_ANY_SYMBOLS: Final = (
    Param("symbol", params.symbol),
    Param("symbols", params.symbol_list),
    Param("symbolStatus", params.one_of(ListedStatus, VenueError(-1122, "Invalid symbolStatus."))),
)
_TICKER: Final = (*_ANY_SYMBOLS, Param("type", params.one_of(TickerType), default=TickerType.FULL))
_FROM_ID: Final = Param("fromId", params.integer)

ENDPOINTS: Final = (
    Endpoint("GET /api/v3/trades", "trades.recent", recent_trades, (_SYMBOL, _LIMIT), 25),
    Endpoint("GET /api/v3/historicalTrades", "trades.historical", historical_trades, (_SYMBOL, _LIMIT, _FROM_ID), 25),
    Endpoint(
        "GET /api/v3/aggTrades",
        "trades.aggregate",
        aggregate_trades,
        (_SYMBOL, _FROM_ID, _START, _END, _LIMIT),
        4,
    ),
    Endpoint("GET /api/v3/klines", "klines", klines, _KLINES, 2),
    Endpoint("GET /api/v3/uiKlines", "uiKlines", klines, _KLINES, 2),
    Endpoint("GET /api/v3/avgPrice", "avgPrice", average_price, (_SYMBOL,), 2),
    Endpoint("GET /api/v3/ticker/24hr", "ticker.24hr", ticker_24h, _TICKER, _day_weight),
    Endpoint(
        "GET /api/v3/ticker/tradingDay",
        "ticker.tradingDay",
        ticker_trading_day,
        (*_TICKER, _ZONE_PARAM),
        _window_weight,
    ),
    Endpoint("GET /api/v3/ticker/price", "ticker.price", ticker_price, _ANY_SYMBOLS, _price_weight),
    Endpoint("GET /api/v3/ticker/bookTicker", "ticker.book", ticker_book, _ANY_SYMBOLS, _price_weight),
    Endpoint(
        "GET /api/v3/ticker",
        "ticker",
        ticker_rolling,
        (*_TICKER, Param("windowSize", _window, default=DAY_MS)),
        _window_weight,
    ),
)
