"""One's own orders in the way: every mode, by the venue's own scenarios and by example."""

from __future__ import annotations

import pytest

from common.messages.base import Side
from common.messages.orders import TimeInForce
from services.mock_exchange.trading.orders import Order, SelfTrade, SpotStatus, SpotType
from tests.mock_exchange.trading.build import Floor, floor, ticket

BUY, SELL = Side.BUY, Side.SELL
IN_MATCH = SpotStatus.EXPIRED_IN_MATCH


def three_bids() -> tuple[Floor, list[Order]]:
    f = floor()
    return f, [f.place(ticket(BUY, lots, price)) for lots, price in ((12, 120), (13, 110), (81, 100))]


def test_none_trades_with_oneself() -> None:
    f = floor(fee_ppm=0)
    maker = f.place(ticket(BUY, 1, 100))
    before = f.alice.ledger.total("USDT"), f.alice.ledger.total("COIN")
    taker = f.place(ticket(SELL, 1, 100, self_trade=SelfTrade.NONE))
    assert maker.status is taker.status is SpotStatus.FILLED
    assert maker.fills[0].trade_id == taker.fills[0].trade_id
    assert (f.alice.ledger.total("USDT"), f.alice.ledger.total("COIN")) == before


def test_expire_maker_ends_every_maker_in_the_way() -> None:
    f, makers = three_bids()
    taker = f.place(ticket(SELL, 30, 100, self_trade=SelfTrade.EXPIRE_MAKER))
    assert [maker.status for maker in makers] == [IN_MATCH] * 3
    assert [maker.prevented_lots for maker in makers] == [12, 13, 81]
    assert (taker.status, taker.left_lots, taker.executed_lots) == (SpotStatus.NEW, 30, 0)
    assert [(match.maker_order_id, match.maker_lots) for match in taker.prevented] == [(1, 12), (2, 13), (3, 81)]
    assert f.alice.ledger.locked("USDT") == 0 and f.book.touch()[:2] == (0, 0)


def test_expire_maker_spares_makers_it_does_not_reach() -> None:
    f = floor()
    f.book.limit(BUY, 120, 5)
    mine = f.place(ticket(BUY, 5, 110))
    assert f.place(ticket(SELL, 5, 100)).status is SpotStatus.FILLED
    assert mine.status is SpotStatus.NEW
    assert f.place(ticket(SELL, 1, 100)).status is SpotStatus.NEW
    assert mine.status is IN_MATCH


def test_expire_taker_leaves_the_makers() -> None:
    f, makers = three_bids()
    taker = f.place(ticket(SELL, 30, 100, self_trade=SelfTrade.EXPIRE_TAKER))
    assert all(maker.status is SpotStatus.NEW for maker in makers)
    assert (taker.status, taker.prevented_lots, taker.locked) == (IN_MATCH, 30, 0)
    last = f.reports(taker)[-1]
    assert (last.execution, last.prevented, last.prevented_lots) == ("TRADE_PREVENTION", (1, 1, 30, 120, 1), 30)


def test_expire_taker_trades_with_those_before() -> None:
    f = floor()
    f.book.limit(BUY, 100, 4)
    mine = f.place(ticket(BUY, 5, 100))
    f.book.limit(BUY, 100, 9)
    taker = f.place(ticket(SELL, 10, 100, self_trade=SelfTrade.EXPIRE_TAKER))
    assert (taker.status, taker.executed_lots, taker.prevented_lots) == (IN_MATCH, 4, 6)
    assert mine.executed_lots == 0


def test_hidden_lots_come_after_an_own_order_of_their_level() -> None:
    f = floor()
    f.book.limit(BUY, 100, 10, display_lots=2)
    mine = f.place(ticket(BUY, 5, 100))
    taker = f.place(ticket(SELL, 9, 100, self_trade=SelfTrade.EXPIRE_TAKER))
    assert (taker.executed_lots, mine.executed_lots) == (2, 0)
    taker = f.place(ticket(SELL, 8, 100, self_trade=SelfTrade.EXPIRE_MAKER))
    assert (taker.executed_lots, mine.status) == (8, IN_MATCH)


