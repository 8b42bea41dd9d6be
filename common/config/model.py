"""The whole configuration."""

from __future__ import annotations

from pydantic import model_validator

from common.config.fields import Section
from common.config.sections import (
    BusConfig,
    ExecutionConfig,
    JournalConfig,
    LoggingConfig,
    MarketDataConfig,
    MockExchangeConfig,
    RiskConfig,
    SignalConfig,
)


class SystemConfig(Section):
    """config/system.json, with every default."""

    market_data: MarketDataConfig = MarketDataConfig()
    signal: SignalConfig = SignalConfig()
    risk: RiskConfig = RiskConfig()
    execution: ExecutionConfig = ExecutionConfig()
    mock_exchange: MockExchangeConfig = MockExchangeConfig()
    bus: BusConfig = BusConfig()
    journal: JournalConfig = JournalConfig()
    logging: LoggingConfig = LoggingConfig()

    @model_validator(mode="after")
    def _addresses_differ(self) -> SystemConfig:
        seen: dict[str, str] = {}
        for section in ("market_data", "signal", "risk", "execution", "mock_exchange"):
            for key, value in getattr(self, section):
                if key in ("zmq_publish_address", "zmq_reply_address", "metrics_address", "listen_address"):
                    port = value.rpartition("/")[2]
                    if port in seen:
                        raise ValueError(f"{section}.{key} and {seen[port]} are both {value}; give each its own")
                    seen[port] = f"{section}.{key}"
        return self
