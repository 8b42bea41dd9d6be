"""One simulated symbol on a virtual clock: order flow, matching, and the market data they lead to."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Final

from common.config.mock_exchange import MockSymbolConfig
from common.messages.base import Side
from common.messages.orders import TimeInForce
from common.units import NS_PER_MS, NS_PER_S
from market.matching import MatchingEngine, Outcome, Touch
from services.mock_exchange.exchange import Frame
from services.mock_exchange.history.market_history import MarketHistory
from services.mock_exchange.history.prehistory import PastMarket, Prehistory
from services.mock_exchange.listing import Listing
from services.mock_exchange.simulation.flows import flow_of
from services.mock_exchange.simulation.fundamental import FundamentalPrice
from services.mock_exchange.simulation.pausing import PausableClock, PausedPrice
from services.mock_exchange.simulation.second_tick import SecondTick
from services.mock_exchange.streams import dialect
from services.mock_exchange.streams.symbol_streams import SymbolStreams
from services.mock_exchange.trading.book import Resting

#: The venue's two diff streams: every 100 ms (unless configured otherwise), and every second.
FAST_DEPTH_NS: Final = 100 * NS_PER_MS
SLOW_DEPTH_NS: Final = NS_PER_S
#: What the past is drawn from, as measured of the simulated flow: the trades an event leads to, their size in typical
#: orders, and the volatility of prices in fundamental ones.
_PAST_TRADES: Final = 0.45
_PAST_SIZE: Final = 1.2
_PAST_VOLATILITY: Final = 2.0


class SymbolMarket:
    """Steps through virtual time and sends what the venue would. It is the TradingBook of its symbol.

    Times are nanoseconds since the market's beginning; `origin_ns` (UTC) is added where a frame carries a time.
    The same configuration and seed give the same frames, however finely time is cut, as long as no client trades.
    """

    def __init__(
        self,
        config: MockSymbolConfig,
        listing: Listing,
        seed: int,
        fundamental: FundamentalPrice,
        send: Callable[[Frame], None],
        fast_depth_ns: int = FAST_DEPTH_NS,
        past_days: int = 0,
    ) -> None:
        self._listing = listing
        self.origin_ns = 0
        self.now_ns = 0
        self.on_outcome: Callable[[Outcome], None] = lambda _outcome: None
        self.engine = MatchingEngine()
        price = PausedPrice(fundamental)
        self._flow = flow_of(config, seed, self.engine, price)
        self._flow_clock = PausableClock(price)
        self.engine.drain_changes()
        self.history = _history(config, listing, seed, self.engine.touch(), past_days)
        # Ids go on where the past's end.
        self.engine.last_trade_id = self.history.last_trade_id
        self.streams = SymbolStreams(self.engine, self.history, send)
        self._fast_depth_ns = self._tick_ns = fast_depth_ns
        self._second = SecondTick()
        #: When something happens next, since the beginning. Kept, not asked for: many markets are looked at often.
        self.next_ns = min(self._flow.next_ns, self._tick_ns)

    @property
    def is_halted(self) -> bool:
        """The symbol does not trade: no flow, no orders."""
        return self._flow_clock.is_paused

    def halt(self) -> None:
        """Trading stops; depth frames go on, with nothing to tell."""
        self._flow_clock.pause()
        self._look_ahead()

    def resume(self) -> None:
        """Trading goes on, at the price of the day."""
        self._flow_clock.resume(self._flow, self.now_ns)
        self._look_ahead()

    @property
    def listing(self) -> Listing:
        """Grid and assets."""
        return self._listing

    @property
    def quoted_price(self) -> float:
        """What its makers quote around, quote currency."""
        return self._flow.quoted_price

    @property
    def time_ns(self) -> int:
        """The market's present time, UTC."""
        return self.origin_ns + self.now_ns

    def begin(self, origin_ns: int) -> None:
        """The market's beginning lies at `origin_ns` (UTC); later by what the clock has jumped over."""
        self.origin_ns = origin_ns
        self.history.begin(origin_ns)
        self._second.begin(origin_ns, self.now_ns)
        self._look_ahead()

    def step(self) -> None:
        """Do what is due at `next_ns`: an act of the flow, depth frames, or the statistics of a second."""
        now_ns = self.now_ns = self.next_ns
        if self._flow_clock.next_ns(self._flow) == now_ns:
            outcomes = self._flow.step()
            self._look_ahead()
            for outcome in outcomes:
                self._publish(outcome)
        elif self._tick_ns == now_ns:
            self._tick_ns += self._fast_depth_ns
            self._look_ahead()
            is_slow_due = now_ns // SLOW_DEPTH_NS > (now_ns - self._fast_depth_ns) // SLOW_DEPTH_NS
            self.streams.publish_depth(self.time_ns, is_slow_due)
        else:
            self.streams.publish_second(self._second.take())
            self._look_ahead()

    def limit(
        self,
        side: Side,
        price_ticks: int,
        qty_lots: int,
        time_in_force: TimeInForce = TimeInForce.GTC,
        *,
        post_only: bool = False,
        display_lots: int = 0,
    ) -> Outcome:
        """A client's limit order, at the market's present time."""
        outcome = self.engine.limit(
            side, price_ticks, qty_lots, time_in_force, post_only=post_only, display_lots=display_lots
        )
        self._flow.observe(outcome)
        return self._publish(outcome)

    def market(self, side: Side, qty_lots: int) -> Outcome:
        """A client's market order."""
        outcome = self.engine.market(side, qty_lots)
        self._flow.observe(outcome)
        return self._publish(outcome)

    def cancel(self, book_id: int) -> Outcome | None:
        """A client's order leaves the book."""
        outcome = self.engine.cancel(book_id)
        return outcome and self._publish(outcome)

    def reduce(self, book_id: int, left_lots: int) -> Outcome | None:
        """A client's order becomes smaller and keeps its place."""
        outcome = self.engine.reduce(book_id, left_lots)
        return outcome and self._publish(outcome)

    def queue(self, side: Side) -> Iterator[Resting]:
        """Resting orders in the order they would trade."""
        return map(Resting._make, self.engine.queue(side))

    def shown_lots(self, book_id: int) -> int:
        """What a resting order shows; 0 when it does not rest."""
        return self.engine.shown_lots(book_id)

    def touch(self) -> Touch:
        """Best bid and ask."""
        return self.engine.touch()

    def skip_trade_ids(self, last_trade_id: int) -> None:
        """Trades to come have ids above this one."""
        self.engine.last_trade_id = max(self.engine.last_trade_id, last_trade_id)

    @property
    def last_price_ticks(self) -> int:
        """Of the latest trade; before the first, the middle of the book."""
        return self.history.last_ticks if self.history.last_lots else _middle(self.streams.touch)

    def average_price_ticks(self, minutes: int) -> int:
        """Volume-weighted over the last `minutes`."""
        return self.history.average_price_ticks(minutes, self.time_ns // NS_PER_MS)

    def snapshot(self, limit: int) -> str:
        """GET depth: the book as it stands, ids as in the streams."""
        return dialect.depth_snapshot(self._listing, self.engine.depth(limit))

    def _publish(self, outcome: Outcome) -> Outcome:
        """Send what an outcome leads to at once, then tell of it."""
        self.streams.publish(outcome, self.time_ns)
        self.on_outcome(outcome)
        return outcome

    def _look_ahead(self) -> None:
        self.next_ns = min(self._flow_clock.next_ns(self._flow), self._tick_ns, self._second.next_ns)


def _middle(touch: Touch) -> int:
    return max(1, (touch.bid_ticks + touch.ask_ticks) // 2)


def _history(config: MockSymbolConfig, listing: Listing, seed: int, touch: Touch, days: int) -> MarketHistory:
    """Empty, behind a past of so many days that ends at the middle of the book."""
    lots = float(config.order_notional / (config.start_price * config.lot_size))
    past = PastMarket(
        _middle(touch),
        _PAST_VOLATILITY * config.volatility_per_sqrt_s * math.sqrt(60),
        _PAST_TRADES * 60 * config.events_per_s,
        _PAST_SIZE * lots,
        days,
    )
    return MarketHistory(listing, past.first_ticks, Prehistory(listing, past, seed))
