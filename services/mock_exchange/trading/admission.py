"""From a ticket to an order: precision, filters, grid. What depends on other orders is looked at elsewhere."""

from __future__ import annotations

from decimal import Decimal

from common.messages.orders import TimeInForce
from services.mock_exchange.errors import VenueError
from services.mock_exchange.listing import Listing
from services.mock_exchange.trading.amounts import amount_of
from services.mock_exchange.trading.filters import Candidate, Surroundings
from services.mock_exchange.trading.orders import Order, SelfTrade, Ticket
from services.mock_exchange.trading.rules import SymbolRules


def admit(
    ticket: Ticket, listing: Listing, rules: SymbolRules, around: Surroundings, account_id: int, now_ns: int
) -> Order:
    """The order a ticket asks for, without an id. Its quantity is 0 when it is given in the quote asset.

    Raises:
        VenueError: -1111 too many decimals, -1013 a filter or a number that cannot be, -1014 or -2010 an iceberg
            that is none.
    """
    candidate = _candidate(ticket)
    for rule in rules.filters:
        if not rule.passes(candidate, around):
            raise filter_failure(rule.name)
    if candidate.iceberg_qty:
        if candidate.iceberg_qty > candidate.qty:
            raise VenueError(-2010, "IcebergQty exceeds QTY.")
        if ticket.time_in_force not in (None, TimeInForce.GTC):
            raise VenueError(-1014, "Unsupported order combination.")
    return Order(
        order_id=0,
        account_id=account_id,
        listing=listing,
        side=ticket.side,
        type=ticket.type,
        time_in_force=ticket.time_in_force or TimeInForce.GTC,
        client_order_id=ticket.client_order_id or "",
        qty_lots=_steps(candidate.qty, listing.lot_amount, "LOT_SIZE"),
        price_ticks=_steps(candidate.price, listing.tick_amount, "PRICE_FILTER"),
        created_ns=now_ns,
        updated_ns=now_ns,
        working_ns=None if ticket.type.is_conditional else now_ns,
        quote_qty=candidate.quote_qty,
        stop_ticks=_steps(candidate.stop_price, listing.tick_amount, "PRICE_FILTER"),
        trailing_delta_bps=candidate.trailing_delta_bps,
        iceberg_lots=_steps(candidate.iceberg_qty, listing.lot_amount, "LOT_SIZE"),
        self_trade=_self_trade(ticket.self_trade, rules),
        strategy_id=ticket.strategy_id,
        strategy_type=ticket.strategy_type,
    )


def smaller(order: Order, new_qty: Decimal, rules: SymbolRules, around: Surroundings) -> int:
    """The lots an order has after it was amended to `new_qty`, held against the filters as if it were new.

    Counts of orders do not rise, so those filters cannot fail by it.

    Raises:
        VenueError: -1111 and -1013 as for a new order, -2038 when it does not become smaller.
    """
    listing = order.listing
    qty = _amount("newQty", new_qty, "Invalid quantity.")
    before = order.qty_lots * listing.lot_amount
    if qty > before:
        raise VenueError(-2038, "Order amend (quantity increase) is not supported.")
    if qty == before:
        raise VenueError(-2038, "The requested action would change no state; rejecting")
    candidate = Candidate(
        side=order.side,
        type=order.type,
        qty=qty,
        price=order.price_ticks * listing.tick_amount,
        stop_price=order.stop_ticks * listing.tick_amount,
        iceberg_qty=min(qty, order.iceberg_lots * listing.lot_amount),
        trailing_delta_bps=order.trailing_delta_bps,
    )
    alone = around._replace(open_orders=0, open_algos=0, open_icebergs=0, position=around.position - before)
    for rule in rules.filters:
        if not rule.passes(candidate, alone):
            raise filter_failure(rule.name)
    lots = _steps(qty, listing.lot_amount, "LOT_SIZE")
    if not rules.lot_size().admits((lots - order.executed_lots - order.prevented_lots) * listing.lot_amount):
        raise filter_failure("LOT_SIZE")
    return lots


def filter_failure(name: str) -> VenueError:
    """The venue's refusal by a filter."""
    return VenueError(-1013, f"Filter failure: {name}")


def _candidate(ticket: Ticket) -> Candidate:
    return Candidate(
        side=ticket.side,
        type=ticket.type,
        qty=_amount("quantity", ticket.quantity, "Invalid quantity."),
        price=_amount("price", ticket.price, "Invalid price."),
        stop_price=_amount("stopPrice", ticket.stop_price, "Invalid stopPrice."),
        quote_qty=_amount("quoteOrderQty", ticket.quote_qty, "Invalid quote order qty."),
        iceberg_qty=0
        if ticket.iceberg_qty == 0
        else _amount("icebergQty", ticket.iceberg_qty, "Invalid iceberg qty."),
        trailing_delta_bps=ticket.trailing_delta_bps or 0,
    )


def _amount(name: str, value: Decimal | None, if_not_positive: str) -> int:
    if value is None:
        return 0
    if value <= 0:
        raise VenueError(-1013, if_not_positive)
    try:
        return amount_of(value)
    except ValueError:
        raise VenueError(-1111, f"Parameter '{name}' has too much precision.") from None


def _steps(amount: int, step: int, filter_name: str) -> int:
    """Whole steps of the listing's own grid, which a filter may be coarser than but not finer."""
    steps, rest = divmod(amount, step)
    if rest:
        raise filter_failure(filter_name)
    return steps


def _self_trade(asked: SelfTrade | None, rules: SymbolRules) -> SelfTrade:
    mode = asked or rules.self_trade
    if mode not in rules.self_trades:
        raise VenueError(-1013, "This symbol does not allow the specified self-trade prevention mode.")
    return mode
