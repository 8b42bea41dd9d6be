"""The plan in force: decides, by its seed, what goes wrong with each frame and request."""

from __future__ import annotations

from collections.abc import Iterator

from common.config.mock_exchange import DamageConfig
from common.units import NS_PER_MS
from services.mock_exchange.faults.armed import Account, Armed
from services.mock_exchange.faults.frames import FrameFate, FrameFaults
from services.mock_exchange.faults.plan import ClockSkew, Fault, FaultPlan, FrameFault, Halt
from services.mock_exchange.faults.requests import UNHARMED, RequestFate, RequestFaults


class Injector:
    """Holds every frame and request against the plan. Times are exchange time, UTC.

    The same plan, frames and requests in the same order meet the same faults.
    """

    def __init__(self, plan: FaultPlan) -> None:
        self.account = Account()
        self.take_up(plan)

    def take_up(self, plan: FaultPlan, now_ns: int | None = None) -> None:
        """Put a plan in force in place of the one before; its times count from `now_ns`, or the first event."""
        self.plan = plan
        self._since_ns = now_ns
        armed = [Armed(fault, plan.seed) for fault in plan.faults]
        self._frames = FrameFaults(armed, self.account)
        self._requests = RequestFaults(armed, self.account)
        self._standing = [a for a in armed if isinstance(a.fault, ClockSkew | Halt)]
        #: Nothing goes wrong.
        self.is_idle = not armed

    @property
    def oldest_snapshot_ns(self) -> int:
        """How far back a snapshot may be asked for; 0 when the plan asks for none."""
        return self._requests.oldest_snapshot_ns

    def on_request(self, target: str, now_ns: int) -> RequestFate:
        """What happens to a request; `target` is `METHOD /path` or `WS method`."""
        return UNHARMED if self.is_idle else self._requests.apply(target, self._since(now_ns), now_ns)

    def on_frame(self, channel: str, text: str, now_ns: int) -> FrameFate:
        """What happens to a frame of a channel."""
        if self._frames.is_idle:
            return FrameFate((text,))
        return self._frames.apply(channel, text, self._since(now_ns), now_ns)

    def flush(self) -> list[tuple[str, str]]:
        """What is still held back when nothing follows, as (channel, text)."""
        return self._frames.flush()

    def skew_ns(self, now_ns: int) -> int:
        """How far the venue's clock is off."""
        standing = self._standing_now(now_ns)
        return sum(fault.skew_ms * NS_PER_MS for fault in standing if isinstance(fault, ClockSkew))

    def halted(self, now_ns: int) -> frozenset[str]:
        """The symbols that do not trade."""
        return frozenset(fault.symbol for fault in self._standing_now(now_ns) if isinstance(fault, Halt))

    def _standing_now(self, now_ns: int) -> Iterator[Fault]:
        for armed in self._standing:
            fault, since_ns = armed.fault, self._since(now_ns)
            if fault.from_ns <= since_ns and (fault.until_ns is None or since_ns < fault.until_ns):
                if armed.count == 0:
                    self.account.note(armed, fault.symbol if isinstance(fault, Halt) else "clock", now_ns)
                yield fault

    def _since(self, now_ns: int) -> int:
        if self._since_ns is None:
            self._since_ns = now_ns
        return now_ns - self._since_ns


def plan_of_damage(damage: DamageConfig, seed: int) -> FaultPlan:
    """The plan behind `mock_exchange.damage`: harmed depth frames."""
    faults: list[Fault] = [
        FrameFault(id=kind, kind=kind, share=share)
        for kind, share in (
            ("drop", damage.drop),
            ("duplicate", damage.duplicate),
            ("reorder", damage.reorder),
            ("truncate", damage.truncate),
        )
        if share
    ]
    return FaultPlan(seed=seed, faults=tuple(faults))
