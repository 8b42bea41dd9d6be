# %% [markdown]
# # Who finds the price, and who moves first
#
# ## The idea
#
# One asset trades in several markets. Their prices differ by something that does not last, so they follow one common
# trend. With the error-correction model
#
# $$\Delta p_t = c + A B^\top p_{t-1} + \sum_{k=1}^{K} G_k\,\Delta p_{t-k} + e_t, \qquad e_t \sim (0, S),$$
#
# $w = A_\perp$ is the direction in which innovations move that trend, for good. Two questions about it:
#
# - **component share** $w_j / \sum w$: how much weight has a market's price in the trend?
# - **information share** $(w^\top F)_j^2 / w^\top S w$ with $S = F F^\top$: how much of the trend's variance does a
#   market bring? Innovations of one step are correlated, and the earlier market in the order of the factor takes
#   what is common: all orders are computed, and the answer is an interval.
#
# Both need a common grid. Hayashi and Yoshida's covariance needs none: it adds up the products of all increments
# whose intervals overlap. Moved by a lag, its peak says who comes first, and by how much.
#
# Measures, sources and accuracy: `docs/models/price_discovery.md`.

# %%
import gzip
import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt

from lab.data.recorded import recorded
from models.price_discovery import (
    Ticks,
    bootstrap_errors,
    fit_vecm,
    hayashi_yoshida,
    lead_lag,
    previous_tick_correlation,
    price_discovery_shares,
    sample,
    select_lags,
)

FloatArray = npt.NDArray[np.float64]
plt.rcParams["figure.constrained_layout.use"] = True
MS = 1_000_000  # ns

# %% [markdown]
# ## Data
#
# Best quotes of bitcoin in three markets of Binance as one recorder received them, six minutes of 2024-08-08: the
# USD-M perpetual, spot, and the COIN-M perpetual. Where the recording is not present, three simulated markets: the
# first shows the value at once, the second 20 ms and the third 60 ms later, each at instants of its own and with
# noise of its own.

# %%
MARKETS = ("USD-M", "spot", "COIN-M")
DELAYS = (0, 20, 60)  # ms, of the simulated markets


def quotes_of(file: Path) -> Ticks:
    """Log mids by time of receipt."""
    rows = []
    with gzip.open(file, "rt") as lines:
        for line in lines:
            if "@bookTicker" in line:
                received, _, text = line.partition(" ")
                told = json.loads(text)["data"]
                rows.append((int(received), float(told["b"]), float(told["a"])))
    times, bids, asks = (list(column) for column in zip(*rows, strict=True))
    return Ticks.log_mid(times, bids, asks)


def made_up_markets(seed: int) -> list[Ticks]:
    """A value that moves at random milliseconds, and three markets that look at it with their delays."""
    rng = np.random.default_rng(seed)
    window = 340_000
    value = 11.0 + np.cumsum(2e-5 * rng.standard_normal(window) * (rng.random(window) < 0.1))
    markets = []
    for delay, spacing in zip(DELAYS, (6, 9, 14), strict=True):
        at = np.unique(rng.integers(DELAYS[-1], window, size=window // spacing))
        markets.append(Ticks(at * MS, value[at - delay] + 3e-6 * rng.standard_normal(at.size)))
    return markets


files = recorded(*(f"hftbacktest/{name}_20240808.gz" for name in ("usdm/btcusdt", "spot/btcusdt", "cm/btcusd_perp")))
made_up = made_up_markets(seed=1)
markets = [quotes_of(file) for file in files] if files else made_up
for name, ticks in zip(MARKETS, markets, strict=True):
    gap_ms = np.diff(ticks.times) / MS
    print(
        f"{name:6} {len(ticks):6} quotes, median {np.median(gap_ms):.1f} ms and at most {gap_ms.max():.0f} ms apart"
    )
print("recorded" if files else "simulated")

start = max(int(ticks.times[0]) for ticks in markets)
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3))
for name, ticks in zip(MARKETS, markets, strict=True):
    seconds = (ticks.times - start) / 1e9
    left.plot(seconds, 1e4 * (ticks.values - markets[0].values[0]), lw=0.6, label=name)
    # levels differ by the basis of a future: what counts is who moves
    shown = (seconds > 100) & (seconds < 103)
    right.step(seconds[shown], 1e4 * (ticks.values[shown] - ticks.values[shown][0]), where="post", lw=0.8)
left.set(xlabel="s", ylabel="basis points", title="Mids")
left.legend()
right.set(xlabel="s", title="Three seconds")
plt.show()

# %% [markdown]
# ## Result: correlation without a grid
#
# Previous ticks on a grid: the finer the grid, the less two markets seem to have to do with each other (Epps 1979).
# Two reasons: their instants differ, and one of them is late. Hayashi-Yoshida takes away the first. What is then
# missing to the correlation over seconds is the second.

# %%
PAIRS = ((0, 1), (0, 2), (1, 2))
grids = np.array([5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000])
fig, ax = plt.subplots(figsize=(9, 3))
simultaneous = {}
for (i, j), colour in zip(PAIRS, ("C0", "C1", "C2"), strict=True):
    label = f"{MARKETS[i]}, {MARKETS[j]}"
    simultaneous[i, j] = found = hayashi_yoshida(markets[i], markets[j])
    on_grids = [previous_tick_correlation(markets[i], markets[j], int(step) * MS) for step in grids]
    ax.semilogx(grids, on_grids, ".-", color=colour, label=label)
    ax.axhline(found.correlation, color=colour, ls=":")
    print(f"{label:14}  Hayashi-Yoshida {found.correlation:.3f} +- {found.correlation_error:.3f}")
