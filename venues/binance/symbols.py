"""The venue's spelling of symbols."""

from __future__ import annotations

from typing import Final

#: Longest first, so that FDUSD is not taken for USD. TUSD is left out: DOTUSD and USDTUSD are commoner.
_QUOTES: Final = tuple(
    sorted(
        (
            "USDT",
            "USDC",
            "FDUSD",
            "BUSD",
            "USDP",
            "DAI",
            "USD",
            "BTC",
            "ETH",
            "BNB",
            "EUR",
            "TRY",
            "BRL",
            "GBP",
            "AUD",
            "JPY",
        ),
        key=len,
        reverse=True,
    )
)


def split_symbol(symbol: str) -> tuple[str, str]:
    """Base and quote of a symbol, by its ending: BTCUSDT -> BTC, USDT; BTCUSD_PERP -> BTC, USD.

    For where no exchangeInfo is at hand; a symbol of no known quote is all base.
    """
    pair = symbol.partition("_")[0].upper()
    for quote in _QUOTES:
        if pair.endswith(quote) and len(pair) > len(quote):
            return pair[: -len(quote)], quote
    return pair, ""
