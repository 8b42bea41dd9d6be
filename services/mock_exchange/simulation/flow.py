"""What a simulated market asks of the model its order flow follows."""

from __future__ import annotations

from typing import Protocol

from market.matching import Outcome


class Flow(Protocol):
    """Acts on a matching engine at its own times, which are nanoseconds since the flow's beginning.

    The same seed and symbol give the same acts, however finely time is cut, as long as no client changes the book;
    when one does, the flow goes on with the book it finds and heals it.
    """

    #: What its informed traders hold the asset for, in quote currency, as of the latest act.
    fundamental_price: float

    @property
    def quoted_price(self) -> float:
        """What its makers quote around, likewise."""
        ...

    @property
    def next_ns(self) -> int:
        """When `step` acts next."""
        ...

    def step(self) -> list[Outcome]:
        """Do what is due at `next_ns`; the engine's outcomes, in order."""
        ...

    def observe(self, outcome: Outcome) -> None:
        """What a client's order has led to, as everybody sees it on the tape."""
        ...
