"""Whatever the sequence of signals, books, reports, repeats and partial fills: what must always hold."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from common.messages import ApprovedOrder, OrderStatus, Purpose, Refusal, Side, Signal
from services.risk_manager.valuation import UNITS_PER_QUOTE
from tests.risk_manager.build import VENUE, Desk, instrument
from tests.risk_manager.venue import SYMBOLS, Venue, steps, still_steps

LIMITS = {"max_position_size": Decimal(8), "max_notional_exposure": Decimal(1500), "order_notional": 1000}
NO_STOPS = {"stop_loss_percent": 99, "trailing_stop_percent": 99, "enable_circuit_breaker": False}


def total_exposure(desk: Desk) -> Decimal:
    stats = desk.stage.stats()
    return Decimal(str(stats["exposure_notional"])) + Decimal(str(stats["reserved_notional"]))


def check_books_are_square(desk: Desk, venue: Venue) -> None:
    """Positions are the sums of fills, reservations the rests of live entries, sums the sums of their parts."""
    portfolio, stats = desk.stage.portfolio, desk.stage.stats()
    exposure = reserved = pnl = Decimal(0)
    for symbol in SYMBOLS:
        key, grid = f"{VENUE}.{symbol}", instrument(symbol)
        bid, ask = venue.touch[symbol]
        held = venue.position(symbol)
        assert portfolio.ledger.qty_lots(key) == held
        mark = bid if held > 0 else ask
        entries = [o for o in venue.live.values() if o.symbol == symbol and o.purpose is Purpose.ENTRY]
        leaves = {o.order_id: o.qty_lots - venue.filled[o.order_id] for o in entries}
        assert {o.order_id: o.leaves_lots for o in portfolio.orders.of(key) if o.is_entry} == leaves
        assert portfolio.orders.reserved_lots(key) == sum(o.side.sign * leaves[o.order_id] for o in entries)
        exposure += grid.money(abs(held) * mark)
        reserved += grid.money(
            sum(leaves[o.order_id] * max(o.limit_ticks, bid if o.side.sign > 0 else ask) for o in entries)
        )
        cash = -sum(r.side.sign * r.last_qty_lots * r.last_price_ticks for r in venue.sent if r.symbol == symbol)
        pnl += grid.money(cash + held * mark) - Decimal(
            sum(r.fee_e8 for r in venue.sent if r.symbol == symbol)
        ).scaleb(-8)
    assert {o.order_id for o in portfolio.orders.all()} == set(venue.live)
    assert Decimal(str(stats["exposure_notional"])) == exposure
    assert Decimal(str(stats["reserved_notional"])) == reserved >= 0
    parts = [Decimal(str(stats[name])) for name in ("realised_pnl", "unrealised_pnl", "fees")]
    assert parts[0] + parts[1] - parts[2] == pnl
    assert Decimal(portfolio.pnl_units) / UNITS_PER_QUOTE == pnl
    assert portfolio.open_count == sum(
        1 for s in SYMBOLS if venue.position(s) or portfolio.orders.reserved_lots(f"{VENUE}.{s}")
    )


def check_sizes(desk: Desk) -> None:
    for symbol in SYMBOLS:
        key = f"{VENUE}.{symbol}"
        lots = desk.held(symbol) + desk.stage.portfolio.orders.reserved_lots(key)
        assert abs(lots) * Decimal("0.001") <= desk.config.max_position_size
    assert desk.stage.portfolio.open_count <= desk.config.max_open_positions


@settings(max_examples=60, deadline=None)
@given(st.lists(still_steps, max_size=60), st.booleans())
def test_in_a_still_market_exposure_never_passes_a_limit(sequence: list[tuple], allow_short: bool) -> None:
    desk, venue = Desk(allow_short=allow_short, **LIMITS, **NO_STOPS), Venue()
    for step in sequence:
        desk.wait(step[1] * 1_000_000 if step[0] == "wait" else 0)
        for fact in venue.facts(step):
            venue.accept(desk.tell(fact))
            assert total_exposure(desk) <= desk.config.max_notional_exposure
            check_sizes(desk)
            check_books_are_square(desk, venue)


@settings(max_examples=60, deadline=None)
@given(st.lists(steps, max_size=60), st.booleans())
def test_in_a_moving_market_no_approval_passes_a_limit(sequence: list[tuple], allow_short: bool) -> None:
    desk = Desk(
        allow_short=allow_short,
        max_open_positions=1,
        stop_loss_percent=1,
        trailing_stop_percent=1,
        max_loss_threshold=20,
        **LIMITS,
    )
    venue = Venue()
    for step in sequence:
        desk.wait(step[1] * 1_000_000 if step[0] == "wait" else 0)
        for fact in venue.facts(step):
            outputs = desk.tell(fact)
            venue.accept(outputs)
            orders = [o for o in outputs if isinstance(o, ApprovedOrder)]
            if isinstance(fact, Signal):
                assert len(outputs) == 1 and isinstance(outputs[0], ApprovedOrder | Refusal)
                assert outputs[0].signal_id == fact.signal_id
            for order in orders:
                if order.purpose is Purpose.ENTRY:
                    assert total_exposure(desk) <= desk.config.max_notional_exposure
                    assert not desk.stage.stats()["is_halted"]
                else:
                    held = desk.held(order.symbol)
                    assert order.reduce_only and order.qty_lots == abs(held) and order.side.sign * held < 0
            check_sizes(desk)
            check_books_are_square(desk, venue)
            for symbol in SYMBOLS:
                exits = [o for o in desk.stage.portfolio.orders.of(f"{VENUE}.{symbol}") if not o.is_entry]
                assert len(exits) <= 1


@settings(max_examples=30, deadline=None)
@given(st.lists(still_steps, max_size=40))
def test_reports_told_twice_or_late_change_nothing(sequence: list[tuple]) -> None:
    desk, venue = Desk(**NO_STOPS), Venue()
    for step in sequence:
        for fact in venue.facts(step):
            venue.accept(desk.tell(fact))
    before = desk.stage.stats()
    for fact in reversed(venue.sent):
        assert desk.tell(fact) == []
    assert desk.stage.stats() == before


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_reports_of_different_orders_may_change_places(data: st.DataObject) -> None:
    """Order within an order is kept; between orders it does not matter for positions and reservations."""
    sequence = data.draw(st.lists(still_steps, max_size=40))
    desk, venue = Desk(**NO_STOPS), Venue()
    approved: list[ApprovedOrder] = []
    for step in sequence:
        for fact in venue.facts(step):
            outputs = desk.tell(fact)
            venue.accept(outputs)
            approved += [o for o in outputs if isinstance(o, ApprovedOrder)]
    queues: dict[str, list[object]] = {}
    for fact in {r.report_id: r for r in venue.sent}.values():
        queues.setdefault(fact.order_id, []).append(fact)
    other = Desk(**NO_STOPS)
    for order in approved:
        other.stage.restore(order, was_output=True)
    while queues:
        order_id = data.draw(st.sampled_from(sorted(queues)))
        other.tell(queues[order_id].pop(0))
        if not queues[order_id]:
            del queues[order_id]
    for symbol in SYMBOLS:
        assert other.held(symbol) == desk.held(symbol) == venue.position(symbol)
    ours, theirs = desk.stage.portfolio, other.stage.portfolio
    assert {o.order_id: o.leaves_lots for o in ours.orders.all()} == {
        o.order_id: o.leaves_lots for o in theirs.orders.all()
    }
    assert (ours.reserved_units, ours.exposure_units) == (theirs.reserved_units, theirs.exposure_units)
    assert ours.pnl_units == theirs.pnl_units


def test_the_random_venue_trades() -> None:
    """The properties above are worth nothing if nothing happens in them."""
    desk, venue = Desk(**NO_STOPS), Venue()
    for step in [
        ("signal", "BTCUSDT", Side.BUY, 50),
        ("fill", 0, 40, 10),
        ("fill", 0, 100, 10),
        ("signal", "BTCUSDT", Side.SELL, 50),
        ("fill", 0, 50, 10),
        ("end", 0, OrderStatus.EXPIRED, 0),
        ("repeat", 0, 0, 0),
    ]:
        for fact in venue.facts(step):
            venue.accept(desk.tell(fact))
            check_books_are_square(desk, venue)
    assert [r.status.value for r in venue.sent] == ["PARTIALLY_FILLED", "FILLED", "PARTIALLY_FILLED", "EXPIRED"]
    assert desk.held() == venue.position("BTCUSDT") > 0
