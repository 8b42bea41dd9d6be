"""Accounts of the mock exchange: who may trade there, with what, at which price and how often."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Final, Literal

from pydantic import Field

from common.config.fields import AmountOrZero, Form, PathText, Section, refuse

Asset = Annotated[str, Field(pattern=r"^[A-Z0-9]{1,16}$"), Form("an asset in capitals, such as USDT")]
VariableName = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,63}$"), Form("a variable in capitals")]
#: The documented account of every mock exchange: no secret at all, so it is served on loopback alone.
DEMO_ACCOUNT: Final = "demo"
DEMO_API_KEY: Final = "tidewire-demo-key"
DEMO_SECRET: Final = "tidewire-demo-secret"  # noqa: S105


def demo_balances() -> dict[str, Decimal]:
    return {"BTC": Decimal(100), "ETH": Decimal(1000), "USDT": Decimal(5_000_000), "BNB": Decimal(1000)}


class FeeTierConfig(Section):
    """What trading costs from a volume on."""

    volume_30d: AmountOrZero = Field(description="traded within 30 days, in quote currency, from which it holds")
    maker_bps: AmountOrZero = Field(description="of what a resting order receives")
    taker_bps: AmountOrZero = Field(description="of what an order that trades at once receives")


def fee_tiers() -> tuple[FeeTierConfig, ...]:
    rows = ((0, 10, 10), (1_000_000, 9, 10), (5_000_000, 8, 10), (20_000_000, 4, 6), (100_000_000, 4, "5.2"))
    return tuple(
        FeeTierConfig(volume_30d=Decimal(volume), maker_bps=Decimal(maker), taker_bps=Decimal(taker))
        for volume, maker, taker in rows
    )


def tiers_rise(tiers: tuple[FeeTierConfig, ...]) -> tuple[FeeTierConfig, ...]:
    volumes = [tier.volume_30d for tier in tiers]
    if volumes[0] != 0 or any(a >= b for a, b in pairwise(volumes)):
        raise refuse("the volumes do not begin with 0 and rise", "List the tiers from 0 upwards")
    return tiers


class MockApiKeyConfig(Section):
    """A key to an account. Secrets stand in the environment, never here."""

    api_key: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{8,128}$"), Form("8 to 128 letters, digits, - or _")] = (
        Field(description="what clients send as X-MBX-APIKEY")
    )
    kind: Literal["HMAC", "ED25519", "RSA"] = Field("HMAC", description="how its requests are signed")
    secret_variable: (
        Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,63}$"), Form("a variable in capitals")] | None
    ) = Field(None, description="HMAC: the environment variable that holds its secret; with _FILE behind: its file")
    public_key_file: PathText | None = Field(None, description="ED25519, RSA: the public key, PEM")
    can_trade: bool = Field(True, description="it may place and cancel orders, not only read")


class MockAccountConfig(Section):
    """An account of the mock exchange, beside the demo account."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,32}$"), Form("a name of small letters, digits and -")] = Field(
        description="for logs and the state file"
    )
    api_keys: tuple[MockApiKeyConfig, ...] = Field(min_length=1, max_length=30, description="its keys")
    balances: Annotated[dict[Asset, AmountOrZero], Form("an object of assets to amounts")] = Field(
        {}, description="what it begins with"
    )


def accounts_differ(accounts: tuple[MockAccountConfig, ...]) -> tuple[MockAccountConfig, ...]:
    names = [account.name for account in accounts]
    keys = [key for account in accounts for key in account.api_keys]
    for name in names:
        if names.count(name) > 1 or name == DEMO_ACCOUNT:
            raise refuse(f"the account {name!r} is there twice", "Name it otherwise")
    for key in keys:
        if [other.api_key for other in keys].count(key.api_key) > 1 or key.api_key == DEMO_API_KEY:
            raise refuse("an api_key is there twice", "Give each key once")
        if (key.secret_variable is None) is (key.kind == "HMAC") or (key.public_key_file is None) is (
            key.kind != "HMAC"
        ):
            raise refuse(
                f"a key of kind {key.kind} lacks what verifies it, or has more",
                "HMAC takes secret_variable, ED25519 and RSA take public_key_file",
            )
    return accounts


class MockLimitsConfig(Section):
    """What clients may ask for. The venue's own numbers by default."""

    request_weight_per_minute: int = Field(6000, ge=1, le=10**9, description="REQUEST_WEIGHT of an address")
    raw_requests_per_5_minutes: int = Field(300_000, ge=1, le=10**9, description="RAW_REQUESTS of an address")
    orders_per_10_s: int = Field(100, ge=1, le=10**9, description="ORDERS of an account")
    orders_per_day: int = Field(200_000, ge=1, le=10**9, description="ORDERS of an account")
    ban_ms: int = Field(
        120_000, ge=1, le=86_400_000, description="first ban of an address that goes on after 429; each doubles it"
    )
    connections_per_5_minutes: int = Field(300, ge=1, le=10**9, description="WebSocket connections of an address")
    connection_life_ms: int = Field(
        86_400_000, ge=1000, le=86_400_000, description="after which a WebSocket connection is cut"
    )
    shutdown_notice_ms: int = Field(
        600_000, ge=0, le=86_400_000, description="how long before the cut serverShutdown is sent"
    )
    ping_interval_ms: int = Field(20_000, ge=100, le=600_000, description="between pings on a WebSocket connection")
