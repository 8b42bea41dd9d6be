"""Records: how frames are kept in a file, pure. The journal and the input log are both runs of records.

    length u32 | crc32 u32 | kind u8 | time i64 | frame          (little-endian; length and crc cover kind..frame)

A torn or damaged tail ends the run: what was written whole before it is good.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from enum import IntEnum
from typing import Final, NamedTuple

_HEAD: Final = struct.Struct("<II")
_BODY: Final = struct.Struct("<Bq")
#: No frame is larger; a length above it is damage, not data.
MAX_RECORD_BYTES: Final = 64 * 2**20


class RecordKind(IntEnum):
    """What a record says about its stage."""

    #: A frame the stage was given.
    IN = 1
    #: A frame the stage gave out.
    OUT = 2
    #: The stage's deadline was called; no frame.
    DEADLINE = 3


class Record(NamedTuple):
    """One record; `now_ns` is the time the stage was told."""

    kind: RecordKind
    now_ns: int
    frame: bytes


def encode_record(kind: RecordKind, now_ns: int, frame: bytes = b"") -> bytes:
    """One record, to be appended."""
    body = _BODY.pack(kind, now_ns) + frame
    return _HEAD.pack(len(body), zlib.crc32(body)) + body


def read_records(data: bytes | memoryview) -> Iterator[tuple[Record, int]]:
    """The whole records in `data`, each with the offset behind it; stops silently at a torn or damaged one."""
    view, offset = memoryview(data), 0
    while offset + _HEAD.size <= len(view):
        length, crc = _HEAD.unpack_from(view, offset)
        end = offset + _HEAD.size + length
        if not _BODY.size <= length <= MAX_RECORD_BYTES or end > len(view):
            return
        body = view[offset + _HEAD.size : end]
        if zlib.crc32(body) != crc:
            return
        kind, now_ns = _BODY.unpack_from(body)
        yield Record(RecordKind(kind), now_ns, bytes(body[_BODY.size :])), end
        offset = end
