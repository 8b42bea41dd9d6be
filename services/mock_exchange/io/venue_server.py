"""One venue at work: a market, its accounts, requests and streams, served on one address."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from typing import Any, Final

from pydantic import SecretStr

from common.config import MockExchangeConfig
from common.config.mock_exchange import DamageConfig
from common.errors import ConfigError
from common.runtime.http import HttpServer
from common.runtime.logging import get_logger
from services.mock_exchange.api.exchange_api import ExchangeApi
from services.mock_exchange.faults.injector import Injector
from services.mock_exchange.faults.plan import FaultPlan, Halt
from services.mock_exchange.faults.race import trade_first
from services.mock_exchange.faults.requests import RequestFate
from services.mock_exchange.io.account_specs import accounts_from
from services.mock_exchange.io.admin import admin_routes
from services.mock_exchange.io.app import make_app
from services.mock_exchange.io.door import Door
from services.mock_exchange.io.feeding import Outlet, ReplayFeed, feed_simulation
from services.mock_exchange.io.hub import Hub
from services.mock_exchange.io.lab_app import lab_routes
from services.mock_exchange.io.lifetime import ConnectionLife
from services.mock_exchange.io.protocol import RequestProtocol, StreamProtocol
from services.mock_exchange.io.state_store import StateStore
from services.mock_exchange.recorded.replay import ReplayExchange
from services.mock_exchange.simulation.simulated_exchange import SimulatedExchange
from services.mock_exchange.trading.book import TradingBook
from services.mock_exchange.trading.events import AccountEvent
from services.mock_exchange.trading.orders import Order

#: The venue hangs up on who has not answered a ping within 60 s.
_PING_TIMEOUT_S: Final = 60.0
_MAX_REQUEST_BYTES: Final = 128 * 1024
#: How often standing faults are looked at and injections are logged.
_WATCH_S: Final = 0.05


class VenueServer:
    """Everything of one venue. `open` serves it until the stack it was opened on unwinds."""

    def __init__(
        self,
        config: MockExchangeConfig,
        exchange: SimulatedExchange | ReplayExchange,
        injector: Injector,
        now_ns: Callable[[], int],
        admin_token: SecretStr | None,
        address: tuple[str, str],
        state_file: str | None,
        on_trading: Callable[[], None] = lambda: None,
    ) -> None:
        """`address`: HOST:PORT, and the key it is configured by. `on_trading` hears of every account's event.

        Raises:
            ConfigError: an account cannot be opened as configured.
        """
        self.exchange = exchange
        self.injector = injector
        self.hub = Hub(exchange.channel_of)
        self._config = config
        self._now_ns = now_ns
        self._on_trading = on_trading
        self._outlet = Outlet(self.hub, injector, now_ns)
        self._log = get_logger("mock_exchange")
        accounts = accounts_from(config)
        self._store = None if state_file is None else StateStore(state_file)
        try:
            self.api = ExchangeApi(
                exchange,
                accounts,
                config.limits,
                send_listen_key=self.hub.publish if config.listen_keys else None,
                on_event=self._hear,
                skew_ns=lambda: injector.skew_ns(now_ns()),
            )
        except ValueError as exc:
            raise ConfigError(
                "mock_exchange.accounts", str(exc), "Give a public key in PEM of the key's kind"
            ) from exc
        if isinstance(exchange, SimulatedExchange):
            exchange.make_only(self.hub.is_read)
        limits = config.limits
        app = make_app(
            self.api,
            self.hub,
            now_ns,
            config.client_queue_frames,
            ConnectionLife(limits.connection_life_ms / 1000, limits.shutdown_notice_ms / 1000),
            Door(injector, now_ns, self._set_fate, self._keep),
            [
                *admin_routes(self.api, admin_token, now_ns, injector, self.take_up),
                *lab_routes(exchange, now_ns, config.lab_exchanges_file),
            ],
        )
        self._server = HttpServer(
            app,
            *address,
            http=RequestProtocol,
            ws=StreamProtocol,
            ws_ping_interval=limits.ping_interval_ms / 1000,
            ws_ping_timeout=_PING_TIMEOUT_S,
            ws_per_message_deflate=False,
            ws_max_size=_MAX_REQUEST_BYTES,
            timeout_graceful_shutdown=1,
            **_tls_options(config),
        )

    async def open(self, stack: AsyncExitStack) -> list[asyncio.Task[None]]:
        """Listen, and let the market run; its tasks end with an error only, or with a recording.

        Raises:
            ConfigError: the address is taken.
        """
        self._restore(stack)
        await self._server.open()
        stack.push_async_callback(self._server.close)
        config, exchange = self._config, self.exchange
        if isinstance(exchange, ReplayExchange):
            replay = ReplayFeed(
                exchange, self.hub, self._outlet, config.replay_speed, config.replay_start_delay_ms / 1000
            )
            feeding = asyncio.create_task(replay.run())
        else:
            feeding = asyncio.create_task(feed_simulation(exchange, self._outlet, self._now_ns))
        watching = asyncio.create_task(self._watch())
        stack.callback(feeding.cancel)
        stack.callback(watching.cancel)
        return [feeding, watching]

    def stats(self) -> Mapping[str, Any]:
        """For /status."""
        counts = self.injector.account.counts
        return {
            **self.hub.stats(),
            **self.exchange.stats(),
            "damaged": {kind: counts[kind] for kind in DamageConfig.model_fields},
            "faults": dict(counts),
        }

    def _hear(self, event: AccountEvent) -> None:
        if self._store is not None:
            self._store.on_event(event)
        self._on_trading()

    def take_up(self, plan: FaultPlan) -> None:
        """Put a fault plan in force.

        Raises:
            ConfigError: it halts a symbol that is not listed.
        """
        self.check(plan, "the body")
        self.injector.take_up(plan, self._now_ns())
        self._carry_out()

    def check(self, plan: FaultPlan, where: str) -> None:
        """Hold a plan against what is listed. Raises ConfigError."""
        listed = self.exchange.listings
        for fault in plan.faults:
            if isinstance(fault, Halt) and fault.symbol not in listed:
                problem = f"{fault.id} halts {fault.symbol}, which is not listed"
                raise ConfigError(where, problem, f"Listed are {', '.join(listed)}")

    def _carry_out(self) -> None:
        """What stands for a while stands now."""
        if isinstance(self.exchange, SimulatedExchange):
            self.exchange.halt(self.injector.halted(self._now_ns()))
            self.exchange.keep_snapshots(self.injector.oldest_snapshot_ns)

    def _restore(self, stack: AsyncExitStack) -> None:
        """Take up what the state file holds; from here on it is kept."""
        if self._store is None:
            return
        now_ns = self._now_ns()
        self.exchange.catch_up(now_ns)
        venue = self.api.venue
        restored = self._store.restore(venue.desk, venue.accounts, now_ns)
        stack.callback(self._store.close)
        self._log.info("State restored", **restored._asdict())

    def _keep(self) -> None:
        """Make what has changed last."""
        if self._store is not None:
            self._store.flush()

    def _set_fate(self, fate: RequestFate) -> None:
        """What the plan wants of the exchange while one request acts."""
        if isinstance(self.exchange, SimulatedExchange):
            self.exchange.snapshot_age_ns = fate.snapshot_age_ns
        share = fate.fill_share

        def race(book: TradingBook, order: Order) -> None:
            trade_first(book, order, share)

        self.api.venue.desk.before_cancel = race if share else None

    async def _watch(self) -> None:
        """Carry out what stands for a while, keep what the market changed, and log what was injected."""
        while True:
            self._carry_out()
            self._keep()
            for injection in self.injector.account.take_news():
                self._log.warning("Fault injected", **injection._asdict())
            await asyncio.sleep(_WATCH_S)


def _tls_options(config: MockExchangeConfig) -> dict[str, str]:
    certificate, key = config.tls_certificate_file, config.tls_key_file
    if certificate is None and key is None:
        return {}
    if certificate is None or key is None:
        missing = "tls_key_file" if key is None else "tls_certificate_file"
        raise ConfigError(f"mock_exchange.{missing}", "is not set, but its counterpart is", "Give both or neither")
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key)
    except OSError as exc:
        problem = f"{certificate} and {key} cannot be used ({exc})"
        raise ConfigError(
            "mock_exchange.tls_certificate_file", problem, "Give a certificate and its key, PEM"
        ) from exc
    return {"ssl_certfile": certificate, "ssl_keyfile": key}
