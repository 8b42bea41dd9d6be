"""The simulated market's feed: what piled up goes out in bursts, and others get their turn in between."""

from __future__ import annotations

import asyncio

from common.config import MockExchangeConfig
from services.mock_exchange.exchange import Frame
from services.mock_exchange.faults.injector import Injector
from services.mock_exchange.faults.plan import FaultPlan
from services.mock_exchange.io.feeding import BURST_FRAMES, Outlet, feed_simulation
from services.mock_exchange.io.hub import Client, Hub
from services.mock_exchange.simulation.simulated_exchange import SimulatedExchange
from services.mock_exchange.streams.subscriptions import Subscriptions

STREAM = "btcusdt@trade"
PILE = 20 * BURST_FRAMES


class LateExchange(SimulatedExchange):
    """Has much to make up for, once."""

    def __init__(self) -> None:
        super().__init__(MockExchangeConfig())
        self.outbox.extend(Frame(1, STREAM, str(number)) for number in range(PILE))

    def catch_up(self, now_ns: int) -> None:
        """Nothing more happens."""


async def test_a_client_that_keeps_up_is_not_cut_for_the_exchanges_own_delay() -> None:
    sent: list[str] = []

    async def send(message: dict) -> None:
        sent.append(message["text"])

    hub = Hub(lambda stream: stream)
    # Much less room than what has piled up.
    client = Client(send, lambda: None, Subscriptions([STREAM], combined=False), max_frames=2 * BURST_FRAMES)
    hub.add(client)
    writing = asyncio.create_task(client.write())
    feeding = asyncio.create_task(
        feed_simulation(LateExchange(), Outlet(hub, Injector(FaultPlan()), lambda: 1), lambda: 1)
    )
    async with asyncio.timeout(5):
        while len(sent) < PILE:
            assert not client.is_cut
            await asyncio.sleep(0.001)
    assert sent == [str(number) for number in range(PILE)]
    assert BURST_FRAMES <= hub.stats()["most_frames_waiting"] <= 2 * BURST_FRAMES
    for task in (writing, feeding):
        task.cancel()
    await asyncio.gather(writing, feeding, return_exceptions=True)
