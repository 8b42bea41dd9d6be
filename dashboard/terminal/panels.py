"""The panels of the live view, each a table out of what is known. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from rich import box
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from dashboard.statuses import LATENCIES, position_lines
from dashboard.terminal.state import Health, MarketView, RunView
from dashboard.terminal.text import UNKNOWN, clock, duration_us, money, net_pnl, span

Cell = str | Text

_SIDE_STYLES: Final = {"BUY": "green", "SELL": "red"}
_PHASE_STYLES: Final = {"ready": "green", "starting": "yellow", "restarting": "yellow", "stopped": "dim"}
#: How a latency is named before people who did not write the daemons.
_LATENCY_NAMES: Final = {
    "feed_to_publish": "feed to book",
    "book_transit": "book on the bus",
    "book_handle": "signal bridge",
    "signal_transit": "signal on the bus",
    "signal_handle": "risk manager",
    "order_transit": "order on the bus",
    "order_handle": "execution engine",
    "report_transit": "report on the bus",
    "tick_to_order": "tick to order",
}


def _panel(title: str, table: Table, *, style: str = "cyan") -> Panel:
    return Panel(table, title=title, title_align="left", border_style=style, box=box.ROUNDED, padding=(0, 0))


def _table(*columns: tuple[str, str]) -> Table:
    """`columns`: header and justification; one line a row, long text cut."""
    table = Table(box=None, expand=True, padding=(0, 1), collapse_padding=True, pad_edge=False, header_style="dim")
    for header, justify in columns:
        table.add_column(header, justify="right" if justify == "right" else "left", no_wrap=True, overflow="ellipsis")
    return table


def _newest_first(table: Table, rows: Iterable[Sequence[Cell]]) -> Table:
    for row in reversed(list(rows)):
        table.add_row(*row)
    return table


def _side(side: str) -> Text:
    return Text(side, _SIDE_STYLES.get(side, ""))


def _signed(text: str) -> Text:
    shown = money(text) if text != UNKNOWN else text
    return Text(shown, "red" if shown.startswith("-") and shown != UNKNOWN else "green" if shown.strip("0.") else "")


def books(view: RunView, *, wide: bool) -> Panel:
    """Best bid and ask of every book, and the state of its feed."""
    columns = [("symbol", "left"), ("bid", "right"), ("ask", "right"), ("spread", "right"), ("feed", "left")]
    if wide:
        columns[1:3] = [("bid qty", "right"), ("bid", "right"), ("ask", "right"), ("ask qty", "right")]
    table = _table(*columns)
    for key in view.book_keys:
        top = view.top(key)
        if top is None:
            continue
        bid, ask = Text(top.bid, "green"), Text(top.ask, "red")
        prices: tuple[Cell, ...] = (top.bid_qty, bid, ask, top.ask_qty) if wide else (bid, ask)
        state = Text(top.state.lower(), "green" if top.state == "SYNCED" else "yellow")
        table.add_row(key.partition(".")[2], *prices, top.spread, state)
    return _panel("Books", table)


def health(view: RunView, *, wide: bool) -> Panel:
    """Every daemon: is it ready, since when, how often did it die."""
    columns = [("daemon", "left"), ("state", "left"), ("up", "right"), ("died", "right")]
    if wide:
        columns.insert(2, ("pid", "right"))
    table = _table(*columns)
    for line in view.health:
        state = health_state(line)
        cells: list[Cell] = [line.service, Text(state, _PHASE_STYLES.get(state, "bold red"))]
        if wide:
            cells.append(str(line.pid or UNKNOWN))
        deaths = Text(str(line.deaths), "bold red" if line.deaths else "")
        table.add_row(*cells, span(line.uptime_s), deaths)
    return _panel("Health", table)


def health_state(line: Health) -> str:
    """One word for a daemon's condition."""
    if line.ready:
        return "ready"
    return "starting" if line.phase == "running" else line.phase


def latency(view: RunView) -> Panel:
    """Where the time goes from a tick to an order and back."""
    table = _table(("latency", "left"), ("p50", "right"), ("p99", "right"), ("count", "right"))
    for _, name in LATENCIES:
        hop = view.totals.latency.get(name)
        style = "bold" if name == "tick_to_order" else ""
        p50, p99, count = (hop.p50_us, hop.p99_us, f"{hop.count:,}") if hop else (None, None, UNKNOWN)
        table.add_row(Text(_LATENCY_NAMES[name], style), duration_us(p50), duration_us(p99), count, style=style)
    return _panel("Latency per hop", table)


def gaps(view: RunView) -> Panel:
    """Messages and gaps per topic, the venue's feed first."""
    table = _table(("topic", "left"), ("messages", "right"), ("gaps", "right"), ("healed", "right"))
    feed = view.totals.feed
    _gap_row(table, "venue feed", feed.frames, feed.gaps_seen, feed.gaps_healed)
    for topic in ("book", "trade", "signal", "order", "report"):
        gap = view.totals.gaps.get(topic)
        _gap_row(table, topic, view.totals.messages.get(topic, 0), gap.seen if gap else 0, gap.healed if gap else 0)
    return _panel("Messages and gaps", table)


