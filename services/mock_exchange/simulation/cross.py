"""What a cross follows: not where its legs should trade but where they are quoted, so that triangles stay closed.

Under flows that quote around the fundamental price it is the same. Where the price comes from the orders, a cross
tied to the fundamentals would leave its legs for as long as they leave theirs.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from common.config.mock_exchange import MockSymbolConfig
from services.mock_exchange.simulation.fundamental import CrossPrice, FundamentalPrice


class Quoted(Protocol):
    """A symbol at work."""

    @property
    def quoted_price(self) -> float:
        """What its makers quote around, in quote currency, as of its latest act."""
        ...


class QuotedPrice:
    """A symbol's quotes as a price to follow. It knows the present only: the time asked for is taken to be now."""

    def __init__(self, source: Quoted) -> None:
        self._source = source

    def log_at(self, time_ns: int) -> float:
        """Logarithm of the price now."""
        return math.log(self._source.quoted_price)

    def price_at(self, time_ns: int) -> float:
        """The price now."""
        return self._source.quoted_price


def legs_first(symbols: Iterable[MockSymbolConfig]) -> Sequence[MockSymbolConfig]:
    """The order in which markets are to be opened."""
    return sorted(symbols, key=lambda item: item.cross_of is not None)


def followed_price(
    config: MockSymbolConfig, prices: Mapping[str, FundamentalPrice], markets: Mapping[str, Quoted]
) -> FundamentalPrice:
    """What a symbol's informed traders believe in: its fundamental, and of a cross what its legs' `markets` quote.

    Raises:
        KeyError: a cross before its legs.
    """
    price = prices[config.symbol]
    if config.cross_of is None or not isinstance(price, CrossPrice):
        return price
    numerator, denominator = (QuotedPrice(markets[name]) for name in config.cross_of)
    return price.following(numerator, denominator)
