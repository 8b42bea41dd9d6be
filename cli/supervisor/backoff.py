"""How long to wait before a daemon that died is started again. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Backoff:
    """Doubles from `first_s` to `cap_s`; a life of `forgive_after_s` or longer starts it anew.

    `gives_up` is true after `most_in_a_row` short lives: a daemon that cannot live is not a daemon to wait for.
    """

    first_s: float = 0.25
    cap_s: float = 10.0
    forgive_after_s: float = 30.0
    most_in_a_row: int = 6
    in_a_row: int = 0

    def after_death(self, lived_s: float) -> float:
        """Seconds to wait after a life of `lived_s`."""
        self.in_a_row = 1 if lived_s >= self.forgive_after_s else self.in_a_row + 1
        return float(min(self.cap_s, self.first_s * 2 ** (self.in_a_row - 1)))

    @property
    def gives_up(self) -> bool:
        """Too many short lives one after the other."""
        return self.in_a_row >= self.most_in_a_row
