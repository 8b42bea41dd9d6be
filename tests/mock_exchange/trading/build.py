"""What the tests of the desk share: a book over a matching engine, accounts, a desk with its ears open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from common.messages.base import Side
from common.messages.orders import TimeInForce
from market.matching import MatchingEngine, Outcome, Touch
from services.mock_exchange.errors import VenueError
from services.mock_exchange.listing import Listing
from services.mock_exchange.trading.accounts import Account, Accounts, AccountSpec
from services.mock_exchange.trading.book import Resting
from services.mock_exchange.trading.desk import Desk
from services.mock_exchange.trading.events import AccountEvent, OrderReport
from services.mock_exchange.trading.fees import FeeSchedule, FeeTier
from services.mock_exchange.trading.orders import Order, SpotType, Ticket
from services.mock_exchange.trading.rules import SymbolRules, rules_of

NOW_NS = 1_700_000_000_000_000_000
SECOND_NS = 1_000_000_000
BTCUSDT = Listing("BTCUSDT", "BTC", "USDT", Decimal("0.01"), Decimal("0.00001"), Decimal(5))
#: A price times a quantity is finer than 1e-8 here.
ETHBTC = Listing("ETHBTC", "ETH", "BTC", Decimal("0.00001"), Decimal("0.0001"), Decimal("0.0001"))
#: One tick is 1 USDT, one lot 1 COIN: for examples that can be reckoned in the head.
COIN = Listing("COINUSDT", "COIN", "USDT", Decimal(1), Decimal(1), Decimal(0))


class EngineBook:
    """The plainest TradingBook."""

    def __init__(self, listing: Listing, last_price_ticks: int = 100) -> None:
        self.listing = listing
        self.engine = MatchingEngine()
        self.is_halted = False
        self.time_ns = NOW_NS
        self.last_price_ticks = last_price_ticks
        self.on_outcome: Callable[[Outcome], None] = lambda _outcome: None

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
        return self._told(
            self.engine.limit(
                side, price_ticks, qty_lots, time_in_force, post_only=post_only, display_lots=display_lots
            )
        )

    def market(self, side: Side, qty_lots: int) -> Outcome:
        return self._told(self.engine.market(side, qty_lots))

    def cancel(self, book_id: int) -> Outcome | None:
        outcome = self.engine.cancel(book_id)
        return outcome and self._told(outcome)

    def reduce(self, book_id: int, left_lots: int) -> Outcome | None:
        outcome = self.engine.reduce(book_id, left_lots)
        return outcome and self._told(outcome)

    def queue(self, side: Side) -> Iterator[Resting]:
        return map(Resting._make, self.engine.queue(side))

    def shown_lots(self, book_id: int) -> int:
        return self.engine.shown_lots(book_id)

    def touch(self) -> Touch:
        return self.engine.touch()

    def skip_trade_ids(self, last_trade_id: int) -> None:
        self.engine.last_trade_id = max(self.engine.last_trade_id, last_trade_id)

    def average_price_ticks(self, minutes: int) -> int:
        return self.last_price_ticks

    def _told(self, outcome: Outcome) -> Outcome:
        if outcome.trades:
            self.last_price_ticks = outcome.trades[-1].price_ticks
        self.on_outcome(outcome)
        return outcome


@dataclass
class Floor:
    """A desk over some books, with two rich accounts."""

    books: dict[str, EngineBook]
    desk: Desk
    accounts: Accounts
    events: list[AccountEvent] = field(default_factory=list)
    now_ns: int = NOW_NS

    @property
    def alice(self) -> Account:
        return self.accounts.all()[0]

    @property
    def bob(self) -> Account:
        return self.accounts.all()[1]

    @property
    def book(self) -> EngineBook:
        return next(iter(self.books.values()))

    def place(self, ticket: Ticket, account: Account | None = None) -> Order:
        return self.desk.place(account or self.alice, ticket, self.now_ns)

    def refused(self, ticket: Ticket, account: Account | None = None) -> tuple[int, str]:
        """How placing is refused; that it changes nothing is looked at on the way."""
        account = account or self.alice
        before = self.state()
        with pytest.raises(VenueError) as refusal:
            self.desk.place(account, ticket, self.now_ns)
        assert self.state() == before
        with pytest.raises(VenueError) as same:
            self.desk.test(account, ticket, self.now_ns)
        assert same.value.message == refusal.value.message
        return refusal.value.code, refusal.value.message

    def reports(self, order: Order | None = None) -> list[OrderReport]:
        return [
            event
            for event in self.events
            if isinstance(event, OrderReport) and (order is None or event.order_id == order.order_id)
        ]

    def steps(self, order: Order | None = None) -> list[tuple[str, str]]:
        return [(report.execution.value, report.status.value) for report in self.reports(order)]

    def state(self) -> Any:
        """All that a refusal must leave alone."""
        return (
            [list(account.ledger.balances()) for account in self.accounts.all()],
            [(order.symbol, order.order_id, order.status, order.locked) for order in self.orders()],
            [(book.engine.depth(), book.engine.last_order_id) for book in self.books.values()],
            len(self.events),
        )

    def orders(self) -> list[Order]:
        return [
            order
            for account in self.accounts.all()
            for symbol in self.books
            for order in self.desk.all_orders(account, symbol, limit=1_000_000)
        ]

    def total(self, asset: str) -> int:
        """Of everybody, the house included."""
        return self.accounts.house.total(asset) + sum(a.ledger.total(asset) for a in self.accounts.all())


RICH = {"BTC": Decimal(100), "ETH": Decimal(1000), "COIN": Decimal(100_000), "USDT": Decimal(5_000_000)}


def floor(
    *listings: Listing,
    rules: Callable[[Listing], SymbolRules] = rules_of,
    balances: dict[str, Decimal] | None = None,
    fee_ppm: int = 1000,
    history: int = 10_000,
    last_price_ticks: int = 100,
) -> Floor:
    """A floor where `listings` (COIN by default) trade."""
    books = {listing.symbol: EngineBook(listing, last_price_ticks) for listing in listings or (COIN,)}
    schedule = FeeSchedule((FeeTier(0, fee_ppm, fee_ppm),))
    accounts = Accounts([AccountSpec(name, balances or RICH) for name in ("alice", "bob")], schedule)
    events: list[AccountEvent] = []
    desk = Desk(books, accounts, events.append, rules=rules, history=history)
    return Floor(books, desk, accounts, events)


def ticket(
    side: Side,
    qty: int | str | None = None,
    price: int | str | None = None,
    type_: SpotType = SpotType.LIMIT,
    *,
    symbol: str = "COINUSDT",
    stop: int | str | None = None,
    quote: int | str | None = None,
    iceberg: int | str | None = None,
    **more: Any,
) -> Ticket:
    """A ticket of plain numbers."""

    def decimal(value: int | str | None) -> Decimal | None:
        return None if value is None else Decimal(value)

    return Ticket(
        symbol,
        side,
        type_,
        quantity=decimal(qty),
        price=decimal(price),
        stop_price=decimal(stop),
        quote_qty=decimal(quote),
        iceberg_qty=decimal(iceberg),
        **more,
    )
