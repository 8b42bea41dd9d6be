"""Exact conversions between decimal text and integer ticks, lots and nanoseconds.

Decimals exist at the doors only (venue, config, screen); everything inside is an integer.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

NS_PER_US: Final = 1_000
NS_PER_MS: Final = 1_000_000
NS_PER_S: Final = 1_000_000_000
#: Fees travel as integers of 1e-8 of the fee asset, the precision venues quote commissions in.
FEE_SCALE: Final = 10**8
#: One basis point of one basis point: rates are integers of 1e-6 where exactness matters.
PPM: Final = 1_000_000


def decimals_of(step: Decimal) -> int:
    """Digits behind the point that `step` needs: 0.01 -> 2, 0.5 -> 1, 5 -> 0, 1E-8 -> 8."""
    exponent = step.normalize().as_tuple().exponent
    if not isinstance(exponent, int):
        raise ValueError(f"a step must be a finite number, not {step}")
    return max(0, -exponent)


def to_steps(value: Decimal, step: Decimal) -> int:
    """`value` as a whole number of `step`s.

    Raises:
        ValueError: `value` is no multiple of `step`; nothing is rounded silently.
    """
    quotient = value / step
    steps = int(quotient)
    if steps * step != value:
        raise ValueError(f"{value} is not a multiple of {step}")
    return steps


def floor_steps(value: Decimal, step: Decimal) -> int:
    """The largest whole number of `step`s not above `value` (quantities round down)."""
    return int(value // step)


def format_steps(steps: int, step: Decimal) -> str:
    """Decimal text of `steps` x `step`, with exactly the digits of `step`."""
    return f"{steps * step:.{decimals_of(step)}f}"


def percent_to_ppm(percent: Decimal) -> int:
    """2.0 (percent) -> 20_000 (parts per million). Digits beyond 1e-4 percent are cut."""
    return int(percent * 10_000)


def bps_to_ppm(bps: Decimal) -> int:
    """10 (basis points) -> 1_000 (parts per million). Digits beyond 1e-2 basis points are cut."""
    return int(bps * 100)
