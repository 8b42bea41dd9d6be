"""A daemon that does nothing but what its flags say, to see how the shared entry point treats it."""

from __future__ import annotations

import argparse
import asyncio
import sys

from common.config import SystemConfig
from common.errors import ConfigError
from common.runtime.daemon import DaemonFlags, daemon_main


async def run(config: SystemConfig, flags: DaemonFlags) -> int:
    """Behave as told."""
    behaviour = flags.args.behaviour
    print(f"running live={flags.live} positions={config.risk.max_open_positions}", flush=True)
    if behaviour == "config-error":
        raise ConfigError("risk.x", "is wrong", "Make it right")
    if behaviour == "config-error-in-group":
        raise ExceptionGroup("two tasks", [ConfigError("risk.x", "is wrong", "Make it right")])
    if behaviour == "crash":
        raise RuntimeError("the floor gave way")
    if behaviour == "return-1":
        return 1
    try:
        if behaviour == "deaf":
            await asyncio.sleep(60)
        if behaviour == "stubborn":
            await _ignore_cancellation()
        await flags.stop.wait()
    finally:
        print("cleaned up", flush=True)
    return 0


async def _ignore_cancellation() -> None:
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            print("ignored", flush=True)


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--behaviour", default="good")


if __name__ == "__main__":
    sys.exit(daemon_main("tiny", "A tiny daemon for tests.", run, _arguments))
