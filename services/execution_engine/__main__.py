"""`execution-engine`: sends approved orders, reports what became of them."""

from __future__ import annotations

import sys

from common.runtime.daemon import daemon_main
from services.execution_engine.service import check, run


def main() -> int:
    """Entry point of the daemon."""
    description = "Sends approved orders (on paper by default) and reports on them."
    return daemon_main("execution_engine", description, run, check=check)


if __name__ == "__main__":
    sys.exit(main())
