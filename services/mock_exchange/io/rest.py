"""Carries HTTP requests to the exchange and its answers back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import Response as HttpResponse

from common.runtime.logging import get_logger
from services.mock_exchange.api.exchange_api import ExchangeApi, error_body
from services.mock_exchange.api.messages import Request, Response, html_page
from services.mock_exchange.errors import unknown_failure
from services.mock_exchange.io.door import Door
from services.mock_exchange.io.protocol import ABORT

#: Of a request's body; orders are a few hundred bytes.
MAX_BODY_BYTES: Final = 128 * 1024
METHODS: Final = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")


class Rest:
    """Every path that nothing else serves."""

    def __init__(self, api: ExchangeApi, now_ns: Callable[[], int], door: Door) -> None:
        self._api = api
        self._door = door
        self._now_ns = now_ns
        self._log = get_logger("mock_exchange")

    async def answer(self, request: Request) -> Response | None:
        """Every HTTP request goes through here; None: cut the connection."""
        return await self._door.pass_through(
            lambda: f"{request.method} {request.path}", lambda: self._act(request), lambda _, response: response
        )

    def _act(self, request: Request) -> Response:
        try:
            return self._api.answer(request, self._now_ns())
        except Exception:  # noqa: BLE001 - a bug in one request must not look like a refusal, nor end the exchange
            self._log.exception("Request failed", method=request.method, path=request.path)
            error = unknown_failure()
            return Response(error.status, error_body(error))

    async def serve(self, http: HttpRequest) -> HttpResponse:
        """One request, bytes as they came."""
        body = bytearray()
        try:
            async for chunk in http.stream():
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    return _http(html_page(413, "413 Request Entity Too Large"))
        except ClientDisconnect:
            return HttpResponse(status_code=400)
        ip = http.client.host if http.client else ""
        query: bytes = http.scope["query_string"]
        answer = await self.answer(Request(http.method, http.url.path, query, bytes(body), http.headers, ip))
        if answer is None:
            http.scope["extensions"][ABORT]["abort"]()
            return HttpResponse(status_code=500)
        return _http(answer)


def _http(response: Response) -> HttpResponse:
    headers = {**response.headers, "Cache-Control": "no-store"}
    return HttpResponse(response.body, response.status, headers, media_type=response.media_type)
