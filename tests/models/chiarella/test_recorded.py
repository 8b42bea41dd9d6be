"""The model on recorded prices: it is refused, by the tails and not by the time scales (docs/models/chiarella.md)."""

from __future__ import annotations

import lzma
from pathlib import Path

import numpy as np
import pytest

from models.chiarella import ChiarellaFit, ChiarellaParameters, fit
from models.chiarella.moments import default_horizons, moments
from models.chiarella.parameters import FloatArray

pytestmark = pytest.mark.recorded

DAILY, HOURLY = "cryptos_daily_20171031_20200630", "cryptos_hourly_20210107_20210331"


def log_prices(folder: Path, file: str, coin: str) -> FloatArray:
    with lzma.open(folder / "pob" / f"{file}.csv.xz", "rt") as lines:
        column = next(lines).strip().replace('"', "").split(",").index(coin)
        closes = [float(line.split(",")[column]) for line in lines]
    return np.log(closes)


def fitted(prices: FloatArray, *free: str) -> ChiarellaFit:
    """From a market with a pull of 20 steps, a trend of 5, and as much news as noise, halves of the changes seen."""
    size = float(np.std(np.diff(prices)))
    start = ChiarellaParameters(
        kappa=0.05, beta=0.5 * size, gamma=1 / size, alpha=0.2, sigma=size, fundamental_volatility=0.5 * size
    )
    return fit(prices, 1.0, start, seed=1, free=free, multiple=10)


@pytest.mark.parametrize(
    ("file", "coin", "kurtosis", "ratio"),
    [(DAILY, "BTC", 21.2, 1.06), (HOURLY, "BTC", 12.3, 0.86), (HOURLY, "ETH", 7.2, 0.86)],
)
def test_what_the_prices_say(recorded: Path, file: str, coin: str, kurtosis: float, ratio: float) -> None:
    """Variances grow with the horizon nearly as those of a walk; tails are far beyond what the model can have."""
    prices = log_prices(recorded, file, coin)
    seen = moments(prices, default_horizons(prices.size))
    assert seen.kurtosis[0] == pytest.approx(kurtosis, abs=0.1)
    ratios = np.exp(seen.log_variance - seen.log_variance[0]) / seen.horizons
    assert ratios[-1] == pytest.approx(ratio, abs=0.01)


@pytest.mark.parametrize(("file", "coin"), [(DAILY, "BTC"), (HOURLY, "BTC"), (HOURLY, "ETH")])
@pytest.mark.parametrize("trend", [False, True])
def test_the_model_is_refused(recorded: Path, file: str, coin: str, trend: bool) -> None:
    free = (
        ("kappa", "beta", "sigma", "fundamental_volatility")
        if trend
        else ("kappa", "sigma", "fundamental_volatility")
    )
    found = fitted(log_prices(recorded, file, coin), *free)
    assert found.j_p_value < 1e-6
    # by the kurtosis: what is simulated never has it
    assert found.model.kurtosis[0] < 3.5 < found.data.kurtosis[0]
    # no cycle is found, and next to the tails a trend is not worth a word
    assert found.parameters.gain < found.parameters.critical_gain
