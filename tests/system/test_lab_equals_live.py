"""The stages in the lab driver, on the recorded inputs of a live run, say the same, bit for bit."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from common.config import SystemConfig
from common.messages import Source
from common.runtime.input_log import INPUT_LOG_NAMES
from common.runtime.settings import load_settings
from common.stage import Stage
from lab.driver import read_turns, replay
from services.execution_engine.stage import ExecutionStage
from services.market_data.stage import MarketDataStage
from services.risk_manager.stage import RiskStage
from services.signal_bridge.stage import SignalBridgeStage
from tests.conftest import ROOT
from tests.rig import PIPELINE, SERVICES, Rig

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def fresh_stages(config: SystemConfig) -> dict[Source, Stage]:
    return {
        Source.MARKET_DATA: MarketDataStage(config.market_data),
        Source.SIGNAL_BRIDGE: SignalBridgeStage(config.signal),
        Source.RISK_MANAGER: RiskStage(config.risk, exchange=config.market_data.exchange),
        Source.EXECUTION_ENGINE: ExecutionStage(config.execution),
    }


def test_the_lab_repeats_a_live_run(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(journal={"record_inputs": True})
    rig.start(*SERVICES)
    rig.wait_ready()
    rig.wait(lambda: rig.stage("execution_engine").get("fills", 0) >= 3, "some fills", timeout_s=60)
    rig.stop()
    files = [ROOT / "config" / "system.json", ROOT / "config" / "demo.json", rig.overlay]
    config = load_settings(files, {}, {}).config
    folder = rig.folder / "state"
    logs = {Source[s.upper()]: read_turns(next((folder / s).glob(INPUT_LOG_NAMES)).read_bytes()) for s in PIPELINE}
    outputs = {source: sum(len(turn) - 1 for turn in turns) for source, turns in logs.items()}
    assert all(outputs.values()), outputs
    assert list(replay(fresh_stages(config), logs)) == []


def test_a_changed_stage_is_found_out(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(journal={"record_inputs": True})
    rig.start(*SERVICES)
    rig.wait_ready()
    rig.wait(lambda: rig.stage("execution_engine").get("fills", 0) >= 1, "a fill", timeout_s=60)
    rig.stop()
    files = [ROOT / "config" / "system.json", ROOT / "config" / "demo.json", rig.overlay]
    config = load_settings(files, {"execution.paper.taker_fee_bps": "11"}, {}).config
    log = read_turns(next((rig.folder / "state" / "execution_engine").glob(INPUT_LOG_NAMES)).read_bytes())
    stages = {Source.EXECUTION_ENGINE: ExecutionStage(config.execution)}
    assert list(replay(stages, {Source.EXECUTION_ENGINE: log})), "another fee must show"
