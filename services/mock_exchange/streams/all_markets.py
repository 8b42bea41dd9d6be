"""Streams over all symbols at once: the statistics of those that traded, every second."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from services.mock_exchange.exchange import Frame
from services.mock_exchange.streams.symbol_streams import WINDOWS, SymbolStreams, Wanted, channels_of


class AllMarkets:
    """`!miniTicker@arr` and `!ticker_<window>@arr`. `!ticker@arr` is gone, as at the venue (venues.md 2.2)."""

    def __init__(self, symbols: Sequence[SymbolStreams], send: Callable[[Frame], None]) -> None:
        self.wanted: Wanted = lambda _channel: True
        self._symbols = symbols
        self._send = send
        self._told_ns = 0
        self._mini_ticker = channels_of("!miniTicker@arr")
        self._windows = [(window, channels_of(f"!ticker_{window}@arr")) for window in WINDOWS]

    def publish_second(self, time_ns: int) -> None:
        """Tell of the symbols that have traded since the last time; nothing when none has."""
        moved = [symbol for symbol in self._symbols if symbol.history.last_time_ns >= self._told_ns]
        self._told_ns = time_ns
        if not moved:
            return
        for unit, channel in self._mini_ticker:
            if self.wanted(channel):
                self._send_all(channel, time_ns, [symbol.mini_ticker(time_ns, unit) for symbol in moved])
        for window, channels in self._windows:
            for unit, channel in channels:
                if self.wanted(channel):
                    texts = [symbol.window_ticker(window, time_ns, unit) for symbol in moved]
                    self._send_all(channel, time_ns, texts)

    def _send_all(self, channel: str, time_ns: int, texts: Sequence[str]) -> None:
        self._send(Frame(time_ns, channel, f"[{','.join(texts)}]"))
