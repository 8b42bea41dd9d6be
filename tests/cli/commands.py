"""Running the real commands in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
EMPTY: Mapping[str, str] = {}


def environment(extra: Mapping[str, str] = EMPTY) -> dict[str, str]:
    """This process's environment without any setting of Tidewire, and `extra`."""
    kept = {k: v for k, v in os.environ.items() if not k.upper().startswith("TIDEWIRE")}
    return {**kept, "PYTHONPATH": str(ROOT), **extra}


def run_module(
    module: str, *arguments: str | Path, extra: Mapping[str, str] = EMPTY, cwd: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    """`python -m module arguments`, to its end."""
    return subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=cwd,
        env=environment(extra),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def tidewire(
    *arguments: str | Path, extra: Mapping[str, str] = EMPTY, cwd: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    """The `tidewire` command, to its end."""
    return run_module("cli.main", *arguments, extra=extra, cwd=cwd)
