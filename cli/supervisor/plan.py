"""What a run consists of: which daemons, told what. Pure but for the clock-free look at its arguments."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from common.config import SystemConfig
from dashboard.statuses import MOCK_EXCHANGE, PIPELINE

DAMAGES: Final = ("drop", "duplicate", "reorder", "truncate")
#: The section of the configuration that belongs to a service.
SECTIONS: Final = {
    "market_data": "market_data",
    "signal_bridge": "signal",
    "risk_manager": "risk",
    "execution_engine": "execution",
    MOCK_EXCHANGE: MOCK_EXCHANGE,
}


@dataclass(frozen=True, slots=True)
class Capture:
    """Recorded files to be replayed, and what they hold."""

    files: tuple[str, ...]
    exchange: str
    symbols: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunOptions:
    """The flags of `tidewire run`."""

    config_files: tuple[str, ...]
    sets: tuple[str, ...] = ()
    duration_s: float | None = None
    seed: int | None = None
    replay: tuple[str, ...] = ()
    speed: float | None = None
    damage: float | None = None
    without_mock: bool = False
    json_only: bool = False


def overrides_of(options: RunOptions, capture: Capture | None, listen_address: str) -> tuple[str, ...]:
    """`--set` arguments for the daemons: the user's own first, then what the other flags mean."""
    values: dict[str, object] = {}
    if options.seed is not None:
        values["mock_exchange.seed"] = options.seed
    if options.speed is not None:
        values["mock_exchange.replay_speed"] = options.speed
    if options.damage is not None:
        values |= {f"mock_exchange.damage.{kind}": options.damage for kind in DAMAGES}
    if capture is not None:
        values |= {
            "mock_exchange.replay_files": list(capture.files),
            "market_data.exchange": capture.exchange,
            "market_data.symbols": list(capture.symbols),
            "market_data.websocket_url": f"ws://{listen_address}/ws",
            "market_data.rest_url": f"http://{listen_address}",
            "execution.exchange_api_url": f"http://{listen_address}",
        }
    return (*options.sets, *(f"{key}={json.dumps(value)}" for key, value in values.items()))


def services_of(config: SystemConfig, options: RunOptions) -> tuple[str, ...]:
    """What is to be started: the four daemons, and the mock exchange when market data is pointed at it."""
    target = urlsplit(config.market_data.websocket_url)
    uses_mock = f"{target.hostname}:{target.port}" == config.mock_exchange.listen_address
    return (MOCK_EXCHANGE, *PIPELINE) if uses_mock and not options.without_mock else PIPELINE


def command_of(service: str, config_files: Sequence[str], overrides: Sequence[str]) -> list[str]:
    """The command line that starts a daemon."""
    command = [sys.executable, "-m", f"services.{service}"]
    for path in config_files:
        command += ["--config", path]
    for override in overrides:
        command += ["--set", override]
    return command


def metrics_addresses(config: SystemConfig, services: Sequence[str]) -> Mapping[str, str]:
    """Where each daemon answers GET /status."""
    return {service: getattr(config, SECTIONS[service]).metrics_address for service in services}
