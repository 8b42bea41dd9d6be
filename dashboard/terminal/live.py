"""The live screen: takes the terminal over, gives it back as it was."""

from __future__ import annotations

from rich.console import Console
from rich.live import Live

from dashboard.terminal.screen import screen
from dashboard.terminal.state import RunView


class LiveScreen:
    """Draws pictures on the terminal's second page, so that the user's own page is untouched."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, screen=True, auto_refresh=False)

    def open(self) -> None:
        """Take the terminal over."""
        self._live.start()

    def show(self, view: RunView) -> None:
        """Draw one picture."""
        self._live.update(screen(view, self._console.width, self._console.height), refresh=True)

    def close(self) -> None:
        """Give the terminal back."""
        self._live.stop()
