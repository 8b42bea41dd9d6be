"""A recorded capture, served as if the venue were sending it again."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from common.errors import ConfigError
from common.messages import Instrument
from market.matching import Touch
from services.mock_exchange.api.exchange_info import spot_info, usdm_info
from services.mock_exchange.history.market_history import MarketHistory
from services.mock_exchange.listing import Listing
from services.mock_exchange.recorded.captured_trades import CapturedTrades
from services.mock_exchange.recorded.replay_book import ReplayBook
from services.mock_exchange.recorded.replay_market import ReplayMarket
from services.mock_exchange.streams.time_unit import in_milliseconds
from venues.captures import CaptureError, CaptureEvent, EventKind, guess_venue, instruments_for, read_capture
from venues.grid import Grid
from venues.registry import venue_named

_KEY: Final = "mock_exchange.replay_files"
_REST_PREFIX: Final = {"binance": "/api/v3", "binance-usdm": "/fapi/v1"}
_MIN_NOTIONAL: Final = Decimal(5)
_DEPTH: Final = re.compile(r"^([^@]+)@depth(@\d+ms)?$")
_COMBINED: Final = re.compile(rb'\s*\{\s*"stream"\s*:\s*"([^"]+)"\s*,\s*"data"\s*:\s*(.*)\}\s*$', re.DOTALL)
_SYMBOL: Final = re.compile(rb'"s"\s*:\s*"([^"]+)"')
_EVENT: Final = re.compile(rb'^\s*\{\s*"e"\s*:\s*"(\w+)"')
#: Streams of frames recorded without their stream's name.
_KIND_OF_EVENT: Final = {b"depthUpdate": "depth@100ms", b"trade": "trade", b"aggTrade": "aggTrade"}


class Recorded(NamedTuple):
    """One event of the capture, ready to send. `channel` is "" for a REST snapshot."""

    local_ns: int
    symbol: str
    channel: str
    payload: str
    is_depth: bool


class ReplayExchange:
    """Walks through a capture; `step` gives frame after frame, byte for byte, and keeps the true books beside.

    Clients trade in `books`; nothing they do changes what is sent.

    A captured diff stream answers to every diff stream's name of its symbol (a recording of depth@0ms serves a
    client of depth@100ms), unless several speeds were recorded.
    """

    def __init__(self, files: Mapping[str, bytes]) -> None:
        """`files`: contents by name, in configured order.

        Raises:
            ConfigError: a file is no capture, or a book cannot be rebuilt because its REST snapshot is missing.
        """
        names = ", ".join(files)
        try:
            events = list(read_capture(list(files.items())))
            venue = guess_venue(events)
            if venue not in _REST_PREFIX:
                raise ConfigError(
                    _KEY, f"{names} holds no depth updates of Binance", "Give captures of Binance spot or USD-M"
                )
            # The grid the capture's own numbers lie on: what it lists may have become coarser than they are.
            numbers = (event for event in events if event.kind is not EventKind.INSTRUMENTS)
            instruments = instruments_for(venue_named(venue), numbers)
        except CaptureError as exc:
            raise ConfigError(_KEY, exc.problem, exc.remedy) from exc
        self.rest_prefix = _REST_PREFIX[venue]
        self._events = _recorded(events)
        self._books = _books(events, self._events, names)
        self.listings: Mapping[str, Listing] = {
            listing.symbol: listing for listing in map(_listing, instruments) if listing.symbol in self._books
        }
        self._next = 0
        self._frames = sum(1 for event in self._events if event.channel)
        self._frames_done = 0
        self._trade_channels = _trade_channels(self._events)
        self._aliases = _aliases({event.channel for event in self._events if event.is_depth})
        self.channels = frozenset(event.channel for event in self._events if event.channel)
        self.depth_channels = frozenset(event.channel for event in self._events if event.is_depth)
        self.snapshots_answered: set[str] = set()
        self.histories = {
            symbol: MarketHistory(listing, _middle(self._books[symbol].touch(listing)))
            for symbol, listing in self.listings.items()
        }
        self.books: Mapping[str, ReplayMarket] = {
            it.symbol: ReplayMarket(self.histories[it.symbol], Grid.of(it), self._books[it.symbol])
            for it in instruments
            if it.symbol in self._books
        }
        self._trades = {
            symbol: CapturedTrades(history, has_trades=f"{symbol.lower()}@trade" in self.channels)
            for symbol, history in self.histories.items()
        }
        #: The recorded time of the replay's position.
        self.market_ns = self.first_ns
        #: Told the symbol of every snapshot answered.
        self.on_snapshot: Callable[[str], None] | None = None

    @property
    def is_done(self) -> bool:
        """The capture is at its end; REST goes on answering."""
        return self._next == len(self._events)

    @property
    def first_ns(self) -> int:
        """Local receive time of the first event."""
        return self._events[0].local_ns

    def catch_up(self, now_ns: int) -> None:
        """The replay's own steps make its time."""

    def peek(self) -> Recorded | None:
        """What comes next; None at the end."""
        return None if self.is_done else self._events[self._next]

    def step(self) -> Recorded:
        """Pass the next event: the true book of its symbol is then the book after it."""
        event = self._events[self._next]
        self._next += 1
        self.market_ns = max(self.market_ns, event.local_ns)
        if event.channel:
            self._frames_done += 1
            self._take_trade(event)
        market = self.books.get(event.symbol)
        if market is not None:
            market.time_ns = self.market_ns
            if event.channel in self._trade_channels:
                market.on_trade(event.payload)
        if event.is_depth:
            self._books[event.symbol].apply(event.payload.encode())
        elif not event.channel:
            self._books[event.symbol].reach_snapshot()
        return event

    def _take_trade(self, event: Recorded) -> None:
        trades = self._trades.get(event.symbol)
        if trades is not None:
            trades.apply(event.channel.partition("@")[2], event.payload)
            self.market_ns = max(self.market_ns, self.histories[event.symbol].last_time_ns)

    def channel_of(self, stream: str) -> str:
        """The captured stream that serves a subscription; times are as captured, whatever was asked for."""
        stream = in_milliseconds(stream)
        return self._aliases.get(_family(stream), stream) if stream not in self.channels else stream

    def touch(self, symbol: str) -> Touch:
        """The best of the true book at the replay's position."""
        return self._books[symbol].touch(self.listings[symbol])

    def snapshot(self, symbol: str, limit: int) -> str:
        """The true book at the replay's position."""
        self.snapshots_answered.add(symbol)
        if self.on_snapshot is not None:
            self.on_snapshot(symbol)
        return self._books[symbol].answer(limit)

    def info(self, listings: list[Listing], server_ms: int) -> dict[str, Any]:
        """exchangeInfo of the recorded venue, with the grid the capture's numbers lie on."""
        return (usdm_info if self.rest_prefix == "/fapi/v1" else spot_info)(listings, server_ms)

    def stats(self) -> Mapping[str, object]:
        """How far the replay is."""
        return {
            "mode": "replay",
            "replay_done": self.is_done,
            "replay_frames": self._frames,
            "replay_frames_done": self._frames_done,
            "update_ids": {symbol: book.update_id for symbol, book in self._books.items()},
        }


