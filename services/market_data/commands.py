"""What the stage wants done outside. The shell performs these; they are never published."""

from __future__ import annotations

from dataclasses import dataclass

from common.stage import Command


@dataclass(frozen=True, slots=True)
class FetchSnapshot(Command):
    """Ask the venue for a book snapshot of `symbol`; answer with a SnapshotReply, whatever comes of it."""

    symbol: str


@dataclass(frozen=True, slots=True)
class Reconnect(Command):
    """Close the connection to the venue and open another; the LinkStates follow from that."""

    reason: str
