"""What a client did, and what did not go as at the venue."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any


class Report:
    """One line a step; steps go on after one that failed."""

    def __init__(self, say: Callable[[str], None] = lambda _line: None) -> None:
        self.failures: list[str] = []
        self.steps = 0
        self._say = say

    def step(self, name: str, call: Callable[[], Any]) -> Any:
        """The result of `call`; None, and a failure, when it raises."""
        try:
            result = call()
        except Exception as exc:  # noqa: BLE001 - whatever a library raises is what is looked for
            return self._failed(name, exc)
        return self._done(name, result)

    async def wait(self, name: str, awaitable: Any) -> Any:
        """As `step`, for what is awaited."""
        try:
            result = await awaitable
        except Exception as exc:  # noqa: BLE001
            return self._failed(name, exc)
        return self._done(name, result)

    def refused(self, name: str, kind: type[Exception], call: Callable[[], Any]) -> Any:
        """The exception of `kind` that `call` is to raise."""
        try:
            call()
        except kind as exc:
            return self._done(name, exc)
        except Exception as exc:  # noqa: BLE001
            return self._failed(name, exc)
        return self._failed(name, AssertionError(f"{kind.__name__} was not raised"))

    def check(self, name: str, is_so: bool) -> None:
        """A step that is an assertion."""
        self.step(name, lambda: _assert(is_so))

    def _done(self, name: str, result: Any) -> Any:
        self.steps += 1
        self._say(f"  ok    {name}")
        return result

    def _failed(self, name: str, exc: Exception) -> None:
        self.failures.append(f"{name}: {type(exc).__name__}: {exc}")
        where = traceback.extract_tb(exc.__traceback__)
        self._say(f"  FAIL  {name}: {type(exc).__name__}: {exc} ({where[-1].filename if where else ''})")


def _assert(is_so: bool) -> None:
    assert is_so
