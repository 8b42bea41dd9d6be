"""What makes the market move: the clock for simulated flow, the capture's own times for a replay."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from typing import Final

from common.units import NS_PER_S
from services.mock_exchange.faults.injector import Injector
from services.mock_exchange.io.hub import Hub
from services.mock_exchange.recorded.replay import Recorded, ReplayExchange
from services.mock_exchange.simulation.simulated_exchange import SimulatedExchange

#: How finely real time is cut: frames that fall within go out together.
STEP_S: Final = 0.002
#: Frames sent in a row before the loop's other work gets its turn.
BURST_FRAMES: Final = 128
#: After the first depth subscription, how long the replay waits for the client's other subscriptions.
SETTLE_S: Final = 0.25
#: How long the replay waits at a snapshot's place for the client to fetch it, as the recorder had.
SNAPSHOT_WAIT_S: Final = 2.0


class Outlet:
    """What stands between the exchange and the hub: every frame goes through, harmed and delayed as the plan says."""

    def __init__(self, hub: Hub, injector: Injector, now_ns: Callable[[], int]) -> None:
        self._hub = hub
        self._injector = injector
        self._now_ns = now_ns
        #: (when it is due, its number, channel, text), by time; and per channel the last of them.
        self._late: list[tuple[int, int, str, str]] = []
        self._last_due: dict[str, int] = {}
        self._number = 0

    def send(self, channel: str, text: str) -> None:
        """Fan a frame out, now or later. Frames of a channel stay in order, as on a connection."""
        now_ns = self._now_ns()
        fate = self._injector.on_frame(channel, text, now_ns)
        if fate.is_cut:
            self._hub.cut(channel)
        due_ns = max(now_ns + fate.wait_ns, self._last_due.get(channel, 0))
        if due_ns <= now_ns:
            for sent in fate.texts:
                self._hub.publish(channel, sent)
            return
        self._last_due[channel] = due_ns
        for sent in fate.texts:
            self._number += 1
            heapq.heappush(self._late, (due_ns, self._number, channel, sent))

    def release(self) -> None:
        """Fan out what is due by now."""
        if not self._late:
            return
        now_ns = self._now_ns()
        while self._late and self._late[0][0] <= now_ns:
            _, _, channel, text = heapq.heappop(self._late)
            self._hub.publish(channel, text)

    def flush(self) -> None:
        """Fan out all that is held back; nothing more follows."""
        while self._late:
            _, _, channel, text = heapq.heappop(self._late)
            self._hub.publish(channel, text)
        for channel, text in self._injector.flush():
            self._hub.publish(channel, text)


async def feed_simulation(exchange: SimulatedExchange, outlet: Outlet, now_ns: Callable[[], int]) -> None:
    """Let the simulated market follow the clock, until cancelled; what it makes up for, in bursts.

    Requests leave frames in the outbox too: whoever sends, sends in the outbox's order.
    """
    while True:
        exchange.catch_up(now_ns())
        send_outbox(exchange, outlet)
        outlet.release()
        await asyncio.sleep(0 if exchange.outbox else STEP_S)


def send_outbox(exchange: SimulatedExchange, outlet: Outlet) -> None:
    """Fan out a burst of what has collected."""
    outbox = exchange.outbox
    for _ in range(min(BURST_FRAMES, len(outbox))):
        frame = outbox.popleft()
        outlet.send(frame.stream, frame.payload)


class ReplayFeed:
    """Sends a capture at `speed` times its own pace; 0: as fast as the slowest client reads, nothing dropped.

    It begins when every captured channel has a reader, or shortly after a diff stream has one, so that no frame is
    wasted. With a pace it goes on whoever leaves; without one it rests while nobody reads, for nobody sets the pace.
    """

    def __init__(
        self, exchange: ReplayExchange, hub: Hub, outlet: Outlet, speed: float, start_delay_s: float = 0
    ) -> None:
        self._exchange = exchange
        self._hub = hub
        self._outlet = outlet
        self._speed = speed
        self._start_delay_s = start_delay_s
        self._loop = asyncio.get_running_loop()
        self._origin_s = 0.0

    async def run(self) -> None:
        """Replay to the end; then the streams stay open and silent."""
        await self._wait_for_readers()
        await asyncio.sleep(self._start_delay_s)
        self._origin_s = self._loop.time()
        burst = 0
        while (event := self._exchange.peek()) is not None:
            burst += 1
            if burst >= BURST_FRAMES:
                burst = 0
                await asyncio.sleep(0)
            await self._pace(event)
            if not event.channel:
                await self._wait_for_snapshot(event.symbol)
            event = self._exchange.step()
            if event.channel:
                self._outlet.send(event.channel, event.payload)
            self._outlet.release()
        self._outlet.flush()

    async def _wait_for_readers(self) -> None:
        exchange, hub = self._exchange, self._hub
        while not any(hub.is_read(channel) for channel in exchange.depth_channels):
            await hub.wait_for_change()
        exchange.snapshots_answered.clear()
        deadline_s = self._loop.time() + SETTLE_S
        while not all(hub.is_read(channel) for channel in exchange.channels):
            try:
                async with asyncio.timeout_at(deadline_s):
                    await hub.wait_for_change()
            except TimeoutError:
                return

    async def _pace(self, event: Recorded) -> None:
        if self._speed > 0:
            due_s = self._origin_s + (event.local_ns - self._exchange.first_ns) / (NS_PER_S * self._speed)
            wait_s = due_s - self._loop.time()
            if wait_s > 0:
                await asyncio.sleep(max(wait_s, STEP_S))
            return
        while not any(self._hub.is_read(channel) for channel in self._exchange.channels):
            await self._hub.wait_for_change()
        await self._hub.wait_for_room()

    async def _wait_for_snapshot(self, symbol: str) -> None:
        """A recorder asked for this snapshot here; give the client the time to do the same, and stop the clock."""
        if symbol in self._exchange.snapshots_answered:
            return
        began_s = self._loop.time()
        answered = asyncio.Event()
        self._exchange.on_snapshot = lambda name: answered.set() if name == symbol else None
        try:
            async with asyncio.timeout(SNAPSHOT_WAIT_S):
                await answered.wait()
        except TimeoutError:
            pass
        finally:
            self._exchange.on_snapshot = None
        self._origin_s += self._loop.time() - began_s
