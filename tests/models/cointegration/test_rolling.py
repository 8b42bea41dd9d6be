"""Against a plain loop, and nothing of the future: it may be anything."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.cointegration import RollingScore, rolling, rolling_z_score
from tests.models.cointegration.made_up import pair

COLUMNS = ("z", "spread", "hedge_ratio", "mean", "deviation")


def by_loop(y: np.ndarray, x: np.ndarray, window: int, span: int) -> dict[str, np.ndarray]:
    rows = np.full((len(y), 5), np.nan)
    for t in range(window, len(y)):
        ratio = np.polyfit(x[t - window : t], y[t - window : t], 1)[0]
        past = [y[i] - ratio * x[i] for i in range(t - span, t)]
        mean, deviation = np.mean(past), np.std(past, ddof=1)
        spread = y[t] - ratio * x[t]
        rows[t] = (spread - mean) / deviation, spread, ratio, mean, deviation
    return dict(zip(COLUMNS, rows.T, strict=True))


@pytest.mark.parametrize(("window", "span"), [(3, 3), (30, None), (60, 15), (199, 199)])
def test_equals_a_plain_loop(monkeypatch: pytest.MonkeyPatch, window: int, span: int | None) -> None:
    y, x = pair(1, 200)
    expected = by_loop(y, x, window, span or window)
    for chunk in (1 << 18, 64):
        monkeypatch.setattr(rolling, "_CHUNK", chunk)
        found = rolling_z_score(y, x, window=window, spread_window=span)
        for name in COLUMNS:
            np.testing.assert_allclose(getattr(found, name), expected[name], rtol=1e-7, atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    now=st.integers(40, 98),
    window=st.integers(3, 35),
    scale=st.sampled_from([1e-6, 1.0, 1e9]),
    chunk=st.sampled_from([1, 100, 1 << 18]),
)
def test_changing_the_future_changes_nothing(seed: int, now: int, window: int, scale: float, chunk: int) -> None:
    """Bit for bit, whatever comes later, and also when it has not come yet."""
    y, x = pair(seed, 100)
    rng = np.random.default_rng(seed + 1)
    other_y, other_x = y.copy(), x.copy()
    other_y[now + 1 :] = scale * rng.standard_normal(99 - now).cumsum()
    other_x[now + 1 :] = scale * rng.standard_normal(99 - now).cumsum()
    kept, rolling._CHUNK = rolling._CHUNK, chunk  # type: ignore[misc]
    try:
        known = rolling_z_score(y, x, window=window, spread_window=max(3, window // 2))
        changed = rolling_z_score(other_y, other_x, window=window, spread_window=max(3, window // 2))
        so_far = rolling_z_score(y[: now + 1], x[: now + 1], window=window, spread_window=max(3, window // 2))
    finally:
        rolling._CHUNK = kept  # type: ignore[misc]
    for name in COLUMNS:
        before = getattr(known, name)[: now + 1]
        np.testing.assert_array_equal(before, getattr(changed, name)[: now + 1])
        np.testing.assert_array_equal(before, getattr(so_far, name))
    assert np.isfinite(known.z[window:]).all() and np.isnan(known.z[:window]).all()


def test_hedge_and_mean_of_now_know_nothing_of_now() -> None:
    y, x = pair(3, 120)
    shocked = y.copy()
    shocked[100] += 50.0
    known, changed = (rolling_z_score(values, x, window=40) for values in (y, shocked))
    for name in ("hedge_ratio", "mean", "deviation"):
        np.testing.assert_array_equal(getattr(known, name)[:101], getattr(changed, name)[:101])
    assert changed.spread[100] == pytest.approx(known.spread[100] + 50.0)
    assert changed.hedge_ratio[101] != known.hedge_ratio[101]


def test_scores_of_a_known_pair_are_of_order_one_and_those_of_now_would_look_better() -> None:
    """White noise about the relation: variance of z is that of a prediction, above 1; in-sample it is below 1."""
    y, x = pair(4, 20_000, b=0.0)
    found = rolling_z_score(y, x, window=50)
    z = found.z[50:]
    assert abs(z.mean()) < 4 / np.sqrt(z.size)
    assert 1.03 < z.std() < 1.12
    assert isinstance(found, RollingScore) and (found.window, found.spread_window) == (50, 50)


@pytest.mark.parametrize(("window", "span"), [(2, None), (10, 2), (10, 11), (100, None), (0, None)])
def test_bad_windows(window: int, span: int | None) -> None:
    with pytest.raises(ValueError, match=r"window|at least 101"):
        rolling_z_score(*pair(1, 100), window=window, spread_window=span)


def test_a_window_that_says_nothing_is_refused_where_it_is() -> None:
    y, x = pair(5, 100)
    still = x.copy()
    still[30:40] = still[30]
    with pytest.raises(ValueError, match="before time 40"):
        rolling_z_score(y, still, window=10)
    exact = y.copy()
    exact[60:70] = 3 * x[60:70] + 1
    with pytest.raises(ValueError, match="exactly in the window before time 70"):
        rolling_z_score(exact, x, window=10)
