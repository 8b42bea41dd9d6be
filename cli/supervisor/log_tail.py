"""The daemons' log files, read as they grow: warnings and errors are brought before the user's eyes."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_NOTABLE: Final = re.compile(r"\b(WARNING|ERROR|CRITICAL)\b|\"level\":\s*\"(warning|error|critical)\"")
_LOG_LINE: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d|\{\"")
_READ_BYTES: Final = 1 << 18
#: A log that has grown to this size becomes the one older log that is kept, and starts anew.
_MOST_BYTES: Final = 64 << 20


@dataclass(slots=True)
class LogTail:
    """Reads what has been added to one file since the last look."""

    path: Path
    most_bytes: int = _MOST_BYTES
    _offset: int = 0
    _rest: bytes = b""

    def new_lines(self) -> list[str]:
        """Whole lines that came since; at most 256 kB a call, the rest with the next."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._offset)
                data = file.read(_READ_BYTES)
        except FileNotFoundError:
            return []
        self._offset += len(data)
        if self._offset >= self.most_bytes and len(data) < _READ_BYTES:
            self._start_anew()
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [line.decode(errors="replace").rstrip() for line in lines if line.strip()]

    def _start_anew(self) -> None:
        # The daemon holds the file open for appending, so it is emptied in place; what it writes within this instant
        # is the only thing lost.
        shutil.copyfile(self.path, self.path.with_suffix(".1.log"))
        os.truncate(self.path, 0)
        self._offset = 0


def is_notable(line: str) -> bool:
    """True for a warning or worse, in either log format."""
    return bool(_NOTABLE.search(line))


def is_log_line(line: str) -> bool:
    """True for a line of the log, in either format; false for what a daemon prints besides, as tracebacks."""
    return bool(_LOG_LINE.match(line))


@dataclass(slots=True)
class NoticeLimit:
    """Lets a few notices of a service through in every window and counts the others: a storm stays readable."""

    most: int = 4
    window_s: float = 10.0
    _since: dict[str, float] = field(default_factory=dict)
    _shown: dict[str, int] = field(default_factory=dict)
    _held_back: dict[str, int] = field(default_factory=dict)

    def admit(self, service: str, lines: list[str], now_s: float) -> list[str]:
        """The lines to show now; when a window ends, what it held back is told as a count."""
        out = []
        if now_s - self._since.get(service, -1e9) >= self.window_s:
            held_back = self._held_back.pop(service, 0)
            if held_back:
                out.append(f"{held_back} more warnings of {service} stand in its log")
            self._since[service], self._shown[service] = now_s, 0
        room = max(0, self.most - self._shown[service])
        self._shown[service] += len(lines[:room])
        if lines[room:]:
            self._held_back[service] = self._held_back.get(service, 0) + len(lines[room:])
        return out + lines[:room]
