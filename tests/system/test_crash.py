"""kill -9 of each daemon in turn: the others go on, the restarted one catches up, and the books of money agree."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

import pytest

from tests.rig import PIPELINE, SERVICES, Rig

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def _settled(rig: Rig) -> bool:
    """Nothing is on its way, and risk has applied every report that execution published."""
    risk, execution = rig.status("risk_manager"), rig.status("execution_engine")
    if not risk or not execution:
        return False
    return rig.positions("risk_manager") == rig.positions("execution_engine")


def test_each_daemon_is_killed_and_catches_up(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(market_data={"reconnect_delay_ms": 100})
    rig.start(*SERVICES)
    rig.wait_ready()
    rig.wait(lambda: rig.stage("execution_engine").get("fills", 0) > 0, "the first fill")
    for service in (*PIPELINE, "mock_exchange"):
        before = {s: rig.status(s)["epoch"] for s in PIPELINE if s != service}
        rig.kill(service)
        time.sleep(1)
        rig.start(service)
        rig.wait_ready(*SERVICES)
        assert {s: rig.status(s)["epoch"] for s in PIPELINE if s != service} == before, "the others went on"
        fills = rig.stage("execution_engine")["fills"]
        rig.wait(lambda f=fills: rig.stage("execution_engine").get("fills", 0) > f, f"trading on after {service}")
    rig.kill("mock_exchange", signal.SIGTERM)
    rig.wait(lambda: _settled(rig), "risk and execution agree", timeout_s=15)
    assert rig.positions("risk_manager"), "there were positions to agree on"
    for service in PIPELINE:
        status = rig.status(service)
        assert status["stage_errors"] == 0, rig.log(service)
        assert all(topic["lost"] == 0 for topic in status["topics_in"].values())
    rig.stop()


def test_any_order_of_starting_will_do(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(market_data={"reconnect_delay_ms": 100})
    for service in reversed(SERVICES):
        rig.start(service)
        time.sleep(0.7)
    rig.wait_ready()
    rig.wait(lambda: rig.stage("execution_engine").get("fills", 0) > 0, "the first fill")
    rig.stop()


def test_a_port_that_is_taken_is_one_clear_line_and_exit_code_4(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()
    rig.start("risk_manager")
    rig.wait(lambda: bool(rig.status("risk_manager")), "started")
    first = rig.processes["risk_manager"]
    rig.settings["journal"]["directory"] = str(rig.folder / "other")
    rig.write()
    rig.folder.joinpath("risk_manager.log").write_text("")
    rig.start("risk_manager")
    assert rig.processes["risk_manager"].wait(20) == 4
    said = [line for line in rig.log("risk_manager").splitlines() if "zmq_publish_address" in line]
    assert len(said) == 1 and "risk.zmq_publish_address" in said[0] and "--set" in said[0]
    assert "Traceback" not in rig.log("risk_manager")
    rig.processes["risk_manager"] = first
    rig.stop()
