"""A folder of its own for every run: journals, logs. The newest few are kept."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import time
from pathlib import Path
from typing import Final

from common.errors import ConfigError

KEPT_RUNS: Final = 5
_NAME: Final = re.compile(r"run-\d{8}T\d{6}Z(-\d+)?")
_LOCK: Final = "run.lock"


class RunFolder:
    """`base`/run-<UTC time> with `logs` in it, made at once and locked for as long as this process lives.

    Older runs beyond the newest few are removed, never one that still goes on.

    Raises:
        ConfigError: the folder cannot be made.
    """

    def __init__(self, base: Path, now_s: float) -> None:
        try:
            self.path = _make(base, time.strftime("run-%Y%m%dT%H%M%SZ", time.gmtime(now_s)))
            self._lock = _try_lock(self.path)
            _prune(base, keep=self.path)
        except OSError as exc:
            raise ConfigError(
                "journal.directory",
                f"{base} cannot hold a run's files ({exc.strerror or exc})",
                "Name a folder you may write in",
            ) from None

    def log_path(self, service: str) -> Path:
        """Where a daemon's output goes."""
        return self.path / "logs" / f"{service}.log"

    def close(self) -> None:
        """The run is over: a later one may remove it."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _make(base: Path, name: str) -> Path:
    base.mkdir(parents=True, exist_ok=True)
    for attempt in range(1000):
        folder = base / (f"{name}-{attempt}" if attempt else name)
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        (folder / "logs").mkdir()
        return folder
    raise OSError(f"a thousand folders named {name} are there already")


def _try_lock(folder: Path) -> int | None:
    """An open, locked file in `folder`; None when another process holds it."""
    lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def _prune(base: Path, keep: Path) -> None:
    runs = sorted(
        (path for path in base.iterdir() if path.is_dir() and _NAME.fullmatch(path.name) and path != keep),
        key=lambda path: (path.stat().st_mtime_ns, path.name),
    )
    for path in runs[: max(0, len(runs) - KEPT_RUNS + 1)]:
        lock = _try_lock(path)
        if lock is not None:
            shutil.rmtree(path, ignore_errors=True)
            os.close(lock)
