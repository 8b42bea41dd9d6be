"""A supervisor that is dead but not yet reaped is gone all the same."""

from __future__ import annotations

import asyncio
import subprocess
import sys

from common.runtime.orphan import wait_until_orphaned


async def test_a_zombie_is_no_supervisor() -> None:
    dead = subprocess.Popen([sys.executable, "-c", "print('ended')"], stdout=subprocess.PIPE)
    assert dead.stdout is not None and dead.stdout.read()
    await asyncio.wait_for(wait_until_orphaned(dead.pid), 10)
    dead.wait()


async def test_a_living_one_is_waited_for() -> None:
    living = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    waiting = asyncio.create_task(wait_until_orphaned(living.pid))
    done, _ = await asyncio.wait([waiting], timeout=1.5)
    assert not done
    living.communicate(b"\n")
    await asyncio.wait_for(waiting, 5)
