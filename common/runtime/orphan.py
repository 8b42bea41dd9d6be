"""No orphans: a daemon that was started by a supervisor ends when that supervisor is gone, however it went."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from common.errors import ConfigError

#: The supervisor sets it for its children, to its own process id.
PARENT_VARIABLE: Final = "TIDEWIRE_PARENT_PID"
POLL_S: Final = 1.0


def parent_from(environ: Mapping[str, str]) -> int | None:
    """The supervisor's process id; None when there is no supervisor.

    Raises:
        ConfigError: the variable holds no process id.
    """
    text = environ.get(PARENT_VARIABLE)
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise ConfigError(PARENT_VARIABLE, f"{text!r} is not a process id", "Unset it; only a supervisor sets it")
    return int(text)


async def wait_until_orphaned(parent_pid: int) -> None:
    """Return when that process is gone."""
    # A child sees its parent's death as a new parent, even while the dead one waits to be reaped; a grandchild
    # (started through a shell) can only ask whether the process exists.
    is_child = os.getppid() == parent_pid
    while True:
        if not (os.getppid() == parent_pid if is_child else _exists(parent_pid)):
            return
        await asyncio.sleep(POLL_S)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """Dead, but not yet reaped: its number is still taken. Only Linux tells."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return False
    return state in ("Z", "X")
