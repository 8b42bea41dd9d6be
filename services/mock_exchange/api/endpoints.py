"""The table: every endpoint of REST and WebSocket API, one line each in its own module."""

from __future__ import annotations

from typing import Final

from services.mock_exchange.api import account, general, market_data, order_lists, orders, outside, session_methods
from services.mock_exchange.api.call import Endpoint

SPOT: Final[tuple[Endpoint, ...]] = (
    *general.ENDPOINTS,
    *market_data.ENDPOINTS,
    *orders.ENDPOINTS,
    *order_lists.ENDPOINTS,
    *account.ENDPOINTS,
    *session_methods.ENDPOINTS,
    *outside.ENDPOINTS,
)
USDM: Final[tuple[Endpoint, ...]] = general.USDM_ENDPOINTS
BY_PREFIX: Final = {"/api/v3": SPOT, "/fapi/v1": USDM}
