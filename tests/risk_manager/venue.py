"""A random venue for the property tests: it fills, expires, repeats and reorders as the drawn steps say."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st

from common.messages import ApprovedOrder, ExecutionReport, FeedState, OrderStatus, Purpose, Side
from common.stage import Output
from common.topics import Event
from tests.risk_manager.build import BTC, ETH, T0, VENUE, book, report, signal

SYMBOLS = (BTC, ETH)
FIRST_TOUCH = {BTC: (10_000, 10_001), ETH: (20_000, 20_001)}

symbols = st.sampled_from(SYMBOLS)
signals = st.tuples(st.just("signal"), symbols, st.sampled_from(list(Side)), st.integers(1, 100))
fills = st.tuples(st.just("fill"), st.integers(0, 9), st.integers(1, 100), st.integers(0, 10**6))
ends = st.tuples(
    st.just("end"),
    st.integers(0, 9),
    st.sampled_from([OrderStatus.EXPIRED, OrderStatus.CANCELED, OrderStatus.REJECTED]),
    st.just(0),
)
notes = st.tuples(
    st.just("note"), st.integers(0, 9), st.sampled_from([OrderStatus.NEW, OrderStatus.UNKNOWN]), st.just(0)
)
repeats = st.tuples(st.just("repeat"), st.integers(0, 50), st.just(0), st.just(0))
waits = st.tuples(st.just("wait"), st.integers(1, 2_000), st.just(0), st.just(0))
still_steps = st.one_of(signals, signals, fills, fills, fills, ends, notes, repeats, waits)
books = st.tuples(st.just("book"), symbols, st.integers(-300, 300), st.integers(1, 5))
stale = st.tuples(st.just("stale"), symbols, st.just(0), st.just(0))
steps = st.one_of(still_steps, still_steps, books, books, stale)


@dataclass
class Venue:
    """What a venue and its engine know; facts are made from it and from a step."""

    touch: dict[str, tuple[int, int]] = field(default_factory=lambda: dict(FIRST_TOUCH))
    live: dict[str, ApprovedOrder] = field(default_factory=dict)
    filled: dict[str, int] = field(default_factory=dict)
    sent: list[ExecutionReport] = field(default_factory=list)
    serial: int = 0

    def accept(self, outputs: list[Output]) -> None:
        """Approved orders arrive."""
        for out in outputs:
            if isinstance(out, ApprovedOrder):
                assert out.order_id not in self.filled, "an order id came twice"
                self.live[out.order_id] = out
                self.filled[out.order_id] = 0

    def facts(self, step: tuple[str, object, object, object]) -> list[Event]:
        """What one drawn step makes happen; nothing when it does not apply."""
        self.serial += 1
        match step:
            case ("signal", str(symbol), Side() as side, int(percent)):
                return [signal(side, symbol, signal_id=f"s{self.serial}", confidence=percent / 100)]
            case ("book", str(symbol), int(move), int(spread)):
                bid = max(1, self.touch[symbol][0] + move)
                self.touch[symbol] = (bid, bid + spread)
                return [book(bid, bid + spread, symbol, at_ns=T0 + self.serial)]
            case ("stale", str(symbol), _, _):
                return [book(*self.touch[symbol], symbol, state=FeedState.STALE)]
            case ("repeat", int(which), _, _):
                return [self.sent[which % len(self.sent)]] if self.sent else []
            case (str(kind), int(which), what, extra) if self.live and kind in ("fill", "end", "note"):
                order = list(self.live.values())[which % len(self.live)]
                self.sent.append(self._report(order, kind, what, extra))
                return [self.sent[-1]]
        return []

    def _report(self, order: ApprovedOrder, kind: str, what: object, extra: object) -> ExecutionReport:
        done = self.filled[order.order_id]
        if kind == "fill":
            assert isinstance(what, int) and isinstance(extra, int)
            lots = max(1, (order.qty_lots - done) * what // 100)
            self.filled[order.order_id] = done = done + lots
            status = OrderStatus.FILLED if done == order.qty_lots else OrderStatus.PARTIALLY_FILLED
            price = self._price(order)
        else:
            assert isinstance(what, OrderStatus)
            lots, status, price, extra = 0, what, 0, 0
        if status.is_terminal:
            del self.live[order.order_id]
        return report(order, status, last=lots, cum=done, price=price, fee_e8=int(extra), report_id=f"r{self.serial}")

    def _price(self, order: ApprovedOrder) -> int:
        bid, ask = self.touch[order.symbol]
        if order.purpose is not Purpose.ENTRY:
            return bid if order.side is Side.SELL else ask
        return min(ask, order.limit_ticks) if order.side is Side.BUY else max(bid, order.limit_ticks)

    def position(self, symbol: str) -> int:
        """The sum of all fills ever sent."""
        return sum(r.side.sign * r.last_qty_lots for r in self.sent if (r.venue, r.symbol) == (VENUE, symbol))
