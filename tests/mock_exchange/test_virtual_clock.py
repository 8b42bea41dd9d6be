"""The virtual clock: stands, runs, and never jumps far."""

from __future__ import annotations

import asyncio

from services.mock_exchange.io.virtual_clock import MAX_JUMP_NS, VIRTUAL_START_NS, VirtualClock
from tests.mock_exchange.build import running
from tests.mock_exchange.faults.trader import Trader


def test_it_stands_until_started_runs_at_the_real_pace_and_makes_pauses_short() -> None:
    real = [5]
    clock = VirtualClock(lambda: real[0])
    real[0] += 10**12
    assert clock.now_ns() == VIRTUAL_START_NS
    clock.start()
    assert clock.now_ns() == VIRTUAL_START_NS
    real[0] += 1234
    assert clock.now_ns() == VIRTUAL_START_NS + 1234
    clock.start()
    real[0] += 7
    assert clock.now_ns() == VIRTUAL_START_NS + 1241
    real[0] += 100 * MAX_JUMP_NS
    assert clock.now_ns() == VIRTUAL_START_NS + 1241 + MAX_JUMP_NS


async def test_an_order_starts_it_as_a_subscription_does() -> None:
    async with running(clock="virtual") as server:
        trader = Trader(server)
        query = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.001"}
        await asyncio.sleep(0.2)
        times = [await server.get(f"{server.http}/api/v3/time")]
        assert (await trader.send("POST", "order", **query, timestamp=times[0]["serverTime"])).status_code == 200
        await asyncio.sleep(0.3)
        times.append(await server.get(f"{server.http}/api/v3/time"))
    first, second = (at["serverTime"] * 1_000_000 for at in times)
    assert first == VIRTUAL_START_NS and second >= VIRTUAL_START_NS + 200_000_000
