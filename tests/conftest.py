"""Fixtures every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def recorded() -> Path:
    """The folder of recorded market data; skips where a clone has none."""
    folder = Path(os.environ.get("TIDEWIRE_RECORDED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"recorded market data is not at {folder}; set TIDEWIRE_RECORDED_DATA to its folder")
    return folder
