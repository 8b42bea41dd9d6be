"""Where the recorded market data of tests and notebooks lies; a plain clone carries none of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

#: Names the folder, in place of the default beside the clone.
FOLDER_VARIABLE: Final = "TIDEWIRE_RECORDED_DATA"
#: Names the files of one capture of the user's own, separated as in PATH.
CAPTURE_VARIABLE: Final = "TIDEWIRE_CAPTURE"
_DEFAULT: Final = Path(__file__).resolve().parents[3] / "shared" / "data"


def recorded_folder() -> Path:
    """The folder, whether it is there or not."""
    return Path(os.environ.get(FOLDER_VARIABLE) or _DEFAULT)


def recorded(*names: str) -> tuple[Path, ...]:
    """These files of the folder; () when one of them is missing."""
    files = tuple(recorded_folder() / name for name in names)
    return files if all(file.is_file() for file in files) else ()


def own_capture() -> tuple[Path, ...]:
    """The files the user named; () when none were.

    Raises:
        FileNotFoundError: a file that was named is not there.
    """
    files = tuple(Path(name) for name in os.environ.get(CAPTURE_VARIABLE, "").split(os.pathsep) if name)
    for file in files:
        if not file.is_file():
            raise FileNotFoundError(f"{CAPTURE_VARIABLE} names {file}, which is no file")
    return files
