"""The models an order flow can follow, one file each; the configuration names them."""

from __future__ import annotations

from common.config.mock_exchange import MockSymbolConfig
from market.matching import MatchingEngine
from services.mock_exchange.simulation.flow import Flow
from services.mock_exchange.simulation.flows.zero_intelligence import ZeroIntelligenceFlow
from services.mock_exchange.simulation.fundamental import FundamentalPrice


def flow_of(config: MockSymbolConfig, seed: int, engine: MatchingEngine, fundamental: FundamentalPrice) -> Flow:
    """The configured model at work on an empty book, which it fills."""
    # Imported when asked for: the usual market begins without waiting for the models and their compiled kernels.
    if config.flow == "hawkes":
        from services.mock_exchange.simulation.flows.hawkes import HawkesFlow

        return HawkesFlow(config, seed, engine, fundamental)
    if config.flow == "chiarella":
        from services.mock_exchange.simulation.flows.chiarella import ChiarellaFlow

        return ChiarellaFlow(config, seed, engine, fundamental)
    return ZeroIntelligenceFlow(config, seed, engine, fundamental)
