"""Three recorded markets of bitcoin at one operator: the tables of docs/models/price_discovery.md.

The captures of different exchanges in the folder do not overlap in time; these three, of one recorder's clock, do.
"""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import orjson
import pytest

from models.price_discovery import (
    Ticks,
    fit_vecm,
    hayashi_yoshida,
    lead_lag,
    previous_tick_correlation,
    price_discovery_shares,
    sample,
    select_lags,
)

pytestmark = pytest.mark.recorded

MS = 10**6
FILES = {
    "usdm": "usdm/btcusdt_20240808.gz",
    "spot": "spot/btcusdt_20240808.gz",
    "coinm": "cm/btcusd_perp_20240808.gz",
}


@pytest.fixture(scope="module")
def markets(recorded: Path) -> dict[str, Ticks]:
    """Log mids by the time they were received, ns."""
    found = {}
    for name, file in FILES.items():
        rows = []
        with gzip.open(recorded / "hftbacktest" / file) as lines:
            for line in lines:
                if b"@bookTicker" in line:
                    time, _, text = line.partition(b" ")
                    data = orjson.loads(text)["data"]
                    rows.append((int(time), float(data["b"]), float(data["a"])))
        times, bid, ask = (list(column) for column in zip(*rows, strict=True))
        found[name] = Ticks.log_mid(times, bid, ask)
    return found


@pytest.mark.parametrize(
    ("one", "two", "hy", "grid", "lag", "peak", "ratio"),
    [
        ("usdm", "spot", 0.511, (0.236, 0.723, 0.959), 11, 0.601, 4.51),
        ("usdm", "coinm", 0.257, (0.049, 0.624, 0.966), 47, 0.609, 7.02),
        ("spot", "coinm", 0.248, (0.152, 0.668, 0.974), -2, 0.311, 1.10),
    ],
)
def test_who_moves_first(
    markets: dict[str, Ticks],
    one: str,
    two: str,
    hy: float,
    grid: tuple[float, ...],
    lag: int,
    peak: float,
    ratio: float,
) -> None:
    x, y = markets[one], markets[two]
    assert hayashi_yoshida(x, y).correlation == pytest.approx(hy, abs=0.001)
    seen = [previous_tick_correlation(x, y, step * MS) for step in (10, 100, 5000)]
    assert seen == pytest.approx(grid, abs=0.001)
    found = lead_lag(x, y, np.arange(-100, 101) * MS)
    assert (found.lag // MS, found.peak, found.ratio) == (
        lag, pytest.approx(peak, abs=0.001), pytest.approx(ratio, abs=0.01),
    )  # fmt: skip
    # five moves hold 61 % of the perpetual's variance: no lag is beyond doubt
    assert not found.converged and "noise" in found.reason


@pytest.mark.parametrize(
    ("step", "lags", "component", "lower", "upper", "modified"),
    [
        (10, 18, (0.285, 0.432, 0.283), (0.376, 0.307, 0.106), (0.568, 0.518, 0.132), (0.472, 0.410, 0.118)),
        (50, 3, (0.329, 0.364, 0.307), (0.179, 0.101, 0.068), (0.767, 0.693, 0.469), (0.441, 0.345, 0.214)),
        (1000, 0, (0.421, -0.012, 0.591), (0.021, 0.000, 0.033), (0.955, 0.908, 0.972), (0.361, 0.239, 0.400)),
    ],
)
def test_who_finds_the_price(
    markets: dict[str, Ticks],
    step: int,
    lags: int,
    component: tuple[float, ...],
    lower: tuple[float, ...],
    upper: tuple[float, ...],
    modified: tuple[float, ...],
) -> None:
    prices = sample([markets[name] for name in ("usdm", "spot", "coinm")], step * MS).values
    assert select_lags(prices, min(20, 4 * lags + 2)) == lags
    fitted = fit_vecm(prices, lags)
    assert fitted.converged, fitted.reason
    found = price_discovery_shares(fitted.parameters)
    np.testing.assert_allclose(found.component, component, atol=0.001)
    np.testing.assert_allclose(found.information.lower, lower, atol=0.001)
    np.testing.assert_allclose(found.information.upper, upper, atol=0.001)
    np.testing.assert_allclose(found.modified, modified, atol=0.001)
