"""The whole screen: panels laid out for the terminal's size. Pure."""

from __future__ import annotations

from typing import Final

from rich.layout import Layout
from rich.table import Table
from rich.text import Text

from dashboard.terminal import panels
from dashboard.terminal.state import RunView
from dashboard.terminal.text import span

#: From this width on there is room for quantities and process ids.
_WIDE: Final = 120
_FRAME: Final = 3  # a panel's borders and its header line
_MOST_BOOKS: Final = 8
_NOTICE_ROWS: Final = 3


def screen(view: RunView, width: int, height: int) -> Layout:
    """The picture for a terminal of `width` x `height`; what does not fit is cut, the newest stays."""
    wide = width >= _WIDE
    left, right = Layout(ratio=3), Layout(size=54 if wide else 38)
    book_rows = min(max(len(view.book_keys), 1), _MOST_BOOKS)
    position_rows = max(len(view.ledger.stage("risk_manager").get("positions", ())), 1)
    left.split_column(
        Layout(panels.books(view, wide=wide), size=book_rows + _FRAME),
        Layout(panels.positions(view, wide=wide), size=min(position_rows, 6) + _FRAME + 1),
        Layout(panels.signals(view, wide=wide), ratio=4, minimum_size=3),
        Layout(panels.orders(view, wide=wide), ratio=3, minimum_size=3),
        Layout(panels.fills(view, wide=wide), ratio=3, minimum_size=3),
    )
    right.split_column(
        Layout(panels.health(view, wide=wide), size=len(view.health) + _FRAME),
        Layout(panels.latency(view), size=9 + _FRAME),
        Layout(panels.gaps(view), minimum_size=3),
    )
    body = Layout(ratio=1)
    body.split_row(left, right)
    rows = [Layout(_header(view), size=1), body]
    if view.notices and height >= 30:
        shown = min(len(view.notices), _NOTICE_ROWS)
        rows.append(Layout(panels.notices(view, shown), size=shown + 2))
    page = Layout()
    page.split_column(*rows)
    return page


def _header(view: RunView) -> Table:
    grid = Table.grid(expand=True, padding=(0, 1))
    grid.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    grid.add_column(justify="right", no_wrap=True)
    limit = f" of {span(view.duration_s)}" if view.duration_s is not None else ""
    when = f"{span(view.elapsed_s)}{limit}" if view.is_trading else "starting"
    grid.add_row(
        Text.assemble((" Tidewire ", "bold reverse cyan"), " ", view.title), Text(f"{when}   Ctrl-C stops ", "bold")
    )
    return grid
