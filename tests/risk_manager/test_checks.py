"""Each check at its border: the limit itself passes, one step more is refused, and the numbers say so."""

from __future__ import annotations

import inspect
from decimal import Decimal

import pytest

from common.messages import ApprovedOrder, FeedState, FeedStatus, OrderStatus, Purpose, RefusalCode, Side, Source
from services.risk_manager import checks
from tests.risk_manager.build import BTC, ETH, T0, VENUE, Desk, alive, book, instrument, report, signal

# With the first books (10000/10001 ticks of 0.01) an entry of 1000 USDT at confidence 1 buys 9979 lots of 0.001 at
# 10021 ticks (the ask and 0.2 percent, rounded down): 9.979 x 100.21 = 999.99559 USDT.
LOTS, LIMIT = 9_979, 10_021


def test_every_check_stands_in_the_table_once() -> None:
    written = [
        f
        for name, f in inspect.getmembers(checks, inspect.isfunction)
        if f.__module__ == checks.__name__ and name != "first_objection"
    ]
    assert sorted(f.__name__ for f in written) == sorted(f.__name__ for f in checks.CHECKS)


def test_every_code_is_reachable_and_no_other_is_used() -> None:
    source = inspect.getsource(checks) + inspect.getsource(inspect.getmodule(Desk().stage.portfolio))  # type: ignore[arg-type]
    assert [code for code in RefusalCode if f"RefusalCode.{code.value}" not in source] == []


# -- duplicates, readiness, time -------------------------------------------------------------------------------------


def test_a_signal_is_answered_once() -> None:
    desk = Desk()
    s = signal()
    order = desk.order(s)
    desk.tell(report(order, OrderStatus.EXPIRED))
    assert desk.refusal(s).code is RefusalCode.DUPLICATE
    assert desk.stage.stats()["approvals"] == 1


@pytest.mark.parametrize("missing", [Source.MARKET_DATA, Source.EXECUTION_ENGINE])
def test_not_ready_until_both_upstreams_are_caught_up(missing: Source) -> None:
    desk = Desk()
    desk.tell(alive(missing, False))
    refusal = desk.refusal(signal())
    assert refusal.code is RefusalCode.NOT_READY
    assert missing.label in refusal.detail
    desk.tell(alive(missing), book(10_000, 10_001))
    assert desk.order(signal())


def test_other_publishers_do_not_matter() -> None:
    desk = Desk()
    desk.tell(alive(Source.SIGNAL_BRIDGE, False))
    assert desk.order(signal())


def test_books_of_a_lost_publisher_are_not_believed_when_it_returns() -> None:
    desk = Desk()
    desk.tell(alive(Source.MARKET_DATA, False), alive(Source.MARKET_DATA))
    assert desk.refusal(signal()).code is RefusalCode.BOOK_INVALID


def test_a_holding_that_cannot_be_valued_stops_entries() -> None:
    desk = Desk()
    unfed = desk.order(signal()).model_copy(update={"symbol": "XRPUSDT", "order_id": "other"})
    desk = Desk()
    desk.tell(report(unfed, OrderStatus.FILLED, last=5, price=100))
    refusal = desk.refusal(signal())
    assert refusal.code is RefusalCode.NOT_READY
    assert "binance.XRPUSDT" in refusal.detail
    desk.tell(instrument("XRPUSDT"))
    assert desk.order(signal())


def test_a_signal_lives_until_its_expiry() -> None:
    desk = Desk()
    at = desk.now_ns + 1000  # the desk's clock when it is handed over
    assert desk.order(signal(expires_ns=at))
    desk = Desk()
    refusal = desk.refusal(signal(expires_ns=at - 1))
    assert (refusal.code, refusal.numbers) == (
        RefusalCode.SIGNAL_EXPIRED,
        {"now_ns": str(at), "expires_ns": str(at - 1)},
    )


# -- instrument and book ---------------------------------------------------------------------------------------------


def test_an_instrument_never_published_is_unknown_and_leaves_no_trace() -> None:
    desk = Desk()
    assert desk.refusal(signal(symbol="DOGEUSDT")).code is RefusalCode.UNKNOWN_INSTRUMENT
    assert "binance.DOGEUSDT" not in desk.stage.portfolio.holdings


