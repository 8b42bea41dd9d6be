"""The feed's shell: one WebSocket to a venue, kept up; frames in, commands out.

It only carries: what a frame means, when a book is in sync and what to ask for next is the stage's business.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

import websockets
from websockets.asyncio.client import ClientConnection, connect

from common.config import MarketDataConfig
from common.config.fields import is_loopback
from common.errors import ConfigError, RefusedError, RetryableError, WireError
from common.messages import LinkState, RawFrame
from common.stage import Command
from common.topics import Event
from services.market_data.commands import FetchSnapshot, Reconnect
from services.market_data.io.backoff import delays_s
from services.market_data.io.rest import MarketRest
from venues.binance import streams

#: The largest frame taken; the deepest snapshots of any venue stay below.
_MAX_FRAME_BYTES: Final = 32 * 2**20
#: Frames handled in a row before the loop's other work gets its turn.
_BURST_FRAMES: Final = 64
#: The venue drops a client whose pong is late by a minute; we notice a dead venue as fast.
_PING_INTERVAL_S: Final = 20
_PING_TIMEOUT_S: Final = 60


class Feed:
    """Keeps the connection and performs the stage's commands."""

    def __init__(
        self, config: MarketDataConfig, inject: Callable[[Event], None], clock_ns: Callable[[], int], log: Any
    ) -> None:
        self.is_connected = False
        self._config = config
        self._inject = inject
        self._clock_ns = clock_ns
        self._log = log
        self._rest = MarketRest(config, clock_ns)
        self._rng = random.Random()
        self._socket: ClientConnection | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._first_failure: float | None = None
        self._reached: set[str] = set()

    async def run(self) -> None:
        """Until cancelled.

        Raises:
            ConfigError: the venue was never reached within startup_timeout_ms, or does not list a symbol.
        """
        try:
            for instrument in await self._load_instruments():
                self._inject(instrument)
            await self._stay_connected()
        finally:
            for task in self._tasks:
                task.cancel()
            await self._rest.close()

    async def _load_instruments(self) -> list[Any]:
        for wait_s in delays_s(self._config.reconnect_delay_ms, self._config.reconnect_max_delay_ms, self._rng):
            try:
                found = await self._rest.instruments()
            except RefusedError as exc:
                problem = f"{', '.join(self._config.symbols)} refused by the venue ({exc})"
                remedy = "Name symbols as the venue spells them, and check that market_data.rest_url is its REST base"
                raise ConfigError("market_data.symbols", problem, remedy) from exc
            except (RetryableError, WireError) as exc:
                await asyncio.sleep(self._failed("market_data.rest_url", str(exc), wait_s))
                continue
            self._reached.add("market_data.rest_url")
            self._first_failure = None
            return found
        raise AssertionError("the waits never end")

    async def _stay_connected(self) -> None:
        waits = delays_s(self._config.reconnect_delay_ms, self._config.reconnect_max_delay_ms, self._rng)
        while True:
            frames = 0
            try:
                async with connect(
                    self._config.websocket_url,
                    max_size=_MAX_FRAME_BYTES,
                    compression=None,
                    ping_interval=_PING_INTERVAL_S,
                    ping_timeout=_PING_TIMEOUT_S,
                    close_timeout=1,
                    proxy=None if is_loopback(urlsplit(self._config.websocket_url).hostname or "") else True,
                ) as socket:
                    self._socket = socket
                    frames = await self._read(socket)
                reason = f"closed by the venue ({socket.close_code} {socket.close_reason})"
            except (OSError, websockets.WebSocketException, TimeoutError) as exc:
                reason = f"{type(exc).__name__}: {exc}"
            finally:
                self._socket = None
            self._set_link(is_up=False, reason=reason)
            if frames:
                waits = delays_s(self._config.reconnect_delay_ms, self._config.reconnect_max_delay_ms, self._rng)
            wait_s = next(waits)
            problem = f"{self._config.websocket_url}: {reason}"
            await asyncio.sleep(self._failed("market_data.websocket_url", problem, wait_s))

    async def _read(self, socket: ClientConnection) -> int:
        self._reached.add("market_data.websocket_url")
        self._first_failure = None
        for request in streams.subscribe_frames(self._config.exchange, self._config.symbols, self._wants_ticker):
            await socket.send(request)
        self._log.info("Connected", url=self._config.websocket_url, symbols=len(self._config.symbols))
        self._set_link(is_up=True, reason="connected")
        venue, inject, clock_ns = self._config.exchange, self._inject, self._clock_ns
        frames = 0
        try:
            while True:
                data = await socket.recv(decode=False)
                inject(RawFrame(venue, clock_ns(), data))
                frames += 1
                if frames % _BURST_FRAMES == 0:
                    await asyncio.sleep(0)
        except websockets.ConnectionClosed:
            return frames

    @property
    def _wants_ticker(self) -> bool:
        return self._config.verify_with_book_ticker

    def _set_link(self, *, is_up: bool, reason: str) -> None:
        self.is_connected = is_up
        now_ns = self._clock_ns()
        self._inject(
            LinkState(
                event_ns=now_ns, origin_ns=now_ns, trace_id=0, venue=self._config.exchange, is_up=is_up, reason=reason
            )
        )

    def _failed(self, key: str, problem: str, wait_s: float) -> float:
        """Say so; seconds to wait. A ConfigError when this was never reached and the time for it is over."""
        now = asyncio.get_running_loop().time()
        if self._first_failure is None:
            self._first_failure = now
        remedy = f"Check the address and the network, or set {key} to the venue you mean"
        gives_up_in_s = None
        if key not in self._reached:
            gives_up_in_s = self._config.startup_timeout_ms / 1000 - (now - self._first_failure)
            if gives_up_in_s <= 0:
                raise ConfigError(key, f"never reached in {now - self._first_failure:.0f} s ({problem})", remedy)
            wait_s = min(wait_s, gives_up_in_s)
            gives_up_in_s = round(gives_up_in_s)
        self._log.warning(
            "Venue not reached", key=key, problem=problem, retry_in_s=round(wait_s, 2), gives_up_in_s=gives_up_in_s
        )
        return wait_s

    # -- commands ----------------------------------------------------------------------------------------------

    def perform(self, command: Command) -> None:
        """Do what the stage wants done."""
        if isinstance(command, FetchSnapshot):
            self._spawn(self._fetch(command.symbol))
        elif isinstance(command, Reconnect) and self._socket is not None:
            self._log.warning("Reconnecting", reason=command.reason)
            self._spawn(self._socket.close(reason="resync"))

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _fetch(self, symbol: str) -> None:
        self._inject(await self._rest.snapshot(symbol))
