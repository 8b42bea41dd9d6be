"""Fixtures every test may use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from lab.data.recorded import FOLDER_VARIABLE, recorded_folder
from tests.rig import ROOT as ROOT
from tests.rig import Rig


@pytest.fixture(scope="session")
def recorded() -> Path:
    """The folder of recorded market data; skips where a clone has none."""
    folder = recorded_folder()
    if not folder.is_dir():
        pytest.skip(f"recorded market data is not at {folder}; set {FOLDER_VARIABLE} to its folder")
    return folder


@pytest.fixture(autouse=True)
def _own_logs() -> Iterator[None]:
    """A test that sets up logging writes to a stream that is closed behind it: the next one starts afresh."""
    yield
    if structlog.is_configured():
        structlog.reset_defaults()


@pytest.fixture
def make_rig(tmp_path: Path) -> Iterator[Callable[..., Rig]]:
    rigs: list[Rig] = []

    def make(**settings: Any) -> Rig:
        rigs.append(Rig(tmp_path, settings))
        return rigs[-1]

    yield make
    for rig in rigs:
        for process in rig.processes.values():
            if process.poll() is None:
                process.kill()
                process.wait()
