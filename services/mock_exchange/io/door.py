"""Where requests meet the fault plan: they wait, are refused, carried out, and lose their answers as it says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

import orjson

from common.units import NS_PER_S
from services.mock_exchange.api.messages import Response
from services.mock_exchange.errors import VenueError
from services.mock_exchange.faults.injector import Injector
from services.mock_exchange.faults.plan import LostAck, RateLimited, ServerError
from services.mock_exchange.faults.requests import RequestFate

Answer = TypeVar("Answer")
_PAGE: Final = b"<html><head><title>%d</title></head><body><h1>%d</h1><hr>gateway</body></html>"
#: What the venue says when it lost sight of a request it may have carried out (venues.md 2.9).
_UNKNOWN: Final = {
    "-1006": "An unexpected response was received from the message bus. Execution status unknown.",
    "-1007": "Timeout waiting for response from backend server. Send status unknown; execution status unknown.",
}


class Door:
    """Lets requests in, by the plan in force.

    `set_fate` tells the exchange what concerns it while it acts; `keep` makes what a request changed last, before its
    answer goes out.
    """

    def __init__(
        self,
        injector: Injector,
        now_ns: Callable[[], int],
        set_fate: Callable[[RequestFate], None],
        keep: Callable[[], None],
    ) -> None:
        self._injector = injector
        self._now_ns = now_ns
        self._set_fate = set_fate
        self._keep = keep

    async def pass_through(
        self, target: Callable[[], str], act: Callable[[], Answer], refuse: Callable[[VenueError, Response], Answer]
    ) -> Answer | None:
        """Carry a request out with `act`, unless the plan has other ideas; None: cut the connection.

        `target` says `METHOD /path` or `WS method`. `refuse` puts an error into the form of an answer: the venue's
        error, or the whole response where that is not one of the venue's (a web page).
        """
        if self._injector.is_idle:
            answer = act()
            self._keep()
            return answer
        fate = self._injector.on_request(target(), self._now_ns())
        if fate.wait_ns:
            await asyncio.sleep(fate.wait_ns / NS_PER_S)
        if fate.is_dropped:
            return None
        if fate.refused is not None:
            return refuse(*_refusal(fate.refused, self._now_ns()))
        self._set_fate(fate)
        try:
            answer = act()
        finally:
            self._set_fate(RequestFate())
        self._keep()
        if fate.answer_wait_ns:
            await asyncio.sleep(fate.answer_wait_ns / NS_PER_S)
        if fate.lost is None:
            return answer
        return None if fate.lost.answer == "disconnect" else refuse(*_loss(fate.lost))


def _refusal(fault: ServerError | RateLimited, now_ns: int) -> tuple[VenueError, Response]:
    if isinstance(fault, RateLimited):
        until_ms = now_ns // 1_000_000 + fault.retry_after_s * 1000
        words = (
            "Too much request weight used; please use WebSocket Streams for live updates to avoid polling the API."
            if fault.status == 429
            else f"Way too much request weight used; IP banned until {until_ms}. "
            "Please use WebSocket Streams for live updates to avoid bans."
        )
        error = VenueError(-1003, words, fault.status)
        return error, _response(error, {"Retry-After": str(fault.retry_after_s)})
    error = VenueError(fault.code, fault.message, fault.status)
    if fault.body == "html":
        page = _PAGE % (fault.status, fault.status)
        return error, Response(fault.status, page, {}, "text/html")
    return error, _response(error, {})


def _loss(fault: LostAck) -> tuple[VenueError, Response]:
    words = _UNKNOWN.get(fault.answer)
    if words is None:
        error = VenueError(-1000, "An unknown error occurred while processing the request.", 503)
    else:
        error = VenueError(int(fault.answer), words, 400 if fault.answer == "-1006" else 408)
    return error, _response(error, {})


def _response(error: VenueError, headers: dict[str, str]) -> Response:
    return Response(error.status, orjson.dumps({"code": error.code, "msg": error.message}), headers)
