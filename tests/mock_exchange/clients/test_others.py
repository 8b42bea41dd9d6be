"""python-binance and binance-sdk-spot, by the command that documents how to run any of them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.mock_exchange.clients.process import Mock
from tests.rig import ROOT


@pytest.mark.slow
@pytest.mark.parametrize("client", ["python_binance", "binance_sdk"])
def test_every_step_goes_as_at_the_venue(mock: Mock, client: str) -> None:
    command = [
        sys.executable,
        "-m",
        "tests.mock_exchange.clients.others",
        "--address",
        mock.address,
        "--seconds",
        "3",
    ]
    done = subprocess.run([*command, client], cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 clients, 0 failures" in done.stdout