def test_expire_both() -> None:
    f, makers = three_bids()
    taker = f.place(ticket(SELL, 30, 100, self_trade=SelfTrade.EXPIRE_BOTH))
    assert [maker.status for maker in makers] == [IN_MATCH, SpotStatus.NEW, SpotStatus.NEW]
    assert (taker.status, taker.prevented_lots) == (IN_MATCH, 30)


def test_decrement_takes_from_both_and_ends_the_smaller() -> None:
    f, makers = three_bids()
    taker = f.place(ticket(SELL, 30, 100, self_trade=SelfTrade.DECREMENT))
    assert [(maker.status, maker.prevented_lots) for maker in makers] == [
        (IN_MATCH, 12),
        (IN_MATCH, 13),
        (SpotStatus.NEW, 5),
    ]
    assert (taker.status, taker.prevented_lots, taker.executed_lots) == (IN_MATCH, 30, 0)
    assert makers[2].left_lots == f.book.touch().bid_lots == 76
    assert makers[2].locked == 7600 * 10**8
    matches = f.desk.prevented_matches(f.alice, "COINUSDT", order_id=makers[2].order_id)
    assert [(match.taker_lots, match.maker_lots, match.price_ticks) for match in matches] == [(5, 5, 100)]


def test_decrement_goes_on_with_what_is_left() -> None:
    f = floor()
    mine = f.place(ticket(BUY, 3, 110))
    f.book.limit(BUY, 105, 4)
    taker = f.place(ticket(SELL, 10, 100, self_trade=SelfTrade.DECREMENT))
    assert mine.status is IN_MATCH
    assert (taker.status, taker.executed_lots, taker.left_lots) == (SpotStatus.PARTIALLY_FILLED, 4, 3)
    assert f.book.touch() == (0, 0, 100, 3)


@pytest.mark.parametrize("mode", list(SelfTrade))
def test_other_accounts_are_never_in_the_way(mode: SelfTrade) -> None:
    f = floor()
    maker = f.place(ticket(BUY, 5, 100), f.bob)
    taker = f.place(ticket(SELL, 5, 100, self_trade=mode))
    assert maker.status is taker.status is SpotStatus.FILLED


@pytest.mark.parametrize(
    ("mode", "status"), [(SelfTrade.EXPIRE_TAKER, IN_MATCH), (SelfTrade.EXPIRE_MAKER, SpotStatus.FILLED)]
)
def test_market_orders_are_prevented_too(mode: SelfTrade, status: SpotStatus) -> None:
    f = floor()
    f.place(ticket(BUY, 5, 110))
    f.book.limit(BUY, 100, 5)
    assert f.place(ticket(SELL, 5, type_=SpotType.MARKET, self_trade=mode)).status is status


def test_fill_or_kill_counts_others_only() -> None:
    f = floor()
    mine = f.place(ticket(BUY, 5, 110))
    f.book.limit(BUY, 100, 5)
    taker = f.place(ticket(SELL, 6, 100, time_in_force=TimeInForce.FOK))
    assert (taker.status, taker.executed_lots, mine.status) == (SpotStatus.EXPIRED, 0, SpotStatus.NEW)


def test_a_market_order_reaches_hidden_lots_behind_an_own_order() -> None:
    f = floor()
    f.book.limit(SELL, 100, 10, display_lots=2)
    mine = f.place(ticket(SELL, 5, 100))
    taker = f.place(ticket(BUY, 9, type_=SpotType.MARKET))
    assert (taker.status, taker.executed_lots, mine.status) == (SpotStatus.FILLED, 9, IN_MATCH)
    assert f.place(ticket(BUY, 2, 100, time_in_force=TimeInForce.FOK)).status is SpotStatus.EXPIRED
