"""The lab driver: the stages of the daemons on one event heap, in virtual time.

Two uses of the same heap:

* `LabDriver.feed(...)` with routing: outputs of a stage become inputs of the stages that read their topic, after a
  latency per hop; deadlines fire exactly when due. This is the backtest's arrangement.
* `replay(...)`: each stage gets the recorded inputs of a live run, deadlines included, at their recorded times,
  merged over all stages; its outputs must equal the recorded ones, bit for bit.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from common.codec import Codec, decode_event, encode_body, split_frame
from common.messages import Source, UpstreamStatus
from common.records import Record, RecordKind, read_batches
from common.stage import Command, Output, Stage
from common.topics import READS, Event, topic_of

Perform = Callable[[Source, Command, int], Iterable[tuple[int, Event]]]


def _no_outside(_source: Source, _command: Command, _now_ns: int) -> Iterable[tuple[int, Event]]:
    return ()


@dataclass(order=True, slots=True)
class _Entry:
    at_ns: int
    order: int
    target: Source = field(compare=False)
    event: Event | None = field(compare=False)


class LabDriver:
    """Stages on one heap. Ties in time are broken by the order of insertion, so a run is deterministic."""

    def __init__(
        self,
        stages: Mapping[Source, Stage],
        *,
        hop_latency_ns: int = 0,
        perform: Perform = _no_outside,
        on_output: Callable[[Source, Event, int], None] = lambda _source, _event, _now_ns: None,
    ) -> None:
        """`perform` answers a stage's Command with (time, event) pairs for that same stage: the outside world.

        `on_output` sees every message a stage gives out, with the virtual time.
        """
        self.now_ns = 0
        self._stages = stages
        self._hop_latency_ns = hop_latency_ns
        self._perform = perform
        self._on_output = on_output
        self._heap: list[_Entry] = []
        self._order = count()
        self._due: dict[Source, int | None] = {}
        self._readers = {
            topic: [target for target in stages for source, names in READS[target].items() if topic in names]
            for topics in READS.values()
            for names in topics.values()
            for topic in names
        }

    def feed(self, at_ns: int, target: Source, event: Event) -> None:
        """Put an outside event on the heap."""
        heapq.heappush(self._heap, _Entry(at_ns, next(self._order), target, event))

    def join(self, at_ns: int) -> None:
        """Tell every stage that the publishers it reads are there, as the daemons' drivers do."""
        for target in self._stages:
            for source in READS[target]:
                if source in self._stages:
                    status = UpstreamStatus(
                        event_ns=at_ns, origin_ns=at_ns, trace_id=0, source=source, is_alive=True, epoch=1
                    )
                    self.feed(at_ns, target, status)

    def run(self, until_ns: int | None = None) -> None:
        """Until the heap holds nothing more (or nothing before `until_ns`); periodic deadlines need `until_ns`."""
        while self._heap and (until_ns is None or self._heap[0].at_ns <= until_ns):
            entry = heapq.heappop(self._heap)
            self.now_ns = max(self.now_ns, entry.at_ns)
            stage = self._stages[entry.target]
            if entry.event is not None:
                self._emit(entry.target, stage.handle(entry.event, self.now_ns))
            elif self._due.get(entry.target) == entry.at_ns:
                self._due[entry.target] = None
                self._emit(entry.target, stage.on_deadline(self.now_ns))
            self._schedule(entry.target, stage, until_ns)

    def _emit(self, source: Source, outputs: Iterable[Output]) -> None:
        for output in outputs:
            if isinstance(output, Command):
                for at_ns, event in self._perform(source, output, self.now_ns):
                    self.feed(at_ns, source, event)
                continue
            self._on_output(source, output, self.now_ns)
            for target in self._readers.get(topic_of(output), ()):
                self.feed(self.now_ns + self._hop_latency_ns, target, output)

    def _schedule(self, target: Source, stage: Stage, until_ns: int | None) -> None:
        due = stage.deadline_ns()
        if due is None or due == self._due.get(target) or (until_ns is not None and due > until_ns):
            return
        due = max(due, self.now_ns)
        self._due[target] = due
        heapq.heappush(self._heap, _Entry(due, next(self._order), target, None))


@dataclass(frozen=True, slots=True)
class Difference:
    """The first place where a replay leaves the recording."""

    source: Source
    turn: int
    recorded: bytes
    replayed: bytes


def read_turns(data: bytes) -> list[list[Record]]:
    """The turns in an input log's bytes: what was restored, then IN or DEADLINE records, each with its outputs."""
    return [batch for batch, _end in read_batches(data)]


def replay(stages: Mapping[Source, Stage], logs: Mapping[Source, Sequence[Sequence[Record]]]) -> Iterator[Difference]:
    """Run fresh `stages` over the turns of their `logs`, one life each, by time; yield each turn that differs."""
    heap = [(turns[0][0].now_ns, source, 0) for source, turns in logs.items() if turns]
    heapq.heapify(heap)
    while heap:
        now_ns, source, index = heapq.heappop(heap)
        turn = logs[source][index]
        first, stage = turn[0], stages[source]
        outputs: Iterable[Output] = ()
        if first.kind in (RecordKind.RESTORED_IN, RecordKind.RESTORED_OUT):
            was_output = first.kind is RecordKind.RESTORED_OUT
            stage.restore(decode_event(split_frame(first.frame)), was_output=was_output)
        elif first.kind is RecordKind.DEADLINE:
            outputs = stage.on_deadline(now_ns)
        else:
            outputs = stage.handle(decode_event(split_frame(first.frame)), now_ns)
        replayed = b"".join(_identity(o) for o in outputs if not isinstance(o, Command))
        recorded = b"".join(_identity(decode_event(split_frame(r.frame))) for r in turn[1:])
        if replayed != recorded:
            yield Difference(source, index, recorded, replayed)
        if index + 1 < len(logs[source]):
            heapq.heappush(heap, (logs[source][index + 1][0].now_ns, source, index + 1))


def _identity(event: Event) -> bytes:
    """An event's type, key and body: what must be equal, whoever drove the stage."""
    return type(event).__name__.encode() + event.key.encode() + encode_body(event, Codec.MSGPACK)[1]
