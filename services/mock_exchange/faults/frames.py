"""What goes wrong with frames. Only what is sent is harmed: the exchange's own book and every snapshot stay true."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from common.units import NS_PER_MS, NS_PER_S
from services.mock_exchange.faults.armed import Account, Armed
from services.mock_exchange.faults.plan import Disconnect, FrameFault, FrameLatency, Stall


class FrameFate(NamedTuple):
    """What happens to a frame: the texts sent in its place, how late, and whether its readers are cut instead."""

    texts: Sequence[str]
    wait_ns: int = 0
    is_cut: bool = False


class _Silence:
    """A stall that lasts: the channels it covers say nothing until its end."""

    def __init__(self, armed: Armed, fault: Stall, now_ns: int) -> None:
        self._armed = armed
        self._keeps = fault.frames == "late"
        self.until_ns = now_ns + int(fault.stall_s * NS_PER_S)
        self.late: dict[str, list[str]] = {}

    def swallows(self, channel: str, text: str, now_ns: int) -> bool:
        """Whether a frame falls into the silence; it is kept when it is to come late."""
        if now_ns >= self.until_ns or not self._armed.meets(channel):
            return False
        if self._keeps:
            self.late.setdefault(channel, []).append(text)
        return True


class FrameFaults:
    """The faults of a plan that act on frames.

    At most one of them harms a frame, the first in the plan's order; latency comes on top. A reordered frame is held
    back until its successor of the same channel has gone out.
    """

    def __init__(self, armed: Sequence[Armed], account: Account) -> None:
        self._armed = [a for a in armed if isinstance(a.fault, FrameFault | FrameLatency | Stall | Disconnect)]
        self._account = account
        self._matches: dict[str, list[Armed]] = {}
        self._held: dict[str, str] = {}
        self._silences: list[_Silence] = []

    @property
    def is_idle(self) -> bool:
        """True when every frame goes out as it is."""
        return not self._armed

    def apply(self, channel: str, text: str, since_ns: int, now_ns: int) -> FrameFate:
        """What happens to a frame of a channel."""
        before = self._late(channel, now_ns)
        if any(silence.swallows(channel, text, now_ns) for silence in self._silences):
            return FrameFate(before)
        held = self._held.pop(channel, None)
        texts, wait_ns, is_cut = [text], 0, False
        for armed in self._armed_for(channel):
            fault = armed.fault
            is_second = held is not None and isinstance(fault, FrameFault) and fault.kind == "reorder"
            if is_second or not armed.hits(since_ns):
                continue
            if isinstance(fault, FrameLatency):
                wait_ns = armed.draw_ns(fault.latency)
                self._account.note(armed, channel, now_ns, f"{wait_ns // NS_PER_MS} ms")
                continue
            self._account.note(armed, channel, now_ns)
            if isinstance(fault, FrameFault):
                texts = self._harm(fault, armed, channel, text)
            elif isinstance(fault, Stall):
                silence = _Silence(armed, fault, now_ns)
                self._silences.append(silence)
                texts = [] if silence.swallows(channel, text, now_ns) else texts
            else:
                texts, is_cut = [], True
            break
        return FrameFate((*before, *texts, *([held] if held is not None else ())), wait_ns, is_cut)

    def flush(self) -> list[tuple[str, str]]:
        """What is still held back when nothing follows, as (channel, text)."""
        left = [(c, text) for silence in self._silences for c, texts in silence.late.items() for text in texts]
        left += self._held.items()
        self._held.clear()
        self._silences.clear()
        return left

    def _harm(self, fault: FrameFault, armed: Armed, channel: str, text: str) -> list[str]:
        if fault.kind == "duplicate":
            return [text, text]
        if fault.kind == "truncate":
            return [text[: armed.below(len(text))]]
        if fault.kind == "reorder":
            self._held[channel] = text
        return []

    def _late(self, channel: str, now_ns: int) -> Sequence[str]:
        """Frames of a channel that come now because their stall is over."""
        if not self._silences:
            return ()
        late: list[str] = []
        for silence in self._silences:
            if now_ns >= silence.until_ns:
                late += silence.late.pop(channel, [])
        self._silences = [s for s in self._silences if now_ns < s.until_ns or s.late]
        return late

    def _armed_for(self, channel: str) -> list[Armed]:
        """The faults whose pattern covers a channel; channels are few, frames many."""
        found = self._matches.get(channel)
        if found is None:
            found = self._matches[channel] = [armed for armed in self._armed if armed.meets(channel)]
        return found
