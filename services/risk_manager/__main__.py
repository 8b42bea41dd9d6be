"""`risk-manager`: sizes, checks and reserves; keeps positions, P&L and stops."""

from __future__ import annotations

import sys

from common.runtime.daemon import daemon_main
from services.risk_manager.service import run


def main() -> int:
    """Entry point of the daemon."""
    return daemon_main("risk_manager", "Turns signals into approved orders or refusals, and watches positions.", run)


if __name__ == "__main__":
    sys.exit(main())
