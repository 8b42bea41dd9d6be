"""Live trading must be chosen twice, and this version cannot do it at all."""

from __future__ import annotations

from typing import Final

from common.config import ExecutionConfig
from common.errors import ConfigError

_KEY: Final = "execution.paper_trading"


def refuse_live(config: ExecutionConfig, live_flag: bool) -> None:
    """Let only paper trading start.

    Args:
        config: the section; `paper_trading` is the first choice.
        live_flag: whether `--live` was given; the second.

    Raises:
        ConfigError: anything but paper was asked for, or the two choices contradict each other.
    """
    if config.paper_trading and not live_flag:
        return
    if config.paper_trading:
        raise ConfigError(_KEY, "is true, but --live was given", "Leave --live out to trade on paper")
    if not live_flag:
        raise ConfigError(
            _KEY,
            "is false, which trades with real money, and --live was not given; live trading needs both",
            "Set it to true to trade on paper",
        )
    raise ConfigError(
        _KEY, "is false, but this version has no gateway to a real venue", "Keep it true and leave --live out"
    )
