"""The mock exchange's section."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from common.config.fields import (
    Amount,
    AmountOrZero,
    Form,
    ListenAddress,
    PathText,
    PositiveMs,
    Section,
    Step,
    SymbolName,
    refuse,
)
from common.config.mock_accounts import (
    Asset,
    FeeTierConfig,
    MockAccountConfig,
    MockLimitsConfig,
    accounts_differ,
    demo_balances,
    fee_tiers,
    tiers_rise,
)

#: How far from its legs' quotient a cross may begin.
_CROSS_TOLERANCE: Final = Decimal("0.01")
Share = Annotated[float, Field(ge=0, le=0.5)]


class MockSymbolConfig(Section):
    """One symbol of the mock exchange."""

    symbol: SymbolName = Field(description="what clients call it")
    base: Asset = Field(description="what is bought and sold")
    quote: Asset = Field(description="what it is paid with")
    tick_size: Step = Field(description="prices are multiples of this, quote currency")
    lot_size: Step = Field(description="quantities are multiples of this, base currency")
    min_notional: AmountOrZero = Field(Decimal(5), description="least value of an order, quote currency")
    start_price: Amount = Field(description="where the fundamental price begins, quote currency")
    volatility_per_sqrt_s: float = Field(0.0004, gt=0, le=1, description="of the fundamental price, relative")
    correlation: float = Field(
        0.0, ge=-1, le=1, description="of its fundamental price with the path all symbols share"
    )
    cross_of: tuple[SymbolName, SymbolName] | None = Field(
        None, description="two listed symbols whose quotient its fundamental price follows; makes triangles"
    )
    flow: Literal["zero-intelligence", "hawkes", "chiarella"] = Field(
        "zero-intelligence", description="the model its order flow follows"
    )
    events_per_s: float = Field(80.0, gt=0, le=10_000, description="orders and cancels of the simulated flow")
    order_notional: Amount = Field(Decimal(2000), description="typical order of the simulated flow, quote currency")
    levels_per_side: int = Field(1000, ge=10, le=5000, description="orders a side the simulated book starts with")


def _mock_symbols() -> tuple[MockSymbolConfig, ...]:
    return (
        MockSymbolConfig(
            symbol="BTCUSDT",
            base="BTC",
            quote="USDT",
            tick_size=Decimal("0.01"),
            lot_size=Decimal("0.00001"),
            start_price=Decimal(60000),
            correlation=1.0,
        ),
        MockSymbolConfig(
            symbol="ETHUSDT",
            base="ETH",
            quote="USDT",
            tick_size=Decimal("0.01"),
            lot_size=Decimal("0.0001"),
            start_price=Decimal(3000),
            correlation=0.8,
        ),
        MockSymbolConfig(
            symbol="ETHBTC",
            base="ETH",
            quote="BTC",
            tick_size=Decimal("0.00001"),
            lot_size=Decimal("0.0001"),
            min_notional=Decimal("0.0001"),
            start_price=Decimal("0.05"),
            order_notional=Decimal("0.03"),
            cross_of=("ETHUSDT", "BTCUSDT"),
        ),
    )


def _symbols_differ(symbols: tuple[MockSymbolConfig, ...]) -> tuple[MockSymbolConfig, ...]:
    names = [s.symbol for s in symbols]
    for name in names:
        if names.count(name) > 1:
            raise refuse(f"{name!r} is listed twice", "List it once")
    for item in symbols:
        _check_cross(item, {s.symbol: s for s in symbols})
    return symbols


def _check_cross(item: MockSymbolConfig, listed: Mapping[str, MockSymbolConfig]) -> None:
    if item.cross_of is None:
        return
    legs = [listed.get(name) for name in item.cross_of]
    for name, leg in zip(item.cross_of, legs, strict=True):
        if leg is None or leg.cross_of is not None:
            problem = f"{item.symbol} is a cross of {name!r}, which is not listed by itself"
            raise refuse(problem, "List it, or take another")
    numerator, denominator = (leg for leg in legs if leg is not None)
    quotient = numerator.start_price / denominator.start_price
    if abs(item.start_price / quotient - 1) > _CROSS_TOLERANCE:
        legs_text = f"{numerator.symbol} / {denominator.symbol} is {quotient:.8g}"
        raise refuse(f"{item.symbol} begins at {item.start_price}, but {legs_text}", "Begin it there")


class SecondVenueConfig(Section):
    """Another venue over the same fundamental prices, later and with an order flow of its own."""

    listen_address: ListenAddress = Field("127.0.0.1:9444", description="where its REST and streams are served")
    lag_ms: int = Field(200, ge=0, le=30_000, description="how much later it learns of fundamental prices")


class DamageConfig(Section):
    """Share of depth frames the mock damages on purpose, each drawn by the seed. All 0 by default."""

    drop: Share = Field(0.0, description="share of depth frames never sent")
    duplicate: Share = Field(0.0, description="share of depth frames sent twice")
    reorder: Share = Field(0.0, description="share of depth frames sent behind their successor")
    truncate: Share = Field(0.0, description="share of depth frames cut short")


class MockExchangeConfig(Section):
    """The embedded exchange."""

    listen_address: ListenAddress = Field("127.0.0.1:9443", description="where REST and streams are served")
    tls_certificate_file: PathText | None = Field(
        None, description="PEM; with it https and wss are served, for clients that refuse anything else"
    )
    tls_key_file: PathText | None = Field(None, description="PEM, the certificate's private key")
    seed: int = Field(1, ge=0, lt=2**63, description="one seed, one market")
    symbols: Annotated[tuple[MockSymbolConfig, ...], AfterValidator(_symbols_differ)] = Field(
        default_factory=_mock_symbols, min_length=1, max_length=512, description="what is traded there"
    )
    clock: Literal["real", "virtual"] = Field(
        "real",
        description="virtual: time begins at 2026-01-01 with the first subscription to a market stream, or the first "
        "order, so that one seed gives the same bytes again; REST tells that time too",
    )
    prehistory_days: int = Field(
        60, ge=0, le=400, description="synthetic klines before the market's beginning, for bots that load some"
    )
    demo_account: bool = Field(
        True, description="serve the account whose key and secret the documentation prints; loopback only"
    )
    demo_balances: Annotated[dict[Asset, AmountOrZero], Form("an object of assets to amounts")] = Field(
        default_factory=demo_balances, description="what the demo account begins with"
    )
    accounts: Annotated[tuple[MockAccountConfig, ...], AfterValidator(accounts_differ)] = Field(
        (), max_length=1000, description="more accounts"
    )
    fee_tiers: Annotated[tuple[FeeTierConfig, ...], AfterValidator(tiers_rise)] = Field(
        default_factory=fee_tiers, min_length=1, max_length=20, description="what trading costs"
    )
    limits: MockLimitsConfig = Field(MockLimitsConfig(), description="what clients may ask for")
    listen_keys: bool = Field(
        False, description="serve the user data streams the venue switched off in 2026, for old clients"
    )
    second_venue: SecondVenueConfig | None = Field(None, description="another venue on the same fundamental prices")
    fault_plan_file: PathText | None = Field(None, description="what goes wrong on purpose, and when")
    state_file: PathText | None = Field(
        None,
        description="SQLite file that keeps accounts, balances and orders, of a second venue with .second behind; "
        "none: in memory",
    )
    lab_exchanges_file: PathText | None = Field(None, description="more exchanges for the lab endpoints, JSON")
    depth_interval_ms: int = Field(
        100,
        ge=1,
        le=1000,
        description="how often the fast diffs of simulated books go out; below the venue's 100 to make load, "
        "the stream keeping its name depth@100ms",
    )
    closes_after_ms: PositiveMs | None = Field(
        None,
        description="the simulated market closes after this long, its streams open and silent; "
        "by default it never does",
    )
    replay_files: tuple[PathText, ...] = Field(
        (), description="recorded captures to serve in place of simulated flow, one after the other"
    )
    replay_speed: float = Field(
        20.0, ge=0, le=1_000_000, description="times the original speed; 0 is as fast as clients read"
    )
    replay_start_delay_ms: int = Field(
        0, ge=0, le=60_000, description="wait from the first subscription until a replay begins, for others to join"
    )
    client_queue_frames: int = Field(
        8192, ge=1024, le=1_000_000, description="frames that may wait for one client; a slower one is disconnected"
    )
    damage: DamageConfig = Field(DamageConfig(), description="what goes wrong on purpose")
    metrics_address: ListenAddress = Field(
        "127.0.0.1:9105", description="where /metrics, /healthz, /readyz and /status are served"
    )
