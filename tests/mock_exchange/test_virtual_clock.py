"""The virtual clock: stands, runs, and never jumps far."""

from __future__ import annotations

from services.mock_exchange.io.virtual_clock import MAX_JUMP_NS, VIRTUAL_START_NS, VirtualClock


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
