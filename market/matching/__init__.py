"""A price-time priority matching engine: pure, deterministic, integers only.

The mock exchange trades on it in real time, and simulations in virtual time use the same one.
"""

from market.matching.engine import MatchingEngine
from market.matching.events import Depth, DepthDiff, LevelChange, Outcome, Touch, Trade

__all__ = ["Depth", "DepthDiff", "LevelChange", "MatchingEngine", "Outcome", "Touch", "Trade"]
