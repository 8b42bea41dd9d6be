"""A client of an exchange without sockets: it signs, sends, and keeps what it hears."""

from __future__ import annotations

import hmac
import json
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from common.config import MockExchangeConfig
from common.config.mock_accounts import MockLimitsConfig
from services.mock_exchange.api.exchange_api import ExchangeApi
from services.mock_exchange.api.messages import Request, Response
from services.mock_exchange.simulation.simulated_exchange import SimulatedExchange
from services.mock_exchange.trading.accounts import Accounts, AccountSpec, ApiKey
from tests.mock_exchange.build import START_NS

KEY, SECRET = "tidewire-demo-key", "tidewire-demo-secret"
MS = 1_000_000


def hmac_hex(payload: str, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), payload.encode(), "sha256").hexdigest()


class Client:
    """Talks to an exchange at a time of its own choice; every request comes a millisecond after the last."""

    def __init__(
        self,
        limits: MockLimitsConfig | None = None,
        specs: tuple[AccountSpec, ...] | None = None,
        **options: Any,
    ) -> None:
        self.exchange = SimulatedExchange(MockExchangeConfig(seed=3))
        accounts = Accounts() if specs is None else Accounts(specs)
        self.api = ExchangeApi(self.exchange, accounts, limits, **options)
        self.now_ns = START_NS
        self.exchange.catch_up(self.now_ns)
        self.heard: list[dict[str, Any]] = []
        self.session = self.open()

    def open(self, **options: Any) -> Any:
        return self.api.open_session(
            "9.9.9.9", lambda text: self.heard.append(json.loads(text)), self.now_ns, **options
        )

    def send(self, method: str, path: str, query: str = "", body: str = "", **more: Any) -> Response:
        self.now_ns += MS
        headers = {"x-mbx-apikey": KEY} | more.pop("headers", {})
        return self.api.answer(Request(method, path, query.encode(), body.encode(), headers, **more), self.now_ns)

    def get(self, path: str, **params: Any) -> tuple[int, Any]:
        """A request without a signature."""
        answer = self.send("GET", f"/api/v3/{path}", urlencode(params))
        return answer.status, json.loads(answer.body)

    def signed(self, method: str, path: str, *, secret: str = SECRET, key: str = KEY, **params: Any) -> Response:
        payload = urlencode(params | {"timestamp": params.get("timestamp", (self.now_ns + MS) // MS)})
        query = f"{payload}&signature={hmac_hex(payload, secret)}"
        path = path if path.startswith("/") else f"/api/v3/{path}"
        return self.send(method, path, query, headers={"x-mbx-apikey": key})

    def ok(self, method: str, path: str, **params: Any) -> Any:
        """The body of a signed request that goes well."""
        answer = self.signed(method, path, **params)
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    def refused(self, method: str, path: str, **params: Any) -> tuple[int, int, str]:
        """(HTTP status, code, text) of a signed request that does not."""
        answer = self.signed(method, path, **params)
        body = json.loads(answer.body)
        return answer.status, body["code"], body["msg"]

    def order(self, **params: Any) -> Any:
        """Place an order: a bid far from the market unless told otherwise."""
        return self.ok("POST", "order", **(RESTING | params))

    def events(self, kind: str = "executionReport") -> list[dict[str, Any]]:
        """What was heard on the session, unwrapped."""
        return [one["event"] for one in self.heard if one["event"]["e"] == kind]

    def ws(self, method: str, session: Any = None, request_id: Any = 1, **params: Any) -> dict[str, Any]:
        """The answer to a WebSocket API request as it is; what follows it goes to `heard`."""
        frame: dict[str, Any] = {"id": request_id, "method": method}
        if params:
            frame["params"] = params
        return self.raw(json.dumps(frame), session)

    def raw(self, text: str | bytes, session: Any = None) -> dict[str, Any]:
        self.now_ns += MS
        first, *rest = (session or self.session).handle(text, self.now_ns)
        self.heard += [json.loads(one) for one in rest]
        answer: dict[str, Any] = json.loads(first)
        return answer

    def ws_signed(self, method: str, session: Any = None, *, secret: str = SECRET, **params: Any) -> dict[str, Any]:
        sent = {"apiKey": KEY, "timestamp": (self.now_ns + MS) // MS} | params
        words = {name: str(value).lower() if isinstance(value, bool) else value for name, value in sent.items()}
        payload = "&".join(f"{name}={words[name]}" for name in sorted(words))
        return self.ws(method, session, **sent, signature=hmac_hex(payload, secret))


RESTING = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.01",
    "price": "50000.00",
}


def account(name: str, key: ApiKey, **balances: int) -> AccountSpec:
    return AccountSpec(name, {asset: Decimal(amount) for asset, amount in balances.items()}, (key,))
