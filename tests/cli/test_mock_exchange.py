"""An exchange for the length of a block: it serves, is as it was asked to be, and is gone afterwards."""

from __future__ import annotations

import httpx
import pytest

from cli.mock_exchange import MockExchangeError, mock_exchange


def test_it_serves_as_asked_and_ends_behind_the_block() -> None:
    with mock_exchange({"seed": 5, "damage.drop": 0.1}) as exchange:
        told = exchange.get("/api/v3/depth", symbol="BTCUSDT", limit=5)
        assert len(told["bids"]) == 5 and told["lastUpdateId"] > 0
        assert exchange.status()["service"] == "mock_exchange" and exchange.exit_code is None
        with pytest.raises(httpx.HTTPStatusError):
            exchange.get("/api/v3/depth", symbol="NOTHING")
    assert exchange.exit_code == 0
    with pytest.raises(httpx.TransportError):
        exchange.get("/api/v3/ping")


def test_it_ends_when_the_block_fails() -> None:
    with pytest.raises(ZeroDivisionError), mock_exchange() as exchange:
        _ = 1 / 0
    assert exchange.exit_code == 0


def test_what_it_refuses_is_said() -> None:
    with pytest.raises(MockExchangeError, match=r"(?s)exit code 4.*damage\.drop"), mock_exchange({"damage.drop": 7}):
        pass
