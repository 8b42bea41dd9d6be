"""The venue's REST answers market data needs: instruments and book snapshots."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx

from common.config import MarketDataConfig
from common.config.fields import is_loopback
from common.errors import RefusedError, RetryableError
from common.messages import Instrument, SnapshotReply
from venues.binance import instruments, snapshot, streams

_TOO_MANY = (418, 429)
#: A longer ban is reported, not slept through; also the wait when the venue names none.
_LONGEST_WAIT_S = 60.0


class MarketRest:
    """A client of one venue's public REST. What may pass is a RetryableError, what will not a RefusedError."""

    def __init__(self, config: MarketDataConfig, clock_ns: Callable[[], int]) -> None:
        self.base = config.rest_url or streams.default_rest_url(config.exchange, config.websocket_url)
        self._config = config
        self._clock_ns = clock_ns
        # A proxy from the environment has no business between us and our own machine.
        trust_env = not is_loopback(urlsplit(self.base).hostname or "")
        self._client = httpx.AsyncClient(base_url=self.base, timeout=10.0, trust_env=trust_env)
        #: No request before this loop time: the venue said when to come back.
        self._not_before = 0.0

    async def _get(self, path: str) -> bytes:
        loop = asyncio.get_running_loop()
        wait_s = self._not_before - loop.time()
        if wait_s > _LONGEST_WAIT_S:
            raise RetryableError(f"{self.base}: the venue bans this address for another {wait_s:.0f} s")
        await asyncio.sleep(max(0.0, wait_s))
        try:
            answer = await self._client.get(path)
        except httpx.HTTPError as exc:
            raise RetryableError(f"{self.base}{path}: {type(exc).__name__}: {exc}") from exc
        if answer.status_code in _TOO_MANY:
            asked = answer.headers.get("Retry-After", "")
            wait_s = float(asked) if asked.isdecimal() else _LONGEST_WAIT_S
            self._not_before = loop.time() + wait_s
            raise RetryableError(
                f"{self.base}{path}: the venue says to wait {wait_s:g} s (HTTP {answer.status_code})"
            )
        if answer.is_client_error:
            raise RefusedError(f"{self.base}{path}: HTTP {answer.status_code}: {answer.text[:200]}")
        if answer.status_code != httpx.codes.OK:
            raise RetryableError(f"{self.base}{path}: HTTP {answer.status_code}: {answer.text[:200]}")
        return answer.content

    async def instruments(self) -> list[Instrument]:
        """The configured symbols' instruments.

        Raises:
            RetryableError: the venue was not reached, or refused for now.
            RefusedError: the venue does not list a symbol, or refuses the request as such.
        """
        symbols = tuple(self._config.symbols)
        body = await self._get(instruments.exchange_info_path(self._config.exchange, symbols))
        return instruments.parse_exchange_info(body, self._config.exchange, symbols)

    async def snapshot(self, symbol: str) -> SnapshotReply:
        """A book snapshot, or the error that came instead of it."""
        data, error = b"", ""
        try:
            path = snapshot.snapshot_path(self._config.exchange, symbol, self._config.snapshot_levels)
            data = await self._get(path)
        except (RetryableError, RefusedError) as exc:
            error = str(exc)
        now_ns = self._clock_ns()
        return SnapshotReply(
            event_ns=now_ns,
            origin_ns=now_ns,
            trace_id=0,
            venue=self._config.exchange,
            symbol=symbol,
            data=data,
            error=error,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
