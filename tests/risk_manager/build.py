"""Messages and a stage that is ready, for the tests of the risk manager."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from itertools import count

import numpy as np

from common.config import RiskConfig
from common.messages import (
    ApprovedOrder,
    BookUpdate,
    CancelOrder,
    ExecType,
    ExecutionReport,
    FeedState,
    Instrument,
    OrderStatus,
    Refusal,
    RiskState,
    Side,
    Signal,
    Source,
    UpstreamStatus,
)
from common.stage import Output
from services.risk_manager.stage import RiskStage

VENUE = "binance"
BTC, ETH = "BTCUSDT", "ETHUSDT"
T0 = 1_700_000_000_000_000_000
_serial = count(1)


def instrument(symbol: str = BTC, **changes: object) -> Instrument:
    """Tick 0.01, lot 0.001, USDT."""
    fields: dict[str, object] = {
        "event_ns": T0, "origin_ns": T0, "trace_id": 1, "venue": VENUE, "symbol": symbol, "base": symbol[:3],
        "quote": symbol[3:], "tick_size": Decimal("0.01"), "lot_size": Decimal("0.001"),
        "min_notional": Decimal(5),
    }  # fmt: skip
    return Instrument.model_validate(fields | changes)


def book(bid: int, ask: int, symbol: str = BTC, state: FeedState = FeedState.SYNCED, at_ns: int = T0) -> BookUpdate:
    """One level a side."""
    words = np.array([at_ns, at_ns, 7, 1, state, 1, 1, 1, 1, bid, 1000, ask, 1000], np.int64)
    return BookUpdate(VENUE, symbol, words)


def signal(side: Side = Side.BUY, symbol: str = BTC, **changes: object) -> Signal:
    """A fresh signal of full confidence that never expires."""
    fields: dict[str, object] = {
        "event_ns": T0, "origin_ns": T0 + 5, "trace_id": 99, "venue": VENUE, "symbol": symbol,
        "signal_id": f"sig-{next(_serial)}", "strategy": "momentum", "side": side, "confidence": 1.0,
        "horizon_ns": 10**9, "expires_ns": 2**62, "reference_ticks": 100, "reason": "test", "features": {},
    }  # fmt: skip
    return Signal.model_validate(fields | changes)


def alive(source: Source, is_alive: bool = True) -> UpstreamStatus:
    return UpstreamStatus(event_ns=T0, origin_ns=T0, trace_id=0, source=source, is_alive=is_alive)


def report(
    order: ApprovedOrder,
    status: OrderStatus,
    *,
    last: int = 0,
    cum: int | None = None,
    price: int = 0,
    fee_e8: int = 0,
    report_id: str | None = None,
) -> ExecutionReport:
    """A report of `order`; a fill when `last` is not 0. Ids are new unless given."""
    exec_type = ExecType.TRADE if last else ExecType(status.value)
    return ExecutionReport(
        event_ns=order.event_ns,
        origin_ns=order.origin_ns,
        trace_id=order.trace_id,
        venue=order.venue,
        symbol=order.symbol,
        report_id=report_id or f"rep-{next(_serial)}",
        order_id=order.order_id,
        strategy=order.strategy,
        purpose=order.purpose,
        exec_type=exec_type,
        status=status,
        side=order.side,
        order_type=order.order_type,
        qty_lots=order.qty_lots,
        limit_ticks=order.limit_ticks,
        last_qty_lots=last,
        last_price_ticks=price,
        cum_qty_lots=last if cum is None else cum,
        fee_e8=fee_e8,
        fee_asset="USDT",
    )


class Desk:
    """A stage and what it said, with a clock of its own."""

    def __init__(self, *, exchange: str = "binance", ready: bool = True, **config: object) -> None:
        self.config = RiskConfig.model_validate(config)
        self.exchange = exchange
        self.stage = RiskStage(self.config, exchange=exchange)
        self.now_ns = T0
        if ready:
            self.make_ready()

    def make_ready(self) -> None:
        for symbol in (BTC, ETH):
            self.tell(instrument(symbol))
        self.tell(alive(Source.MARKET_DATA), alive(Source.EXECUTION_ENGINE))
        self.tell(book(10_000, 10_001), book(20_000, 20_001, ETH))

    def tell(self, *events: object) -> list[Output]:
        """Hand over facts, a microsecond apart; what came out, RiskStates left out."""
        outputs: list[Output] = []
        for event in events:
            self.now_ns += 1000
            outputs += self.stage.handle(event, self.now_ns)  # type: ignore[arg-type]
        return [o for o in outputs if not isinstance(o, RiskState)]

    def wait(self, ns: int) -> None:
        self.now_ns += ns

    def order(self, *events: object) -> ApprovedOrder:
        """The one approved order the facts lead to (cancels beside it are allowed)."""
        orders = [o for o in self.tell(*events) if not isinstance(o, CancelOrder)]
        assert len(orders) == 1, orders
        assert isinstance(orders[0], ApprovedOrder), orders[0]
        return orders[0]

    def refusal(self, *events: object) -> Refusal:
        """The one refusal the facts lead to."""
        (out,) = self.tell(*events)
        assert isinstance(out, Refusal), out
        return out

    def fill(self, order: ApprovedOrder, price: int, *, fee_e8: int = 0) -> list[Output]:
        """The whole order fills."""
        return self.tell(report(order, OrderStatus.FILLED, last=order.qty_lots, price=price, fee_e8=fee_e8))

    def enter(self, side: Side = Side.BUY, symbol: str = BTC, price: int | None = None) -> ApprovedOrder:
        """A filled entry."""
        order = self.order(signal(side, symbol))
        self.fill(order, order.limit_ticks if price is None else price)
        return order

    def held(self, symbol: str = BTC) -> int:
        return self.stage.portfolio.ledger.qty_lots(f"{VENUE}.{symbol}")


def states(outputs: Iterable[Output]) -> list[RiskState]:
    return [o for o in outputs if isinstance(o, RiskState)]
