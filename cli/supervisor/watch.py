"""The supervisor's eyes: statuses, logs, health, and the view made of them."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Collection, Mapping
from typing import Final

from cli.supervisor.child import Child
from cli.supervisor.log_tail import LogTail, NoticeLimit, is_notable
from cli.supervisor.plan import RunPlan
from cli.supervisor.presenter import Presenter
from cli.supervisor.status_client import fetch_all
from dashboard.statuses import HOPS, MOCK_EXCHANGE, StatusLedger, add_up, open_feed_gaps
from dashboard.terminal.state import Health, RunView

#: While all start at once, market data finds the venue not there yet, connects, synchronises: news only if it lasts.
_STARTING: Final = "[market_data.feed]"
_PATIENCE_S: Final = 10.0
_STAMP: Final = re.compile(r"^\d{4}-\d\d-\d\dT(\d\d:\d\d:\d\d)(\.\d+)?Z? +")


class Watch:
    """What is known of the children of one run."""

    def __init__(self, plan: RunPlan, presenter: Presenter) -> None:
        self.children: dict[str, Child] = {}
        self.ledger = StatusLedger()
        self.notices: deque[str] = deque(maxlen=50)
        #: Seconds from `began` to the first fill heard of.
        self.first_fill_s: float | None = None
        #: Polls in a row in which nothing moved down the pipeline.
        self.quiet_polls = 0
        self._plan = plan
        self._presenter = presenter
        self._tails = {service: LogTail(path) for service, path in plan.log_paths.items()}
        self._limit = NoticeLimit()
        self._progress: tuple[int, ...] = ()
        self._began_s = time.monotonic()
        #: Set once all have been ready at the same time.
        self.was_ready = False
        self._early: list[str] = []

    def notice(self, service: str, line: str) -> None:
        """Tell the user something about a daemon."""
        self._tell(f"{service}: {line}")

    def _tell(self, line: str) -> None:
        self.notices.append(line)
        self._presenter.notice(line)

    async def poll(self, services: Collection[str]) -> None:
        """Ask for statuses. Only a child's own answer counts, not that of another system on the same port."""
        replies = await fetch_all({service: self._plan.addresses[service] for service in services})
        for service, status in replies.items():
            if status.pid == self.children[service].pid:
                self.ledger.record(status)
        if self.first_fill_s is None and self.ledger.stage("execution_engine").get("fills"):
            self.first_fill_s = time.monotonic() - self._began_s
        self.was_ready = self.was_ready or self.all_ready
        progress = self._progress_now()
        self.quiet_polls = self.quiet_polls + 1 if progress == self._progress else 0
        self._progress = progress

    def _progress_now(self) -> tuple[int, ...]:
        """Numbers that stand still exactly when nothing moves down the pipeline (states and heartbeats aside)."""
        totals = add_up(self.ledger)
        carried = [n for topic, _, _ in HOPS for n in (totals.messages.get(topic, 0), totals.delivered[topic])]
        return (totals.feed.frames, totals.messages.get("trade", 0), *carried)

    def read_logs(self) -> None:
        """Bring new warnings and errors before the user's eyes."""
        now = time.monotonic()
        for service, tail in self._tails.items():
            notable = [_STAMP.sub(r"\1 ", line) for line in tail.new_lines() if is_notable(line)]
            if not self.was_ready:
                notable = self._hold_back(notable, now)
            for line in self._limit.admit(service, notable, now):
                self._tell(line)

    def _hold_back(self, lines: list[str], now_s: float) -> list[str]:
        """The lines to show while not all are ready yet; after some patience, also those held back until then."""
        if now_s - self._began_s < _PATIENCE_S:
            self._early += [line for line in lines if _STARTING in line]
            return [line for line in lines if _STARTING not in line]
        early, self._early = self._early, []
        return early + lines

    @property
    def replay_done(self) -> bool:
        """The mock exchange has sent the whole capture."""
        return bool(self.ledger.stage(MOCK_EXCHANGE).get("replay_done"))

    @property
    def has_open_gap(self) -> bool:
        """A gap of the feed or the bus has been seen and is not healed yet."""
        gaps = add_up(self.ledger).gaps
        return open_feed_gaps(self.ledger) > 0 or any(gap.open > 0 for gap in gaps.values())

    @property
    def all_ready(self) -> bool:
        """Every child runs, and says itself that it is ready."""
        return all(health.ready for health in self.health())

    @property
    def deaths(self) -> Mapping[str, int]:
        """Unexpected exits by service."""
        return {service: child.deaths for service, child in self.children.items()}

    def health(self) -> tuple[Health, ...]:
        """The children as they are now; a status of a former life says nothing about the present one."""
        lines = []
        for service, child in self.children.items():
            status = self.ledger.latest(service)
            is_own = status is not None and status.pid == child.pid
            ready = is_own and status is not None and status.ready and child.phase == "running"
            lines.append(Health(service, child.phase, child.pid, ready, child.deaths, child.uptime_s))
        return tuple(lines)

    def view(self, *, elapsed_s: float, is_trading: bool) -> RunView:
        """All that is known, to be shown."""
        return RunView(
            title=self._plan.title,
            elapsed_s=elapsed_s,
            duration_s=self._plan.duration_s,
            is_trading=is_trading,
            health=self.health(),
            ledger=self.ledger,
            totals=add_up(self.ledger),
            market=self._presenter.market,
            notices=tuple(self.notices),
        )
