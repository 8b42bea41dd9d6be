"""What goes wrong with requests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from common.units import NS_PER_MS, NS_PER_S
from services.mock_exchange.faults.armed import Account, Armed
from services.mock_exchange.faults.plan import (
    DelayedAck,
    DroppedRequest,
    Fault,
    FillBeforeCancel,
    LostAck,
    RateLimited,
    RequestLatency,
    ServerError,
    StaleSnapshot,
)


class RequestFate(NamedTuple):
    """What happens to a request, in this order: wait, be refused or cut, be carried out, lose its answer or wait."""

    wait_ns: int = 0
    refused: ServerError | RateLimited | None = None
    is_dropped: bool = False
    fill_share: float = 0.0
    snapshot_age_ns: int = 0
    lost: LostAck | None = None
    answer_wait_ns: int = 0


UNHARMED: Final = RequestFate()
_KINDS: Final = (
    RequestLatency,
    DelayedAck,
    ServerError,
    RateLimited,
    LostAck,
    DroppedRequest,
    FillBeforeCancel,
    StaleSnapshot,
)


class RequestFaults:
    """The faults of a plan that act on requests. They add up; one that is refused or cut meets no further ones."""

    def __init__(self, armed: Sequence[Armed], account: Account) -> None:
        self._armed = [a for a in armed if isinstance(a.fault, _KINDS)]
        self._account = account

    @property
    def oldest_snapshot_ns(self) -> int:
        """How far back a snapshot may be asked for; 0 when the plan asks for none."""
        ages = [int(a.fault.age_s * NS_PER_S) for a in self._armed if isinstance(a.fault, StaleSnapshot)]
        return max(ages, default=0)

    def apply(self, target: str, since_ns: int, now_ns: int) -> RequestFate:
        """What happens to a request; `target` is `METHOD /path` or `WS method`."""
        fate = UNHARMED
        for armed in self._armed:
            if isinstance(armed.fault, FillBeforeCancel) and not _cancels(target):
                continue
            if armed.meets(target) and armed.hits(since_ns):
                fate, detail = _join(fate, armed, armed.fault)
                self._account.note(armed, target, now_ns, detail)
                if fate.refused or fate.is_dropped:
                    break
        return fate


def _cancels(target: str) -> bool:
    """Whether a request cancels one order by its id."""
    return target.startswith(("DELETE /api/v3/order", "WS order.cancel", "POST /api/v3/order/cancelReplace"))


def _join(fate: RequestFate, armed: Armed, fault: Fault) -> tuple[RequestFate, str]:
    """The fate with one more fault in it, and what to say of it."""
    if isinstance(fault, RequestLatency):
        wait_ns = armed.draw_ns(fault.latency)
        return fate._replace(wait_ns=fate.wait_ns + wait_ns), f"{wait_ns // NS_PER_MS} ms"
    if isinstance(fault, DelayedAck):
        wait_ns = armed.draw_ns(fault.latency)
        return fate._replace(answer_wait_ns=fate.answer_wait_ns + wait_ns), f"{wait_ns // NS_PER_MS} ms"
    if isinstance(fault, ServerError | RateLimited):
        return fate._replace(refused=fault), str(fault.status)
    if isinstance(fault, FillBeforeCancel):
        return fate._replace(fill_share=fault.fill_share), f"share {fault.fill_share:g}"
    if isinstance(fault, StaleSnapshot):
        return fate._replace(snapshot_age_ns=int(fault.age_s * NS_PER_S)), f"{fault.age_s:g} s"
    if isinstance(fault, LostAck):
        return fate._replace(lost=fault), fault.answer
    return fate._replace(is_dropped=True), ""
