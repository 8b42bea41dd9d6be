"""The configuration as types: every key, its default, its range, its unit and what it does. Pure.

Reading files, environment and flags, and where each value came from, is common.runtime.settings.
"""

from common.config.model import SystemConfig
from common.config.sections import (
    BusConfig,
    ExecutionConfig,
    JournalConfig,
    LoggingConfig,
    MarketDataConfig,
    MockExchangeConfig,
    PaperConfig,
    RiskConfig,
    SignalConfig,
)

__all__ = [
    "BusConfig",
    "ExecutionConfig",
    "JournalConfig",
    "LoggingConfig",
    "MarketDataConfig",
    "MockExchangeConfig",
    "PaperConfig",
    "RiskConfig",
    "SignalConfig",
    "SystemConfig",
]
