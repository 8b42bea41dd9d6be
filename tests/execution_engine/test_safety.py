"""Nothing but paper trading starts."""

from __future__ import annotations

import pytest

from common.config import ExecutionConfig
from common.errors import ConfigError
from services.execution_engine.safety import refuse_live


def test_paper_starts() -> None:
    refuse_live(ExecutionConfig(), live_flag=False)


@pytest.mark.parametrize(
    ("paper_trading", "live_flag", "says"),
    [
        (True, True, "--live was given"),
        (False, False, "needs both"),
        (False, True, "no gateway"),
    ],
)
def test_everything_else_is_refused_by_name_with_a_remedy(paper_trading: bool, live_flag: bool, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        refuse_live(ExecutionConfig(paper_trading=paper_trading), live_flag=live_flag)
    assert caught.value.key == "execution.paper_trading"
    assert caught.value.remedy
