"""The sections, a class each. Units stand last in a key; the field's description is the manual."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, model_validator

from common.codec import Codec
from common.config.fields import (
    Exact,
    HttpUrl,
    ListenAddress,
    Percent,
    PositiveMs,
    Section,
    SymbolName,
    WebsocketUrl,
    ZmqAddress,
)

FeatureName = Literal["rsi", "macd", "bb", "atr", "volume", "imbalance"]
StrategyName = Literal["mean_reversion", "momentum"]
Symbols = Annotated[tuple[SymbolName, ...], Field(min_length=1, max_length=512)]


class MarketDataConfig(Section):
    """What is fed, from where, and where it is published."""

    exchange: Literal["binance", "binance-usdm"] = Field("binance", description="venue whose protocol is spoken")
    symbols: Symbols = Field(("BTCUSDT", "ETHUSDT"), description="what to feed, as the venue spells it")
    websocket_url: WebsocketUrl = Field(
        "wss://stream.binance.com:9443/ws", description="the venue's market stream, ending in /ws"
    )
    rest_url: HttpUrl | None = Field(
        None,
        description="the venue's REST base for snapshots; by default the venue's own beside websocket_url",
    )
    reconnect_delay_ms: PositiveMs = Field(5000, description="first wait before a reconnect; doubles, with jitter")
    reconnect_max_delay_ms: PositiveMs = Field(60_000, description="longest wait before a reconnect")
    startup_timeout_ms: PositiveMs = Field(
        60_000, description="give up with a clear message when the venue was never reached for this long"
    )
    depth_levels: int = Field(20, ge=1, le=1000, description="levels a side in every published book")
    snapshot_levels: int = Field(1000, ge=5, le=5000, description="levels a side asked for in a REST snapshot")
    stale_after_ms: PositiveMs = Field(10_000, description="a book without any frame for this long is STALE")
    snapshot_interval_ms: PositiveMs = Field(
        250, description="least time between two snapshot requests (a storm of them earns a ban)"
    )
    buffer_max_frames: int = Field(50_000, ge=100, description="diffs kept while a snapshot is awaited, per symbol")
    verify_with_book_ticker: bool = Field(
        True, description="also subscribe to best bid/ask and count how often the rebuilt book equals it"
    )
    zmq_publish_address: ZmqAddress = "tcp://127.0.0.1:5555"
    zmq_reply_address: ZmqAddress = "tcp://127.0.0.1:5565"
    metrics_address: ListenAddress = "127.0.0.1:9101"


class MeanReversionConfig(Section):
    """Buys what is stretched below its band with a low RSI, sells the opposite."""

    rsi_low: float = Field(30.0, gt=0, lt=50)
    rsi_high: float = Field(70.0, gt=50, lt=100)
    cooldown_intervals: int = Field(10, ge=0, description="sampling intervals between two signals of a symbol")
    horizon_intervals: int = Field(30, ge=1)


class MomentumConfig(Section):
    """Follows MACD crosses that the book's imbalance agrees with."""

    min_imbalance: float = Field(0.05, ge=0, lt=1)
    cooldown_intervals: int = Field(10, ge=0, description="sampling intervals between two signals of a symbol")
    horizon_intervals: int = Field(60, ge=1)


class SignalConfig(Section):
    """Features, strategies, model."""

    model_path: str | None = Field(
        "models/ml_model.pkl",
        description="weights of a linear model, .json; absent: a warning and the rule strategies run; .pkl: refused",
    )
    features: tuple[FeatureName, ...] = Field(("rsi", "macd", "bb", "volume"), min_length=1)
    update_interval_ms: PositiveMs = Field(1000, description="sampling interval of features, in venue time")
    zmq_subscribe_address: ZmqAddress = "tcp://127.0.0.1:5555"
    zmq_publish_address: ZmqAddress = "tcp://127.0.0.1:5556"
    zmq_reply_address: ZmqAddress = "tcp://127.0.0.1:5566"
    metrics_address: ListenAddress = "127.0.0.1:9102"
    strategies: tuple[StrategyName, ...] = ("mean_reversion", "momentum")
    signal_ttl_ms: PositiveMs = Field(2000, description="a signal older than this is not acted on")
    model_threshold: float = Field(0.6, gt=0.5, lt=1, description="probability from which the model signals")
    mean_reversion: MeanReversionConfig = MeanReversionConfig()
    momentum: MomentumConfig = MomentumConfig()


