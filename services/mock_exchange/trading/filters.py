"""The venue's filters of one order, each with its rule and the way exchangeInfo tells of it (venues.md 2.4).

All numbers are amounts (1e-8), so every comparison is exact. Where a field is 0 that part of the rule is off.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, Final, NamedTuple, Protocol

from common.messages.base import Side
from services.mock_exchange.trading.amounts import UNIT, amount_text
from services.mock_exchange.trading.orders import SpotType

_ABOVE: Final = frozenset({(SpotType.STOP_LOSS, Side.BUY), (SpotType.STOP_LOSS_LIMIT, Side.BUY)}) | frozenset(
    {(SpotType.TAKE_PROFIT, Side.SELL), (SpotType.TAKE_PROFIT_LIMIT, Side.SELL)}
)


class Candidate(NamedTuple):
    """An order as filters see it. 0 is "not sent"."""

    side: Side
    type: SpotType
    qty: int
    price: int = 0
    stop_price: int = 0
    quote_qty: int = 0
    iceberg_qty: int = 0
    trailing_delta_bps: int = 0


class Surroundings(NamedTuple):
    """What else filters look at: the market's average price by minutes, and what the account has there already."""

    average_price: Callable[[int], int]
    open_orders: int
    open_algos: int
    open_icebergs: int
    #: Of the base asset: free, locked, and what open buy orders ask for.
    position: int


class Filter(Protocol):
    """One rule of one symbol."""

    name: ClassVar[str]

    def passes(self, order: Candidate, around: Surroundings) -> bool:
        """Whether the venue would take the order."""
        ...

    def fields(self) -> dict[str, Any]:
        """The rule as exchangeInfo has it, but its type."""
        ...


@dataclass(frozen=True, slots=True)
class PriceFilter:
    """Range and grid of price and stop price."""

    name: ClassVar[str] = "PRICE_FILTER"
    min_price: int
    max_price: int
    tick_size: int

    def passes(self, order: Candidate, _around: Surroundings) -> bool:
        """Price and stop price, where sent."""
        return all(
            _within(price, self.min_price, self.max_price) and _on_grid(price, self.tick_size)
            for price in (order.price, order.stop_price)
            if price
        )

    def fields(self) -> dict[str, Any]:
        """Decimals."""
        return _texts(minPrice=self.min_price, maxPrice=self.max_price, tickSize=self.tick_size)


@dataclass(frozen=True, slots=True)
class LotSize:
    """Range and grid of quantity and iceberg quantity."""

    name: ClassVar[str] = "LOT_SIZE"
    min_qty: int
    max_qty: int
    step_size: int

    def passes(self, order: Candidate, _around: Surroundings) -> bool:
        """Quantity and iceberg quantity, where sent."""
        return all(self.admits(qty) for qty in (order.qty, order.iceberg_qty) if qty)

    def admits(self, qty: int) -> bool:
        """One quantity."""
        return _within(qty, self.min_qty, self.max_qty) and _on_grid(qty, self.step_size)

    def fields(self) -> dict[str, Any]:
        """Decimals."""
        return _texts(minQty=self.min_qty, maxQty=self.max_qty, stepSize=self.step_size)


@dataclass(frozen=True, slots=True)
class MarketLotSize(LotSize):
    """The same for market orders alone."""

    name: ClassVar[str] = "MARKET_LOT_SIZE"

    def passes(self, order: Candidate, _around: Surroundings) -> bool:
        """The quantity of a market order."""
        return order.type is not SpotType.MARKET or not order.qty or self.admits(order.qty)


