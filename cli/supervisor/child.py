"""One daemon as a child process: started, watched, started again when it dies, stopped within a deadline."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from cli.supervisor.backoff import Backoff
from cli.supervisor.log_tail import is_log_line
from common.errors import EXIT_CONFIG

#: Most lines of a daemon's last words that are shown.
_LAST_WORDS: Final = 12

#: However great the hurry.
_LEAST_GRACE_S: Final = 0.5


class Child:
    """A daemon and its lives.

    `phase` is one of "waiting", "running", "restarting", "stopped", "refused" (exit code 4), "given up".
    Output of all lives goes to one log file, by the child itself: it outlives a supervisor that is killed.
    """

    def __init__(
        self,
        service: str,
        command: Sequence[str],
        *,
        log_path: Path,
        environment: Mapping[str, str],
        notice: Callable[[str, str], None],
        backoff: Backoff | None = None,
    ) -> None:
        self.service = service
        self.log_path = log_path
        self.phase = "waiting"
        self.deaths = 0
        self._command = tuple(command)
        self._environment = dict(environment)
        self._notice = notice
        self._backoff = backoff or Backoff()
        self._process: asyncio.subprocess.Process | None = None
        self._started_s = 0.0
        self._life_offset = 0
        self._stopping = asyncio.Event()

    @property
    def pid(self) -> int | None:
        """Of the life that goes on; None when there is none."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    @property
    def uptime_s(self) -> float:
        """Of the life that goes on; 0 when there is none."""
        return time.monotonic() - self._started_s if self.pid is not None else 0.0

    async def live(self) -> None:
        """Run it until `stop`, a refusal or too many deaths. Ends by returning; the reason is in `phase`."""
        while not self._stopping.is_set():
            code = await self._one_life()
            if self._stopping.is_set():
                break
            if code == EXIT_CONFIG:
                self.phase = "refused"
                return
            self.deaths += 1
            delay_s = self._backoff.after_death(time.monotonic() - self._started_s)
            self._notice(self.service, self._obituary(code, delay_s))
            if self._backoff.gives_up:
                self.phase = "given up"
                return
            self.phase = "restarting"
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay_s)
        self.phase = "stopped"

    async def _one_life(self) -> int:
        log = self._open_log()
        self._started_s = time.monotonic()
        try:
            # Its own process group: a Ctrl-C at the terminal reaches the supervisor alone, which stops all in order.
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                process_group=0,
            )
        finally:
            os.close(log)
        self.phase = "running"
        return await self._process.wait()

    def _open_log(self) -> int:
        log = os.open(self.log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._life_offset = os.fstat(log).st_size
        return log

    async def stop(self, grace_s: float) -> None:
        """SIGTERM, then SIGKILL after `grace_s` (a healthy daemon needs 0.3 s); returns when it is gone."""
        grace_s = max(grace_s, _LEAST_GRACE_S)
        self._stopping.set()
        process = self._process
        if process is None or process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), grace_s)
        except TimeoutError:
            self._notice(self.service, f"did not stop within {grace_s:.1f} s and was killed")
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    def last_words(self) -> str:
        """What it said in its last life outside its log, or else the log's last lines."""
        with self.log_path.open("rb") as file:
            file.seek(self._life_offset if self._life_offset <= os.fstat(file.fileno()).st_size else 0)
            text = file.read().decode(errors="replace")
        lines = [line.rstrip() for line in text.splitlines() if line.strip()]
        spoken = [line for line in lines if not is_log_line(line)]
        return "\n".join((spoken or lines)[-_LAST_WORDS:])

    def _obituary(self, code: int, delay_s: float) -> str:
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        after = "given up: it died too often" if self._backoff.gives_up else f"starting it again in {delay_s:.2g} s"
        words = self.last_words().splitlines()
        last = f"; its last words: {words[-1]}" if words and code > 0 else ""
        return f"ended {how}{last}; {after}"
