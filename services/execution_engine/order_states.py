"""The life of an order, as one table.

Theory of operation
-------------------
An order is born when risk's approval is accepted (status None: nothing has been said about it yet). The first report
is either the intent, PENDING_NEW, which is on disk before a byte goes out, or a terminal one for an order that is
never sent. After that only what the venue says moves it, and the venue may say it in any order, several times, or not
at all:

* A request without a definite answer (time-out, dropped line, 5xx) makes the order UNKNOWN, never REJECTED: it may be
  working. Only an answer by client order id, or an event about it, leads out of UNKNOWN.
* Events may overtake the acknowledgement: a TRADE may come before NEW, and the NEW that follows is no news.
* The same end may be said twice (in the reply and on the private feed): a self-loop, no news either.
* Filled quantity is cumulative and only grows. A fill at or below what is already counted is a repetition and is
  dropped; one that leaves a hole means that a fill was missed, which is an error, not a rounding.
* A TRADE leads to PARTIALLY_FILLED, or to FILLED when it fills the last lot.
* Terminal is terminal. A fill that is told after CANCELED or EXPIRED happened before that end at the venue: its
  quantity and money count, the status stays, even when it fills the last lot.
* What is not in the table is illegal: it raises and is counted, and it is never applied.
"""

from __future__ import annotations

from typing import Final

from common.errors import HaltError
from common.messages import ExecType, OrderStatus

_S, _X = OrderStatus, ExecType

#: (status before, what happened) -> status after. None: nothing has been reported yet.
TRANSITIONS: Final[dict[tuple[OrderStatus | None, ExecType], OrderStatus]] = {
    (None, _X.PENDING_NEW): _S.PENDING_NEW,
    (None, _X.CANCELED): _S.CANCELED,
    (None, _X.REJECTED): _S.REJECTED,
    (None, _X.EXPIRED): _S.EXPIRED,
    (_S.PENDING_NEW, _X.NEW): _S.NEW,
    (_S.PENDING_NEW, _X.TRADE): _S.PARTIALLY_FILLED,
    (_S.PENDING_NEW, _X.CANCELED): _S.CANCELED,
    (_S.PENDING_NEW, _X.REJECTED): _S.REJECTED,
    (_S.PENDING_NEW, _X.EXPIRED): _S.EXPIRED,
    (_S.PENDING_NEW, _X.UNKNOWN): _S.UNKNOWN,
    (_S.UNKNOWN, _X.NEW): _S.NEW,
    (_S.UNKNOWN, _X.TRADE): _S.PARTIALLY_FILLED,
    (_S.UNKNOWN, _X.CANCELED): _S.CANCELED,
    (_S.UNKNOWN, _X.REJECTED): _S.REJECTED,
    (_S.UNKNOWN, _X.EXPIRED): _S.EXPIRED,
    (_S.NEW, _X.NEW): _S.NEW,
    (_S.NEW, _X.TRADE): _S.PARTIALLY_FILLED,
    (_S.NEW, _X.CANCELED): _S.CANCELED,
    (_S.NEW, _X.EXPIRED): _S.EXPIRED,
    (_S.PARTIALLY_FILLED, _X.NEW): _S.PARTIALLY_FILLED,
    (_S.PARTIALLY_FILLED, _X.TRADE): _S.PARTIALLY_FILLED,
    (_S.PARTIALLY_FILLED, _X.CANCELED): _S.CANCELED,
    (_S.PARTIALLY_FILLED, _X.EXPIRED): _S.EXPIRED,
    (_S.FILLED, _X.NEW): _S.FILLED,
    (_S.CANCELED, _X.NEW): _S.CANCELED,
    (_S.CANCELED, _X.TRADE): _S.CANCELED,
    (_S.CANCELED, _X.CANCELED): _S.CANCELED,
    (_S.EXPIRED, _X.NEW): _S.EXPIRED,
    (_S.EXPIRED, _X.TRADE): _S.EXPIRED,
    (_S.EXPIRED, _X.EXPIRED): _S.EXPIRED,
    (_S.REJECTED, _X.REJECTED): _S.REJECTED,
}


class IllegalTransition(HaltError):  # noqa: N818 - named for what it is
    """A report that the table does not allow: our view of the order and the venue's have parted."""


def next_status(status: OrderStatus | None, exec_type: ExecType, *, completes: bool = False) -> OrderStatus:
    """Status after `exec_type` happened to an order in `status`.

    Args:
        status: before; None when nothing has been reported about the order.
        exec_type: what happened.
        completes: a TRADE that fills the last lot.

    Raises:
        IllegalTransition: the table has no such row.
    """
    after = TRANSITIONS.get((status, exec_type))
    if after is None:
        raise IllegalTransition(f"{exec_type} cannot happen to an order that is {status or 'not yet reported'}")
    if completes and after is OrderStatus.PARTIALLY_FILLED and exec_type is ExecType.TRADE:
        return OrderStatus.FILLED
    return after
