"""The journal: what must not be lost, on file before it is sent.

A folder of segments, each a run of batches (common.records). Appending is one `write`, which outlives a kill -9 of
this process; `sync="disk"` adds fdatasync, which outlives a loss of power. Opening repairs a torn tail by cutting it.
Starting and recovering are one path: an empty folder is a journal without history.
"""

from __future__ import annotations

import fcntl
import os
from array import array
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import BinaryIO, Final, Literal, NamedTuple

from common.codec import split_frame
from common.errors import ConfigError, HaltError
from common.records import Record, RecordKind, encode_batch, read_batches

_SUFFIX: Final = ".journal"
_SHIFT: Final = 40


class Entry(NamedTuple):
    """One frame to be kept: a lossless input or output, with its place on its topic."""

    kind: RecordKind
    topic: str
    sequence: int
    frame: bytes


class Journal:
    """One daemon's journal. One process at a time: a lock file keeps a second one out."""

    def __init__(self, folder: Path, *, sync: Literal["os", "disk"], segment_bytes: int) -> None:
        """Open or make the journal in `folder`.

        Raises:
            ConfigError: the folder cannot be used, or another process has it.
        """
        self.folder = folder
        self._sync = sync == "disk"
        self._segment_bytes = segment_bytes
        self.bytes_written = 0
        self.repaired_bytes = 0
        #: Per topic: position of each lossless output, by sequence - 1 (segment number << 40 | offset of its batch).
        self._positions: dict[str, array[int]] = {}
        #: Per topic: sequence of the last lossless input.
        self.last_inputs: dict[str, int] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(
                "journal.directory",
                f"{folder} is in use by another process",
                "Stop the other daemon of this name, or give this system a folder of its own",
            ) from None
        except OSError as exc:
            raise ConfigError(
                "journal.directory", f"{folder} cannot be written ({exc.strerror})", "Choose a folder you may write"
            ) from exc
        self._segment = max(self._numbers(), default=1)
        self._file = -1
        self._size = 0
        self._is_broken = False

    def _numbers(self) -> list[int]:
        return sorted(int(p.stem) for p in self.folder.glob(f"*{_SUFFIX}") if p.stem.isdigit())

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:08d}{_SUFFIX}"

    def recover(self) -> Iterator[Record]:
        """Every record, oldest first; then the journal is open for appending. Cuts a torn tail.

        Raises:
            HaltError: a segment other than the last is damaged: history is missing in the middle.
        """
        numbers = self._numbers() or [1]
        for number in numbers:
            path = self._path(number)
            data = path.read_bytes() if path.exists() else b""
            good = 0
            for batch, end in read_batches(data):
                for record in batch:
                    frame = split_frame(record.frame)
                    self._index(number, good, Entry(record.kind, frame.topic, frame.envelope.sequence, record.frame))
                yield from batch
                good = end
            if good < len(data):
                if number != numbers[-1]:
                    raise HaltError(
                        f"{path} is damaged at byte {good} and newer segments follow; move the journal folder aside "
                        "and reconcile by hand before trading on"
                    )
                self.repaired_bytes = len(data) - good
                os.truncate(path, good)
            self._size = good
        self._open(numbers[-1])

    def _open(self, number: int) -> None:
        if self._file >= 0:
            os.close(self._file)
        self._segment = number
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._file = os.open(self._path(number), flags, 0o600)
        self._size = os.fstat(self._file).st_size

    def append(self, now_ns: int, items: Sequence[Entry]) -> None:
        """Write one batch; it is kept when this returns.

        Raises:
            HaltError: it could not be written (disk full): nothing of it may be sent.
        """
        if self._is_broken:
            raise HaltError(f"the journal in {self.folder} failed before and takes nothing more until a restart")
        data = encode_batch(now_ns, [(entry.kind, entry.frame) for entry in items])
        if self._size >= self._segment_bytes:
            self._open(self._segment + 1)
        start = self._size
        try:
            written = os.write(self._file, data)
            if written != len(data):
                os.ftruncate(self._file, start)
                raise OSError(28, f"only {written} of {len(data)} bytes were written")
            if self._sync:
                os.fdatasync(self._file)
        except OSError as exc:
            self._is_broken = True
            raise HaltError(f"the journal in {self.folder} cannot be written: {exc}") from exc
        self._size += len(data)
        self.bytes_written += len(data)
        for entry in items:
            self._index(self._segment, start, entry)

    def _index(self, segment: int, offset: int, entry: Entry) -> None:
        if entry.kind is RecordKind.IN:
            self.last_inputs[entry.topic] = entry.sequence
        else:
            self._positions.setdefault(entry.topic, array("q")).append(segment << _SHIFT | offset)

    def last_output(self, topic: str) -> int:
        """Sequence of the last journalled output on a topic; 0 for none."""
        return len(self._positions.get(topic, ()))

    def outputs(self, topic: str, first: int, last: int) -> list[bytes]:
        """The frames with sequences first..last (as far as there are), read back from file."""
        positions = self._positions.get(topic)
        found: list[bytes] = []
        if not positions:
            return found
        wanted = range(max(first, 1), min(last, len(positions)) + 1)
        places = dict.fromkeys(positions[s - 1] for s in wanted)
        for segment, group in groupby(places, key=lambda place: place >> _SHIFT):
            with self._path(segment).open("rb") as file:
                for place in group:
                    found += self._outputs_at(file, place & ((1 << _SHIFT) - 1), topic, first, last)
        return found

    @staticmethod
    def _outputs_at(file: BinaryIO, offset: int, topic: str, first: int, last: int) -> Iterator[bytes]:
        file.seek(offset)
        head = file.read(8)
        for batch, _end in read_batches(head + file.read(int.from_bytes(head[:4], "little"))):
            for record in batch:
                if record.kind is RecordKind.OUT:
                    frame = split_frame(record.frame)
                    if frame.topic == topic and first <= frame.envelope.sequence <= last:
                        yield record.frame

    def close(self) -> None:
        """Release the files and the lock."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        os.close(self._lock)
