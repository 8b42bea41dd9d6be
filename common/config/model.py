"""The whole configuration."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from common.config.checks import cautions, conflicts
from common.config.fields import Section
from common.config.mock_exchange import MockExchangeConfig
from common.config.plumbing import BusConfig, JournalConfig, LoggingConfig
from common.config.sections import ExecutionConfig, MarketDataConfig, RiskConfig, SignalConfig


class SystemConfig(Section):
    """config/system.json, with every default."""

    market_data: MarketDataConfig = Field(MarketDataConfig(), description="the market data daemon")
    signal: SignalConfig = Field(SignalConfig(), description="the signal bridge")
    risk: RiskConfig = Field(RiskConfig(), description="the risk manager")
    execution: ExecutionConfig = Field(ExecutionConfig(), description="the execution engine")
    mock_exchange: MockExchangeConfig = Field(MockExchangeConfig(), description="the embedded exchange")
    bus: BusConfig = Field(BusConfig(), description="what joins the daemons")
    journal: JournalConfig = Field(JournalConfig(), description="where facts are kept")
    logging: LoggingConfig = Field(LoggingConfig(), description="what is said, how")

    @model_validator(mode="after")
    def _no_conflicts(self) -> SystemConfig:
        found = tuple(conflicts(self))
        if found:
            text = "; ".join(f"{c.key}: {c.problem}. {c.remedy}" for c in found)
            raise PydanticCustomError("conflicts", "{text}", {"text": text, "conflicts": found})
        return self

    def cautions(self) -> tuple[str, ...]:
        """What is allowed but rarely meant, one sentence each."""
        return tuple(cautions(self))


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a configuration file, for editors; `$schema` itself may stand in the file."""
    schema = SystemConfig.model_json_schema()
    properties = {"$schema": {"type": "string", "description": "where this schema lies; for editors alone"}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "properties": properties | schema["properties"],
    }
