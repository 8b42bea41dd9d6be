"""Triangles: closed by an arbitrageur, whatever flows and clients do to the three books."""

from __future__ import annotations

import numpy as np
import pytest

from common.config import MockExchangeConfig
from common.messages import Side
from market.matching import MatchingEngine, Outcome, Touch
from services.mock_exchange.simulation.arbitrage import LEAST_EDGE, MOST_ROUNDS, Arbitrageur
from services.mock_exchange.simulation.cross import QuotedPrice, followed_price, legs_first
from services.mock_exchange.simulation.fundamental import CrossPrice, fundamentals_of
from services.mock_exchange.simulation.simulated_exchange import SimulatedExchange
from services.mock_exchange.simulation.statistics.tape import record
from services.mock_exchange.simulation.statistics.triangles import triangle
from tests.mock_exchange.build import START_NS
from tests.mock_exchange.simulation.build import FLOWS, SECOND_NS, SYMBOLS

TRIANGLE = ("ETHBTC", "ETHUSDT", "BTCUSDT")


class Market:
    """An engine alone, with one order a side."""

    def __init__(self, bid: int, ask: int, lots: int) -> None:
        self.engine = MatchingEngine()
        self.now_ns = 0
        self.is_halted = False
        self.outcomes: list[Outcome] = []
        if bid:
            self.engine.limit(Side.BUY, bid, lots)
        self.engine.limit(Side.SELL, ask, lots)

    def touch(self) -> Touch:
        return self.engine.touch()

    def limit(self, side, price_ticks, qty_lots, time_in_force) -> Outcome:
        self.outcomes.append(self.engine.limit(side, price_ticks, qty_lots, time_in_force))
        return self.outcomes[-1]


def legs(btc_lots: int = 90_000) -> tuple[Market, Market]:
    """Whose quotient is 0.05."""
    return Market(299_999, 300_001, 50_000), Market(5_999_999, 6_000_001, btc_lots)


def arbitrageur(*markets: Market) -> Arbitrageur:
    return Arbitrageur(*((SYMBOLS[name], market) for name, market in zip(TRIANGLE, markets)), 1)


def test_a_dear_cross_is_sold_and_bought_back_through_its_legs() -> None:
    cross, eth, btc = Market(5100, 5101, 20_000), *legs(9_000)
    at_work = arbitrageur(cross, eth, btc)
    at_work.step()
    sold, bought, paid = cross.outcomes[0], eth.outcomes[0], btc.outcomes[0]
    # BTC at the bid is the scarcest: 0.09 BTC, worth 0.09 / 0.051 ETH.
    lots = int(0.09 / 0.051 * 10_000)
    assert (sold.trades[0].aggressor, sold.filled_lots, sold.trades[0].price_ticks) == (Side.SELL, lots, 5100)
    assert (bought.trades[0].aggressor, bought.filled_lots) == (Side.BUY, lots)
    assert paid.trades[0].aggressor is Side.SELL and paid.filled_lots == 8999
    received = sold.filled_lots * 1e-4 * 0.051
    assert paid.filled_lots * 1e-5 <= received, "it sells no more BTC than it got"
    assert btc.touch().bid_lots == 0, "nor does the lot that was left stand in the way"
    assert {market.now_ns for market in (cross, eth, btc)} == {at_work.now_ns} != {at_work.next_ns}


def test_a_cheap_cross_is_bought() -> None:
    cross, eth, btc = Market(4899, 4900, 20_000), *legs()
    arbitrageur(cross, eth, btc).step()
    assert [market.outcomes[0].trades[0].aggressor for market in (cross, eth, btc)] == [Side.BUY, Side.SELL, Side.BUY]


@pytest.mark.parametrize(
    "cross",
    [
        Market(4999, 5001, 20_000),
        Market(0, 4999, 20_000),  # it looks for a bid that is not there
        Market(round(5000 * (1 + LEAST_EDGE / 4)), 5001, 20_000),
    ],
)
def test_what_does_not_pay_is_left(cross: Market) -> None:
    if not cross.touch().bid_ticks:
        cross.engine.market(Side.BUY, 20_000)
    others = legs()
    arbitrageur(cross, *others).step()
    assert not cross.outcomes and not others[0].outcomes


