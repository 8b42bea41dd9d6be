"""Read-only answers beside spot's own API that clients ask for while they load (/sapi, /fapi, /dapi).

They say what is true here: no coin can be moved in or out, there is no margin, and no contract is listed.
"""

from __future__ import annotations

from typing import Any, Final

from services.mock_exchange.api import params
from services.mock_exchange.api.account import rate_text
from services.mock_exchange.api.call import Call, Endpoint, Security
from services.mock_exchange.api.params import Param


def nothing(_call: Call) -> list[Any]:
    """An empty list: coins that can be moved, margin pairs."""
    return []


def trade_fee(call: Call) -> list[dict[str, str]]:
    """GET asset/tradeFee: a list, of one symbol too."""
    listings = [call.listing] if call["symbol"] is not None else list(call.venue.exchange.listings.values())
    return [
        {"symbol": listing.symbol, "makerCommission": rate_text(maker), "takerCommission": rate_text(taker)}
        for listing in listings
        for maker, taker in [call.account.fees(listing)]
    ]


def system_status(_call: Call) -> dict[str, Any]:
    """GET system/status."""
    return {"status": 0, "msg": "normal"}


def account_status(_call: Call) -> dict[str, Any]:
    """GET account/status."""
    return {"data": "Normal"}


def api_restrictions(call: Call) -> dict[str, Any]:
    """GET account/apiRestrictions: what the key may do."""
    permissions = call.owner[1].permissions if call.owner else frozenset()
    return {
        "ipRestrict": False,
        "createTime": 0,
        "enableReading": "read" in permissions,
        "enableWithdrawals": False,
        "enableInternalTransfer": False,
        "enableMargin": False,
        "enableFutures": False,
        "permitsUniversalTransfer": False,
        "enableVanillaOptions": False,
        "enableFixApiTrade": False,
        "enableFixReadOnly": False,
        "enableSpotAndMarginTrading": "trade" in permissions,
        "enablePortfolioMarginTrading": False,
    }


def no_contracts(call: Call) -> dict[str, Any]:
    """exchangeInfo of the futures venues."""
    return {
        "timezone": "UTC",
        "serverTime": call.stamp(call.now_ns),
        "rateLimits": [],
        "exchangeFilters": [],
        "assets": [],
        "symbols": [],
    }


ENDPOINTS: Final = (
    Endpoint("GET /sapi/v1/capital/config/getall", None, nothing, security=Security.READ),
    Endpoint(
        "GET /sapi/v1/asset/tradeFee", None, trade_fee, (Param("symbol", params.symbol),), security=Security.READ
    ),
    Endpoint("GET /sapi/v1/system/status", None, system_status),
    Endpoint("GET /sapi/v1/account/status", None, account_status, security=Security.READ),
    Endpoint("GET /sapi/v1/account/apiRestrictions", None, api_restrictions, security=Security.READ),
    Endpoint("GET /sapi/v1/margin/allPairs", None, nothing, (Param("symbol", params.symbol),), security=Security.KEY),
    Endpoint(
        "GET /sapi/v1/margin/isolated/allPairs",
        None,
        nothing,
        (Param("symbol", params.symbol),),
        security=Security.READ,
    ),
    Endpoint("GET /fapi/v1/exchangeInfo", None, no_contracts),
    Endpoint("GET /dapi/v1/exchangeInfo", None, no_contracts),
)
