"""The risk manager's shell: the stage on the bus."""

from __future__ import annotations

from common.config import SystemConfig
from common.messages import Source
from common.runtime.daemon import DaemonFlags
from common.runtime.service import run_stage
from services.risk_manager.stage import RiskStage


async def run(config: SystemConfig, flags: DaemonFlags) -> int:
    """Run until stopped; the exit code."""
    stage = RiskStage(config.risk, exchange=config.market_data.exchange)
    return await run_stage(Source.RISK_MANAGER, stage, config, flags.stop)
