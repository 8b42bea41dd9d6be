"""The protocol that joins everything.

A stage is a plain object: facts and time in, facts and wishes out. It never awaits, reads a clock, opens a file,
logs, or draws an unseeded random number, so the same inputs give the same outputs, bit for bit, whoever drives it:
sockets and asyncio in a daemon, one event heap in the lab.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from common.topics import Event


class Command:
    """Base of what a stage wants done outside: fetch a snapshot, send an order. Shells perform, never publish it."""

    __slots__ = ()


Output = Event | Command


class Stage(Protocol):
    """One pure stage of the pipeline."""

    def handle(self, event: Event, now_ns: int) -> Iterable[Output]:
        """Take in one fact at time `now_ns` (UTC ns, never decreasing) and say what follows from it.

        Facts of types the stage does not know are ignored.
        """
        ...

    def deadline_ns(self) -> int | None:
        """When `on_deadline` wants to be called at the latest; None for never."""
        ...

    def on_deadline(self, now_ns: int) -> Iterable[Output]:
        """Time has passed; `now_ns` is at or after `deadline_ns()`."""
        ...

    def restore(self, event: Event, *, was_output: bool) -> None:
        """Take in one journalled fact, oldest first, before the first `handle`: state returns, nothing goes out."""
        ...

    def stats(self) -> Mapping[str, object]:
        """Counters and state for `/metrics`, the live view and the summary; plain JSON values."""
        ...
