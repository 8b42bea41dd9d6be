"""A latency histogram with bounded relative error (log-linear buckets, as HdrHistogram's), pure and tiny."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from math import ceil
from typing import Final

_SUB_BITS: Final = 5
_SUB: Final = 1 << _SUB_BITS
_BUCKETS: Final = (64 - _SUB_BITS) * _SUB


class LatencyHistogram:
    """Counts of nanosecond durations; a quantile is within 1/32 of the true value. Negative values count as 0."""

    __slots__ = ("count", "counts", "max_ns", "sum_ns")

    def __init__(self) -> None:
        #: A list, because adding to one of its items costs a third of adding to an array's.
        self.counts = [0] * _BUCKETS
        self.count = 0
        self.sum_ns = 0
        self.max_ns = 0

    def record(self, ns: int) -> None:
        """Count one duration."""
        ns = max(ns, 0)
        shift = max(ns.bit_length() - _SUB_BITS - 1, 0)
        self.counts[shift * _SUB + (ns >> shift)] += 1
        self.count += 1
        self.sum_ns += ns
        self.max_ns = max(self.max_ns, ns)

    def quantile(self, q: float) -> float:
        """The duration in ns that a share `q` of all do not exceed; NaN when empty."""
        if self.count == 0:
            return float("nan")
        index = bisect_left(list(accumulate(self.counts)), max(1, ceil(q * self.count)))
        return float(min(_upper_bound(index), self.max_ns))

    def below(self, bound_ns: int) -> int:
        """How many were at most about `bound_ns` (to the bucket)."""
        shift = max(bound_ns.bit_length() - _SUB_BITS - 1, 0)
        return sum(self.counts[: shift * _SUB + (bound_ns >> shift) + 1])


def _upper_bound(index: int) -> int:
    shift = max(index // _SUB - 1, 0)
    return ((index - shift * _SUB) + 1 << shift) - 1