class RiskConfig(Section):
    """Limits. Sizes are in base currency, notionals and losses in quote currency."""

    max_position_size: Exact = Field(Decimal("10.0"), gt=0, description="largest position of a symbol, base currency")
    max_notional_exposure: Exact = Field(
        Decimal("100000.0"),
        gt=0,
        description="largest sum of position and reserved notionals, quote currency",
    )
    max_open_positions: int = Field(5, ge=1, description="symbols with a position or an entry on its way")
    stop_loss_percent: Percent = Field(Decimal("2.0"), description="exit when the mark is this far beyond entry")
    trailing_stop_percent: Percent = Field(
        Decimal("1.5"), description="exit when the mark falls this far off its best"
    )
    enable_circuit_breaker: bool = True
    max_loss_threshold: Exact = Field(
        Decimal("5000.0"),
        gt=0,
        description="realised + unrealised loss that opens the circuit breaker, quote currency",
    )
    order_notional: Exact = Field(Decimal("1000.0"), gt=0, description="notional of an entry at confidence 1")
    min_confidence: float = Field(0.0, ge=0, le=1, description="signals below are refused")
    max_slippage_percent: Percent = Field(Decimal("0.2"), description="how far through the touch an entry may pay")
    allow_short: bool | None = Field(None, description="by default: not on spot, yes on futures")
    order_timeout_ms: PositiveMs = Field(5000, description="an order not sent by then is not sent")
    state_interval_ms: PositiveMs = Field(1000, description="how often positions and P&L are published")
    zmq_publish_address: ZmqAddress = "tcp://127.0.0.1:5557"
    zmq_reply_address: ZmqAddress = "tcp://127.0.0.1:5567"
    metrics_address: ListenAddress = "127.0.0.1:9103"


class PaperConfig(Section):
    """How paper fills are made."""

    taker_fee_bps: Exact = Field(Decimal(10), ge=0, le=1000, description="basis points of notional")
    maker_fee_bps: Exact = Field(Decimal(10), ge=0, le=1000, description="basis points of notional")
    latency_ms: int = Field(
        20, ge=0, le=60_000, description="from sending until the order is at the venue, venue time"
    )


class ExecutionConfig(Section):
    """How orders reach the venue."""

    exchange_api_url: HttpUrl = Field("https://api.binance.com", description="the venue's REST base")
    rate_limit_per_second: int = Field(10, ge=1, le=1000, description="most orders and cancels sent in a second")
    retry_attempts: int = Field(3, ge=0, le=20, description="tries after the first, for what may pass")
    retry_delay_ms: PositiveMs = Field(1000, description="first wait before a retry; doubles, with jitter")
    paper_trading: bool = Field(True, description="fills come from the paper broker; false needs --live as well")
    paper: PaperConfig = PaperConfig()
    state_interval_ms: PositiveMs = Field(1000, description="how often execution's own view is published")
    zmq_publish_address: ZmqAddress = "tcp://127.0.0.1:5558"
    zmq_reply_address: ZmqAddress = "tcp://127.0.0.1:5568"
    metrics_address: ListenAddress = "127.0.0.1:9104"


class MockSymbolConfig(Section):
    """One symbol of the mock exchange."""

    symbol: SymbolName
    base: str
    quote: str
    tick_size: Exact = Field(gt=0)
    lot_size: Exact = Field(gt=0)
    min_notional: Exact = Field(Decimal(5), ge=0)
    start_price: Exact = Field(gt=0)
    volatility_per_sqrt_s: float = Field(0.0004, gt=0, description="of the fundamental price, relative")
    events_per_s: float = Field(80.0, gt=0, le=10_000, description="orders and cancels of the simulated flow")


