"""Looking back: orders and trades by id and by time, with the venue's windows and paging (venues.md 2.6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, TypeVar

from common.units import NS_PER_S
from services.mock_exchange.errors import VenueError
from services.mock_exchange.trading.journal import Journal
from services.mock_exchange.trading.orders import Fill, Order, OrderList, PreventedMatch

MAX_WINDOW_NS: Final = 24 * 3600 * NS_PER_S
T = TypeVar("T")


def all_orders(
    journal: Journal, from_id: int | None, start_ns: int | None, end_ns: int | None, limit: int | None
) -> list[Order]:
    """Oldest first: from an id or a time on, or else the latest. Raises VenueError -1127."""
    _check_window(start_ns, end_ns)
    found = _between(journal, lambda order: order.created_ns, start_ns, end_ns)
    return _page(found, lambda order: order.order_id, from_id, is_from_start=start_ns is not None, limit=limit)


def trades(
    journal: Journal,
    order_id: int | None,
    from_id: int | None,
    start_ns: int | None,
    end_ns: int | None,
    limit: int,
) -> list[tuple[Order, Fill]]:
    """Oldest first: of an order, from a trade id or a time on, or else the latest. Raises VenueError -1127, -1128."""
    has_times = start_ns is not None or end_ns is not None
    if has_times and (order_id is not None or from_id is not None):
        raise VenueError(-1128, "Combination of optional parameters invalid.")
    _check_window(start_ns, end_ns)
    found = _between(journal.trades, lambda trade: trade[1].time_ns, start_ns, end_ns)
    if order_id is not None:
        found = [trade for trade in found if trade[0].order_id == order_id]
    return _page(found, lambda trade: trade[1].trade_id, from_id, is_from_start=start_ns is not None, limit=limit)


def order_lists(
    lists: Iterable[OrderList], from_id: int | None, start_ns: int | None, end_ns: int | None, limit: int
) -> list[OrderList]:
    """Oldest first, as `all_orders`; an id excludes times. Raises VenueError -1127, -1128."""
    if from_id is not None and (start_ns is not None or end_ns is not None):
        raise VenueError(-1128, "Combination of optional parameters invalid.")
    _check_window(start_ns, end_ns)
    found = _between(lists, lambda one: one.created_ns, start_ns, end_ns)
    return _page(found, lambda one: one.order_list_id, from_id, is_from_start=start_ns is not None, limit=limit)


def prevented_matches(
    journal: Journal, match_id: int | None, order_id: int | None, from_id: int | None, limit: int
) -> list[PreventedMatch]:
    """One match, or those of an order from an id on."""
    found = [
        match
        for match in journal.prevented
        if match_id in (None, match.match_id) and order_id in (None, match.taker_order_id, match.maker_order_id)
    ]
    return _page(found, lambda match: match.match_id, from_id, is_from_start=True, limit=limit)


def _check_window(start_ns: int | None, end_ns: int | None) -> None:
    if start_ns is not None and end_ns is not None and end_ns - start_ns > MAX_WINDOW_NS:
        raise VenueError(-1127, "More than 24 hours between startTime and endTime.")


def _between(records: Iterable[T], time_of: Callable[[T], int], start_ns: int | None, end_ns: int | None) -> list[T]:
    return [
        record
        for record in records
        if (start_ns is None or time_of(record) >= start_ns) and (end_ns is None or time_of(record) <= end_ns)
    ]


def _page(
    found: list[T], id_of: Callable[[T], int], from_id: int | None, *, is_from_start: bool, limit: int | None
) -> list[T]:
    if from_id is not None:
        return [record for record in found if id_of(record) >= from_id][:limit]
    return found[:limit] if is_from_start or limit is None else found[-limit:]
