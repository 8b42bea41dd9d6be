"""What lies where in the one float64 array that holds all indicators of one symbol.

    state = [periods | counts and running values | outputs | ring of closes | ring of volumes]

The caller makes it with `new_state` and owns it; the kernels write into it and allocate nothing. Outputs are NaN
until their indicator is warm: RSI and ATR after period + 1 samples, Bollinger bands and volume ratio after period,
the three MACD lines together after slow + signal - 1, as in TA-Lib.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

#: Longest window: bounds the memory a symbol may take.
MAX_PERIOD: Final = 100_000


@dataclass(frozen=True, slots=True)
class Periods:
    """Window lengths in samples. `bb_deviations` is the half width of the band in standard deviations.

    Raises:
        ValueError: a value is out of its range; the message names it.
    """

    rsi: int = 14
    macd_fast: int = 12
    macd_slow: int = 26
    macd_signal: int = 9
    bb: int = 20
    bb_deviations: float = 2.0
    atr: int = 14
    volume: int = 20
    imbalance_levels: int = 5

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "bb_deviations":
                if not 0 < value <= 100:
                    raise ValueError(f"bb_deviations is {value!r}; give a number above 0 and at most 100")
                continue
            least = 2 if field.name in ("rsi", "macd_fast", "macd_slow", "bb") else 1
            if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= MAX_PERIOD:
                raise ValueError(f"{field.name} is {value!r}; give a whole number from {least} to {MAX_PERIOD}")
        if self.macd_fast >= self.macd_slow:
            raise ValueError(
                f"macd_fast is {self.macd_fast} and macd_slow {self.macd_slow}; the fast average must be the shorter"
            )

    @property
    def warm_up_samples(self) -> int:
        """Samples after which every output is there."""
        return max(self.rsi + 1, self.atr + 1, self.bb, self.volume, self.macd_slow + self.macd_signal - 1)


# Periods, in the order of the dataclass.
(
    RSI_PERIOD,
    MACD_FAST_PERIOD,
    MACD_SLOW_PERIOD,
    MACD_SIGNAL_PERIOD,
    BB_PERIOD,
    BB_DEVIATIONS,
    ATR_PERIOD,
    VOLUME_PERIOD,
    IMBALANCE_LEVELS,
) = range(9)

# Counts and running values.
SAMPLES: Final = 9
VOLUME_SAMPLES: Final = 10
PREVIOUS_CLOSE: Final = 11
GAIN: Final = 12
LOSS: Final = 13
TRUE_RANGE: Final = 14
EMA_FAST: Final = 15
EMA_SLOW: Final = 16
EMA_SIGNAL: Final = 17

#: Names of the outputs, in the order they lie in the state from OUTPUT_START on.
OUTPUTS: Final = (
    "rsi",
    "macd",
    "macd_signal",
    "macd_histogram",
    "bb_upper",
    "bb_middle",
    "bb_lower",
    "bb_percent",
    "bb_width",
    "atr",
    "volume",
    "volume_ratio",
    "imbalance",
    "microprice",
)
OUTPUT_START: Final = 18
OUTPUT_END: Final = OUTPUT_START + len(OUTPUTS)
(
    RSI,
    MACD,
    MACD_SIGNAL,
    MACD_HISTOGRAM,
    BB_UPPER,
    BB_MIDDLE,
    BB_LOWER,
    BB_PERCENT,
    BB_WIDTH,
    ATR,
    VOLUME,
    VOLUME_RATIO,
    IMBALANCE,
    MICROPRICE,
) = range(OUTPUT_START, OUTPUT_END)
#: Rings start here: `bb` closes, then `volume` volumes.
RINGS: Final = OUTPUT_END

#: What each name of the configuration's `signal.features` stands for.
FEATURE_GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "rsi": ("rsi",),
    "macd": ("macd", "macd_signal", "macd_histogram"),
    "bb": ("bb_upper", "bb_middle", "bb_lower", "bb_percent", "bb_width"),
    "atr": ("atr",),
    "volume": ("volume", "volume_ratio"),
    "imbalance": ("imbalance", "microprice"),
}


def new_state(periods: Periods) -> FloatArray:
    """A cold state for `periods`: float64[RINGS + bb + volume]."""
    state = np.zeros(RINGS + periods.bb + periods.volume, np.float64)
    state[: IMBALANCE_LEVELS + 1] = [getattr(periods, field.name) for field in fields(periods)]
    state[OUTPUT_START:OUTPUT_END] = np.nan
    return state


def reset_state(state: FloatArray) -> None:
    """Make `state` cold again, periods kept, in place."""
    state[SAMPLES:] = 0.0
    state[OUTPUT_START:OUTPUT_END] = np.nan
