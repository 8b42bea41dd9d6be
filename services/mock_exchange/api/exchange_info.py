"""GET exchangeInfo, complete enough for clients other than ours (venues.md 2.4 and 7)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from common.units import decimals_of
from services.mock_exchange.listing import SPOT_DECIMALS, Listing

_MAX_QTY: Final = 9000
_MAX_ORDERS: Final = 200
_STP_MODES: Final = ["EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT"]


def _rate(kind: str, interval: str, number: int, limit: int) -> dict[str, Any]:
    return {"rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": limit}


def spot_info(listings: Sequence[Listing], server_ms: int) -> dict[str, Any]:
    """The body of /api/v3/exchangeInfo."""
    return {
        "timezone": "UTC",
        "serverTime": server_ms,
        "rateLimits": [
            _rate("REQUEST_WEIGHT", "MINUTE", 1, 6000),
            _rate("ORDERS", "SECOND", 10, 100),
            _rate("ORDERS", "DAY", 1, 200_000),
            _rate("RAW_REQUESTS", "MINUTE", 5, 300_000),
        ],
        "exchangeFilters": [],
        "symbols": [_spot_symbol(listing) for listing in listings],
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


def _text(value: Decimal, decimals: int = SPOT_DECIMALS) -> str:
    return f"{value:.{decimals}f}"


def _spot_symbol(listing: Listing) -> dict[str, Any]:
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
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"],
        "icebergAllowed": False,
        "ocoAllowed": False,
        "otoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": False,
        "amendAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": _spot_filters(listing),
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": _STP_MODES,
    }


def _spot_filters(listing: Listing) -> list[dict[str, Any]]:
    tick, lot = listing.tick_size, listing.lot_size
    max_price = tick * 10**8
    lots = {"minQty": _text(lot), "maxQty": _text(_MAX_QTY * max(lot, Decimal(1))), "stepSize": _text(lot)}
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": _text(tick),
            "maxPrice": _text(max_price),
            "tickSize": _text(tick),
        },
        {"filterType": "LOT_SIZE", **lots},
        {"filterType": "ICEBERG_PARTS", "limit": 10},
        {"filterType": "MARKET_LOT_SIZE", **lots, "minQty": _text(Decimal(0)), "stepSize": _text(Decimal(0))},
        {
            "filterType": "PERCENT_PRICE_BY_SIDE",
            "bidMultiplierUp": "5",
            "bidMultiplierDown": "0.2",
            "askMultiplierUp": "5",
            "askMultiplierDown": "0.2",
            "avgPriceMins": 5,
        },
        {
            "filterType": "NOTIONAL",
            "minNotional": _text(listing.min_notional),
            "applyMinToMarket": True,
            "maxNotional": _text(Decimal(9_000_000)),
            "applyMaxToMarket": False,
            "avgPriceMins": 5,
        },
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": _MAX_ORDERS},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": 5},
    ]


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