def test_a_halted_instrument_is_not_traded() -> None:
    desk = Desk()
    desk.tell(instrument(status="BREAK"))
    refusal = desk.refusal(signal())
    assert refusal.code is RefusalCode.INSTRUMENT_HALTED
    assert "BREAK" in refusal.detail
    desk.tell(instrument())
    assert desk.order(signal())


def test_another_quote_currency_is_refused_with_a_clear_sentence() -> None:
    desk = Desk()
    desk.tell(instrument("ETHBTC", base="ETH", quote="BTC"), book(500, 501, "ETHBTC"))
    refusal = desk.refusal(signal(symbol="ETHBTC"))
    assert refusal.code is RefusalCode.QUOTE_CURRENCY
    assert "quoted in BTC" in refusal.detail
    assert "limits are in USDT" in refusal.detail


def test_a_grid_that_changes_while_running_bars_entries_not_exits() -> None:
    desk = Desk()
    desk.enter()
    desk.tell(instrument(tick_size=Decimal("0.001")), instrument(ETH, tick_size=Decimal("0.1")))
    assert desk.refusal(signal(symbol=ETH)).code is RefusalCode.UNKNOWN_INSTRUMENT
    assert desk.order(signal(Side.SELL)).purpose is Purpose.EXIT
    desk.tell(instrument(ETH))  # the grid is what it was: no longer barred
    assert desk.order(signal(symbol=ETH))


def test_a_grid_too_fine_to_count_is_refused() -> None:
    desk = Desk()
    desk.tell(instrument("XUSDT", quote="USDT", tick_size=Decimal("1e-15"), lot_size=Decimal("1e-8")))
    desk.tell(book(10, 11, "XUSDT"))
    assert desk.refusal(signal(symbol="XUSDT")).code is RefusalCode.UNKNOWN_INSTRUMENT


@pytest.mark.parametrize("state", [FeedState.DISCONNECTED, FeedState.BUFFERING, FeedState.STALE])
def test_a_book_out_of_sync_is_not_traded_on(state: FeedState) -> None:
    desk = Desk()
    desk.tell(book(10_000, 10_001, state=state))
    assert desk.refusal(signal()).code is RefusalCode.BOOK_INVALID
    desk.tell(book(10_000, 10_001))
    assert desk.order(signal())


def test_a_feed_status_takes_belief_away_and_never_gives_it() -> None:
    desk = Desk()
    stale, synced = (
        FeedStatus(event_ns=T0, origin_ns=T0, trace_id=1, venue=VENUE, symbol=BTC, state=state, reason="test")
        for state in (FeedState.STALE, FeedState.SYNCED)
    )
    desk.tell(stale, synced)
    assert desk.refusal(signal()).code is RefusalCode.BOOK_INVALID


# -- the opinion and the position ------------------------------------------------------------------------------------


def test_confidence_at_the_least_passes() -> None:
    desk = Desk(min_confidence=0.6)
    refusal = desk.refusal(signal(confidence=0.5999))
    assert refusal.code is RefusalCode.LOW_CONFIDENCE
    assert refusal.numbers == {"confidence": "0.5999", "min_confidence": "0.6"}
    assert desk.order(signal(confidence=0.6))


def test_one_order_of_a_symbol_at_a_time_until_its_terminal_report() -> None:
    desk = Desk()
    order = desk.order(signal())
    assert desk.refusal(signal()).code is RefusalCode.ORDER_PENDING
    assert desk.order(signal(symbol=ETH))
    desk.tell(report(order, OrderStatus.NEW), report(order, OrderStatus.UNKNOWN))
    assert desk.refusal(signal()).code is RefusalCode.ORDER_PENDING
    desk.tell(report(order, OrderStatus.CANCELED))
    assert desk.order(signal())


def test_a_position_is_not_added_to() -> None:
    desk = Desk(allow_short=True)
    desk.enter(Side.BUY)
    assert desk.refusal(signal(Side.BUY)).code is RefusalCode.ALREADY_POSITIONED
    desk.enter(Side.SELL, ETH)
    refusal = desk.refusal(signal(Side.SELL, ETH))
    assert refusal.code is RefusalCode.ALREADY_POSITIONED
    assert refusal.numbers["position"].startswith("-")


