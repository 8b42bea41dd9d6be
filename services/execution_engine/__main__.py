"""`execution-engine`: sends approved orders, reports what became of them."""

from __future__ import annotations

import sys

from common.runtime.daemon import daemon_main
from services.execution_engine.service import run


def main() -> int:
    """Entry point of the daemon."""
    return daemon_main("execution_engine", "Sends approved orders (on paper by default) and reports on them.", run)


if __name__ == "__main__":
    sys.exit(main())
