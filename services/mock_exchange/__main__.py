"""`mock-exchange`: an exchange of one's own, without account, key or network."""

from __future__ import annotations

import sys

from common.runtime.daemon import daemon_main
from services.mock_exchange.service import add_arguments, run


def main() -> int:
    """Entry point of the daemon."""
    return daemon_main(
        "mock_exchange",
        "Serves a simulated or recorded market in Binance's dialect: REST, streams and a matching engine.",
        run,
        add_arguments,
    )


if __name__ == "__main__":
    sys.exit(main())
