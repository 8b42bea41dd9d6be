"""`signal-bridge`: features, strategies and the model; publishes signals."""

from __future__ import annotations

import sys

from common.runtime.daemon import daemon_main
from services.signal_bridge.service import run


def main() -> int:
    """Entry point of the daemon."""
    return daemon_main("signal_bridge", "Turns books and trades into features and signals.", run)


if __name__ == "__main__":
    sys.exit(main())
