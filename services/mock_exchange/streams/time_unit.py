"""What timestamps count: milliseconds, or microseconds for who asks with timeUnit (venues.md 2.2)."""

from __future__ import annotations

from enum import Enum
from typing import Final

from common.units import NS_PER_MS

#: Streams in microseconds are channels of their own, named by the stream and this.
_MICROSECOND_MARK: Final = "#us"


class TimeUnit(Enum):
    """The unit of every timestamp of an answer or a stream. Its value is how many make a millisecond."""

    MILLISECOND = 1
    MICROSECOND = 1000

    def of_ns(self, time_ns: int) -> int:
        """A time in this unit, cut."""
        return time_ns // (NS_PER_MS // self.value)

    def of_ms(self, time_ms: int) -> int:
        """A time that is known by the millisecond."""
        return time_ms * self.value

    def last_before(self, end_ms: int) -> int:
        """The last moment before `end_ms`: how the venue writes the end of a bar."""
        return end_ms * self.value - 1

    def channel(self, stream: str) -> str:
        """The channel that carries `stream` in this unit."""
        return stream if self is TimeUnit.MILLISECOND else stream + _MICROSECOND_MARK


def in_milliseconds(channel: str) -> str:
    """The channel of the same stream in milliseconds."""
    return channel.removesuffix(_MICROSECOND_MARK)


def time_unit_of(text: str) -> TimeUnit | None:
    """`MILLISECOND` or `MICROSECOND`, in capitals or small letters; None for anything else."""
    return TimeUnit.__members__.get(text.upper()) if text in (text.upper(), text.lower()) else None
