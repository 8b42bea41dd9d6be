"""Public clients against a mock exchange, those that are installed: `python -m tests.mock_exchange.clients.others`.

python-binance and binance-connector are both the package `binance`: one environment holds one of them. Nothing but
the client and the standard library is imported, so an environment needs nothing of this project.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import importlib.util
import sys

from tests.mock_exchange.clients.others.report import Report

#: The module that runs a client, its distribution, and a module that only it has.
CLIENTS = {
    "ccxt_watch": ("ccxt", "ccxt.pro"),
    "python_binance": ("python-binance", "binance.ws.depthcache"),
    "binance_sdk": ("binance-sdk-spot", "binance_sdk_spot"),
    "binance_connector": ("binance-connector", "binance.spot"),
    "unicorn": ("unicorn-binance-websocket-api", "unicorn_binance_websocket_api"),
    "cryptofeed_feed": ("cryptofeed", "cryptofeed"),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mock_exchange.clients.others", description=__doc__)
    parser.add_argument("--address", default="127.0.0.1:9443", help="of a running mock exchange")
    parser.add_argument("--seconds", type=float, default=60, help="how long books are kept")
    parser.add_argument("clients", nargs="*", help=f"of {', '.join(CLIENTS)}; all that are installed by default")
    args = parser.parse_args()
    failures = ran = 0
    for module, (distribution, needed) in CLIENTS.items():
        if (args.clients and module not in args.clients) or not _is_there(needed):
            continue
        print(f"{distribution} {importlib.metadata.version(distribution)}", flush=True)
        report = Report(lambda line: print(line, flush=True))
        client = importlib.import_module(f"{__package__}.{module}")
        report.step("all of it", lambda client=client, report=report: client.run(args.address, report, args.seconds))
        failures += len(report.failures)
        ran += 1
    print(f"{ran} clients, {failures} failures")
    return 1 if failures or not ran else 0


def _is_there(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


if __name__ == "__main__":
    sys.exit(main())
