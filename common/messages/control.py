"""What the plumbing says to the stages and to itself."""

from __future__ import annotations

from common.messages.base import Message, Source


class Heartbeat(Message):
    """A publisher is there, and this is how far each of its topics has got."""

    source: Source
    is_ready: bool
    last_sequences: dict[str, int]

    @property
    def key(self) -> str:
        return self.source.label


class UpstreamStatus(Message):
    """Told to a stage by its driver: a publisher it listens to came, went, or was restarted."""

    source: Source
    is_alive: bool
    epoch: int = 0

    @property
    def key(self) -> str:
        return self.source.label
