"""The run itself: start all daemons at once, wait until they are ready, watch, end, stop in order, sum up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from enum import Enum
from typing import Final

from cli.supervisor.child import Child
from cli.supervisor.plan import RunPlan
from cli.supervisor.presenter import Presenter
from cli.supervisor.summary import Summary, summarise
from cli.supervisor.watch import Watch
from dashboard.statuses import MOCK_EXCHANGE

_TURN_S: Final = 0.2
_POLL_S: Final = 1.0
_READY_TIMEOUT_S: Final = 180.0
#: Stopping: until gaps heal, until what is under way has arrived, until a daemon is killed; less than 5 s in all.
_SETTLE_S: Final = 1.0
_DRAIN_S: Final = 0.8
_GRACE_S: Final = 1.2
_ORDERLY_S: Final = 3.0
#: Polls without movement after which a pipeline counts as drained.
_DRAINED_POLLS: Final = 3


class End(Enum):
    """Why a run ended."""

    ASKED = "stopped by the user"
    DURATION = "the time is up"
    REPLAYED = "the capture has been fed to its end"
    REFUSED = "a daemon refused its configuration"
    GAVE_UP = "a daemon died too often and was given up"
    NEVER_READY = "not all daemons became ready"


_TROUBLES: Final = (End.REFUSED, End.GAVE_UP, End.NEVER_READY)


class Supervisor:
    """Runs one plan once: `await run()`, then `summary()`, `refusal`, `watch.notices`.

    Setting `stop` ends the run in order; setting `hurry` cuts even that short. The duration of a plan counts from the
    moment all daemons are ready.
    """

    def __init__(
        self,
        plan: RunPlan,
        presenter: Presenter,
        environment: Mapping[str, str],
        *,
        ready_timeout_s: float = _READY_TIMEOUT_S,
    ) -> None:
        self.stop = asyncio.Event()
        self.hurry = asyncio.Event()
        self.watch = Watch(plan, presenter)
        #: What a daemon that ended with exit code 4 had to say.
        self.refusal = ""
        self._plan = plan
        self._presenter = presenter
        self._ready_timeout_s = ready_timeout_s
        for service, command in plan.commands.items():
            self.watch.children[service] = Child(
                service,
                command,
                log_path=plan.log_paths[service],
                environment=environment,
                notice=self.watch.notice,
            )
        self._end: End | None = None
        self._started_s = self._trading_s = self._ended_s = self._polled_s = 0.0

    async def run(self) -> End:
        """Start, watch, stop. Every child is gone when this returns or raises."""
        watch, children = self.watch, self.watch.children
        self._started_s = time.monotonic()
        self._presenter.open(list(children), str(self._plan.folder))
        lives = [asyncio.create_task(child.live(), name=service) for service, child in children.items()]
        try:
            while self._end is None:
                await self._turn()
                self._end = self._why_end()
            self._ended_s = time.monotonic()
            if self._trading_s and self._end not in _TROUBLES:
                await self._wind_down()
            return self._end
        finally:
            await self._stop_children(children, _GRACE_S)
            await asyncio.gather(*lives)
            watch.read_logs()
            self._presenter.close()

    async def _turn(self) -> None:
        """One look at everything: statuses when they are due, logs, the picture; then a sleep that `stop` ends."""
        now = time.monotonic()
        is_steady = self._trading_s and not self.watch.replay_done
        if now - self._polled_s >= (_POLL_S if is_steady else _TURN_S):
            self._polled_s = now
            await self.watch.poll(self.watch.children)
            if not self._trading_s and self.watch.was_ready:
                self._trading_s = time.monotonic()
        self.watch.read_logs()
        self._presenter.show(self.watch.view(elapsed_s=self._elapsed_s(), is_trading=self._trading_s > 0))
        with suppress(TimeoutError):
            await asyncio.wait_for(self.stop.wait(), _TURN_S)

    def _elapsed_s(self) -> float:
        return time.monotonic() - (self._trading_s or self._started_s)

    def _why_end(self) -> End | None:
        for child in self.watch.children.values():
            if child.phase == "refused":
                self.refusal = child.last_words()
                return End.REFUSED
            if child.phase == "given up":
                return End.GAVE_UP
        if self.stop.is_set():
            return End.ASKED
        if not self._trading_s:
            return End.NEVER_READY if self._elapsed_s() > self._ready_timeout_s else None
        if self._plan.duration_s is not None and self._elapsed_s() >= self._plan.duration_s:
            return End.DURATION
        is_drained = self.watch.replay_done and self.watch.quiet_polls >= _DRAINED_POLLS
        return End.REPLAYED if self._plan.is_replay and is_drained else None

    async def _wind_down(self) -> None:
        """Let gaps heal, stop the source, let what is under way arrive; the last statuses are heard on the way."""
        watch = self.watch
        by_s = time.monotonic() + _ORDERLY_S
        await self._poll_until(lambda: not watch.has_open_gap, watch.children, _SETTLE_S)
        source = {name: child for name, child in watch.children.items() if name in ("market_data", MOCK_EXCHANGE)}
        await self._stop_children(source, _GRACE_S)
        rest = [name for name in watch.children if name not in source]
        watch.quiet_polls = 0
        await self._poll_until(lambda: watch.quiet_polls >= 2, rest, min(_DRAIN_S, by_s - time.monotonic()))

    async def _poll_until(self, done: Callable[[], bool], services: Collection[str], limit_s: float) -> None:
        """Poll at least once, then until `done` or `limit_s` have passed."""
        until_s = time.monotonic() + limit_s
        while not self.hurry.is_set():
            await self.watch.poll(services)
            if done() or time.monotonic() >= until_s:
                return
            await asyncio.sleep(_TURN_S / 2)

    async def _stop_children(self, children: Mapping[str, Child], grace_s: float) -> None:
        grace_s = 0.0 if self.hurry.is_set() else grace_s
        await asyncio.gather(*(child.stop(grace_s) for child in children.values()))

    def summary(self) -> Summary:
        """What the run came to."""
        troubles = (self._end.value,) if self._end in _TROUBLES else ()
        return summarise(
            self.watch.ledger,
            seconds=self._ended_s - self._trading_s if self._trading_s else 0.0,
            first_fill_s=self.watch.first_fill_s,
            deaths=self.watch.deaths,
            replay_done=self.watch.replay_done if self._plan.is_replay else None,
            troubles=troubles,
        )
