"""One line about a running system, for logs and pipes. Pure."""

from __future__ import annotations

from dashboard.terminal.state import Health, RunView
from dashboard.terminal.text import UNKNOWN, duration_us, money, net_pnl

#: Books named in a line; a longer list would not be a line.
_MOST_BOOKS = 4


def health_text(health: tuple[Health, ...]) -> str:
    """ "all ready", or what is not: "signal_bridge starting, risk_manager restarting"."""
    troubled = [f"{h.service} {_condition(h)}" for h in health if not h.ready]
    return ", ".join(troubled) or "all ready"


def _condition(health: Health) -> str:
    return "starting" if health.phase == "running" else health.phase


def plain_line(view: RunView) -> str:
    """Elapsed time, books, counts, P&L after fees, tick-to-order, gaps seen/healed (feed and bus), health."""
    totals = view.totals
    parts = [f"{view.elapsed_s:.0f}s"]
    keys = view.book_keys
    for key in keys[:_MOST_BOOKS]:
        top = view.top(key)
        if top is not None:
            where = "" if top.state == "SYNCED" else f" ({top.state.lower()})"
            parts.append(f"{key.partition('.')[2]} {top.bid}/{top.ask}{where}")
    if len(keys) > _MOST_BOOKS:
        parts.append(f"+{len(keys) - _MOST_BOOKS} books")
    tick_to_order = totals.latency.get("tick_to_order")
    seen = totals.feed.gaps_seen + totals.bus_gaps_seen
    healed = totals.feed.gaps_healed + totals.bus_gaps_healed
    pnl = net_pnl(totals.realised_pnl, totals.unrealised_pnl, totals.fees)
    parts += [
        f"signals={totals.signals}",
        f"orders={totals.orders}",
        f"fills={totals.fills}",
        f"pnl={pnl if pnl == UNKNOWN else money(pnl)}",
        f"tick_to_order_p99={duration_us(tick_to_order.p99_us if tick_to_order else None)}",
        f"gaps={seen}/{healed}",
        health_text(view.health),
    ]
    return " ".join(parts)
