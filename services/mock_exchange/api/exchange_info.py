"""GET exchangeInfo, complete enough for clients other than ours (venues.md 2.4 and 7)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final

from common.units import decimals_of
from services.mock_exchange.listing import SPOT_DECIMALS, Listing
from services.mock_exchange.trading.rules import SymbolRules, rules_of

_MAX_ORDERS: Final = 200


def _rate(kind: str, interval: str, number: int, limit: int) -> dict[str, Any]:
    return {"rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": limit}


def spot_info(
    listings: Sequence[Listing], server_ms: int, rules: Callable[[Listing], SymbolRules] = rules_of
) -> dict[str, Any]:
    """The body of /api/v3/exchangeInfo, its limits left for those who keep them.

    `rules` are those the desk holds orders against.
    """
    return {
        "timezone": "UTC",
        "serverTime": server_ms,
        "rateLimits": [],
        "exchangeFilters": [],
        "symbols": [_spot_symbol(listing, rules(listing)) for listing in listings],
    }


def usdm_info(listings: Sequence[Listing], server_ms: int) -> dict[str, Any]:
    """The body of /fapi/v1/exchangeInfo."""
    return {
        "timezone": "UTC",
        "serverTime": server_ms,
        "futuresType": "U_MARGINED",
        "rateLimits": [
            _rate("REQUEST_WEIGHT", "MINUTE", 1, 2400),
            _rate("ORDERS", "MINUTE", 1, 1200),
            _rate("ORDERS", "SECOND", 10, 300),
        ],
        "exchangeFilters": [],
        "assets": [
            {"asset": quote, "marginAvailable": True, "autoAssetExchange": "0"}
            for quote in dict.fromkeys(listing.quote for listing in listings)
        ],
        "symbols": [_usdm_symbol(listing) for listing in listings],
    }


def _text(value: Decimal, decimals: int) -> str:
    return f"{value:.{decimals}f}"


def _spot_symbol(listing: Listing, rules: SymbolRules) -> dict[str, Any]:
    return {
        "symbol": listing.symbol,
        "status": "TRADING",
        "baseAsset": listing.base,
        "baseAssetPrecision": SPOT_DECIMALS,
        "quoteAsset": listing.quote,
        "quotePrecision": SPOT_DECIMALS,
        "quoteAssetPrecision": SPOT_DECIMALS,
        "baseCommissionPrecision": SPOT_DECIMALS,
        "quoteCommissionPrecision": SPOT_DECIMALS,
        "orderTypes": [kind.value for kind in rules.order_types],
        "icebergAllowed": True,
        "ocoAllowed": True,
        "otoAllowed": True,
        "opoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": True,
        "cancelReplaceAllowed": True,
        "amendAllowed": True,
        "pegInstructionsAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": rules.wire_filters(),
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": rules.self_trade.value,
        "allowedSelfTradePreventionModes": [mode.value for mode in rules.self_trades],
    }


def _usdm_symbol(listing: Listing) -> dict[str, Any]:
    tick, lot = listing.tick_size, listing.lot_size
    price_decimals, qty_decimals = decimals_of(tick), decimals_of(lot)
    lots = {
        "minQty": _text(lot, qty_decimals),
        "maxQty": _text(lot * 10**6, qty_decimals),
        "stepSize": _text(lot, qty_decimals),
    }
    return {
        "symbol": listing.symbol,
        "pair": listing.symbol,
        "contractType": "PERPETUAL",
        "deliveryDate": 4133404800000,
        "onboardDate": 1569398400000,
        "status": "TRADING",
        "baseAsset": listing.base,
        "quoteAsset": listing.quote,
        "marginAsset": listing.quote,
        "pricePrecision": price_decimals,
        "quantityPrecision": qty_decimals,
        "baseAssetPrecision": SPOT_DECIMALS,
        "quotePrecision": SPOT_DECIMALS,
        "underlyingType": "COIN",
        "underlyingSubType": [],
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "triggerProtect": "0.0500",
        "liquidationFee": "0.012500",
        "marketTakeBound": "0.05",
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": _text(tick, price_decimals),
                "maxPrice": _text(tick * 10**8, price_decimals),
                "tickSize": _text(tick, price_decimals),
            },
            {"filterType": "LOT_SIZE", **lots},
            {"filterType": "MARKET_LOT_SIZE", **lots},
            {"filterType": "MAX_NUM_ORDERS", "limit": _MAX_ORDERS},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 10},
            {"filterType": "MIN_NOTIONAL", "notional": f"{listing.min_notional:f}"},
            {
                "filterType": "PERCENT_PRICE",
                "multiplierUp": "1.0500",
                "multiplierDown": "0.9500",
                "multiplierDecimal": "4",
            },
        ],
        "orderTypes": ["LIMIT", "MARKET"],
        "timeInForce": ["GTC", "IOC", "FOK"],
    }
