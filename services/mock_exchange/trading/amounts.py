"""Amounts of assets: integers of 1e-8, the finest the venue writes.

A price times a quantity may be finer than that (ETHBTC: 1e-9). What changes hands is cut to 1e-8, the same for both
sides, so no cash appears or vanishes; what a buyer must hold for an order is rounded up.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

DECIMALS: Final = 8
UNIT: Final = 10**DECIMALS


def amount_of(value: Decimal) -> int:
    """A decimal as an amount, however many digits it has.

    Raises:
        ValueError: finer than eight decimals, or no finite number.
    """
    numerator, denominator = value.as_integer_ratio()
    amount, rest = divmod(numerator * UNIT, denominator)
    if rest:
        raise ValueError(f"{value} has more than {DECIMALS} decimals")
    return amount


def amount_text(amount: int) -> str:
    """As the venue writes it: 150000000 -> "1.50000000"."""
    sign, amount = ("-", -amount) if amount < 0 else ("", amount)
    whole, part = divmod(amount, UNIT)
    return f"{sign}{whole}.{part:08d}"


def value_of(price: int, qty: int) -> int:
    """What `qty` costs at `price`, all three in 1e-8, cut: what changes hands in a trade."""
    return price * qty // UNIT


def value_to_hold(price: int, qty: int) -> int:
    """The same rounded up: what a buyer must own for an order."""
    return -(-price * qty // UNIT)
