"""The signal bridge's shell: the model file, warm kernels, the stage on the bus."""

from __future__ import annotations

from common.config import SystemConfig
from common.messages import Source
from common.runtime.daemon import DaemonFlags
from common.runtime.logging import get_logger
from common.runtime.service import run_stage
from services.signal_bridge.indicators.kernels import warm_up
from services.signal_bridge.io.model_file import load_model
from services.signal_bridge.stage import SignalBridgeStage


async def run(config: SystemConfig, flags: DaemonFlags) -> int:
    """Run until stopped; the exit code."""
    model, warning = load_model(config.signal.model_path)
    if warning:
        get_logger("signal_bridge.model").warning(warning)
    warm_up()
    stage = SignalBridgeStage(config.signal, model)
    return await run_stage(Source.SIGNAL_BRIDGE, stage, config, flags.stop)
