"""What the venue refuses, with its own codes and texts (venues.md 2.9)."""

from __future__ import annotations

from typing import Any


class VenueError(Exception):
    """A request the venue refuses. `data` is what cancelReplace tells of its two legs."""

    def __init__(self, code: int, message: str, status: int = 400, data: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.data = data


def unknown_failure() -> VenueError:
    """-1000: the venue itself has failed; what became of the request is unknown."""
    return VenueError(-1000, "An unknown error occurred while processing the request.", status=500)
