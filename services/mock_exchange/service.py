"""The mock exchange's shell: a market, simulated or recorded, served over real sockets in Binance's dialect."""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from common.config import MockExchangeConfig, SystemConfig
from common.errors import EXIT_OK, ConfigError
from common.runtime.clock import Clock
from common.runtime.daemon import DaemonFlags
from common.runtime.http import HttpServer, metrics_app
from common.runtime.logging import get_logger
from common.runtime.metrics import StatusCollector, make_registry
from common.runtime.secrets import read_secret
from services.mock_exchange.faults.injector import Injector, plan_of_damage
from services.mock_exchange.faults.plan import FaultPlan
from services.mock_exchange.io.admin import TOKEN_VARIABLE, plan_from_file
from services.mock_exchange.io.hub import Hub
from services.mock_exchange.io.venue_server import VenueServer
from services.mock_exchange.io.virtual_clock import VirtualClock
from services.mock_exchange.recorded.replay import ReplayExchange
from services.mock_exchange.simulation.simulated_exchange import SimulatedExchange


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags that make the mock exchange usable without a configuration."""
    parser.add_argument("--port", type=int, help="port on 127.0.0.1; stronger than mock_exchange.listen_address")
    parser.add_argument("--seed", type=int, help="stronger than mock_exchange.seed")
    parser.add_argument("--faults", help="a fault plan; stronger than mock_exchange.fault_plan_file")


async def run(config: SystemConfig, flags: DaemonFlags) -> int:
    """Serve until stopped; the exit code.

    Raises:
        ConfigError: an address is taken, a flag is out of range, or a file cannot be used.
    """
    return await serve(_with_flags(config.mock_exchange, flags.args), flags.stop)


async def serve(
    config: MockExchangeConfig,
    stop: asyncio.Event,
    on_serving: Callable[[Collection[str]], None] = lambda _symbols: None,
) -> int:
    """Serve `config`'s market until `stop` is set; the exit code. `on_serving` gets the symbols once it listens."""
    log, began_s = get_logger("mock_exchange"), time.monotonic()
    virtual = VirtualClock(time.monotonic_ns) if config.clock == "virtual" else None
    now_ns = virtual.now_ns if virtual else Clock().now_ns
    venues = _venues(config, now_ns, virtual.start if virtual else lambda: None)
    first = venues[0]
    # Full books are objects by the million that stay: the collector would halt the market to look through them all.
    gc.collect()
    gc.freeze()
    is_ready = False

    def status() -> Mapping[str, Any]:
        stage = dict(first.stats())
        if len(venues) > 1:
            stage["second_venue"] = venues[1].stats()
        return {
            "service": "mock_exchange",
            "pid": os.getpid(),
            "ready": is_ready,
            "uptime_s": round(time.monotonic() - began_s, 3),
            "stage": stage,
        }

    registry = make_registry(StatusCollector(status, dict))
    metrics = HttpServer(metrics_app(status, registry), config.metrics_address, "mock_exchange.metrics_address")
    async with AsyncExitStack() as stack:
        feeds = [task for venue in venues for task in await venue.open(stack)]
        await metrics.open()
        stack.push_async_callback(metrics.close)
        if virtual is not None:
            starting = asyncio.create_task(_start(virtual, [venue.hub for venue in venues]))
            stack.callback(starting.cancel)
        is_ready = True
        symbols = first.exchange.listings
        log.info("Serving", address=config.listen_address, symbols=",".join(symbols), seed=config.seed)
        if config.second_venue is not None and len(venues) > 1:
            log.info("Serving the second venue", address=config.second_venue.listen_address)
        on_serving(symbols.keys())
        await _until(stop, feeds)
        log.info("Stopping", **first.hub.stats())
    return EXIT_OK


def _venues(
    config: MockExchangeConfig, now_ns: Callable[[], int], on_trading: Callable[[], None]
) -> list[VenueServer]:
    """The venue, and the second one if there is to be one. Only the first is harmed by faults."""
    if config.state_file is not None and (config.replay_files or config.clock == "virtual"):
        problem = "is for a market that goes on with the clock, not for a recording or the virtual clock"
        raise ConfigError("mock_exchange.state_file", problem, "Leave it out")
    plan = plan_of_damage(config.damage, config.seed)
    if config.fault_plan_file is not None:
        file = config.fault_plan_file
        more = plan_from_file(file, _read("mock_exchange.fault_plan_file", file, "Give the path of a fault plan"))
        plan = FaultPlan(seed=more.seed, faults=(*more.faults, *plan.faults))
    token = read_secret(TOKEN_VARIABLE)
    exchange: SimulatedExchange | ReplayExchange
    if config.replay_files:
        key, remedy = "mock_exchange.replay_files", "Give the path of a capture"
        exchange = ReplayExchange({name: _read(key, name, remedy) for name in config.replay_files})
    else:
        exchange = SimulatedExchange(config)
    address = (config.listen_address, "mock_exchange.listen_address")
    venues = [VenueServer(config, exchange, Injector(plan), now_ns, token, address, config.state_file, on_trading)]
    if config.fault_plan_file is not None:
        venues[0].check(plan, f"mock_exchange.fault_plan_file ({config.fault_plan_file})")
    if config.second_venue is not None and not config.replay_files:
        other = SimulatedExchange.second_venue(config)
        address = (config.second_venue.listen_address, "mock_exchange.second_venue.listen_address")
        state_file = None if config.state_file is None else f"{config.state_file}.second"
        venues.append(
            VenueServer(config, other, Injector(FaultPlan()), now_ns, token, address, state_file, on_trading)
        )
        # Both begin together, so that one's prices are the other's of a moment ago.
        began_ns = now_ns()
        for venue in venues:
            venue.exchange.catch_up(began_ns)
    return venues


async def _start(clock: VirtualClock, hubs: list[Hub]) -> None:
    """Let the virtual clock run once somebody is subscribed to something."""
    waiting = [asyncio.create_task(hub.wait_for_reader()) for hub in hubs]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        clock.start()
    finally:
        for task in waiting:
            task.cancel()


async def _until(stop: asyncio.Event, feeds: list[asyncio.Task[None]]) -> None:
    """Wait for `stop`; a task that fails ends the daemon, a feed that is at its end does not."""
    stopping = asyncio.create_task(stop.wait())
    waiting = {stopping, *feeds}
    while stopping in waiting:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()


def _read(key: str, name: str, remedy: str) -> bytes:
    try:
        return Path(name).read_bytes()
    except OSError as exc:
        raise ConfigError(key, f"{name} cannot be read ({exc.strerror})", remedy) from exc


def _with_flags(config: MockExchangeConfig, args: argparse.Namespace) -> MockExchangeConfig:
    changes: dict[str, Any] = {}
    if args.port is not None:
        if not 0 < args.port < 65536:
            raise ConfigError("--port", f"{args.port} is not a port", "Give one from 1 to 65535")
        changes["listen_address"] = f"127.0.0.1:{args.port}"
    if args.seed is not None:
        if args.seed < 0:
            raise ConfigError("--seed", f"{args.seed} is negative", "Give 0 or more")
        changes["seed"] = args.seed
    if args.faults is not None:
        changes["fault_plan_file"] = args.faults
    return config.model_copy(update=changes)
