"""Errors, classed by what the caller must do.

TidewireError
|- ConfigError        stop and tell the user what to change (exit code 4)
|- WireError          count and refuse the frame; the stream goes on
|  |- UnknownMessage  a type this build does not know
|  `- UnknownSchema   a version this build does not know
|- RetryableError     try again later: the other side may come back
|- RefusedError       the request itself is wrong; trying again changes nothing
`- HaltError          state can no longer be trusted: stop trading and alert
"""

from __future__ import annotations

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_CONFIG = 4


class TidewireError(Exception):
    """Base of every error this project raises on purpose."""


class ConfigError(TidewireError):
    """A setting is wrong. `key` names it, `remedy` says what to do."""

    def __init__(self, key: str, problem: str, remedy: str) -> None:
        super().__init__(f"{key}: {problem}. {remedy}")
        self.key = key
        self.problem = problem
        self.remedy = remedy


class WireError(TidewireError):
    """Bytes that are not a message."""


class UnknownMessage(WireError):  # noqa: N818 - named for what it is, like h11's errors
    """A message type this build has no definition of."""


class UnknownSchema(WireError):  # noqa: N818
    """A known message type in a schema version this build does not read."""


class RetryableError(TidewireError):
    """The other side failed in a way that may pass."""


class RefusedError(TidewireError):
    """The request is wrong; sending it again changes nothing."""


class HaltError(TidewireError):
    """State can no longer be trusted."""
