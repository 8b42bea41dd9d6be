"""Ed25519 and RSA keys, and what the demo account is, by the clients' own signatures."""

from __future__ import annotations

import asyncio

import ccxt
import ccxt.pro
import pytest
from binance_common.errors import BadRequestError
from binance_sdk_spot.spot import ConfigurationRestAPI, ConfigurationWebSocketAPI, Spot

from tests.mock_exchange.clients.pointing import point_ccxt
from tests.mock_exchange.clients.process import Mock

PAIRS = ["pair-ed25519", "pair-rsa-2048"]


@pytest.mark.parametrize("name", PAIRS)
def test_ccxt_signs_with_a_private_key(mock: Mock, name: str) -> None:
    exchange = point_ccxt(ccxt.binance({"apiKey": name, "secret": mock.private_keys[name]}), mock.address)
    order = exchange.create_order("BTC/USDT", "market", "buy", 0.01)
    assert order["status"] == "closed"
    assert exchange.fetch_balance()["BTC"]["total"] > 10
    exchange.secret = mock.private_keys[next(other for other in PAIRS if other != name)]
    with pytest.raises(ccxt.AuthenticationError):
        exchange.fetch_balance()


@pytest.mark.parametrize("name", PAIRS)
async def test_ccxt_pro_signs_with_a_private_key(mock: Mock, name: str) -> None:
    exchange = point_ccxt(ccxt.pro.binance({"apiKey": name, "secret": mock.private_keys[name]}), mock.address)
    try:
        watching = asyncio.create_task(exchange.watch_orders())
        await asyncio.wait_for(exchange.fetch_open_orders_ws("BTC/USDT"), 8)
        order = await asyncio.wait_for(exchange.create_order_ws("BTC/USDT", "market", "buy", 0.01), 8)
        assert (await asyncio.wait_for(watching, 8))[0]["id"] == order["id"]
    finally:
        await exchange.close()


@pytest.mark.parametrize("name", PAIRS)
def test_the_sdk_signs_with_a_private_key(mock: Mock, name: str) -> None:
    def client(private_key: str) -> object:
        return Spot(ConfigurationRestAPI(name, private_key=private_key, base_path=f"http://{mock.address}")).rest_api

    assert client(mock.private_keys[name]).get_account().data().can_trade  # type: ignore[attr-defined]
    other = next(other for other in PAIRS if other != name)
    with pytest.raises(BadRequestError, match="Signature for this request is not valid"):
        client(mock.private_keys[other]).get_account()  # type: ignore[attr-defined]


async def test_a_session_is_logged_on_with_ed25519(mock: Mock) -> None:
    """After session.logon requests need no signature; the venue allows it to Ed25519 keys alone."""
    name = "pair-ed25519"
    configuration = ConfigurationWebSocketAPI(
        name, private_key=mock.private_keys[name], stream_url=f"ws://{mock.address}/ws-api/v3"
    )
    connection = await Spot(config_ws_api=configuration).websocket_api.create_connection()
    try:
        logged_on = (await connection.session_logon()).data()
        assert logged_on.result.api_key == name
        assert (await connection.account_status()).data().result.can_trade
    finally:
        await connection.close_connection(close_session=True)
