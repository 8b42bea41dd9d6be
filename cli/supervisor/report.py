"""The summary of a run as a person reads it. Pure."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cli.supervisor.plan import RunPlan
from cli.supervisor.summary import Summary
from dashboard.statuses import HOPS, LATENCIES
from dashboard.terminal.text import duration_us, money, net_pnl, span

_NOTICES_SHOWN = 5


def report(summary: Summary, plan: RunPlan, end: str, notices: tuple[str, ...]) -> RenderableType:
    """Trading, traffic, latency, and whether the run was good."""
    parts: list[RenderableType] = [
        Text.assemble(("Tidewire ", "bold cyan"), f"{plan.title} - {span(summary.seconds)}, {end}"),
        _pair(_trading(summary), _latency(summary)),
        _traffic(summary),
    ]
    if notices:
        parts.append(Text("Last warnings", "bold"))
        parts += [
            Text(f"  {line}", "yellow", no_wrap=True, overflow="ellipsis") for line in notices[-_NOTICES_SHOWN:]
        ]
    parts.append(Text(f"Logs and journals: {plan.folder}", "dim"))
    if summary.exit_reasons:
        parts.append(Text("Not a good run: " + "; ".join(summary.exit_reasons), "bold red"))
    else:
        parts.append(
            Text("A good run: every hop carried messages, orders were filled, nothing was lost", "bold green")
        )
    return Group(*parts)


def _pair(left: Table, right: Table) -> Table:
    grid = Table.grid(padding=(0, 4))
    grid.add_row(left, right)
    return grid


def _table(title: str, *numbers: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, header_style="dim")
    table.add_column("")
    for header in numbers:
        table.add_column(header, justify="right", no_wrap=True)
    return table


def _trading(summary: Summary) -> Table:
    table = _table("Trading", "")
    table.show_header = False
    table.add_row("signals", str(summary.signals))
    table.add_row("approvals", str(summary.approvals))
    for code, count in sorted(summary.refusals.items(), key=lambda item: -item[1]):
        table.add_row(f"refused: {code.lower().replace('_', ' ')}", str(count))
    table.add_row("orders", str(summary.orders))
    table.add_row("fills", str(summary.fills))
    table.add_row("realised P&L", money(summary.realised_pnl))
    table.add_row("unrealised P&L", money(summary.unrealised_pnl))
    table.add_row("fees", money(summary.fees))
    net = net_pnl(summary.realised_pnl, summary.unrealised_pnl, summary.fees)
    table.add_row(
        Text("P&L after fees", "bold"), Text(money(net), "bold red" if net.startswith("-") else "bold green")
    )
    table.add_row("positions agree", "yes" if summary.positions_agree else Text("no", "bold red"))
    if summary.bbo.compared:
        table.add_row("best bid/ask equal the venue's", f"{summary.bbo.equal:,} of {summary.bbo.compared:,}")
    return table


def _latency(summary: Summary) -> Table:
    table = _table("Latency", "p50", "p99", "count")
    for _, name in LATENCIES:
        hop = summary.latency.get(name)
        if hop is not None:
            style = "bold" if name == "tick_to_order" else ""
            cells = (name.replace("_", " "), duration_us(hop.p50_us), duration_us(hop.p99_us), f"{hop.count:,}")
            table.add_row(*cells, style=style)
    return table


def _traffic(summary: Summary) -> Table:
    table = _table("Messages and gaps", "messages", "gaps", "healed", "missing", "lost")
    feed = summary.feed
    table.add_row("venue feed", f"{feed.frames:,}", str(feed.gaps_seen), str(feed.gaps_healed), "", "")
    carried = [topic for topic, _, _ in HOPS]
    for topic in [*carried, *(name for name in summary.messages if name not in carried)]:
        messages, gap = summary.messages.get(topic, 0), summary.gaps.get(topic)
        numbers = (gap.seen, gap.healed, gap.missing, gap.lost) if gap else (0, 0, 0, 0)
        table.add_row(topic, f"{messages:,}", *(str(n) for n in numbers))
    return table
