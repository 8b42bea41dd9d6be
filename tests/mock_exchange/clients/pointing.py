"""How clients are pointed at a mock exchange: nothing but their addresses. Standard library only."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlparse

KEY = "tidewire-demo-key"
SECRET = "tidewire-demo-secret"


def point_ccxt(exchange: Any, address: str) -> Any:
    """A ccxt `binance` of any of the three kinds, talking to `address` (HOST:PORT) alone.

    Every REST address keeps its path: default options also ask /sapi, /fapi and /dapi. The socket's address must hold
    `/stream`, by which ccxt tells spot from futures.
    """
    api = exchange.urls["api"]
    for name, url in api.items():
        if isinstance(url, str):
            api[name] = f"http://{address}{urlparse(url).path}"
    if "ws" in api:
        api["ws"]["spot"] = f"ws://{address}/ws/stream"
        api["ws"]["ws-api"]["spot"] = f"ws://{address}/ws-api/v3"
    return exchange
