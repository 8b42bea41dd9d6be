"""Money of different instruments in one integer unit, so that sums over symbols are exact and cheap.

A unit is 1e-20 of the quote currency: the value of one tick x lot is a whole number of units for every grid whose
tick and lot together need at most twenty digits behind the point (Binance's finest need sixteen).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from common.units import FEE_SCALE

_DIGITS: Final = 20
UNITS_PER_QUOTE: Final = 10**_DIGITS
UNITS_PER_FEE_E8: Final = UNITS_PER_QUOTE // FEE_SCALE


def to_units(amount: Decimal) -> int:
    """`amount` of quote currency in units; digits beyond the unit are cut."""
    numerator, denominator = amount.as_integer_ratio()
    return numerator * UNITS_PER_QUOTE // denominator


def exact_units(amount: Decimal) -> int | None:
    """`amount` in units, or None when it is no whole number of them."""
    numerator, denominator = amount.as_integer_ratio()
    units, rest = divmod(numerator * UNITS_PER_QUOTE, denominator)
    return None if rest else units


def units_text(units: int) -> str:
    """Units as decimal text of quote currency, exact, without trailing zeros."""
    whole, rest = divmod(abs(units), UNITS_PER_QUOTE)
    text = f"{whole}.{rest:0{_DIGITS}d}".rstrip("0").rstrip(".") if rest else str(whole)
    return f"-{text}" if units < 0 else text
