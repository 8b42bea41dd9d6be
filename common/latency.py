"""A latency histogram with bounded relative error (log-linear buckets, as HdrHistogram's), pure and tiny."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

_SUB_BITS: Final = 5
_SUB: Final = 1 << _SUB_BITS
_BUCKETS: Final = (64 - _SUB_BITS) * _SUB


class LatencyHistogram:
    """Counts of nanosecond durations; a quantile is within 1/32 of the true value. Negative values count as 0."""

    __slots__ = ("count", "counts", "max_ns", "sum_ns")

    def __init__(self) -> None:
        self.counts: npt.NDArray[np.int64] = np.zeros(_BUCKETS, np.int64)
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
        index = int(np.searchsorted(np.cumsum(self.counts), max(1, int(np.ceil(q * self.count)))))
        return float(min(_upper_bound(index), self.max_ns))

    def below(self, bound_ns: int) -> int:
        """How many were at most about `bound_ns` (to the bucket)."""
        shift = max(bound_ns.bit_length() - _SUB_BITS - 1, 0)
        return int(self.counts[: shift * _SUB + (bound_ns >> shift) + 1].sum())

    def merge(self, other: LatencyHistogram) -> None:
        """Add another's counts."""
        self.counts += other.counts
        self.count += other.count
        self.sum_ns += other.sum_ns
        self.max_ns = max(self.max_ns, other.max_ns)

    def sparse(self) -> dict[str, int]:
        """Bucket index -> count, for a status reply."""
        return {str(i): int(self.counts[i]) for i in np.flatnonzero(self.counts)}

    @classmethod
    def from_sparse(cls, buckets: dict[str, int], max_ns: int, sum_ns: int) -> LatencyHistogram:
        """The inverse of `sparse`."""
        hist = cls()
        for index, count in buckets.items():
            hist.counts[int(index)] = count
        hist.count, hist.max_ns, hist.sum_ns = sum(buckets.values()), max_ns, sum_ns
        return hist


def _upper_bound(index: int) -> int:
    shift = max(index // _SUB - 1, 0)
    return ((index - shift * _SUB) + 1 << shift) - 1