@pytest.mark.parametrize(
    ("exchange", "allow_short", "is_allowed"),
    [
        ("binance", None, False),
        ("binance-usdm", None, True),
        ("binance", True, True),
        ("binance-usdm", False, False),
    ],
)
def test_shorts_by_venue_unless_configured(exchange: str, allow_short: bool | None, is_allowed: bool) -> None:
    desk = Desk(exchange=exchange, allow_short=allow_short)
    if is_allowed:
        assert desk.order(signal(Side.SELL)).side is Side.SELL
    else:
        assert desk.refusal(signal(Side.SELL)).code is RefusalCode.SHORT_NOT_ALLOWED


# -- minima ----------------------------------------------------------------------------------------------------------


def test_least_notional_exactly_met_passes() -> None:
    worth = Decimal(LOTS * LIMIT) * Decimal("0.00001")
    desk = Desk()
    desk.tell(instrument(min_notional=worth))
    assert desk.order(signal()).qty_lots == LOTS
    desk = Desk()
    desk.tell(instrument(min_notional=worth + Decimal("0.00001")))
    refusal = desk.refusal(signal())
    assert refusal.code is RefusalCode.BELOW_MINIMUM
    assert Decimal(refusal.numbers["notional"]) == worth
    assert Decimal(refusal.numbers["min_notional"]) == worth + Decimal("0.00001")


def test_least_quantity_exactly_met_passes() -> None:
    desk = Desk()
    desk.tell(instrument(min_qty_lots=LOTS))
    assert desk.order(signal()).qty_lots == LOTS
    desk = Desk()
    desk.tell(instrument(min_qty_lots=LOTS + 1))
    refusal = desk.refusal(signal())
    assert refusal.code is RefusalCode.BELOW_MINIMUM
    assert (refusal.numbers["qty"], refusal.numbers["min_qty"]) == ("9.979", "9.980")


def test_no_confidence_is_no_quantity() -> None:
    assert Desk().refusal(signal(confidence=0.0)).code is RefusalCode.BELOW_MINIMUM


def test_a_price_of_nothing_is_refused_not_divided_by() -> None:
    desk = Desk()
    desk.tell(book(0, 0))
    assert desk.refusal(signal()).code is RefusalCode.BELOW_MINIMUM


@pytest.mark.parametrize(("exchange", "needed"), [("binance", True), ("binance-usdm", False)])
def test_an_exit_needs_the_least_quantity_and_on_spot_the_least_notional(exchange: str, needed: bool) -> None:
    desk = Desk(exchange=exchange)
    desk.enter()
    worth = Decimal(LOTS * 10_000) * Decimal("0.00001")  # at the bid
    desk.tell(instrument(min_qty_lots=LOTS + 1))
    assert desk.refusal(signal(Side.SELL)).code is RefusalCode.BELOW_MINIMUM
    desk.tell(instrument(min_qty_lots=LOTS, min_notional=worth + Decimal("0.00001")))
    if needed:
        refusal = desk.refusal(signal(Side.SELL))
        assert refusal.code is RefusalCode.BELOW_MINIMUM
        assert Decimal(refusal.numbers["notional"]) == worth
    else:
        assert desk.order(signal(Side.SELL)).qty_lots == LOTS
    desk = Desk(exchange=exchange)
    desk.enter()
    desk.tell(instrument(min_qty_lots=LOTS, min_notional=worth))
    assert desk.order(signal(Side.SELL)).qty_lots == LOTS


def test_dust_is_neither_stopped_nor_in_the_way() -> None:
    desk = Desk(max_position_size=11)
    entry = desk.order(signal())
    desk.tell(
        report(entry, OrderStatus.PARTIALLY_FILLED, last=49, price=10_000),  # 4.90 USDT; the venue takes 5
        report(entry, OrderStatus.EXPIRED, cum=49),
    )
    assert desk.tell(book(9_000, 9_001)) == []
    desk.tell(book(10_000, 10_001))
    assert desk.refusal(signal(Side.SELL)).code is RefusalCode.BELOW_MINIMUM
    more = desk.order(signal(Side.BUY))
    desk.fill(more, 10_000)
    assert desk.order(book(9_000, 9_001)).qty_lots == more.qty_lots + 49


# -- limits ----------------------------------------------------------------------------------------------------------


