"""The live view as text, and the plain line."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from dashboard.statuses import StatusLedger, add_up
from dashboard.terminal.plain import plain_line
from dashboard.terminal.screen import screen
from dashboard.terminal.state import ROWS, Health, MarketView, RunView
from dashboard.terminal.text import clock, duration_us, money, net_pnl, span
from tests.supervisor.samples import AT_NS, book, fill, good_statuses, instrument, ledger_of, order, refusal, signal

SERVICES = ("mock_exchange", "market_data", "signal_bridge", "risk_manager", "execution_engine")


def run_view(market: MarketView | None = None, ledger: StatusLedger | None = None, *, ready: bool = True) -> RunView:
    ledger = ledger_of(good_statuses()) if ledger is None else ledger
    health = tuple(Health(s, "running", 100 + i, ready, 0, 61.5) for i, s in enumerate(SERVICES))
    return RunView(
        title="paper trading, mock exchange",
        elapsed_s=12.3,
        duration_s=60.0,
        is_trading=True,
        health=health,
        ledger=ledger,
        totals=add_up(ledger),
        market=market or MarketView(),
        notices=("signal_bridge: the model file is absent",),
    )


def drawn(view: RunView, width: int, height: int) -> str:
    console = Console(file=StringIO(), record=True, width=width, height=height, force_terminal=True)
    console.print(screen(view, width, height), height=height)
    return console.export_text()


def filled_market() -> MarketView:
    market = MarketView()
    for event in (instrument(), book(), signal("s0"), refusal("s0"), signal("s1"), order("s1"), fill()):
        market.apply(event)
    return market


def test_the_screen_shows_what_a_user_watches_for() -> None:
    text = drawn(run_view(filled_market()), 140, 44)
    for part in (
        "BTCUSDT", "0.52000", "60000.01", "60000.05", "0.01300", "0.04", "synced",  # book top, spread, feed
        "ETHUSDT", "3000.10",  # not heard on the bus: from the status
        "BUY", "already positioned", "approved", "momentum: MACD crossed up",  # signals and outcomes
        "0.01600", "60120.00", "entry", "filled",  # the order
        "0.960000 USDT",  # the fill's fee
        "P&L after fees -1.32", "60000.00",  # money; average price of the position
        "tick to order", "310us", "120us",  # latency
        "market_data", "ready", "101", "1:01",  # health
        "venue feed", "9,000",  # gaps
        "the model file is absent", "0:12 of 1:00", "Ctrl-C stops",
    ):  # fmt: skip
        assert part in text, part


@pytest.mark.parametrize(("width", "height"), [(80, 24), (100, 30), (200, 60), (40, 10)])
def test_the_screen_keeps_within_any_terminal(width: int, height: int) -> None:
    lines = drawn(run_view(filled_market()), width, height).rstrip("\n").split("\n")
    assert len(lines) <= height
    assert max(len(line) for line in lines) <= width


def test_the_small_terminal_still_shows_books_money_health_and_latency() -> None:
    text = drawn(run_view(filled_market()), 80, 24)
    for part in (
        "60000.01",
        "P&L after fees -1.32",
        "execution_engine",
        "tick to order",
        "Signals",
        "Orders",
        "Fills",
    ):
        assert part in text, part


def test_an_empty_run_can_be_drawn() -> None:
    view = run_view(ledger=StatusLedger(), ready=False)
    assert "starting" in drawn(view, 120, 40)


def test_a_halt_is_shown() -> None:
    statuses = good_statuses()
    statuses["risk_manager"]["stage"] |= {"is_halted": True, "halt_reason": "loss of 5001"}
    assert "loss of 5001" in drawn(run_view(ledger=ledger_of(statuses)), 120, 40)


def test_the_plain_line() -> None:
    assert plain_line(run_view()) == (
        "12s BTCUSDT 60000.01/60000.02 ETHUSDT 3000.10/3000.11 signals=6 orders=4 fills=4 pnl=-1.32 "
        "tick_to_order_p99=310us gaps=3/3 all ready"
    )


def test_the_plain_line_names_what_is_not_ready_and_feeds_that_are_no_book() -> None:
    statuses = good_statuses()
    statuses["market_data"]["stage"]["books"]["binance.BTCUSDT"]["state"] = "BUFFERING"
    line = plain_line(run_view(ledger=ledger_of(statuses), ready=False))
    assert "BTCUSDT 60000.01/60000.02 (buffering)" in line
    assert line.endswith("risk_manager starting, execution_engine starting")


def test_history_is_bounded() -> None:
    market = MarketView()
    for i in range(3 * ROWS):
        market.apply(signal(f"s{i}"))
        market.apply(fill())
    assert len(market.signals) == len(market.fills) == ROWS
    assert f"s{3 * ROWS - 1}" in market.signals and "s0" not in market.signals


def test_prices_stay_a_dash_until_the_instrument_is_known() -> None:
    market = MarketView()
    market.apply(fill())
    assert market.fills[0].price == "-"
    assert market.top("binance.BTCUSDT") is None


@pytest.mark.parametrize(
    ("text", "shown"),
    [("-0.41", "-0.41"), ("12.3", "12.30"), ("0", "0.00"), ("-0.001234567", "-0.001235"), ("12345.678", "12,345.68"),
     ("0.00000001", "0.00000001"), ("unknown", "unknown")],
)  # fmt: skip
def test_money(text: str, shown: str) -> None:
    assert money(text) == shown


def test_small_texts() -> None:
    assert [duration_us(v) for v in (None, 85.4, 1200.0, 2_050_000.0)] == ["-", "85us", "1.2ms", "2.05s"]
    assert [span(v) for v in (0.9, 61.5, 3725)] == ["0:00", "1:01", "1:02:05"]
    assert clock(AT_NS) == "23:54:13.123"
    assert net_pnl("1.5", "-0.25", "0.25") == "1.00" and net_pnl("?", "0", "0") == "-"
