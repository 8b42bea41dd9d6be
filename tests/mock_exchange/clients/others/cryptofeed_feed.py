"""cryptofeed takes addresses of wss:// alone.

Give the mock exchange a certificate (`mock_exchange.tls_certificate_file`) and name it in SSL_CERT_FILE and
REQUESTS_CA_BUNDLE; of a mock exchange without one, that check is patched away here.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import ssl
import threading
from typing import Any

from cryptofeed import FeedHandler
from cryptofeed.connection import RestEndpoint, WebsocketEndpoint
from cryptofeed.defines import CANDLES, L2_BOOK, TICKER, TRADES
from cryptofeed.exchanges import Binance

from tests.mock_exchange.clients.others.report import Report


class _AnyScheme(str):
    __slots__ = ()

    def startswith(self, *_args: Any) -> bool:
        return True


def run(address: str, report: Report, seconds: float) -> None:
    """Books, trades, tickers and candles of two symbols."""
    if _speaks_tls(address):
        _point("wss", "https", address)
    else:
        _point("ws", "http", address)
        given = Binance._address

        def unchecked(self: Any) -> Any:
            found = given(self)
            return _AnyScheme(found) if isinstance(found, str) else [_AnyScheme(one) for one in found]

        Binance._address = unchecked
    counts = {(kind, symbol): 0 for kind in "tkbc" for symbol in ("BTC-USDT", "ETH-USDT")}
    snapshots: list[str] = []

    def count(kind: str) -> Any:
        async def callback(told: Any, _time: float) -> None:
            counts[kind, told.symbol] += 1
            if kind == "b" and told.delta is None:
                snapshots.append(told.symbol)

        return callback

    # It takes the thread's own loop, which whoever ran asyncio before has cleared.
    asyncio.set_event_loop(asyncio.new_event_loop())
    handler = FeedHandler(config={"log": {"disabled": True}, "uvloop": False})
    channels = {TRADES: count("t"), TICKER: count("k"), L2_BOOK: count("b"), CANDLES: count("c")}
    handler.add_feed(
        Binance(
            symbols=["BTC-USDT", "ETH-USDT"], channels=list(channels), candle_closed_only=False, callbacks=channels
        )
    )
    stopping = threading.Timer(max(5.0, seconds), lambda: os.kill(os.getpid(), signal.SIGINT))
    stopping.start()
    handler.run()
    report.check(f"everything is heard: {counts}", all(counts.values()))
    report.check(f"one snapshot a symbol, so no gap: {snapshots}", sorted(snapshots) == ["BTC-USDT", "ETH-USDT"])


def _speaks_tls(address: str) -> bool:
    host, port = address.rsplit(":", 1)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection((host, int(port))) as plain, context.wrap_socket(plain):
            return True
    except OSError:
        return False


def _point(socket_scheme: str, rest_scheme: str, address: str) -> None:
    Binance.websocket_endpoints = [WebsocketEndpoint(f"{socket_scheme}://{address}")]
    Binance.rest_endpoints = [RestEndpoint(f"{rest_scheme}://{address}", routes=Binance.rest_endpoints[0].routes)]
