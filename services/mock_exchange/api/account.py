"""Endpoints of the account: balances, commissions, order counts, prevented matches (venues.md 2.6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from common.units import PPM
from services.mock_exchange.api import order_text, params
from services.mock_exchange.api.call import Call, Endpoint, Security
from services.mock_exchange.api.params import Param
from services.mock_exchange.listing import Listing
from services.mock_exchange.trading.accounts import Account
from services.mock_exchange.trading.amounts import UNIT, amount_text

_PPM_OF_BASIS_POINT: Final = 100
_NO_RATES: Final = {"maker": "0.00000000", "taker": "0.00000000", "buyer": "0.00000000", "seller": "0.00000000"}


def rate_text(ppm: int) -> str:
    """A rate as a share: 1000 ppm -> "0.00100000"."""
    return amount_text(ppm * UNIT // PPM)


def account(call: Call) -> dict[str, Any]:
    """GET account."""
    owner = call.account
    maker_ppm, taker_ppm = _general_fees(call)
    balances = [
        {"asset": asset, "free": amount_text(free), "locked": amount_text(locked)}
        for asset, free, locked in _balances(call)
        if free or locked or not call["omitZeroBalances"]
    ]
    return {
        "makerCommission": maker_ppm // _PPM_OF_BASIS_POINT,
        "takerCommission": taker_ppm // _PPM_OF_BASIS_POINT,
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": {**_NO_RATES, "maker": rate_text(maker_ppm), "taker": rate_text(taker_ppm)},
        "canTrade": owner.can_trade,
        "canWithdraw": False,
        "canDeposit": False,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": call.stamp(call.venue.user_streams.changed_ns(owner.account_id)),
        "accountType": "SPOT",
        "balances": balances,
        "permissions": list(owner.permissions),
        "uid": owner.account_id,
    }


def _balances(call: Call) -> list[tuple[str, int, int]]:
    """Every asset of the exchange, those the account has first."""
    owned = list(call.account.ledger.balances())
    known = {asset for asset, _, _ in owned}
    listed = [asset for listing in call.venue.exchange.listings.values() for asset in (listing.base, listing.quote)]
    return owned + [(asset, 0, 0) for asset in dict.fromkeys(listed) if asset not in known]


def _general_fees(call: Call) -> tuple[int, int]:
    """Of the first symbol: accounts name one rate although symbols may have their own."""
    listing = next(iter(call.venue.exchange.listings.values()))
    return call.account.fees(listing)


def commission(call: Call) -> dict[str, Any]:
    """GET account/commission."""
    return commission_rates(call.account, call.listing)


def commission_rates(owner: Account, listing: Listing) -> dict[str, Any]:
    """An account's rates on a symbol. There is no discount here."""
    maker_ppm, taker_ppm = owner.fees(listing)
    return {
        "symbol": listing.symbol,
        "standardCommission": {**_NO_RATES, "maker": rate_text(maker_ppm), "taker": rate_text(taker_ppm)},
        "specialCommission": _NO_RATES,
        "taxCommission": _NO_RATES,
        "discount": {
            "enabledForAccount": False,
            "enabledForSymbol": False,
            "discountAsset": "BNB",
            "discount": "0.00000000",
        },
    }


def order_counts(call: Call) -> list[dict[str, Any]]:
    """GET rateLimit/order."""
    counts = call.venue.limits.order_counts(call.account.account_id, call.now_ns)
    return [rule.describe(count) for rule, count in counts]


def prevented_matches(call: Call) -> list[dict[str, Any]]:
    """GET myPreventedMatches, by match or by order."""
    match_id, order_id, first = call["preventedMatchId"], call["orderId"], call["fromPreventedMatchId"]
    if (match_id is None) is (order_id is None) or (first is not None and order_id is None):
        raise params.bad_combination()
    listing, owner = call.listing, call.account
    matches = call.venue.desk.prevented_matches(
        owner, listing.symbol, match_id=match_id, order_id=order_id, from_id=first, limit=call["limit"]
    )
    return [order_text.prevented_match(listing, owner.account_id, match, call.unit_ns) for match in matches]


def allocations(call: Call) -> list[dict[str, Any]]:
    """GET myAllocations: smart order routing does not exist here, so there are none."""
    _ = call.listing
    return []


def _weight_of_prevented(sent: Mapping[str, str]) -> int:
    return 2 if "preventedMatchId" in sent else 20


_SYMBOL: Final = Param("symbol", params.symbol, is_required=True)

ENDPOINTS: Final = (
    Endpoint(
        "GET /api/v3/account",
        "account.status",
        account,
        (Param("omitZeroBalances", params.boolean, default=False),),
        20,
        Security.READ,
    ),
    Endpoint("GET /api/v3/account/commission", "account.commission", commission, (_SYMBOL,), 20, Security.READ),
    Endpoint("GET /api/v3/rateLimit/order", "account.rateLimits.orders", order_counts, (), 40, Security.READ),
    Endpoint(
        "GET /api/v3/myPreventedMatches",
        "myPreventedMatches",
        prevented_matches,
        (
            _SYMBOL,
            Param("preventedMatchId", params.integer),
            Param("orderId", params.integer),
            Param("fromPreventedMatchId", params.integer),
            Param("limit", params.up_to(1000), default=500),
        ),
        _weight_of_prevented,
        Security.READ,
    ),
    Endpoint(
        "GET /api/v3/myAllocations",
        "myAllocations",
        allocations,
        (
            _SYMBOL,
            Param("startTime", params.moment),
            Param("endTime", params.moment),
            Param("fromAllocationId", params.integer),
            Param("limit", params.up_to(1000), default=500),
            Param("orderId", params.integer),
        ),
        20,
        Security.READ,
    ),
)
