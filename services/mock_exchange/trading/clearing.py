"""What moves money and what is told of it: locks, trades, reports. Every change of a balance is made here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from common.messages.base import Side
from market.matching import Trade
from services.mock_exchange.trading.accounts import Account, Accounts
from services.mock_exchange.trading.amounts import UNIT, value_of, value_to_hold
from services.mock_exchange.trading.book import TradingBook
from services.mock_exchange.trading.events import (
    AccountEvent,
    AccountPosition,
    BalanceChange,
    BalanceUpdate,
    OrderReport,
)
from services.mock_exchange.trading.fees import commission_of
from services.mock_exchange.trading.orders import Execution, Fill, Order

_COPIED: Final = (
    "account_id", "listing", "order_id", "client_order_id", "side", "type", "time_in_force", "status", "qty_lots",
    "price_ticks", "stop_ticks", "trailing_delta_bps", "trailing_since_ns", "iceberg_lots", "quote_qty",
    "order_list_id", "executed_lots", "executed_quote", "created_ns", "working_ns", "self_trade", "strategy_id",
    "strategy_type", "prevented_lots", "expiry_reason",
)  # fmt: skip


def need_of(order: Order) -> int:
    """What an open order must hold, in 1e-8 of what it pays with. One at the market's price: at `hold_ticks`."""
    listing = order.listing
    qty = order.left_lots * listing.lot_amount
    if order.side is Side.SELL:
        return qty
    return value_to_hold((order.limit_ticks or order.hold_ticks) * listing.tick_amount, qty)


class Clearing:
    """Settles between accounts and the house, and tells `on_event`."""

    def __init__(
        self, books: Mapping[str, TradingBook], accounts: Accounts, on_event: Callable[[AccountEvent], None]
    ) -> None:
        self._books = books
        self.accounts = accounts
        self.tell = on_event
        #: The number of the latest step of an order.
        self.executions = 0

    def hold(self, order: Order, amount: int) -> None:
        """Make what is locked for an order exactly `amount`.

        Raises:
            ValueError: the account has not so much.
        """
        ledger = self.accounts[order.account_id].ledger
        if amount > order.locked:
            ledger.lock(order.pays_with, amount - order.locked)
        elif amount < order.locked:
            ledger.unlock(order.pays_with, order.locked - amount)
        order.locked = amount

    def settle(self, trade: Trade, maker: Order | None, taker: Order | None, now_ns: int) -> list[tuple[Order, Fill]]:
        """Exchange what a trade exchanges. None is somebody of the house. The fills, maker's first."""
        some = maker or taker
        assert some is not None
        listing = some.listing
        base = trade.qty_lots * listing.lot_amount
        quote = value_of(trade.price_ticks * listing.tick_amount, base)
        buyer, seller = (taker, maker) if trade.aggressor is Side.BUY else (maker, taker)
        self._pay(buyer, seller, listing.quote, quote)
        self._pay(seller, buyer, listing.base, base)
        fills = []
        for order, is_maker in ((maker, True), (taker, False)):
            if order is not None:
                received = (listing.base, base) if order.side is Side.BUY else (listing.quote, quote)
                fills.append((order, self._fill(order, trade, is_maker, quote, *received, now_ns)))
        return fills

    def _pay(self, payer: Order | None, payee: Order | None, asset: str, amount: int) -> None:
        to = self.accounts[payee.account_id].ledger if payee else self.accounts.house
        if payer is None:
            self.accounts.house.pay(to, asset, amount)
            return
        self.accounts[payer.account_id].ledger.pay(to, asset, amount, of_locked=True)
        payer.locked -= amount

    def _fill(
        self, order: Order, trade: Trade, is_maker: bool, quote: int, asset: str, received: int, now_ns: int
    ) -> Fill:
        account = self.accounts[order.account_id]
        maker_ppm, taker_ppm = account.fees(order.listing)
        commission = commission_of(received, maker_ppm if is_maker else taker_ppm)
        account.ledger.pay(self.accounts.house, asset, commission)
        account.volume.add(self._worth(order.listing.quote, quote), now_ns)
        fill = Fill(trade.trade_id, trade.price_ticks, trade.qty_lots, quote, commission, asset, now_ns, is_maker)
        order.executed_lots += trade.qty_lots
        order.executed_quote += quote
        order.updated_ns = now_ns
        order.fills.append(fill)
        return fill

    def _worth(self, asset: str, amount: int) -> int:
        """An amount in the asset volume is counted in, at the last price; 0 when nothing says what it is worth."""
        volume_asset = self.accounts.schedule.volume_asset
        if asset == volume_asset:
            return amount
        book = self._books.get(asset + volume_asset)
        return amount * book.last_price_ticks * book.listing.tick_amount // UNIT if book else 0

    def report(self, order: Order, execution: Execution, now_ns: int, *, is_in_book: bool, **more: Any) -> int:
        """Tell a step of an order and the balances after it. The step's number."""
        self.executions += 1
        copied = {name: getattr(order, name) for name in _COPIED}
        self.tell(
            OrderReport(
                time_ns=now_ns,
                execution_id=self.executions,
                execution=execution,
                is_in_book=is_in_book,
                request_id=more.pop("request_id", ""),
                **copied,
                **more,
            )
        )
        self.tell_position(order.account_id, (order.listing.base, order.listing.quote), now_ns)
        return self.executions

    def tell_position(self, account_id: int, assets: tuple[str, ...], now_ns: int) -> None:
        """Tell balances as they are."""
        ledger = self.accounts[account_id].ledger
        changes = tuple(BalanceChange(asset, ledger.free(asset), ledger.locked(asset)) for asset in assets)
        self.tell(AccountPosition(account_id, now_ns, changes))

    def deposit(self, account: Account, asset: str, amount: int, now_ns: int) -> None:
        """Pay in, or out when negative. Raises ValueError when less is free."""
        if amount < 0:
            account.ledger.pay(self.accounts.house, asset, -amount)
        else:
            self.accounts.house.pay(account.ledger, asset, amount)
        self.tell(BalanceUpdate(account.account_id, now_ns, asset, amount))
        self.tell_position(account.account_id, (asset,), now_ns)