def test_a_halted_book_is_left_alone() -> None:
    cross, eth, btc = Market(5100, 5101, 20_000), *legs(9_000)
    eth.is_halted = True
    arbitrageur(cross, eth, btc).step()
    assert not cross.outcomes


def test_a_look_ends_after_some_rounds() -> None:
    cross, eth, btc = Market(5100, 5101, 10**8), *legs(10**8)
    for turn in range(20):
        for market, ticks in ((cross, 5100), (btc, 5_999_999)):
            market.engine.limit(Side.BUY, ticks - turn - 1, 10_000)
    at_work = arbitrageur(cross, eth, btc)
    at_work.step()
    assert 1 <= len(cross.outcomes) <= MOST_ROUNDS


def test_legs_come_first_and_a_cross_follows_what_they_quote() -> None:
    symbols = [SYMBOLS[name] for name in TRIANGLE]
    assert [item.symbol for item in legs_first(symbols)] == ["ETHUSDT", "BTCUSDT", "ETHBTC"]
    prices = fundamentals_of(symbols, 1)

    class Quoting:
        def __init__(self, price: float) -> None:
            self.quoted_price = price

    eth = Quoting(3300.0)
    followed = followed_price(SYMBOLS["ETHBTC"], prices, {"ETHUSDT": eth, "BTCUSDT": Quoting(60_000.0)})
    assert isinstance(followed, CrossPrice)
    stray = prices["ETHBTC"].price_at(0) / (prices["ETHUSDT"].price_at(0) / prices["BTCUSDT"].price_at(0))
    assert followed.price_at(0) == pytest.approx(0.055 * stray)
    eth.quoted_price = 3000.0
    assert followed.price_at(0) == pytest.approx(0.05 * stray)
    assert followed_price(SYMBOLS["ETHUSDT"], prices, {}) is prices["ETHUSDT"]
    assert QuotedPrice(eth).log_at(5) == pytest.approx(np.log(3000))


@pytest.mark.parametrize("flow", FLOWS)
def test_rounds_pay_before_fees_now_and_then_and_never_for_long(flow: str) -> None:
    found = []
    for seed in (1, 2, 3):
        tapes = record([item.model_copy(update={"flow": flow}) for item in SYMBOLS.values()], 60, seed)
        found.append(triangle(*(tapes[name] for name in TRIANGLE)))
    # Over seeds 101 to 108: 0.207 +- 0.029, 0.387 +- 0.049, 0.506 +- 0.033, the deviation of a single seed.
    most = {"zero-intelligence": 0.33, "hawkes": 0.58, "chiarella": 0.64}[flow]
    for table in found:
        assert 0.05 < table["share_of_time"]["0bps"] < most
        assert table["spells_per_minute"]["0bps"] > 60
        assert table["median_spell_s"]["0bps"] < 0.2
        assert table["longest_spell_s"]["0bps"] < 6
        assert table["share_of_time"]["10bps"] < 0.004, "at the venue's usual fee there is nothing to be had"
        assert table["stray_bps"] < 9


@pytest.mark.parametrize("flow", FLOWS)
def test_a_client_who_tears_a_triangle_open_sees_it_close(flow: str) -> None:
    config = MockExchangeConfig(
        seed=4, prehistory_days=0, symbols=tuple(item.model_copy(update={"flow": flow}) for item in SYMBOLS.values())
    )
    exchange = SimulatedExchange(config)
    exchange.advance(START_NS)
    exchange.advance(START_NS + 2 * SECOND_NS)

    def stray() -> float:
        mids = {}
        for name, book in exchange.books.items():
            touch = book.touch()
            mids[name] = (touch.bid_ticks + touch.ask_ticks) / 2 * float(SYMBOLS[name].tick_size)
        return mids["ETHBTC"] * mids["BTCUSDT"] / mids["ETHUSDT"] - 1

    cross = exchange.books["ETHBTC"]
    lots = sum(order[2] for order in cross.engine.queue(Side.SELL) if order[1] < 5060)
    cross.market(Side.BUY, lots)
    assert stray() > 0.003
    for second in range(3, 33):
        exchange.advance(START_NS + second * SECOND_NS)
    assert abs(stray()) < 0.0025
