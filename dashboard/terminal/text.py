"""Numbers as they stand on the screen. Pure."""

from __future__ import annotations

import time
from decimal import Decimal, InvalidOperation

from common.units import NS_PER_MS, NS_PER_S

UNKNOWN = "-"


def money(text: str) -> str:
    """Decimal text with two digits behind the point, or four significant ones of small change: -0.41, 0.001234."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        return text
    if value == 0 or abs(value) >= Decimal("0.01"):
        return f"{value:,.2f}"
    return f"{value:,.{min(8, 3 - value.adjusted())}f}"


def net_pnl(realised: str, unrealised: str, fees: str) -> str:
    """Realised and unrealised P&L less fees, as decimal text; an unreadable part leaves it unknown."""
    try:
        return str(Decimal(realised) + Decimal(unrealised) - Decimal(fees))
    except InvalidOperation:
        return UNKNOWN


def duration_us(value: float | None) -> str:
    """Microseconds in a fitting unit: 85us, 310us, 1.2ms, 2.05s."""
    if value is None:
        return UNKNOWN
    if value < 1000:
        return f"{value:.0f}us"
    if value < 1_000_000:
        return f"{value / 1000:.1f}ms"
    return f"{value / 1_000_000:.2f}s"


def span(seconds: float) -> str:
    """Seconds as m:ss, or h:mm:ss from an hour on."""
    whole = int(seconds)
    minutes, hours = whole // 60 % 60, whole // 3600
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def clock(utc_ns: int) -> str:
    """Time of day, UTC, with milliseconds."""
    return f"{time.strftime('%H:%M:%S', time.gmtime(utc_ns // NS_PER_S))}.{utc_ns % NS_PER_S // NS_PER_MS:03}"
