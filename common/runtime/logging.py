"""Structured logs: one line an event for people, JSON by configuration; a level per component from one variable.

    2025-10-14T20:15:32.456Z DEBUG [market_data.orderbook] Order book updated: symbol=BTCUSDT bid=42150.5 ask=42151.0

The component is the logger's name. Levels are given as `info,market_data=debug`: a default, then prefixes of
component names, the longest match winning. The variable TIDEWIRE_LOG overrides the file (common.runtime.settings).
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Final, TextIO

import structlog

from common.config import LoggingConfig
from common.errors import ConfigError

_LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
}
_levels: dict[str, int] = {"": logging.INFO}


def parse_levels(text: str) -> dict[str, int]:
    """`info,market_data=debug` -> {"": 20, "market_data": 10}.

    Raises:
        ConfigError: a level is none.
    """
    levels = {"": logging.INFO}
    for part in filter(None, (p.strip() for p in text.split(","))):
        component, _, level = part.rpartition("=")
        if level not in _LEVELS:
            raise ConfigError("logging.levels", f"{level!r} is not a log level", f"Use one of {', '.join(_LEVELS)}")
        levels[component] = _LEVELS[level]
    return levels


def level_of(component: str) -> int:
    """The level in force for a component: the longest configured prefix decides."""
    while component and component not in _levels:
        component = component.rpartition(".")[0]
    return _levels[component]


def setup_logging(config: LoggingConfig, service: str, stream: TextIO | None = None) -> None:
    """Send every log of this process to `stream` (stderr by default) in the configured form."""
    _levels.clear()
    _levels.update(parse_levels(config.levels))
    render = _render_json if config.format == "json" else _render_console
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="timestamp"),
            structlog.processors.format_exc_info,
            _ServiceName(service),
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(min(_levels.values())),
        logger_factory=structlog.WriteLoggerFactory(file=stream or sys.stderr),
        cache_logger_on_first_use=False,
    )


def get_logger(component: str) -> Any:
    """A logger of a component such as `market_data.feed`; filtered by that component's own level."""
    return structlog.wrap_logger(
        None, wrapper_class=structlog.make_filtering_bound_logger(level_of(component)), component=component
    )


class _ServiceName:
    def __init__(self, service: str) -> None:
        self._service = service

    def __call__(self, _logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event.setdefault("component", self._service)
        return event


def _render_console(_logger: object, _method: str, event: MutableMapping[str, Any]) -> str:
    stamp = event.pop("timestamp")
    level = event.pop("level").upper()
    component = event.pop("component")
    text = event.pop("event")
    trouble = event.pop("exception", None)
    facts = " ".join(f"{k}={v}" for k, v in event.items())
    line = f"{stamp[:23]}Z {level} [{component}] {text}" + (f": {facts}" if facts else "")
    return line + (f"\n{trouble}" if trouble else "")


def _render_json(_logger: object, _method: str, event: MutableMapping[str, Any]) -> str:
    event["timestamp"] = event["timestamp"][:23] + "Z"
    rendered = structlog.processors.JSONRenderer(default=str)(_logger, _method, event)
    return rendered if isinstance(rendered, str) else rendered.decode()
