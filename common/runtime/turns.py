"""One turn of a stage: an input in, its outputs numbered, journalled, published, performed; in that order.

Nothing lossless is published before it is on file together with the input that led to it, and nothing is sent to a
venue before that either: intent is on disk before a byte leaves.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from common.codec import Frame
from common.errors import HaltError, TidewireError
from common.latency import LatencyHistogram
from common.messages import ApprovedOrder, RawFrame
from common.records import RecordKind
from common.runtime.clock import Clock
from common.runtime.input_log import InputLog
from common.runtime.journal import Entry, Journal
from common.runtime.narrator import Narrator
from common.runtime.publisher import Publisher
from common.stage import Command, Output, Stage
from common.topics import READS, TOPICS, Event, LossPolicy, topic_of

_LOSSLESS = frozenset(name for name, topic in TOPICS.items() if topic.policy is LossPolicy.LOSSLESS)


class Turns:
    """Runs a stage's turns on behalf of a driver."""

    def __init__(
        self,
        stage: Stage,
        publisher: Publisher,
        *,
        clock: Clock,
        journal: Journal | None,
        input_log: InputLog | None,
        narrator: Narrator,
        perform: Callable[[Command], None],
        log: Any,
    ) -> None:
        self.latencies: defaultdict[str, LatencyHistogram] = defaultdict(LatencyHistogram)
        self.errors = 0
        self._hops = {
            name: (self.latencies[f"{name}_transit"], self.latencies[f"{name}_handle"])
            for topics in READS[publisher.source].values()
            for name in topics
        }
        #: Set when state can no longer be trusted; the driver stops the daemon.
        self.halt: HaltError | None = None
        self._stage = stage
        self._publisher = publisher
        self._clock = clock
        self._journal = journal
        self._input_log = input_log
        self._narrator = narrator
        self._perform = perform
        self._log = log

    def take(self, event: Event, data: bytes = b"", frame: Frame | None = None, *, is_fresh: bool = True) -> None:
        """Give the stage one event; `data` and `frame` are what it came in when it came on the bus.

        `is_fresh` is False for what is replayed: its age says nothing about latency.
        """
        if self.halt is not None:
            return
        now_ns = self._clock.now_ns()
        start = time.perf_counter_ns()
        try:
            outputs = list(self._stage.handle(event, now_ns))
        except Exception as exc:  # noqa: BLE001 - whatever a stage raises, the daemon and the other inputs go on
            self._stage_failed(exc, event)
            outputs = []
        handled = time.perf_counter_ns()
        if not self._emit(event, data, frame, outputs, now_ns):
            return
        self._narrator.heard(event)
        if frame is not None:
            transit, handle = self._hops[frame.topic]
            handle.record(handled - start)
            if is_fresh:
                transit.record(now_ns - frame.envelope.publish_ns)
                if type(event) is ApprovedOrder:
                    self.latencies["tick_to_order"].record(now_ns - event.origin_ns)
        elif outputs and type(event) is RawFrame:
            self.latencies["feed_to_publish"].record(self._clock.now_ns() - event.recv_ns)
        if outputs:
            self._narrate(outputs)

    def deadline(self) -> None:
        """Call the stage's deadline."""
        if self.halt is not None:
            return
        now_ns = self._clock.now_ns()
        try:
            outputs = list(self._stage.on_deadline(now_ns))
        except Exception as exc:  # noqa: BLE001 - as in take()
            self._stage_failed(exc, None)
            outputs = []
        if self._emit(None, b"", None, outputs, now_ns):
            self._narrate(outputs)

    def _emit(
        self, event: Event | None, data: bytes, frame: Frame | None, outputs: list[Output], now_ns: int
    ) -> bool:
        """Journal, publish, perform. False when that failed: then nothing went out, and nothing will any more.

        Numbers given to frames that could not be kept or encoded are gone, and the stage has moved on: going on would
        publish what the journal does not know. So the daemon halts, and a restart begins again from what is on file.
        """
        frames: list[bytes] = []
        commands: list[Command] = []
        durable: list[Entry] = []
        publisher = self._publisher
        if frame is not None and frame.topic in _LOSSLESS:
            durable.append(Entry(RecordKind.IN, frame.topic, frame.envelope.sequence, data))
        try:
            for output in outputs:
                if isinstance(output, Command):
                    commands.append(output)
                    continue
                encoded = publisher.frame(output, self._clock.now_ns())
                frames.append(encoded)
                if self._journal is not None:
                    topic = topic_of(output)
                    if topic in _LOSSLESS:
                        durable.append(Entry(RecordKind.OUT, topic, publisher.last_sequence(topic), encoded))
            if durable and self._journal is not None:
                self._journal.append(now_ns, durable)
        except Exception as exc:  # noqa: BLE001 - the next line is the only right answer to any of them
            self._halt(exc)
            return False
        for encoded in frames:
            publisher.send(encoded)
        if self._input_log is not None:
            self._input_log.write(now_ns, event, data, frames)
        for command in commands:
            self._perform(command)
        return True

    def _halt(self, exc: Exception) -> None:
        self.halt = exc if isinstance(exc, HaltError) else HaltError(f"an output could not be sent: {exc!r}")
        self._log.critical("Halted", problem=str(self.halt))

    def _narrate(self, outputs: Iterable[Output]) -> None:
        """Tell the story after the facts are out: nobody downstream waits for a log line."""
        for output in outputs:
            if not isinstance(output, Command):
                self._narrator.told(output)

    def _stage_failed(self, exc: Exception, event: Event | None) -> None:
        self.errors += 1
        what = repr(event)[:300] if event is not None else "deadline"
        if isinstance(exc, HaltError):
            self.halt = exc
        if isinstance(exc, TidewireError):
            self._log.error("Input refused by the stage", problem=str(exc), input=what)
        else:
            self._log.error("The stage failed on an input", input=what, exc_info=exc)