def test_position_size_exactly_met_passes_and_a_lot_more_is_refused() -> None:
    assert Desk(max_position_size=Decimal("9.979")).order(signal()).qty_lots == LOTS
    refusal = Desk(max_position_size=Decimal("9.978")).refusal(signal())
    assert refusal.code is RefusalCode.MAX_POSITION_SIZE
    assert refusal.numbers == {
        "position": "0.000",
        "reserved": "0.000",
        "order": "9.979",
        "max_position_size": "9.978",
    }


def test_notional_exposure_exactly_met_passes_and_the_least_more_is_refused() -> None:
    worth = Decimal(LOTS * LIMIT) * Decimal("0.00001")
    assert Desk(max_notional_exposure=worth).order(signal())
    refusal = Desk(max_notional_exposure=worth - Decimal("0.00001")).refusal(signal())
    assert refusal.code is RefusalCode.MAX_NOTIONAL_EXPOSURE
    assert refusal.numbers["exposure"] == refusal.numbers["reserved"] == "0"
    assert Decimal(refusal.numbers["order"]) == worth
    assert Decimal(refusal.numbers["max_notional_exposure"]) == worth - Decimal("0.00001")


def test_notional_exposure_counts_positions_at_the_mark_and_reservations_of_other_symbols() -> None:
    desk = Desk()
    desk.enter(symbol=BTC)  # 9979 lots held, marked at the bid of 10000 ticks
    held = Decimal(LOTS * 10_000) * Decimal("0.00001")
    order = desk.order(signal(symbol=ETH))
    reserved = Decimal(order.qty_lots * order.limit_ticks) * Decimal("0.00001")
    stats = desk.stage.stats()
    assert Decimal(str(stats["exposure_notional"])) == held
    assert Decimal(str(stats["reserved_notional"])) == reserved
    for slack, allowed in ((Decimal(0), True), (Decimal("0.00001"), False)):
        other = Desk(max_notional_exposure=held + reserved - slack)
        other.enter(symbol=BTC)
        out = other.tell(signal(symbol=ETH))[0]
        assert isinstance(out, ApprovedOrder) is allowed


def test_notional_exposure_counts_what_is_reserved_only() -> None:
    worth = 2 * Decimal(LOTS * LIMIT) * Decimal("0.00001")
    for slack, code in ((Decimal(0), None), (Decimal("0.00001"), RefusalCode.MAX_NOTIONAL_EXPOSURE)):
        desk = Desk(max_notional_exposure=worth - slack)
        desk.tell(book(10_000, 10_001, ETH))
        desk.order(signal(symbol=BTC))
        out = desk.tell(signal(symbol=ETH))[0]
        assert getattr(out, "code", None) is code


def test_a_short_reserves_at_the_ask_it_would_be_marked_at() -> None:
    desk = Desk(allow_short=True)
    order = desk.order(signal(Side.SELL))
    assert order.limit_ticks == 9_980  # the bid less 0.2 percent
    assert order.qty_lots == 100_000_000 // 10_001
    reserved = Decimal(order.qty_lots * 10_001) * Decimal("0.00001")
    assert Decimal(str(desk.stage.stats()["reserved_notional"])) == reserved


def test_open_positions_count_entries_on_their_way() -> None:
    desk = Desk(max_open_positions=1)
    order = desk.order(signal(symbol=BTC))
    refusal = desk.refusal(signal(symbol=ETH))
    assert refusal.code is RefusalCode.MAX_OPEN_POSITIONS
    assert refusal.numbers == {"open": "1", "max_open_positions": "1"}
    desk.tell(report(order, OrderStatus.EXPIRED))
    desk.enter(symbol=ETH)
    assert desk.refusal(signal(symbol=BTC)).code is RefusalCode.MAX_OPEN_POSITIONS
    desk.fill(desk.order(signal(Side.SELL, ETH)), 20_000)
    assert desk.order(signal(symbol=BTC))


def test_exits_pass_every_limit() -> None:
    desk = Desk()
    desk.enter()
    tight = Desk(
        max_notional_exposure=Decimal("0.01"),
        max_position_size=Decimal("0.001"),
        max_open_positions=1,
        stop_loss_percent=90,
        trailing_stop_percent=90,
    )
    filled = desk.order(signal(Side.SELL)).model_copy(update={"side": Side.BUY, "purpose": Purpose.ENTRY})
    tight.tell(report(filled, OrderStatus.FILLED, last=LOTS, price=10_001))
    assert tight.order(signal(Side.SELL)).qty_lots == LOTS
