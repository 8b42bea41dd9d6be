"""What the signal bridge says."""

from __future__ import annotations

from pydantic import Field

from common.messages.base import Side, SymbolMessage


class Signal(SymbolMessage):
    """A strategy's opinion, with what led to it. It expires; it is not an order."""

    signal_id: str = Field(min_length=1, max_length=64)
    strategy: str
    side: Side
    confidence: float = Field(ge=0.0, le=1.0)
    horizon_ns: int = Field(gt=0, description="how far ahead the opinion looks")
    expires_ns: int = Field(description="not to be acted on after this local time")
    reference_ticks: int = Field(gt=0, description="mid price (rounded down) the opinion was formed at")
    reason: str
    features: dict[str, float]


class FeatureVector(SymbolMessage):
    """The features of one symbol after one sampling interval. NaN (not yet warm) values are left out."""

    values: dict[str, float]
