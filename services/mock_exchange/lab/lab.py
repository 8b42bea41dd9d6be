"""The lab endpoints without their sockets: requests in, bodies out."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel

from common.units import NS_PER_MS
from services.mock_exchange.exchange import Exchange
from services.mock_exchange.lab import parameters
from services.mock_exchange.lab.bodies import BookBody, ExchangeHealth, HealthBody, MarketHealth
from services.mock_exchange.lab.definitions import LabExchange, all_exchanges
from services.mock_exchange.lab.parameters import LabError
from services.mock_exchange.lab.venue import LabSymbol, LabVenue
from services.mock_exchange.simulation.simulated_exchange import SimulatedExchange

Query = Mapping[str, str]


class Lab:
    """Every exchange, over one simulator. It must be made after the desk (see DelayedBook).

    A replay has no lab exchanges: there is no simulator to show. Its health is told all the same.
    """

    def __init__(self, exchange: Exchange, more: tuple[LabExchange, ...] = (), where: str = "") -> None:
        """`more` are the configured exchanges, `where` names their document in errors.

        Raises:
            ConfigError: an exchange names a symbol the simulator does not list.
        """
        self._exchange = exchange
        self._simulated = exchange if isinstance(exchange, SimulatedExchange) else None
        self._venues: dict[str, LabVenue] = {}
        if self._simulated is not None:
            books, seed = self._simulated.books, str(exchange.stats()["seed"])
            self._venues = {
                definition.name: LabVenue(definition, books, seed, where) for definition in all_exchanges(more)
            }

    def ticker(self, exchange: str, now_ns: int) -> BaseModel:
        """Raises LabError 404."""
        venue = self._venue(exchange, now_ns)
        return venue.ticker(self._time_ms(now_ns))

    def orderbook(self, exchange: str, symbol: str, query: Query, now_ns: int) -> tuple[BaseModel, int]:
        """The book as it is now, and the milliseconds its answer is to be held back. Raises LabError 404, 422."""
        venue = self._venue(exchange, now_ns)
        found = venue.symbol(symbol)
        levels = parameters.read(query, parameters.DEPTH, venue.definition.max_depth)
        latency_ms = parameters.read(query, parameters.LATENCY_MS)
        return venue.book(found, levels), latency_ms

    def trades(self, exchange: str, symbol: str, query: Query, now_ns: int) -> BaseModel:
        """Raises LabError 404, 422."""
        venue = self._venue(exchange, now_ns)
        found = venue.symbol(symbol)
        return venue.trades(found, parameters.read(query, parameters.COUNT))

    def watch(self, exchange: str, symbol: str, query: Query, now_ns: int) -> BookFeed:
        """What a WebSocket is to carry. Raises LabError 404, 422."""
        venue = self._venue(exchange, now_ns)
        found = venue.symbol(symbol)
        levels = parameters.read(query, parameters.DEPTH, venue.definition.max_depth)
        return BookFeed(self._exchange, venue, found, levels, parameters.read(query, parameters.INTERVAL_MS))

    def health(self, now_ns: int) -> HealthBody:
        """The state of the exchange."""
        self._exchange.catch_up(now_ns)
        stats = self._exchange.stats()
        seed = stats.get("seed")
        markets = {
            name: MarketHealth(
                status="HALT" if market.is_halted else "TRADING",
                sequence=market.engine.update_id,
                resting_orders=market.engine.order_count,
            )
            for name, market in (self._simulated.books.items() if self._simulated is not None else ())
        }
        status = "ok"
        if stats.get("is_closed") or stats.get("replay_done"):
            status = "closed"
        elif markets and all(market.status == "HALT" for market in markets.values()):
            status = "halted"
        return HealthBody(
            status=status,
            mode="replay" if self._simulated is None else "simulation",
            timestamp_ms=self._time_ms(now_ns),
            seed=seed if isinstance(seed, int) else None,
            exchanges={
                name: ExchangeHealth(
                    symbols=list(venue.symbols),
                    max_depth=venue.definition.max_depth,
                    has_book=venue.definition.has_book,
                    rule=venue.note,
                )
                for name, venue in self._venues.items()
            },
            markets=markets,
        )

    def _time_ms(self, now_ns: int) -> int:
        return (now_ns if self._simulated is None else self._simulated.market_ns) // NS_PER_MS

    def _venue(self, name: str, now_ns: int) -> LabVenue:
        venue = self._venues.get(name.lower())
        if venue is None:
            why = "" if self._venues else ": a recorded market is served"
            raise LabError(404, "unknown_exchange", f"there is no exchange {name[:64]!r}{why}", self._venues)
        self._exchange.catch_up(now_ns)
        return venue


class BookFeed:
    """One WebSocket's book."""

    def __init__(self, exchange: Exchange, venue: LabVenue, symbol: LabSymbol, levels: int, interval_ms: int) -> None:
        self.interval_ms = interval_ms
        self._exchange, self._venue, self._symbol, self._levels = exchange, venue, symbol, levels

    def message(self, now_ns: int) -> BookBody:
        """The book as it is now."""
        self._exchange.catch_up(now_ns)
        return self._venue.book(self._symbol, self._levels)
