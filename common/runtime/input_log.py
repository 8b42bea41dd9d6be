"""The input log: every input, deadline and output of a stage, in order, for replay in the lab.

One file a life of the daemon, beginning with what was restored. Off by default (`journal.record_inputs`). Buffered:
it serves study, not recovery; a crash may cost its last second.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from common.codec import encode_frame
from common.messages import Source
from common.records import Record, RecordKind, encode_batch
from common.topics import Event

INPUT_LOG_NAMES: Final = "inputs-*.log"
_BUFFER_BYTES: Final = 1 << 20


class InputLog:
    """Writes the batches of one life to one file."""

    def __init__(self, folder: Path, epoch: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = (folder / INPUT_LOG_NAMES.replace("*", str(epoch))).open("ab", buffering=_BUFFER_BYTES)

    def restored(self, record: Record) -> None:
        """A fact given back from the journal, before the first turn."""
        kind = RecordKind.RESTORED_OUT if record.kind is RecordKind.OUT else RecordKind.RESTORED_IN
        self._file.write(encode_batch(record.now_ns, [(kind, record.frame)]))

    def write(self, now_ns: int, event: Event | None, data: bytes, outputs: Sequence[bytes]) -> None:
        """One turn: its input (None for a deadline; `data` its frame if it came on the bus) and its outputs."""
        first = (RecordKind.DEADLINE, b"") if event is None else (RecordKind.IN, data or local_frame(event, now_ns))
        self._file.write(encode_batch(now_ns, [first, *((RecordKind.OUT, frame) for frame in outputs)]))

    def flush(self) -> None:
        """Hand the buffer to the system."""
        self._file.flush()

    def close(self) -> None:
        """Flush and close."""
        self._file.close()


def local_frame(event: Event, now_ns: int) -> bytes:
    """The frame of an input that did not come on the bus."""
    return encode_frame(event, source=Source.LOCAL, epoch=0, sequence=0, publish_ns=now_ns)
