"""What the shells of the pipeline's services share: a stage, driven until told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from common.config import SystemConfig
from common.errors import EXIT_OK
from common.messages import Source
from common.runtime.driver import LiveDriver
from common.stage import Command, Stage
from common.topics import READS


def perform_nothing(command: Command) -> None:
    """For stages that wish for nothing outside."""
    raise TypeError(f"nobody here performs {command!r}")


def make_driver(
    source: Source,
    stage: Stage,
    config: SystemConfig,
    *,
    perform: Callable[[Command], None] = perform_nothing,
    is_ready: Callable[[], bool] = lambda: True,
) -> LiveDriver:
    """The driver of a pipeline stage, reading what the table of topics says it reads."""
    return LiveDriver(source, stage, config, reads=READS[source], perform=perform, is_ready=is_ready)


async def run_stage(source: Source, stage: Stage, config: SystemConfig, stop: asyncio.Event) -> int:
    """Drive a stage that needs nothing but the bus until `stop`; the exit code."""
    async with make_driver(source, stage, config) as driver:
        await driver.run(stop)
    return EXIT_OK
