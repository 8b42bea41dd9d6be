"""A WebSocket connection ends after a day; a notice comes before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple


class ConnectionLife(NamedTuple):
    """How long a connection lives, and how long before its end the notice is sent."""

    length_s: float
    notice_s: float

    @asynccontextmanager
    async def limit(self, notify: Callable[[], None]) -> AsyncIterator[None]:
        """End the block when the life is over.

        Raises:
            TimeoutError: it is.
        """
        timer = asyncio.get_running_loop().call_later(max(0.0, self.length_s - self.notice_s), notify)
        try:
            async with asyncio.timeout(self.length_s):
                yield
        finally:
            timer.cancel()
