"""Who has seen what: gap detection by (source, epoch, sequence), pure.

One `SequenceTracker` stands for one (source, topic) at one reader.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class Verdict(Enum):
    """What to do with a frame."""

    #: The next one: deliver.
    NEXT = "next"
    #: Seen before, or from a former life of the publisher: drop.
    OLD = "old"
    #: Frames between the last delivered one and this one are missing.
    GAP = "gap"


@dataclass(slots=True)
class SequenceTracker:
    """Tracks one numbered stream.

    `continues_over_epochs`: the publisher keeps counting across its restarts (lossless topics do, because their
    numbers are in its journal); else a new epoch starts again at 1.
    `heals_by_snapshot`: newer frames are delivered over a gap, and only a snapshot closes it (`jump`).
    """

    continues_over_epochs: bool = False
    heals_by_snapshot: bool = False
    epoch: int = 0
    last: int = 0
    gaps_seen: int = 0
    gaps_healed: int = 0
    missing: int = 0
    lost: int = 0
    duplicates: int = 0
    #: Highest number known to exist, from frames and heartbeats: what is missing is counted once, against it.
    _highest: int = field(default=0, repr=False)
    _open_gap_end: int = field(default=0, repr=False)
    _awaits_snapshot: bool = field(default=False, repr=False)
    _gap_has_loss: bool = field(default=False, repr=False)

    def check(self, epoch: int, sequence: int) -> Verdict:
        """Judge a frame; NEXT moves the tracker (so does GAP when snapshots heal). An open gap counts once."""
        if epoch < self.epoch:
            self.duplicates += 1
            return Verdict.OLD
        if epoch > self.epoch:
            self.begin_epoch(epoch)
        if sequence <= self.last:
            self.duplicates += 1
            return Verdict.OLD
        if sequence == self.last + 1:
            self.last = sequence
            self._highest = max(self._highest, sequence)
            if self._open_gap_end and sequence >= self._open_gap_end and not self.heals_by_snapshot:
                self._close(healed=True)
            return Verdict.NEXT
        self.note_behind(sequence - 1)
        self._highest = max(self._highest, sequence)
        if self.heals_by_snapshot:
            self.last = sequence
        return Verdict.GAP

    def begin_epoch(self, epoch: int) -> None:
        """The publisher has been restarted.

        Where numbers start again, what was missing of its former life never comes: the next snapshot stands for it,
        or, where every frame counts, it is lost.
        """
        self.epoch = epoch
        if self.continues_over_epochs:
            return
        if self._open_gap_end:
            if self.heals_by_snapshot:
                self._awaits_snapshot = True
            else:
                self.lost += self._highest - self.last
            self._open_gap_end = 0
        self.last = self._highest = 0

    def rewind(self) -> None:
        """The publisher counts from 1 again, having lost its journal: follow it."""
        self.last = self._highest = 0
        if self._open_gap_end:
            self._close(healed=True)

    def note_behind(self, publisher_last: int) -> bool:
        """The publisher says it is at `publisher_last`. True when frames are missing here."""
        if publisher_last <= self.last:
            return False
        if not self._open_gap_end:
            self.gaps_seen += 1
        self.missing += max(0, publisher_last - max(self.last, self._highest))
        self._highest = max(self._highest, publisher_last)
        self._open_gap_end = max(self._open_gap_end, publisher_last)
        return True

    def jump(self, epoch: int, sequence: int, *, lost: int = 0) -> None:
        """A snapshot stands for all up to `sequence`, or `lost` frames up to it are gone for good."""
        if epoch > self.epoch:
            self.begin_epoch(epoch)
        self.last = max(self.last, sequence)
        self._highest = max(self._highest, self.last)
        if self._awaits_snapshot:
            self._awaits_snapshot = False
            self.gaps_healed += 1
        if lost:
            self.lost += lost
            self._gap_has_loss = True
        if self._open_gap_end and sequence >= self._open_gap_end:
            self._close(healed=True)

    @property
    def has_gap(self) -> bool:
        """A gap has been seen and not yet closed."""
        return self._open_gap_end > 0

    def _close(self, *, healed: bool) -> None:
        self._open_gap_end = 0
        if healed and not self._gap_has_loss:
            self.gaps_healed += 1
        self._gap_has_loss = False
