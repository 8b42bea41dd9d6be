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
from common.config.mock_exchange import DamageConfig
from common.errors import EXIT_OK, ConfigError
from common.runtime.clock import Clock
from common.runtime.daemon import DaemonFlags
from common.runtime.http import HttpServer, metrics_app
from common.runtime.logging import get_logger
from common.runtime.metrics import StatusCollector, make_registry
from services.mock_exchange.api.exchange_api import ExchangeApi
from services.mock_exchange.faults.injector import Injector, plan_of_damage
from services.mock_exchange.io.account_specs import accounts_from
from services.mock_exchange.io.app import make_app
from services.mock_exchange.io.feeding import Outlet, ReplayFeed, feed_simulation
from services.mock_exchange.io.hub import Hub
from services.mock_exchange.io.lifetime import ConnectionLife
from services.mock_exchange.io.protocol import StreamProtocol
from services.mock_exchange.recorded.replay import ReplayExchange
from services.mock_exchange.simulation.simulated_exchange import SimulatedExchange

#: The venue hangs up on who has not answered a ping within 60 s.
_PING_TIMEOUT_S = 60.0
_MAX_REQUEST_BYTES = 128 * 1024


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags that make the mock exchange usable without a configuration."""
    parser.add_argument("--port", type=int, help="port on 127.0.0.1; stronger than mock_exchange.listen_address")
    parser.add_argument("--seed", type=int, help="stronger than mock_exchange.seed")


async def run(config: SystemConfig, flags: DaemonFlags) -> int:
    """Serve until stopped; the exit code.

    Raises:
        ConfigError: an address is taken, a flag is out of range, or a capture cannot be replayed.
    """
    return await serve(_with_flags(config.mock_exchange, flags.args), flags.stop)


async def serve(
    config: MockExchangeConfig,
    stop: asyncio.Event,
    on_serving: Callable[[Collection[str]], None] = lambda _symbols: None,
) -> int:
    """Serve `config`'s market until `stop` is set; the exit code. `on_serving` gets the symbols once it listens."""
    log = get_logger("mock_exchange")
    clock, began_s = Clock(), time.monotonic()
    injector = Injector(plan_of_damage(config.damage, config.seed))
    exchange: SimulatedExchange | ReplayExchange
    exchange = ReplayExchange(_read(config.replay_files)) if config.replay_files else SimulatedExchange(config)
    hub = Hub(exchange.channel_of)
    if isinstance(exchange, SimulatedExchange):
        exchange.make_only(hub.is_read)
    outlet = Outlet(hub, injector, clock.now_ns)
    # Full books are objects by the million that stay: the collector would halt the market to look through them all.
    gc.collect()
    gc.freeze()
    feeding: asyncio.Task[None] | None = None

    def status() -> Mapping[str, Any]:
        return {
            "service": "mock_exchange",
            "pid": os.getpid(),
            "ready": feeding is not None,
            "uptime_s": round(time.monotonic() - began_s, 3),
            "stage": {
                **hub.stats(),
                **exchange.stats(),
                "damaged": {kind: injector.account.counts[kind] for kind in DamageConfig.model_fields},
            },
        }

    limits = config.limits
    life = ConnectionLife(limits.connection_life_ms / 1000, limits.shutdown_notice_ms / 1000)
    api = ExchangeApi(
        exchange,
        accounts_from(config),
        limits,
        send_listen_key=hub.publish if config.listen_keys else None,
    )
    app = make_app(api, hub, clock.now_ns, config.client_queue_frames, life)
    server = HttpServer(
        app,
        config.listen_address,
        "mock_exchange.listen_address",
        ws=StreamProtocol,
        ws_ping_interval=limits.ping_interval_ms / 1000,
        ws_ping_timeout=_PING_TIMEOUT_S,
        ws_per_message_deflate=False,
        ws_max_size=_MAX_REQUEST_BYTES,
        timeout_graceful_shutdown=1,
    )
    registry = make_registry(StatusCollector(status, dict))
    metrics = HttpServer(metrics_app(status, registry), config.metrics_address, "mock_exchange.metrics_address")
    async with AsyncExitStack() as stack:
        for http in (server, metrics):
            await http.open()
            stack.push_async_callback(http.close)
        if isinstance(exchange, ReplayExchange):
            feeding = asyncio.create_task(
                ReplayFeed(exchange, hub, outlet, config.replay_speed, config.replay_start_delay_ms / 1000).run()
            )
        else:
            feeding = asyncio.create_task(feed_simulation(exchange, outlet, clock.now_ns))
        stack.callback(feeding.cancel)
        log.info("Serving", address=config.listen_address, symbols=",".join(exchange.listings), seed=config.seed)
        on_serving(exchange.listings.keys())
        await _until(stop, feeding)
        log.info("Stopping", **hub.stats())
    return EXIT_OK


async def _until(stop: asyncio.Event, feeding: asyncio.Task[None]) -> None:
    """Wait for `stop`; a feed that fails ends the daemon, one that is at its end does not."""
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait((stopping, feeding), return_when=asyncio.FIRST_COMPLETED)
    if feeding.done():
        feeding.result()
    await stopping


def _read(names: tuple[str, ...]) -> dict[str, bytes]:
    files = {}
    for name in names:
        try:
            files[name] = Path(name).read_bytes()
        except OSError as exc:
            raise ConfigError(
                "mock_exchange.replay_files", f"{name} cannot be read ({exc.strerror})", "Give the path of a capture"
            ) from exc
    return files


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
    return config.model_copy(update=changes)
