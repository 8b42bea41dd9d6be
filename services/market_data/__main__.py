"""`market-data`: feeds, books in sync, published."""

from __future__ import annotations

import sys

from common.runtime.daemon import daemon_main
from services.market_data.service import run


def main() -> int:
    """Entry point of the daemon."""
    return daemon_main("market_data", "Feeds order books and trades from a venue and publishes them.", run)


if __name__ == "__main__":
    sys.exit(main())
