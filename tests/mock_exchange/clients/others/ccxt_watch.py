"""ccxt's books over a long time: ccxt raises ChecksumError at a gap. All else of ccxt is held by the tests beside."""

from __future__ import annotations

import asyncio
import time

import ccxt.pro

from tests.mock_exchange.clients.others.report import Report
from tests.mock_exchange.clients.pointing import KEY, SECRET, point_ccxt


def run(address: str, report: Report, seconds: float) -> None:
    """Watch three books at once."""
    asyncio.run(_watch(address, report, seconds))


async def _watch(address: str, report: Report, seconds: float) -> None:
    exchange = point_ccxt(ccxt.pro.binance({"apiKey": KEY, "secret": SECRET}), address)
    try:
        await exchange.load_markets()
        updates = await asyncio.gather(
            *(
                report.wait(f"watch_order_book {symbol} for {seconds:.0f} s", _book(exchange, symbol, seconds))
                for symbol in ("BTC/USDT", "ETH/USDT", "ETH/BTC")
            )
        )
        report.check(f"updates: {updates}", all(count and count > seconds for count in updates))
    finally:
        await exchange.close()


async def _book(exchange: ccxt.pro.binance, symbol: str, seconds: float) -> int:
    updates, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        book = await asyncio.wait_for(exchange.watch_order_book(symbol), 8)
        assert book["bids"][0][0] < book["asks"][0][0]
        updates += 1
    return updates
