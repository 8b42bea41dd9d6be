"""The signal bridge: market data in, features and signals out.

from services.signal_bridge import FeatureComputer
FeatureComputer().compute(closes)["rsi"]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from services.signal_bridge.features import FeatureComputer
    from services.signal_bridge.indicators.layout import Periods
    from services.signal_bridge.price_data import PriceDataError

__all__ = ["FeatureComputer", "Periods", "PriceDataError"]


def __getattr__(name: str) -> object:
    """Load on first use: importing the package alone (to read a model file, to print help) must not load numba."""
    if name == "FeatureComputer":
        from services.signal_bridge.features import FeatureComputer

        return FeatureComputer
    if name == "Periods":
        from services.signal_bridge.indicators.layout import Periods

        return Periods
    if name == "PriceDataError":
        from services.signal_bridge.price_data import PriceDataError

        return PriceDataError
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
