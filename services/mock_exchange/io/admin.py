"""The admin endpoint: the fault plan in force, what it did, and money paid in. Loopback, and with a token alone."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import orjson
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from common.config.fields import is_loopback
from common.errors import ConfigError
from services.mock_exchange.api.exchange_api import ExchangeApi
from services.mock_exchange.errors import VenueError
from services.mock_exchange.faults.injector import Injector
from services.mock_exchange.faults.plan import FaultPlan, read_plan

#: Holds the token; with _FILE behind, names a file with it.
TOKEN_VARIABLE: Final = "TIDEWIRE_MOCK_ADMIN_TOKEN"  # noqa: S105
_MAX_BODY_BYTES: Final = 1 << 20
Act = Callable[[Request], Awaitable[Any]]


class _Refused(Exception):  # noqa: N818
    def __init__(self, status: int, problem: str) -> None:
        super().__init__(problem)
        self.status = status


def admin_routes(
    api: ExchangeApi,
    token: SecretStr | None,
    now_ns: Callable[[], int],
    injector: Injector,
    take_up: Callable[[FaultPlan], None],
) -> list[BaseRoute]:
    """`/admin/faults` (GET, PUT), `/admin/faults/log` (GET), `/admin/deposit` (POST), `/admin/revoke` (POST)."""

    async def plan(_request: Request) -> Any:
        counts = injector.account.counts
        return {"plan": injector.plan.model_dump(mode="json"), "injected": dict(counts), "total": counts.total()}

    async def put_plan(request: Request) -> Any:
        try:
            take_up(read_plan(await _body(request), "the body"))
        except ConfigError as exc:
            raise _Refused(422, str(exc)) from exc
        return {"faults": len(injector.plan.faults)}

    async def log(request: Request) -> Any:
        after = request.query_params.get("after", "0")
        if not after.isascii() or not after.isdigit() or len(after) > 18:
            raise _Refused(422, f"after={after!r} is not a number; give the number of the last injection you know")
        return [injection._asdict() for injection in injector.account.log if injection.number > int(after)]

    async def deposit(request: Request) -> Any:
        sent = await _object(request, "account", "asset", "amount")
        account = next((a for a in api.venue.accounts.all() if a.name == sent["account"]), None)
        if account is None:
            raise _Refused(404, f"there is no account {sent['account']!r}")
        try:
            api.venue.desk.deposit(account, str(sent["asset"]), Decimal(str(sent["amount"])), now_ns())
        except (InvalidOperation, VenueError) as exc:
            raise _Refused(422, f"amount {sent['amount']!r} cannot be paid in: {exc}") from exc
        return {"account": account.name}

    async def revoke(request: Request) -> Any:
        sent = await _object(request, "api_key")
        if api.venue.accounts.by_key(str(sent["api_key"])) is None:
            raise _Refused(404, "there is no such api_key")
        api.revoke(str(sent["api_key"]), now_ns())
        return {}

    def guarded(act: Act) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                _require(request, token)
                status, told = 200, await act(request)
            except _Refused as refused:
                status, told = refused.status, {"error": str(refused)}
            return Response(orjson.dumps(told), status, media_type="application/json")

        return endpoint

    return [
        Route("/admin/faults", guarded(plan), methods=["GET"]),
        Route("/admin/faults", guarded(put_plan), methods=["PUT"]),
        Route("/admin/faults/log", guarded(log), methods=["GET"]),
        Route("/admin/deposit", guarded(deposit), methods=["POST"]),
        Route("/admin/revoke", guarded(revoke), methods=["POST"]),
    ]


def plan_from_file(name: str, text: bytes) -> FaultPlan:
    """The plan of a file, in the words of the configuration."""
    return read_plan(text, f"mock_exchange.fault_plan_file ({name})")


def _require(request: Request, token: SecretStr | None) -> None:
    if request.client is None or not is_loopback(request.client.host):
        raise _Refused(403, "the admin endpoint answers on loopback alone")
    if token is None:
        raise _Refused(403, f"the admin endpoint is off; set {TOKEN_VARIABLE} and start again")
    sent = request.headers.get("authorization", "").removeprefix("Bearer ")
    if not hmac.compare_digest(sent.encode(), token.get_secret_value().encode()):
        raise _Refused(401, "send Authorization: Bearer TOKEN")


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BODY_BYTES:
            raise _Refused(413, f"the body is longer than {_MAX_BODY_BYTES} bytes")
    return bytes(body)


async def _object(request: Request, *names: str) -> dict[str, Any]:
    try:
        sent = orjson.loads(await _body(request))
    except orjson.JSONDecodeError as exc:
        raise _Refused(422, f"the body is not JSON ({exc})") from exc
    if not isinstance(sent, dict) or set(sent) != set(names):
        raise _Refused(422, f"the body must be an object of {', '.join(names)}")
    return sent