def _listing(it: Instrument) -> Listing:
    return Listing(it.symbol, it.base, it.quote, it.tick_size, it.lot_size, it.min_notional or _MIN_NOTIONAL)


def _middle(touch: Touch) -> int:
    return max(1, (touch.bid_ticks + touch.ask_ticks) // 2)


def _recorded(events: Sequence[CaptureEvent]) -> list[Recorded]:
    """Frames and snapshots as they will be served; what is neither is left out."""
    recorded = []
    for event in events:
        if event.kind is EventKind.SNAPSHOT:
            recorded.append(Recorded(event.local_ns, event.symbol, "", "", False))
        elif event.kind is EventKind.FRAME:
            channel, payload = _stream_of(event.payload)
            if channel:
                symbol, is_depth = channel.partition("@")[0].upper(), bool(_DEPTH.match(channel))
                recorded.append(Recorded(event.local_ns, symbol, channel, payload.decode(), is_depth))
    return recorded


def _stream_of(payload: bytes) -> tuple[str, bytes]:
    """Stream name and inner message: as a combined-stream frame says, or as a raw one's event and symbol tell."""
    if match := _COMBINED.match(payload):
        return match[1].decode(), match[2]
    event, symbol = _EVENT.match(payload), _SYMBOL.search(payload)
    kind = _KIND_OF_EVENT.get(event[1]) if event else None
    return (f"{symbol[1].decode().lower()}@{kind}" if kind and symbol else ""), payload


def _books(events: Sequence[CaptureEvent], recorded: Sequence[Recorded], names: str) -> dict[str, ReplayBook]:
    snapshots: dict[str, bytes] = {}
    for event in events:
        if event.kind is EventKind.SNAPSHOT:
            snapshots.setdefault(event.symbol, event.payload)
    for symbol in dict.fromkeys(event.symbol for event in recorded if event.is_depth):
        if symbol not in snapshots:
            raise ConfigError(
                _KEY,
                f"{names} holds depth updates of {symbol} but no REST snapshot to start its book from",
                "Give the earlier file of the pair too: it carries the snapshot",
            )
    return {symbol: ReplayBook(snapshot) for symbol, snapshot in snapshots.items()}


def _trade_channels(events: Sequence[Recorded]) -> frozenset[str]:
    """Where each symbol's trades are: one by one if they were captured so, else put together by taker and price."""
    channels = {event.channel for event in events}
    found = {channel for channel in channels if channel.endswith("@trade")}
    aggregated = {channel for channel in channels if channel.endswith("@aggTrade")}
    return frozenset(found | {name for name in aggregated if name.replace("@aggTrade", "@trade") not in found})


def _family(stream: str) -> str:
    match = _DEPTH.match(stream)
    return f"{match[1]}@depth" if match else stream


def _aliases(depth_channels: set[str]) -> dict[str, str]:
    families: dict[str, list[str]] = {}
    for channel in depth_channels:
        families.setdefault(_family(channel), []).append(channel)
    return {family: channels[0] for family, channels in families.items() if len(channels) == 1}
