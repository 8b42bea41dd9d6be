"""Records: how frames are kept in a file, pure. The journal and the input log are both runs of batches.

    length u32 | crc32 u32 | time i64 | { kind u8 | length u32 | frame } ...        (little-endian)

A batch is what followed from one input: it is good as a whole or not at all, so a crash can never keep an input
and lose what it led to. A torn or damaged tail ends the run; what was written whole before it is good.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import Final, NamedTuple

_HEAD: Final = struct.Struct("<II")
_TIME: Final = struct.Struct("<q")
_ITEM: Final = struct.Struct("<BI")
#: No batch is larger; a length above it is damage, not data.
MAX_BATCH_BYTES: Final = 256 * 2**20


class RecordKind(IntEnum):
    """What a record says about its stage."""

    #: A frame the stage was given.
    IN = 1
    #: A frame the stage gave out.
    OUT = 2
    #: The stage's deadline was called; the frame is empty.
    DEADLINE = 3
    #: A frame of an earlier life, given back at the start: once an input ...
    RESTORED_IN = 4
    #: ... or once an output.
    RESTORED_OUT = 5


class Record(NamedTuple):
    """One record; `now_ns` is the time the stage was told."""

    kind: RecordKind
    now_ns: int
    frame: bytes


def encode_batch(now_ns: int, items: Sequence[tuple[RecordKind, bytes]]) -> bytes:
    """One batch, to be appended in one write."""
    body = _TIME.pack(now_ns) + b"".join(_ITEM.pack(kind, len(frame)) + frame for kind, frame in items)
    return _HEAD.pack(len(body), zlib.crc32(body)) + body


def read_batches(data: bytes | memoryview) -> Iterator[tuple[list[Record], int]]:
    """The whole batches in `data`, each with the offset behind it; stops silently at a torn or damaged one."""
    view, offset = memoryview(data), 0
    while offset + _HEAD.size <= len(view):
        length, crc = _HEAD.unpack_from(view, offset)
        end = offset + _HEAD.size + length
        if not _TIME.size <= length <= MAX_BATCH_BYTES or end > len(view):
            return
        body = view[offset + _HEAD.size : end]
        if zlib.crc32(body) != crc:
            return
        yield list(_items(body)), end
        offset = end


def _items(body: memoryview) -> Iterator[Record]:
    (now_ns,) = _TIME.unpack_from(body)
    at = _TIME.size
    while at < len(body):
        kind, length = _ITEM.unpack_from(body, at)
        at += _ITEM.size
        yield Record(RecordKind(kind), now_ns, bytes(body[at : at + length]))
        at += length
