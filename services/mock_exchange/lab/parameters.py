"""What the lab endpoints take in their query, and how they refuse."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

MAX_DEPTH: Final = 1000
_INTEGER: Final = re.compile(r"^[+-]?[0-9]{1,18}$", re.ASCII)


class Parameter(NamedTuple):
    """A whole number with its bounds, both allowed."""

    name: str
    default: int
    least: int
    most: int
    description: str


DEPTH: Final = Parameter("depth", 20, 1, MAX_DEPTH, "levels a side; an exchange may give fewer than this bound")
LATENCY_MS: Final = Parameter(
    "latency_ms", 0, 0, 10_000, "how long the answer is held back, which tells what was before"
)
COUNT: Final = Parameter("n", 50, 1, 1000, "trades")
INTERVAL_MS: Final = Parameter("interval_ms", 1000, 10, 60_000, "between two messages")


class LabError(Exception):
    """A request that cannot be answered: 404 for what is not there, 422 for what is out of range."""

    def __init__(self, status: int, code: str, message: str, known: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.known = list(known)

    def body(self) -> dict[str, Any]:
        """The answer."""
        return {"error": {"code": self.code, "message": self.message, "known": self.known}}


def read(query: Mapping[str, str], parameter: Parameter, most: int | None = None) -> int:
    """The parameter's value; its default is kept within `most`, a bound of the exchange's own.

    Raises:
        LabError: 422, no whole number or out of range.
    """
    text = query.get(parameter.name)
    most = parameter.most if most is None else min(most, parameter.most)
    if text is None:
        return min(parameter.default, most)
    if not _INTEGER.match(text) or not parameter.least <= int(text) <= most:
        message = f"{parameter.name} must be a whole number from {parameter.least} to {most}, not {text[:20]!r}"
        raise LabError(422, "out_of_range", message)
    return int(text)
