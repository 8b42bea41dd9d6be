"""Orders on their way and the exposure reserved for them.

An entry reserves its whole quantity at approval. A fill turns its part into position, a terminal report releases the
rest; each exactly once, whatever is repeated. Until a terminal report the rest stays reserved, also while the
order's fate is UNKNOWN. Exits reserve nothing (they only reduce), but they count as live.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from common.messages import ApprovedOrder, ExecutionReport, Purpose
from services.risk_manager.id_memory import IdMemory
from services.risk_manager.sizing import exposure_price_ticks

_NONE: Final[dict[str, LiveOrder]] = {}


class LiveOrder:
    """An order that may still fill."""

    __slots__ = ("is_entry", "key", "leaves_lots", "limit_ticks", "order_id", "purpose", "side", "strategy")

    def __init__(self, order: ApprovedOrder | ExecutionReport) -> None:
        self.order_id = order.order_id
        self.key = f"{order.venue}.{order.symbol}"
        self.side = order.side
        self.purpose = order.purpose
        self.strategy = order.strategy
        self.limit_ticks = order.limit_ticks
        self.leaves_lots = order.qty_lots
        if isinstance(order, ExecutionReport):  # what this very report fills is still to be taken off
            self.leaves_lots -= max(0, order.cum_qty_lots - order.last_qty_lots)
        self.is_entry = order.purpose is Purpose.ENTRY


class LiveOrders:
    """Every live order, by id and by symbol."""

    __slots__ = ("_by_id", "_by_key", "_known")

    def __init__(self) -> None:
        self._by_id: dict[str, LiveOrder] = {}
        self._by_key: dict[str, dict[str, LiveOrder]] = {}
        self._known = IdMemory()

    def __len__(self) -> int:
        return len(self._by_id)

    def open(self, order: ApprovedOrder | ExecutionReport) -> None:
        """Reserve for an order. One already known, live or ended, changes nothing.

        A report opens an order too: the journal that held its approval may be gone.
        """
        if self._known.add(order.order_id):
            live = LiveOrder(order)
            self._by_id[live.order_id] = live
            self._by_key.setdefault(live.key, {})[live.order_id] = live

    def fill(self, order_id: str, lots: int) -> None:
        """Part of the order has become position. Beyond what is left, nothing is released twice."""
        live = self._by_id.get(order_id)
        if live is not None:
            live.leaves_lots = max(0, live.leaves_lots - lots)

    def close(self, order_id: str) -> LiveOrder | None:
        """The order can fill no more; None when it was not live."""
        live = self._by_id.pop(order_id, None)
        if live is not None:
            of_symbol = self._by_key[live.key]
            del of_symbol[order_id]
            if not of_symbol:
                del self._by_key[live.key]
        return live

    def of(self, key: str) -> Iterable[LiveOrder]:
        """Live orders of a symbol, oldest first."""
        return self._by_key.get(key, _NONE).values()

    def has_any(self, key: str) -> bool:
        """True while an order of the symbol may still fill."""
        return key in self._by_key

    def has_exit(self, key: str) -> bool:
        """True while an exit of the symbol is on its way."""
        return any(not live.is_entry for live in self._by_key.get(key, _NONE).values())

    def reserved_lots(self, key: str) -> int:
        """Signed lots that entries on their way may still add."""
        return sum(o.leaves_lots * o.side.sign for o in self._by_key.get(key, _NONE).values() if o.is_entry)

    def reserved_tick_lots(self, key: str, bid_ticks: int, ask_ticks: int) -> int:
        """Worst-case notional of the entries on their way, at their limits or at the marks where those are worse."""
        return sum(
            o.leaves_lots * exposure_price_ticks(o.side, o.limit_ticks, bid_ticks, ask_ticks)
            for o in self._by_key.get(key, _NONE).values()
            if o.is_entry
        )

    def all(self) -> tuple[LiveOrder, ...]:
        """Every live order, oldest first."""
        return tuple(self._by_id.values())