def _gap_row(table: Table, name: str, messages: int, seen: int, healed: int) -> None:
    table.add_row(name, f"{messages:,}", str(seen), Text(str(healed), "bold red" if healed < seen else ""))


def positions(view: RunView, *, wide: bool) -> Panel:
    """Open positions as risk keeps them, and the money."""
    risk = view.ledger.stage("risk_manager")
    table = _table(("position", "left"), ("quantity", "right"), ("average price", "right"), ("realised", "right"))
    for (venue, symbol), line in position_lines(risk).items():
        table.add_row(symbol, *_position_cells(view.market, f"{venue}.{symbol}", line))
    totals = view.totals
    net = net_pnl(totals.realised_pnl, totals.unrealised_pnl, totals.fees)
    figures = Text.assemble("P&L after fees ", _signed(net), f"  fees {money(totals.fees)}")
    if wide:
        figures.append(f"  realised {money(totals.realised_pnl)}  unrealised {money(totals.unrealised_pnl)}")
        figures.append(f"  exposure {money(str(risk.get('exposure_notional', 0)))}")
    figures.no_wrap, figures.overflow = True, "ellipsis"
    grid = Table.grid(expand=True)
    grid.add_row(figures)
    grid.add_row(table)
    halted = risk.get("halt_reason") or "halted" if risk.get("is_halted") else ""
    title = f"Positions and P&L - {halted}" if halted else "Positions and P&L"
    return _panel(title, grid, style="bold red" if halted else "cyan")


def _position_cells(market: MarketView, key: str, line: dict[str, Any]) -> tuple[Cell, ...]:
    qty = int(line["qty_lots"])
    average = market.price(key, round(int(line["cost_tick_lots"]) / qty)) if qty else UNKNOWN
    instrument = market.instruments.get(key)
    realised = str(instrument.money(int(line["realised_tick_lots"]))) if instrument else UNKNOWN
    size = Text(market.qty(key, qty), "green" if qty > 0 else "red" if qty < 0 else "dim")
    return size, average, _signed(realised)


def signals(view: RunView, *, wide: bool) -> Panel:
    """Last signals and what risk made of them, newest first."""
    table = _table(("time", "left"), ("symbol", "left"), ("side", "left"), ("conf", "right"), ("risk said", "left"))
    if wide:
        table.add_column("why", no_wrap=True, overflow="ellipsis", ratio=1)
    rows: list[tuple[Cell, ...]] = []
    for s in view.market.signals.values():
        why = (f"{s.strategy}: {s.reason}",) if wide else ()
        rows.append(
            (_time(s.event_ns, wide), s.symbol, _side(s.side), f"{s.confidence:.2f}", _outcome(s.outcome), *why)
        )
    refused = sum(view.totals.refusals.values())
    title = f"Signals {view.totals.signals} - {view.totals.approvals} approved, {refused} refused"
    return _panel(title, _newest_first(table, rows))


def _time(utc_ns: int, wide: bool) -> str:
    return clock(utc_ns) if wide else clock(utc_ns)[:8]


def _outcome(outcome: str) -> Text:
    return Text(_words(outcome), "green" if outcome == "approved" else "yellow")


def _words(code: str) -> str:
    return code.lower().replace("_", " ")


def orders(view: RunView, *, wide: bool) -> Panel:
    """Last orders as they stand, newest first."""
    columns = [("symbol", "left"), ("side", "left"), ("quantity", "right"), ("status", "left")]
    if wide:
        columns = [("time", "left"), *columns[:3], ("limit", "right"), ("for", "left"), columns[3]]
    rows: list[tuple[Cell, ...]] = []
    for o in view.market.orders.values():
        row: tuple[Cell, ...] = (o.symbol, _side(o.side), o.qty)
        rows.append((clock(o.event_ns), *row, o.limit, _words(o.purpose), o.status) if wide else (*row, o.status))
    return _panel(f"Orders {view.totals.orders}", _newest_first(_table(*columns), rows))


def fills(view: RunView, *, wide: bool) -> Panel:
    """Last fills, newest first."""
    columns = [("symbol", "left"), ("side", "left"), ("quantity", "right"), ("price", "right")]
    if wide:
        columns = [("time", "left"), *columns, ("fee", "right")]
    rows: list[tuple[Cell, ...]] = []
    for f in view.market.fills:
        row: tuple[Cell, ...] = (f.symbol, _side(f.side), f.qty, f.price)
        rows.append((clock(f.event_ns), *row, f.fee) if wide else row)
    return _panel(f"Fills {view.totals.fills}", _newest_first(_table(*columns), rows))


def notices(view: RunView, rows: int) -> Panel:
    """Last warnings of the daemons, newest last."""
    grid = Table.grid(expand=True)
    grid.add_column(no_wrap=True, overflow="ellipsis")
    for notice in view.notices[-rows:]:
        grid.add_row(Text(notice, "yellow"))
    return _panel("Notices", grid, style="yellow")
