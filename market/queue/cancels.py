"""Who of a queue left it: rules that spread the cancelled lots of a level over those ahead of a place and behind it.

A level-by-level recording tells how many lots left a price without a trade, not which. Rigtorp, "Estimating order
queue position" (2013, rigtorp.se): the share that left from ahead of a place V in a queue of Q is f(V) / (f(V) +
f(Q - V)) for a function f. The choices of f here are powers, so that whole lots stay whole and every machine agrees.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isqrt
from typing import Final

#: (cancelled, ahead, behind) -> lots of the cancelled that were ahead; the caller keeps it within what can be.
CancelRule = Callable[[int, int, int], int]

#: Square roots are taken with this many more binary digits.
_ROOT_SHIFT: Final = 32


def proportional(cancelled: int, ahead: int, behind: int) -> int:
    """f(x) = x: every lot of the queue is as likely to leave. The plain assumption, and the default."""
    return cancelled * ahead // (ahead + behind) if ahead else 0


def behind_first(cancelled: int, ahead: int, behind: int) -> int:
    """Nobody ahead leaves while somebody behind can: only trades move the place. The most cautious rule."""
    return max(0, cancelled - behind)


def root(cancelled: int, ahead: int, behind: int) -> int:
    """f(x) = sqrt(x): concave, as Rigtorp's logarithm is; the smaller part loses more than its share."""
    front, back = isqrt(ahead << _ROOT_SHIFT), isqrt(behind << _ROOT_SHIFT)
    return cancelled * front // (front + back) if front else 0


def power(exponent: int) -> CancelRule:
    """f(x) = x ** exponent, exponent >= 1: the larger part loses more than its share."""

    def spread(cancelled: int, ahead: int, behind: int) -> int:
        front = ahead**exponent
        return cancelled * front // (front + behind**exponent) if front else 0

    return spread
