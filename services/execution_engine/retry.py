"""What to do after a request: is it done, worth repeating, wrong, or must the venue be asked what it did?

A request ends in one of three ways (codes: Binance spot API, "Error codes"):

* not placed: the venue said no. Either it will say yes later (limits, overload: RETRY) or never (REFUSE);
* placed: a positive answer (DONE);
* unknown: no answer, a broken one, or one that says "unknown". An order must then be looked up by its client id
  (QUERY), never sent again blindly; a read changes nothing and is simply repeated (RETRY).

Waits double and are drawn uniformly from zero to that bound ("full jitter", M. Brooker, AWS Architecture Blog 2015),
so that many clients that failed together do not come back together. The draw derives from facts, not from a clock:
the same attempt of the same request always waits the same time.
"""

from __future__ import annotations

from enum import Enum
from hashlib import blake2b
from typing import Final


class Step(Enum):
    """What the caller does next."""

    DONE = "done"
    RETRY = "retry"
    REFUSE = "refuse"
    QUERY = "query"


#: Venue codes whose meaning the HTTP status does not tell. Unknown outcome: internal error, disconnected, time-outs.
_UNKNOWN_CODES: Final = frozenset({-1000, -1001, -1006, -1007})
#: Definitely not placed, and may pass: limits, overload, a clock that ran off (after a resync).
_PASSING_CODES: Final = frozenset({-1003, -1008, -1015, -1021, -1034})
#: Not placed by this request, but its first sending may have been: "duplicate order".
_DUPLICATE_TEXT: Final = "Duplicate order"


def next_step(status: int | None, code: int | None = None, message: str = "", *, is_read: bool) -> Step:
    """Classify one answer.

    Args:
        status: HTTP status; None when there was no answer (time-out, connection lost).
        code: the venue's own error code, if the body carried one.
        message: the text beside it.
        is_read: the request changes nothing at the venue.
    """
    unknown = Step.RETRY if is_read else Step.QUERY
    if status is None:
        return unknown
    if 200 <= status < 300:
        return Step.DONE
    if code in _PASSING_CODES or status in (418, 429):
        return Step.RETRY
    if code in _UNKNOWN_CODES or status >= 500:
        return unknown
    if code is None:  # a proxy or firewall spoke, not the venue: whether the request went through is not known
        return Step.REFUSE if is_read else Step.QUERY
    return Step.QUERY if _DUPLICATE_TEXT in message else Step.REFUSE


def backoff_ns(request_id: str, attempt: int, *, base_ns: int, cap_ns: int) -> int:
    """Wait before try number `attempt` + 1: uniform in [0, min(cap_ns, base_ns x 2^(attempt - 1))].

    Args:
        request_id: what is tried, e.g. the order id; equal ids and attempts wait equally long.
        attempt: tries that have failed, from 1.
        base_ns: bound of the first wait.
        cap_ns: bound of every wait.
    """
    bound = min(cap_ns, base_ns << min(attempt - 1, 62))
    draw = int.from_bytes(blake2b(f"{request_id}#{attempt}".encode(), digest_size=8).digest(), "big")
    return draw * (bound + 1) >> 64
