"""The venue's filters of what an account has on a symbol already: counts of open orders, its position."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from common.messages.base import Side
from services.mock_exchange.trading.amounts import amount_text
from services.mock_exchange.trading.filters import Candidate, Surroundings


@dataclass(frozen=True, slots=True)
class MaxNumOrders:
    """Open orders of an account on a symbol, conditional ones included."""

    name: ClassVar[str] = "MAX_NUM_ORDERS"
    limit: int

    def passes(self, _order: Candidate, around: Surroundings) -> bool:
        """With this one."""
        return around.open_orders < self.limit

    def fields(self) -> dict[str, Any]:
        """A count."""
        return {"maxNumOrders": self.limit}


@dataclass(frozen=True, slots=True)
class MaxNumAlgoOrders:
    """Open conditional orders."""

    name: ClassVar[str] = "MAX_NUM_ALGO_ORDERS"
    limit: int

    def passes(self, order: Candidate, around: Surroundings) -> bool:
        """With this one, if it is such."""
        return not order.type.is_conditional or around.open_algos < self.limit

    def fields(self) -> dict[str, Any]:
        """A count."""
        return {"maxNumAlgoOrders": self.limit}


@dataclass(frozen=True, slots=True)
class MaxNumIcebergOrders:
    """Open icebergs."""

    name: ClassVar[str] = "MAX_NUM_ICEBERG_ORDERS"
    limit: int

    def passes(self, order: Candidate, around: Surroundings) -> bool:
        """With this one, if it is such."""
        return not order.iceberg_qty or around.open_icebergs < self.limit

    def fields(self) -> dict[str, Any]:
        """A count."""
        return {"maxNumIcebergOrders": self.limit}


@dataclass(frozen=True, slots=True)
class MaxPosition:
    """How much of the base asset an account may come to own by buying."""

    name: ClassVar[str] = "MAX_POSITION"
    max_position: int

    def passes(self, order: Candidate, around: Surroundings) -> bool:
        """What it has and has asked for, with this one."""
        return order.side is Side.SELL or around.position + order.qty <= self.max_position

    def fields(self) -> dict[str, Any]:
        """A decimal."""
        return {"maxPosition": amount_text(self.max_position)}