def _mock_symbols() -> tuple[MockSymbolConfig, ...]:
    return (
        MockSymbolConfig(
            symbol="BTCUSDT",
            base="BTC",
            quote="USDT",
            tick_size=Decimal("0.01"),
            lot_size=Decimal("0.00001"),
            start_price=Decimal(60000),
        ),
        MockSymbolConfig(
            symbol="ETHUSDT",
            base="ETH",
            quote="USDT",
            tick_size=Decimal("0.01"),
            lot_size=Decimal("0.0001"),
            start_price=Decimal(3000),
        ),
        MockSymbolConfig(
            symbol="ETHBTC",
            base="ETH",
            quote="BTC",
            tick_size=Decimal("0.00001"),
            lot_size=Decimal("0.0001"),
            min_notional=Decimal("0.0001"),
            start_price=Decimal("0.05"),
        ),
    )


class DamageConfig(Section):
    """Share of depth frames the mock damages on purpose, each drawn by the seed. All 0 by default."""

    drop: float = Field(0.0, ge=0, le=0.5)
    duplicate: float = Field(0.0, ge=0, le=0.5)
    reorder: float = Field(0.0, ge=0, le=0.5)
    truncate: float = Field(0.0, ge=0, le=0.5)


class MockExchangeConfig(Section):
    """The embedded exchange."""

    listen_address: ListenAddress = "127.0.0.1:9443"
    seed: int = Field(1, ge=0)
    symbols: tuple[MockSymbolConfig, ...] = Field(default_factory=_mock_symbols, min_length=1)
    replay_files: tuple[str, ...] = Field((), description="recorded captures to serve in place of simulated flow")
    replay_speed: float = Field(20.0, ge=0, description="times the original speed; 0 is as fast as clients read")
    damage: DamageConfig = DamageConfig()
    metrics_address: ListenAddress = "127.0.0.1:9105"


class BusConfig(Section):
    """What joins the daemons."""

    codec: Codec = Field(Codec.MSGPACK, description="json makes the wire readable by eye, at a cost")
    high_water_mark_frames: int = Field(
        100_000,
        ge=100,
        description="frames a socket queues before it drops; drops are seen as gaps and healed",
    )
    heartbeat_interval_ms: PositiveMs = Field(250, description="in silence and under load alike")
    heartbeat_misses: int = Field(8, ge=2, description="heartbeats missed until a publisher counts as gone")
    ring_frames: int = Field(65_536, ge=128, description="recent frames kept per topic, to heal gaps from")
    drain_budget_frames: int = Field(256, ge=1, description="frames read in one turn of the event loop")
    request_timeout_ms: PositiveMs = Field(1000, description="wait for a snapshot or replay before asking again")


class JournalConfig(Section):
    """Where what must not be lost is kept."""

    directory: str = Field("state", description="a folder per daemon is made in it")
    sync: Literal["os", "disk"] = Field(
        "os", description="os: survives kill -9 of any process; disk: fdatasync, survives loss of power too"
    )
    segment_bytes: int = Field(64 * 2**20, ge=65_536, description="a journal file is closed at this size")
    record_inputs: bool = Field(False, description="also keep every input and output, for replay in the lab")


class LoggingConfig(Section):
    """What is said, how."""

    levels: str = Field(
        "info",
        pattern=r"^[a-z]+(,[a-z_.]+=[a-z]+)*$",
        description="a level, then component=level: info,market_data=debug; TIDEWIRE_LOG overrides it",
    )
    format: Literal["console", "json"] = "console"

    @model_validator(mode="after")
    def _known_levels(self) -> LoggingConfig:
        known = {"debug", "info", "warning", "error", "critical"}
        for part in self.levels.split(","):
            level = part.rpartition("=")[2]
            if level not in known:
                raise ValueError(f"{level!r} is not a level; one of {', '.join(sorted(known))}")
        return self
