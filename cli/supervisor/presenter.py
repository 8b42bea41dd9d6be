"""How a run is shown while it goes on: a live screen, plain lines, or not at all."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Protocol

from common.config import SystemConfig
from dashboard.terminal.plain import plain_line
from dashboard.terminal.state import MarketView, RunView

#: A picture this often; a plain line this often.
SCREEN_INTERVAL_S = 0.4
LINE_INTERVAL_S = 5.0


class Presenter(Protocol):
    """What the supervisor shows a run through."""

    market: MarketView

    def open(self, services: Sequence[str], folder: str) -> None:
        """The daemons are being started."""

    def notice(self, line: str) -> None:
        """A daemon warns, or died."""

    def show(self, view: RunView) -> None:
        """Called several times a second; shows as often as it sees fit."""

    def close(self) -> None:
        """The run is over."""


class QuietPresenter:
    """Shows nothing."""

    def __init__(self) -> None:
        self.market = MarketView()

    def open(self, services: Sequence[str], folder: str) -> None: ...

    def notice(self, line: str) -> None: ...

    def show(self, view: RunView) -> None: ...

    def close(self) -> None: ...


class PlainPresenter:
    """One line every few seconds, and every notice."""

    def __init__(self) -> None:
        self.market = MarketView()
        self._shown_s = time.monotonic()
        self._was_trading = False

    def open(self, services: Sequence[str], folder: str) -> None:
        _say(f"starting {', '.join(services)}; logs in {folder}/logs")

    def notice(self, line: str) -> None:
        _say(f"! {line}")

    def show(self, view: RunView) -> None:
        if view.is_trading and not self._was_trading:
            _say("all ready, trading")
            self._was_trading = True
        now = time.monotonic()
        if now - self._shown_s >= LINE_INTERVAL_S:
            self._shown_s = now
            _say(plain_line(view))

    def close(self) -> None: ...


class ScreenPresenter:
    """The live screen, fed from the bus."""

    def __init__(self, config: SystemConfig) -> None:
        # Only a terminal pays for these imports, and only while the daemons are starting anyway.
        from rich.console import Console

        from dashboard.terminal.bus_tap import BusTap
        from dashboard.terminal.live import LiveScreen

        self.market = MarketView()
        sections = (config.market_data, config.signal, config.risk, config.execution)
        self._tap = BusTap(
            [section.zmq_publish_address for section in sections],
            config.market_data.zmq_publish_address,
            config.market_data.zmq_reply_address,
        )
        self._screen = LiveScreen(Console())
        self._shown_s = 0.0

    def open(self, services: Sequence[str], folder: str) -> None:
        self._screen.open()

    def notice(self, line: str) -> None:
        """The picture carries the notices."""

    def show(self, view: RunView) -> None:
        now = time.monotonic()
        if now - self._shown_s >= SCREEN_INTERVAL_S:
            self._shown_s = now
            self._tap.poll(self.market, view.book_keys, now)
            self._screen.show(view)

    def close(self) -> None:
        self._screen.close()
        self._tap.close()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def choose_presenter(config: SystemConfig, *, json_only: bool) -> Presenter:
    """A screen on a terminal, lines elsewhere, nothing when only the JSON is wanted."""
    if json_only:
        return QuietPresenter()
    return ScreenPresenter(config) if sys.stdout.isatty() else PlainPresenter()
