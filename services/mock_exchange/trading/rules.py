"""What the venue allows on a symbol. Filters, limits and defaults are set here alone; exchangeInfo tells of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from services.mock_exchange.listing import Listing
from services.mock_exchange.trading.account_filters import MaxNumAlgoOrders, MaxNumIcebergOrders, MaxNumOrders
from services.mock_exchange.trading.amounts import UNIT, amount_of
from services.mock_exchange.trading.filters import (
    Filter,
    IcebergParts,
    LotSize,
    MarketLotSize,
    Notional,
    PercentPriceBySide,
    PriceFilter,
    TrailingDelta,
)
from services.mock_exchange.trading.orders import SelfTrade, SpotType

_MAX_TICKS: Final = 10**8
_MAX_LOTS_OF_ONE: Final = 9000
_MAX_NOTIONAL: Final = 9_000_000 * UNIT


@dataclass(frozen=True)
class SymbolRules:
    """A symbol's filters in the order they are looked at, and what else an order is held against."""

    filters: tuple[Filter, ...]
    max_order_amends: int = 10
    max_order_lists: int = 20
    order_types: tuple[SpotType, ...] = (
        SpotType.LIMIT,
        SpotType.LIMIT_MAKER,
        SpotType.MARKET,
        SpotType.STOP_LOSS,
        SpotType.STOP_LOSS_LIMIT,
        SpotType.TAKE_PROFIT,
        SpotType.TAKE_PROFIT_LIMIT,
    )
    self_trade: SelfTrade = SelfTrade.EXPIRE_MAKER
    self_trades: tuple[SelfTrade, ...] = tuple(SelfTrade)

    def lot_size(self) -> LotSize:
        """The LOT_SIZE among the filters, which every symbol has."""
        return next(rule for rule in self.filters if type(rule) is LotSize)

    def wire_filters(self) -> list[dict[str, Any]]:
        """As exchangeInfo lists them."""
        listed = [{"filterType": rule.name, **rule.fields()} for rule in self.filters]
        return [
            *listed,
            {"filterType": "MAX_NUM_ORDER_LISTS", "maxNumOrderLists": self.max_order_lists},
            {"filterType": "MAX_NUM_ORDER_AMENDS", "maxNumOrderAmends": self.max_order_amends},
        ]


@lru_cache(maxsize=1024)
def rules_of(listing: Listing) -> SymbolRules:
    """The rules of a listed symbol."""
    lot = listing.lot_amount
    max_qty = _MAX_LOTS_OF_ONE * max(lot, UNIT)
    filters: Sequence[Filter] = (
        PriceFilter(listing.tick_amount, _MAX_TICKS * listing.tick_amount, listing.tick_amount),
        LotSize(lot, max_qty, lot),
        IcebergParts(10),
        MarketLotSize(0, max_qty, 0),
        TrailingDelta(10, 2000, 10, 2000),
        PercentPriceBySide(Decimal(5), Decimal("0.2"), Decimal(5), Decimal("0.2"), 5),
        Notional(amount_of(listing.min_notional), True, _MAX_NOTIONAL, False, 5),
        MaxNumOrders(200),
        MaxNumIcebergOrders(10),
        MaxNumAlgoOrders(5),
    )
    return SymbolRules(tuple(filters))
