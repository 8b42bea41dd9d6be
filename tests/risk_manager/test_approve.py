"""Only approve.py makes an ApprovedOrder; and what it makes carries what led to it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from common.messages import OrderType, Purpose, Side, TimeInForce
from common.messages.orders import ORDER_ID_PATTERN
from tests.conftest import ROOT
from tests.risk_manager.build import T0, Desk, book, signal

PACKAGES = ("common", "market", "venues", "models", "strategies", "services", "lab", "cli", "dashboard", "benchmarks")
MAKER = "services/risk_manager/approve.py"


def constructions(source: str) -> list[int]:
    """Lines where an ApprovedOrder is made: called under any name it was imported by, or through a class method."""
    tree = ast.parse(source)
    names = {"ApprovedOrder"}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names |= {a.asname for a in node.names if a.name == "ApprovedOrder" and a.asname}

    def is_the_type(node: ast.expr) -> bool:
        if isinstance(node, ast.Attribute):
            return node.attr == "ApprovedOrder"
        return isinstance(node, ast.Name) and node.id in names

    lines = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            f = node.func
            if is_the_type(f) or (isinstance(f, ast.Attribute) and is_the_type(f.value)):
                lines.append(node.lineno)
    return lines


def test_nothing_else_constructs_an_approved_order() -> None:
    found = {
        str(path.relative_to(ROOT)): lines
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if (lines := constructions(path.read_text()))
    }
    assert set(found) == {MAKER}, f"ApprovedOrder is made outside {MAKER}: {found}"


@pytest.mark.parametrize(
    "seeded",
    [
        "from common.messages import ApprovedOrder\nApprovedOrder(x=1)",
        "from common.messages import ApprovedOrder as A\nA()",
        "import common.messages as m\nm.ApprovedOrder(**fields)",
        "from common.messages import ApprovedOrder\nApprovedOrder.model_construct()",
        "from common.messages import orders\norders.ApprovedOrder.model_validate({})",
    ],
)
def test_the_scan_sees_every_way_of_making_one(seeded: str) -> None:
    assert constructions(seeded) == [2]


def test_the_scan_lets_reading_pass() -> None:
    source = "from common.messages import ApprovedOrder\nif isinstance(x, ApprovedOrder):\n    y: ApprovedOrder = x\n"
    assert constructions(source) == []


def test_maker_exists_where_the_scan_looks() -> None:
    assert (Path(ROOT) / MAKER).is_file()


def test_entry_inherits_from_its_signal() -> None:
    desk = Desk()
    s = signal(Side.BUY)
    order = desk.order(s)
    assert (order.event_ns, order.origin_ns, order.trace_id) == (s.event_ns, s.origin_ns, s.trace_id)
    assert (order.signal_id, order.strategy, order.purpose) == (s.signal_id, s.strategy, Purpose.ENTRY)
    assert (order.order_type, order.time_in_force, order.reduce_only) == (OrderType.LIMIT, TimeInForce.IOC, False)
    assert order.valid_until_ns == desk.now_ns + 5_000_000_000
    assert re.match(ORDER_ID_PATTERN, order.order_id)


def test_forced_exit_inherits_from_its_book() -> None:
    desk = Desk()
    entry = desk.enter()
    crash = book(9_000, 9_001, at_ns=T0 + 77)
    order = desk.order(crash)
    assert (order.event_ns, order.origin_ns, order.trace_id) == (crash.event_ns, crash.origin_ns, crash.trace_id)
    assert (order.order_type, order.time_in_force, order.reduce_only) == (OrderType.MARKET, TimeInForce.IOC, True)
    assert (order.qty_lots, order.side, order.limit_ticks) == (entry.qty_lots, Side.SELL, 0)
    assert (order.signal_id, order.strategy) == ("", entry.strategy)


def test_order_ids_derive_from_facts() -> None:
    def ids() -> list[str]:
        desk = Desk()
        entry = desk.order(signal(signal_id="a"))
        desk.fill(entry, 10_001)
        return [entry.order_id, desk.order(book(9_000, 9_001)).order_id]

    assert ids() == ids()
    assert len(set(ids())) == 2
    assert Desk().order(signal(signal_id="b")).order_id not in ids()


def test_a_lost_journal_does_not_bring_old_exit_ids_back() -> None:
    """The count of approvals starts again; the time of the book does not."""

    def stop(at_ns: int) -> str:
        desk = Desk()
        desk.enter()
        return desk.order(book(9_000, 9_001, at_ns=at_ns)).order_id

    assert stop(T0) == stop(T0) != stop(T0 + 1)
