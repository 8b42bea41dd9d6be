"""One exchange of the lab endpoints: the simulator's market in its guise."""

from __future__ import annotations

from collections.abc import Mapping

from common.units import NS_PER_MS
from market.matching import Depth
from services.mock_exchange.history.intervals import DAY_MS, MINUTE_MS
from services.mock_exchange.lab.bodies import BookBody, LabTrade, Ticker, TickerBody, TradesBody
from services.mock_exchange.lab.definitions import LabExchange, plain, symbols_of
from services.mock_exchange.lab.delayed_book import DelayedBook
from services.mock_exchange.lab.parameters import LabError
from services.mock_exchange.lab.shaping import Shape, made_up, shaped
from services.mock_exchange.lab.trades import Opening, before_open, latest
from services.mock_exchange.simulation.symbol_market import SymbolMarket


class LabSymbol:
    """One symbol of one exchange."""

    def __init__(self, name: str, market: SymbolMarket, definition: LabExchange, seed: str) -> None:
        self.name = name
        self.market = market
        self._shape = Shape.of(definition)
        self._lag_ns = definition.lag_ms * NS_PER_MS
        self._has_book = definition.has_book
        self._delayed = DelayedBook(market, self._lag_ns) if self._lag_ns and definition.has_book else None
        touch = market.engine.touch()
        self._opening = Opening(seed, market.last_price_ticks, max(1, touch.bid_lots, touch.ask_lots))

    @property
    def last_ticks(self) -> int:
        """The last price there; of an exchange without a book, the mean of the last minute."""
        if not self._has_book:
            ticks = self.market.average_price_ticks(1)
        elif self._delayed is not None:
            ticks = self._delayed.last_price_ticks
        else:
            ticks = self.market.last_price_ticks
        return self._shape.price(ticks)

    def depth(self, levels: int) -> Depth:
        """The best levels a side."""
        if not self._has_book:
            update_id = self.market.engine.update_id
            return made_up(self.last_ticks, self._opening.lots, levels, update_id, self._shape)
        found = self.market.engine.depth(levels) if self._delayed is None else self._delayed.depth(levels)
        return shaped(found, self._shape)

    def levels(self, side: list[tuple[int, int]]) -> list[tuple[float, float]]:
        """As JSON has them."""
        return [(self.price(ticks), self.size(lots)) for ticks, lots in side]

    def _best(self, side: list[tuple[int, int]]) -> tuple[float | None, float | None]:
        return self.levels(side[:1])[0] if side else (None, None)

    def price(self, ticks: int) -> float:
        """Ticks as a number."""
        return float(self.market.listing.price_text(ticks))

    def size(self, lots: int) -> float:
        """Lots as a number."""
        return float(self.market.listing.qty_text(lots))

    def trades(self, count: int) -> list[LabTrade]:
        """Exactly `count`, oldest first."""
        market, shape = self.market, self._shape
        done = latest(market, count, market.time_ns - self._lag_ns)
        older = before_open(market, count - len(done), self._opening)
        return [
            LabTrade(
                id=trade.trade_id,
                timestamp_ms=(trade.time_ns + self._lag_ns) // NS_PER_MS,
                price=self.price(shape.price(trade.price_ticks)),
                size=self.size(shape.lots(trade.qty_lots)),
                side="sell" if trade.buyer_is_maker else "buy",
                before_open=number < len(older),
            )
            for number, trade in enumerate([*older, *done])
        ]

    def ticker(self) -> Ticker:
        """Prices now, and what the last 24 hours were."""
        now_ms = self.market.time_ns // NS_PER_MS
        start_ms = now_ms - DAY_MS
        day = self.market.history.span(start_ms - start_ms % MINUTE_MS, now_ms)
        depth = self.depth(1) if self._has_book else Depth(self.market.engine.update_id, [], [])
        bid, bid_size = self._best(depth.bids)
        ask, ask_size = self._best(depth.asks)
        last = self.last_ticks
        open_, high, low = (self._shape.price(t) for t in (day.open_ticks, day.high_ticks, day.low_ticks))
        return Ticker(
            symbol=self.name,
            sequence=depth.update_id,
            bid=bid,
            bid_size=bid_size,
            ask=ask,
            ask_size=ask_size,
            last=self.price(last),
            open_24h=self.price(open_),
            high_24h=self.price(max(high, last)),
            low_24h=self.price(min(low, last)),
            volume_24h=self.size(day.lots),
            change_24h_percent=round((last / open_ - 1) * 100, 4),
        )


class LabVenue:
    """Every symbol of one exchange."""

    def __init__(self, definition: LabExchange, markets: Mapping[str, SymbolMarket], seed: str, where: str) -> None:
        """Raises ConfigError: it names a symbol the simulator does not list."""
        self.definition = definition
        names = symbols_of(definition, {name: market.listing for name, market in markets.items()}, where)
        self.symbols = {name: LabSymbol(name, markets[it.symbol], definition, seed) for name, it in names.items()}
        #: By every way to write them. The simulator's names are taken too, where they do not mean something else.
        self._found = {it.market.listing.symbol: it for it in self.symbols.values()}
        self._found |= {plain(name): it for name, it in self.symbols.items()}
        self.note = _note(definition)

    def symbol(self, text: str) -> LabSymbol:
        """The symbol meant: in its own form or the simulator's, with / - _ or nothing, in any case.

        Raises:
            LabError: 404.
        """
        found = self._found.get(plain(text))
        if found is None:
            name = self.definition.name
            raise LabError(404, "unknown_symbol", f"{name} has no symbol {text[:64]!r}", self.symbols)
        return found

    def book(self, symbol: LabSymbol, levels: int) -> BookBody:
        """The body of GET orderbook, and of a message on its WebSocket."""
        depth = symbol.depth(levels)
        return BookBody(
            exchange=self.definition.name,
            symbol=symbol.name,
            sequence=depth.update_id,
            timestamp_ms=symbol.market.time_ns // NS_PER_MS,
            bids=symbol.levels(depth.bids),
            asks=symbol.levels(depth.asks),
            synthetic=not self.definition.has_book,
            note=self.note,
        )

    def ticker(self, now_ms: int) -> TickerBody:
        """The body of GET ticker."""
        tickers = [symbol.ticker() for symbol in self.symbols.values()]
        return TickerBody(exchange=self.definition.name, timestamp_ms=now_ms, tickers=tickers, note=self.note)

    def trades(self, symbol: LabSymbol, count: int) -> TradesBody:
        """The body of GET mock_trades."""
        return TradesBody(
            exchange=self.definition.name,
            symbol=symbol.name,
            timestamp_ms=symbol.market.time_ns // NS_PER_MS,
            trades=symbol.trades(count),
            note=self.note,
        )


def _note(definition: LabExchange) -> str:
    """In words, how its market comes about."""
    parts = []
    if definition.lag_ms:
        parts.append(f"{definition.lag_ms} ms later")
    if definition.price_offset_bps:
        parts.append(f"prices {definition.price_offset_bps:+g} bps")
    if definition.spread_multiplier != 1:
        parts.append(f"distances from the middle times {definition.spread_multiplier:g}")
    if definition.size_multiplier != 1:
        parts.append(f"sizes times {definition.size_multiplier:g}")
    if definition.has_book:
        return f"the simulator's book, {', '.join(parts)}" if parts else "the simulator's book"
    rule = f"{definition.name} publishes prices, no order book and no trades: book and trades are made up around"
    return ", ".join([f"{rule} the simulator's mean price of the last minute", *parts])
