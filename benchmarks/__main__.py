"""`python -m benchmarks [name ...]`: run all benchmarks, or those named."""

from __future__ import annotations

import importlib
import sys

from benchmarks.report import print_rows

MODELS = (
    "chiarella",
    "cointegration",
    "factors",
    "hawkes",
    "indicators",
    "market_making",
    "mean_reversion_portfolio",
    "optimal_execution",
    "ornstein_uhlenbeck",
    "price_discovery",
    "rough_heston",
    "signatures",
    "statistics",
    "triangular",
)
BENCHMARKS = (
    *("frame_to_book", "replay", "bars", "consolidated", "matching", "bus_hop", "tick_to_order", "mock_exchange"),
    *(f"models.{name}" for name in MODELS),
)


def main() -> int:
    """Run and print; unknown names are refused."""
    names = sys.argv[1:] or list(BENCHMARKS)
    if unknown := [name for name in names if name not in BENCHMARKS]:
        print(f"no benchmark named {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    rows = []
    for name in names:
        print(f"[bench] {name}", file=sys.stderr)
        rows += importlib.import_module(f"benchmarks.{name}").run()
    print_rows(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