ax.set(xlabel="grid, ms", ylabel="correlation", title="Previous ticks (dotted: Hayashi-Yoshida)")
ax.legend()
plt.show()

# %% [markdown]
# ## Result: who moves first
#
# The correlation of one market now with the other a lag later; right of 0 the first of the pair leads. `ratio` sums
# the squares to the right over those to the left. `converged` says whether the peak stands out of what so many lags
# of pure noise would show: in the recording a few large moves hold most of the variance, and what a handful of moves
# says of one lag among 201 is little.

# %%
lags = np.arange(-100, 101)
leads = {(i, j): lead_lag(markets[i], markets[j], lags * MS) for i, j in PAIRS}
fig, axes = plt.subplots(1, 3, figsize=(9, 2.8), sharey=True)
for ax, ((i, j), lead) in zip(axes, leads.items(), strict=True):
    ax.plot(lags, lead.correlation, lw=0.8)
    ax.fill_between(lags, -2 * lead.noise, 2 * lead.noise, color="0.85")
    ax.axvline(lead.lag / MS, color="r", lw=0.8)
    ax.set(xlabel="lag, ms", title=f"{MARKETS[i]}, {MARKETS[j]}")
    print(
        f"{MARKETS[i]:5} {'before' if lead.lag > 0 else 'after '} {MARKETS[j]:6} by {abs(lead.lag) // MS:2} ms, "
        f"correlation {lead.peak:.3f}, ratio {lead.ratio:.2f}; {lead.reason or 'stands out of noise'}"
    )
plt.show()

# %% [markdown]
# ## Result: who finds the price
#
# On a grid of 10 ms and of one second, lags by BIC. Bars are component shares with two bootstrap standard errors,
# the grey ranges reach from the lowest to the highest information share over all six orders, with each order as a
# dot. On a second everything happens within one step: the orders contradict each other, and the intervals say
# nothing. One number in their middle would have hidden that.


# %%
def estimate(step_ms: int, most_lags: int) -> tuple[int, FloatArray, FloatArray, FloatArray]:
    """Lags; component shares and their errors; information shares by order."""
    prices = sample(markets, step_ms * MS).values
    order = select_lags(prices, most_lags)
    fitted = fit_vecm(prices, order)
    assert fitted.converged, fitted.reason
    shares = price_discovery_shares(fitted.parameters)
    errors = bootstrap_errors(fitted, replications=20 if step_ms < 100 else 100, seed=1)
    return order, shares.component, errors.component, shares.information.by_order


estimates = {step: estimate(step, most) for step, most in ((10, 20), (1000, 5))}
fig, axes = plt.subplots(1, 2, figsize=(9, 3), sharey=True)
for ax, (step, (order, component, error, by_order)) in zip(axes, estimates.items(), strict=True):
    places = np.arange(3)
    ax.bar(places - 0.2, component, 0.3, yerr=2 * error, capsize=3, label="component share")
    lower, upper = by_order.min(axis=0), by_order.max(axis=0)
    ax.bar(places + 0.2, upper - lower, 0.3, bottom=lower, color="0.85", label="information share")
    ax.plot(np.tile(places + 0.2, (len(by_order), 1)), by_order, "k.", ms=3)
    ax.set(title=f"Grid of {step} ms, K = {order}", xticks=places, xticklabels=MARKETS, ylim=(-0.6, 1.4))
    for market in range(3):
        print(
            f"{step:4} ms  {MARKETS[market]:6}  component {component[market]:6.3f} +- {error[market]:.3f}   "
            f"information {lower[market]:.3f} to {upper[market]:.3f}"
        )
axes[0].legend()
plt.show()

# %% [markdown]
# ## Check
#
# Of the simulated markets it is known who leads and by how much: every lag must be found to 2 ms, and the leader's
# lowest information share be above the others' highest. On the recording, the figures of
# `docs/models/price_discovery.md` must come out.

# %% tags=["check"]
for i, j in PAIRS:
    back = lead_lag(made_up[i], made_up[j], lags * MS)
    assert back.converged, back.reason
    assert abs(back.lag // MS - (DELAYS[j] - DELAYS[i])) <= 2, (i, j, back.lag)
known = sample(made_up, 10 * MS).values
truth = price_discovery_shares(fit_vecm(known, 10).parameters)
assert truth.information.lower[0] > truth.information.upper[1:].max() and truth.component.argmax() == 0
assert np.allclose(truth.information.by_order.sum(axis=1), 1) and len(truth.information.orders) == 6
for _, component, _error, by_order in estimates.values():
    assert np.isclose(component.sum(), 1) and np.allclose(by_order.sum(axis=1), 1)

if files:
    found_lags = [lead.lag // MS for lead in leads.values()]
    assert found_lags == [11, 47, -2] and not any(lead.converged for lead in leads.values())
    at_once = [found.correlation for found in simultaneous.values()]
    assert np.allclose(at_once, [0.511, 0.257, 0.248], atol=0.001)
    order, component, _error, by_order = estimates[10]
    assert order == 18 and np.allclose(component, [0.285, 0.432, 0.283], atol=0.001)
    assert np.allclose(by_order.min(axis=0), [0.376, 0.307, 0.106], atol=0.001)
    assert np.allclose(by_order.max(axis=0), [0.568, 0.518, 0.132], atol=0.001)

# %% [markdown]
# ## What to try next
#
# - Record two exchanges at once (`tidewire record`) for an hour: within one operator a lead is a matter of
#   milliseconds, between two of distance.
# - Order the quotes by the venue's own time in place of the recorder's: how much of a lead is the way to the
#   recorder?
# - Make the simulated leader noisy: information and component shares turn against it, `leadership` (two markets)
#   does not. When does that one err?