@dataclass(frozen=True, slots=True)
class IcebergParts:
    """In how many slices an iceberg may come."""

    name: ClassVar[str] = "ICEBERG_PARTS"
    limit: int

    def passes(self, order: Candidate, _around: Surroundings) -> bool:
        """CEIL(qty / icebergQty)."""
        return not order.iceberg_qty or -(-order.qty // order.iceberg_qty) <= self.limit

    def fields(self) -> dict[str, Any]:
        """A count."""
        return {"limit": self.limit}


@dataclass(frozen=True, slots=True)
class TrailingDelta:
    """Range of trailingDelta by whether the trigger lies above or below the market."""

    name: ClassVar[str] = "TRAILING_DELTA"
    min_above_bps: int
    max_above_bps: int
    min_below_bps: int
    max_below_bps: int

    def passes(self, order: Candidate, _around: Surroundings) -> bool:
        """Above: buys of STOP_LOSS and sales of TAKE_PROFIT; below: the others."""
        delta = order.trailing_delta_bps
        if not delta:
            return True
        if (order.type, order.side) in _ABOVE:
            return self.min_above_bps <= delta <= self.max_above_bps
        return self.min_below_bps <= delta <= self.max_below_bps

    def fields(self) -> dict[str, Any]:
        """Basis points."""
        return {
            "minTrailingAboveDelta": self.min_above_bps,
            "maxTrailingAboveDelta": self.max_above_bps,
            "minTrailingBelowDelta": self.min_below_bps,
            "maxTrailingBelowDelta": self.max_below_bps,
        }


@dataclass(frozen=True, slots=True)
class PercentPrice:
    """How far a price may be from the average of `avg_price_mins` (0: the last price)."""

    name: ClassVar[str] = "PERCENT_PRICE"
    multiplier_up: Decimal
    multiplier_down: Decimal
    avg_price_mins: int

    def passes(self, order: Candidate, around: Surroundings) -> bool:
        """Orders with a price."""
        if not order.price:
            return True
        average = around.average_price(self.avg_price_mins)
        return average * self.multiplier_down <= order.price <= average * self.multiplier_up

    def fields(self) -> dict[str, Any]:
        """Multipliers as they were given."""
        return {
            "multiplierUp": str(self.multiplier_up),
            "multiplierDown": str(self.multiplier_down),
            "avgPriceMins": self.avg_price_mins,
        }


@dataclass(frozen=True, slots=True)
class PercentPriceBySide:
    """The same, each side with a range of its own."""

    name: ClassVar[str] = "PERCENT_PRICE_BY_SIDE"
    bid_up: Decimal
    bid_down: Decimal
    ask_up: Decimal
    ask_down: Decimal
    avg_price_mins: int

    def passes(self, order: Candidate, around: Surroundings) -> bool:
        """Orders with a price."""
        if not order.price:
            return True
        up, down = (self.bid_up, self.bid_down) if order.side is Side.BUY else (self.ask_up, self.ask_down)
        average = around.average_price(self.avg_price_mins)
        return average * down <= order.price <= average * up

    def fields(self) -> dict[str, Any]:
        """Multipliers as they were given."""
        return {
            "bidMultiplierUp": str(self.bid_up),
            "bidMultiplierDown": str(self.bid_down),
            "askMultiplierUp": str(self.ask_up),
            "askMultiplierDown": str(self.ask_down),
            "avgPriceMins": self.avg_price_mins,
        }


@dataclass(frozen=True, slots=True)
class MinNotional:
    """Least value of an order."""

    name: ClassVar[str] = "MIN_NOTIONAL"
    min_notional: int
    applies_to_market: bool
    avg_price_mins: int

    def passes(self, order: Candidate, around: Surroundings) -> bool:
        """Market orders only if they are named."""
        if order.type is SpotType.MARKET and not self.applies_to_market:
            return True
        return _notional_times_unit(order, around, self.avg_price_mins) >= self.min_notional * UNIT

    def fields(self) -> dict[str, Any]:
        """A decimal, a flag, minutes."""
        return {
            "minNotional": amount_text(self.min_notional),
            "applyToMarket": self.applies_to_market,
            "avgPriceMins": self.avg_price_mins,
        }


@dataclass(frozen=True, slots=True)
class Notional:
    """Least and greatest value of an order."""

    name: ClassVar[str] = "NOTIONAL"
    min_notional: int
    min_applies_to_market: bool
    max_notional: int
    max_applies_to_market: bool
    avg_price_mins: int

    def passes(self, order: Candidate, around: Surroundings) -> bool:
        """Each bound of market orders only if it is named."""
        is_market = order.type is SpotType.MARKET
        value = _notional_times_unit(order, around, self.avg_price_mins)
        if (self.min_applies_to_market or not is_market) and value < self.min_notional * UNIT:
            return False
        return (is_market and not self.max_applies_to_market) or value <= self.max_notional * UNIT

    def fields(self) -> dict[str, Any]:
        """Decimals, flags, minutes."""
        return {
            "minNotional": amount_text(self.min_notional),
            "applyMinToMarket": self.min_applies_to_market,
            "maxNotional": amount_text(self.max_notional),
            "applyMaxToMarket": self.max_applies_to_market,
            "avgPriceMins": self.avg_price_mins,
        }


def _within(value: int, least: int, most: int) -> bool:
    return value >= least and (not most or value <= most)


def _on_grid(value: int, step: int) -> bool:
    return not step or value % step == 0


def _notional_times_unit(order: Candidate, around: Surroundings, minutes: int) -> int:
    """Value in 1e-16, so that nothing is cut. A market order's is reckoned at the average price."""
    if order.quote_qty:
        return order.quote_qty * UNIT
    return (order.price or order.stop_price or around.average_price(minutes)) * order.qty


def _texts(**amounts: int) -> dict[str, Any]:
    return {name: amount_text(amount) for name, amount in amounts.items()}
