"""Against statsmodels' autoregression and the spread of estimates over many series."""

from __future__ import annotations

import math

import numpy as np
import pytest
from statsmodels.tsa.ar_model import AutoReg

from models.cointegration import half_life
from models.ornstein_uhlenbeck import NotMeanRevertingError
from tests.models.cointegration.made_up import pair, walks


def spread(seed: int, n: int = 1000, b: float = 0.9) -> np.ndarray:
    return pair(seed, n, ratio=0.0, b=b)[0]


def test_is_that_of_the_autoregression() -> None:
    x = spread(1)
    found, theirs = half_life(x), AutoReg(x, lags=1).fit()
    b = float(theirs.params[1])
    assert found.slope == pytest.approx(b, rel=1e-9)
    assert found.steps == pytest.approx(-math.log(2) / math.log(b), rel=1e-9)
    assert found.slope_error == pytest.approx(float(theirs.bse[1]), rel=2e-3)
    by_delta = math.log(2) / (b * math.log(b) ** 2) * found.slope_error
    assert found.standard_error == pytest.approx(by_delta, rel=1e-9)


def test_the_standard_error_is_the_deviation_over_many_series() -> None:
    found = [half_life(spread(seed, b=0.8)) for seed in range(300)]
    deviation = np.std([one.steps for one in found], ddof=1)
    mean_error = np.mean([one.standard_error for one in found])
    assert mean_error == pytest.approx(deviation, rel=3 / math.sqrt(2 * 300) + 0.03)


@pytest.mark.parametrize(
    "x", [np.resize([1.0, -1.0, 1.1, -0.9], 50) + np.arange(50) % 3, walks(4, 60)[:, 0].cumsum()]
)
def test_nothing_is_clipped(x: np.ndarray) -> None:
    with pytest.raises(NotMeanRevertingError):
        half_life(x)
