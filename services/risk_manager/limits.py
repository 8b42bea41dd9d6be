"""The configured limits as the integers the checks compare."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from common.config import RiskConfig
from common.units import NS_PER_MS, percent_to_ppm
from services.risk_manager.valuation import to_units


@dataclass(frozen=True, slots=True)
class Limits:
    """Notionals and losses in units (valuation.py), percentages in ppm, times in ns; sizes stay decimal."""

    max_position_size: Decimal
    max_notional_units: int
    max_open_positions: int
    max_loss_units: int
    is_breaker_enabled: bool
    stop_loss_ppm: int
    trailing_stop_ppm: int
    order_notional_units: int
    min_confidence: float
    max_slippage_ppm: int
    allow_short: bool
    exits_need_notional: bool
    order_timeout_ns: int
    state_interval_ns: int

    @classmethod
    def of(cls, config: RiskConfig, *, exchange: str) -> Limits:
        """From the configuration, and what the venue is.

        Unless configured, shorts are for futures only: spot cannot sell what it does not hold. Futures also take a
        reduce-only order of any notional (Binance USD-M, filter MIN_NOTIONAL); spot does not.
        """
        is_futures = exchange == "binance-usdm"
        return cls(
            max_position_size=config.max_position_size,
            max_notional_units=to_units(config.max_notional_exposure),
            max_open_positions=config.max_open_positions,
            max_loss_units=to_units(config.max_loss_threshold),
            is_breaker_enabled=config.enable_circuit_breaker,
            stop_loss_ppm=percent_to_ppm(config.stop_loss_percent),
            trailing_stop_ppm=percent_to_ppm(config.trailing_stop_percent),
            order_notional_units=to_units(config.order_notional),
            min_confidence=config.min_confidence,
            max_slippage_ppm=percent_to_ppm(config.max_slippage_percent),
            allow_short=is_futures if config.allow_short is None else config.allow_short,
            exits_need_notional=not is_futures,
            order_timeout_ns=config.order_timeout_ms * NS_PER_MS,
            state_interval_ns=config.state_interval_ms * NS_PER_MS,
        )
