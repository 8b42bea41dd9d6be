"""BookUpdate: a header described by pydantic and raw integer arrays, in one run of 64-bit words.

    words = [header fields in BookHeader's order]
            + bid prices + bid quantities + ask prices + ask quantities     (int64, little-endian, best first)

A kernel writes the words, the wire carries them, a reader views them: no per-level Python object exists.
"""

from __future__ import annotations

import struct
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from common.errors import WireError
from common.messages.market import FeedState

IntArray = npt.NDArray[np.int64]


class BookHeader(BaseModel):
    """The words in front of the levels, in wire order. Each is one signed 64-bit integer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    event_ns: int = Field(description="venue time of the last change, UTC ns")
    origin_ns: int = Field(ge=0, description="local time the frame was received, UTC ns")
    trace_id: int = Field(ge=0)
    update_id: int = Field(ge=0, description="the venue's id of the last change in the book")
    state: FeedState = Field(description="only SYNCED may be traded on")
    bid_count: int = Field(ge=0, description="bid levels that follow")
    ask_count: int = Field(ge=0, description="ask levels that follow")
    bid_depth: int = Field(ge=0, description="bid levels in the whole book")
    ask_depth: int = Field(ge=0, description="ask levels in the whole book")


HEADER_FIELDS: Final = tuple(BookHeader.model_fields)
HEADER_WORDS: Final = len(HEADER_FIELDS)
EVENT_NS, ORIGIN_NS, TRACE_ID, UPDATE_ID, STATE, BID_COUNT, ASK_COUNT, BID_DEPTH, ASK_DEPTH = range(HEADER_WORDS)
_HEAD: Final = struct.Struct(f"<{HEADER_WORDS}q")
_SYNCED: Final = int(FeedState.SYNCED)


def words_needed(bid_count: int, ask_count: int) -> int:
    """Length of the word array for that many levels."""
    return HEADER_WORDS + 2 * (bid_count + ask_count)


class BookUpdate:
    """The top levels of one book after one change; complete in itself, so a newer one replaces an older one.

    `words` is int64[words_needed(bid_count, ask_count)] and is never changed after construction.
    """

    SCHEMA_VERSION: ClassVar[int] = 1
    __slots__ = ("_head", "symbol", "venue", "words")

    def __init__(self, venue: str, symbol: str, words: IntArray) -> None:
        self.venue = venue
        self.symbol = symbol
        self.words = words
        self._head: tuple[int, ...] = ()

    @property
    def head(self) -> tuple[int, ...]:
        """The header words as plain integers, read once: scalars out of an array cost far more than these."""
        if not self._head:
            self._head = tuple(self.words[:HEADER_WORDS].tolist())
        return self._head

    @classmethod
    def empty(
        cls,
        venue: str,
        symbol: str,
        state: FeedState,
        *,
        event_ns: int,
        origin_ns: int,
        trace_id: int,
        update_id: int = 0,
    ) -> BookUpdate:
        """A book without levels: what is published the moment a book stops being one."""
        words = np.zeros(HEADER_WORDS, np.int64)
        words[: STATE + 1] = (event_ns, origin_ns, trace_id, update_id, state)
        return cls(venue, symbol, words)

    @classmethod
    def from_body(cls, key: str, body: bytes | memoryview) -> BookUpdate:
        """The update in a frame's body.

        Raises:
            WireError: the length does not fit the counts, or the state is none.
        """
        size = len(body)
        if size < _HEAD.size or size % 8:
            raise WireError(f"a book update of {size} bytes is shorter than its header or not whole words")
        head = _HEAD.unpack_from(body)
        bids, asks = head[BID_COUNT], head[ASK_COUNT]
        if bids < 0 or asks < 0 or size != 8 * words_needed(bids, asks):
            raise WireError(f"a book update of {size // 8} words cannot hold {bids} bids and {asks} asks")
        if not 0 <= head[STATE] <= FeedState.STALE:
            raise WireError(f"a book update has the unknown state {head[STATE]}")
        venue, _, symbol = key.partition(".")
        made = cls(venue, symbol, np.frombuffer(body, np.int64))
        made._head = head
        return made

    def body(self) -> bytes:
        """The words as they travel."""
        return self.words.tobytes()

    @property
    def key(self) -> str:
        return f"{self.venue}.{self.symbol}"

    @property
    def header(self) -> BookHeader:
        """The header as a validated model (for people and for JSON; hot paths read the words)."""
        return BookHeader(**dict(zip(HEADER_FIELDS, self.head, strict=True)))

    @property
    def event_ns(self) -> int:
        return self.head[EVENT_NS]

    @property
    def origin_ns(self) -> int:
        return self.head[ORIGIN_NS]

    @property
    def trace_id(self) -> int:
        return self.head[TRACE_ID]

    @property
    def update_id(self) -> int:
        return self.head[UPDATE_ID]

    @property
    def state(self) -> FeedState:
        return FeedState(self.head[STATE])

    @property
    def is_valid(self) -> bool:
        """True when the book may be traded on: in sync, and both sides there."""
        head = self.head
        return head[STATE] == _SYNCED and head[BID_COUNT] > 0 and head[ASK_COUNT] > 0

    @property
    def bid_ticks(self) -> IntArray:
        return self.words[HEADER_WORDS : HEADER_WORDS + self.head[BID_COUNT]]

    @property
    def bid_lots(self) -> IntArray:
        n = self.head[BID_COUNT]
        return self.words[HEADER_WORDS + n : HEADER_WORDS + 2 * n]

    @property
    def ask_ticks(self) -> IntArray:
        start = HEADER_WORDS + 2 * self.head[BID_COUNT]
        return self.words[start : start + self.head[ASK_COUNT]]

    @property
    def ask_lots(self) -> IntArray:
        n = self.head[ASK_COUNT]
        start = HEADER_WORDS + 2 * self.head[BID_COUNT] + n
        return self.words[start : start + n]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BookUpdate):
            return NotImplemented
        return self.key == other.key and np.array_equal(self.words, other.words)

    def __hash__(self) -> int:
        return hash((self.key, self.words.tobytes()))

    def __repr__(self) -> str:
        return f"BookUpdate({self.key}, {self.header!r})"
