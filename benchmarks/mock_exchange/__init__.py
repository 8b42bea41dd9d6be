"""The mock exchange over real sockets: orders a second, and frames to fifty readers, beside bare servers.

Ours and the floor run in processes of their own and are asked by the same clients in the same way, in turns. What is
told is the server's processor time per request or frame: the clients share the machine, and wall-clock time would
mostly measure them.
"""

from __future__ import annotations

from benchmarks.mock_exchange.orders import order_rows
from benchmarks.mock_exchange.streams import stream_rows
from benchmarks.report import Row


def run() -> list[Row]:
    """Orders through REST and WebSocket API, frames to fifty clients."""
    return [*order_rows(), *stream_rows()]
