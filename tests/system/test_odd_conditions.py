"""What users do to it: JSON on the wire, a venue that is not there, addresses that are wrong."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest
import zmq

from tests.rig import SERVICES, Rig

pytestmark = pytest.mark.slow


def test_json_on_the_wire_trades_and_can_be_read_by_eye(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(bus={"codec": "json"})
    rig.start(*SERVICES)
    rig.wait_ready()
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    try:
        sub = context.socket(zmq.SUB)
        sub.subscribe(b"book.")
        sub.connect(rig.settings["market_data"]["zmq_publish_address"])
        assert sub.poll(5000), "a book within five seconds"
        data = sub.recv()
    finally:
        context.destroy(linger=0)
    # The envelope before it is binary and may hold a brace by chance, but hardly one with a quotation mark behind.
    seen = json.loads(data[data.index(b'{"') :])
    assert seen["message"]["header"]["state"] == 2 and seen["envelope"]["sequence"] > 0
    rig.wait(lambda: rig.stage("execution_engine").get("fills", 0) > 0, "the first fill")
    rig.stop()


@pytest.mark.parametrize(
    ("service", "key"),
    [("market_data", "market_data.rest_url"), ("execution_engine", "execution.exchange_api_url")],
)
def test_a_venue_never_reached_is_one_clear_line_and_exit_code_4(
    make_rig: Callable[..., Rig], service: str, key: str
) -> None:
    rig = make_rig(
        market_data={"startup_timeout_ms": 1500, "reconnect_delay_ms": 200},
        execution={"retry_attempts": 1, "retry_delay_ms": 200},
    )
    rig.start(service)
    assert rig.processes[service].wait(30) == 4
    lines = [line for line in rig.log(service).splitlines() if "never reached" in line]
    assert len(lines) == 1 and key in lines[0], rig.log(service)
    assert "Traceback" not in rig.log(service)


def test_a_venue_that_comes_late_is_waited_for(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(market_data={"reconnect_delay_ms": 200}, execution={"retry_delay_ms": 200})
    rig.start("market_data", "execution_engine")
    time.sleep(5)
    assert all(process.poll() is None for process in rig.processes.values())
    rig.start("mock_exchange")
    rig.wait_ready("market_data")
    rig.stop()


def test_a_symbol_the_venue_does_not_list_is_named(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(market_data={"symbols": ["BTCUSDT", "NOSUCHUSDT"]})
    rig.start("mock_exchange")
    rig.wait_ready("mock_exchange")
    rig.start("market_data")
    assert rig.processes["market_data"].wait(30) == 4
    assert "NOSUCHUSDT" in rig.log("market_data") and "market_data.symbols" in rig.log("market_data")
    rig.processes.pop("market_data")
    rig.stop()


def test_live_is_refused_with_the_reason(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(execution={"paper_trading": False})
    rig.start("execution_engine")
    assert rig.processes["execution_engine"].wait(30) == 4
    assert "execution.paper_trading" in rig.log("execution_engine")
