# %% [markdown]
# # Trades that bring further trades: Hawkes processes
#
# ## The idea
#
# Trades come in bursts. A Hawkes process says how much of that is trading on trading: each event
# raises the rate of further events for a while,
#
# $$\lambda_i(t) = \mu_i + \sum_j \sum_{m=1}^{M} \sum_{t_k < t,\; k \text{ of kind } j}
#   \alpha_{ijm}\, e^{-\beta_{ijm} (t - t_k)} .$$
#
# The matrix $\sum_m \alpha_{ijm} / \beta_{ijm}$ holds the events of kind $i$ that one event of kind $j$ brings at
# first hand. Its largest eigenvalue is the *branching ratio* $n$: the share of all events that are answers to
# others. With $n = 0$ this is a Poisson process, from $n = 1$ on the cascade never ends.
#
# Model, likelihood and their accuracy: `docs/models/hawkes.md`.

# %%
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt

from lab.data.recorded import own_capture, recorded
from lab.data.tape import read_tape
from models.hawkes import Events, HawkesParameters, fit, goodness_of_fit, simulate, spread_ties

plt.rcParams["figure.constrained_layout.use"] = True

# %% [markdown]
# ## Data
#
# Six minutes of trades of the BTCUSDT perpetual on Binance (2024-08-08, 23:54 UTC), where the recording is present;
# your own with `TIDEWIRE_CAPTURE=file`; else a simulated process with two time scales. A market order that meets
# several resting orders is told as several trades: those of one side in one millisecond are merged into one event,
# which is then spread over its millisecond. Kind 0 are bought, kind 1 sold.

# %%
FloatArray = npt.NDArray[np.float64]
RECORDING = "hftbacktest/usdm/btcusdt_20240808.gz"
TRUTH = HawkesParameters.univariate(baseline=5.0, jump=[2.0, 60.0], decay=[8.0, 200.0])


def orders_of(files: tuple[Path, ...], symbol: str = "") -> Events:
    """One event an order, in seconds."""
    trades = read_tape(files, symbol).trades
    sold = (trades.aggressor < 0).astype(np.int64)
    merged = np.unique(np.column_stack([trades.event_ns // 1_000_000, sold]), axis=0)
    times, order = spread_ties((merged[:, 0] - merged[0, 0]) / 1e3, 1e-3, seed=1)
    return Events(times, float(merged[-1, 0] - merged[0, 0] + 1) / 1e3, merged[order, 1])


made_up = simulate(TRUTH, window=400.0, seed=1)
files = own_capture() or recorded(RECORDING)
events = orders_of(files) if files else made_up
print(f"{', '.join(file.name for file in files) or 'simulated'}: {len(events)} events in {events.window:.0f} s")

fig, ax = plt.subplots(figsize=(9, 2.5))
ax.hist(events.times, bins=int(events.window), histtype="stepfilled", color="0.6")
ax.set(xlabel="s", ylabel="events per s", title="Bursts")
plt.show()

# %% [markdown]
# ## Result: how many time scales?
#
# Fitted by maximum likelihood with one, two and three exponentials. If the model is right, the integrals of
# $\lambda$ between neighbouring events are independent exponentials of mean 1 (random time change): KS is the
# largest distance of their distribution from that, $\rho_1$ the correlation of neighbours.

# %%
pooled = Events(events.times, events.window)
fits = [fit(pooled, kernels=m) for m in (1, 2, 3)]
checks = [goodness_of_fit(found.parameters, pooled)[0] for found in fits]
print("M  converged  log-lik.      BIC   branching  KS     rho1   decays, 1/s")
for found, check in zip(fits, checks, strict=True):
    p = found.parameters
    print(
        f"{p.kernels}  {found.converged!s:9}  {found.log_likelihood:8.1f} {found.bic:9.1f}  "
        f"{p.spectral_radius:.3f}      {check.ks_statistic:.3f}  {check.autocorrelation:+.3f}  "
        f"{', '.join(f'{b:.3g}' for b in p.decay[0, 0])}"
    )

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.5))
lags = np.geomspace(1e-3, 30, 300)
for found, check in zip(fits, checks, strict=True):
    p = found.parameters
    left.loglog(lags, (p.jump[0, 0] * np.exp(-np.outer(lags, p.decay[0, 0]))).sum(axis=1), label=f"M = {p.kernels}")
    right.plot(*check.quantiles(), label=f"M = {p.kernels}")
left.set(xlabel="s since an event", ylabel="added intensity, 1/s", ylim=(1e-3, 1e3), title="Fitted kernels")
left.legend()
right.axline((0, 0), slope=1, color="0.5", lw=0.8)
right.set(xlabel="Exp(1)", ylabel="time-changed gaps", title="Quantiles")
plt.show()

# %% [markdown]
# ## Result: the intensity, and how far the clustering reaches
#
# Left, five seconds of the intensity that the fit with two scales sees. Right, variance over mean of the counts in
# bins of growing length, which is 1 for a Poisson process: the events beside ten paths simulated from the fits.
# Where the events lie above the bands, as the recorded ones do by far, there are bursts that exponential kernels
# with these branching ratios hardly ever bring: the fit describes typical seconds, not the wildest ones.

# %%
two = fits[1].parameters
start = events.window / 2
grid = np.linspace(start, start + 5, 4000)
age = grid[:, None] - events.times[(events.times > start - 5) & (events.times < start + 5)]
answer = sum(a * np.exp(-b * np.clip(age, 0, None)) for a, b in zip(two.jump[0, 0], two.decay[0, 0], strict=True))
intensity = two.baseline[0] + np.where(age > 0, answer, 0.0).sum(axis=1)

bins = np.geomspace(0.01, 10, 16)


def dispersion(times: FloatArray, window: float) -> FloatArray:
    """Variance over mean of the counts in bins of each length."""
    counts = [np.histogram(times, np.arange(0.0, window, width))[0] for width in bins]
    return np.array([count.var() / count.mean() for count in counts])


fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.5))
left.plot(grid - start, intensity, lw=0.8)
left.set(xlabel="s", ylabel="1/s", title="Intensity", yscale="log")
for found in fits[:3:2]:
    p = found.parameters
    paths = [simulate(p, events.window, seed=seed).times for seed in range(10)]
    curves = np.array([dispersion(path, events.window) for path in paths])
    right.fill_between(bins, curves.min(axis=0), curves.max(axis=0), alpha=0.3, label=f"simulated, M = {p.kernels}")
right.plot(bins, dispersion(events.times, events.window), "k.-", label="the events")
right.axhline(1, color="0.5", lw=0.8)
right.set(xscale="log", yscale="log", xlabel="bin, s", title="Variance / mean of counts")
right.legend()
plt.show()

# %% [markdown]
# ## Result: who answers whom
#
# Bought and sold orders apart (only where the data has sides): columns cause, rows answer.

# %%
sides = fit(events)
matrix = sides.parameters.branching_matrix
if matrix.size > 1:
    errors = sides.errors.branching.sum(axis=2)
    for i, answering in enumerate(("buys ", "sells")):
        cells = "   ".join(f"{matrix[i, j]:.3f} +- {errors[i, j]:.3f}" for j in range(2))
        print(f"{answering} after buys, after sells:   {cells}")
print(f"branching ratio {sides.spectral_radius:.3f}, {sides.reason}")

# %% [markdown]
# ## Check
#
# On the simulated process the truth is known: every parameter must come back within four standard errors. On the
# recording, the figures of docs/models/hawkes.md must come out, and each further scale must lower the BIC and raise
# the branching ratio.

# %% tags=["check"]
back = fit(made_up, kernels=2)
assert back.converged, back.reason
for name in ("baseline", "jump", "decay"):
    deviation = (getattr(back.parameters, name) - getattr(TRUTH, name)) / getattr(back.errors, name)
    assert (abs(deviation) < 4).all(), f"{name} is {deviation} standard errors from the truth"
assert abs(back.spectral_radius - TRUTH.spectral_radius) < 0.08

if files and files == recorded(RECORDING):
    assert len(events) == 5374
    for found, known in zip(fits, (0.459, 0.594, 0.719), strict=True):
        assert found.converged and abs(found.spectral_radius - known) < 0.002, (found.reason, found.spectral_radius)
    assert fits[0].bic > fits[1].bic > fits[2].bic
    assert abs(sides.spectral_radius - 0.518) < 0.002
    assert min(matrix[0, 0] - matrix[0, 1], matrix[1, 1] - matrix[1, 0]) > 0, "orders call for their own side"

# %% [markdown]
# ## What to try next
#
# - `TIDEWIRE_CAPTURE` with an hour recorded by `tidewire record`: does the slowest decay keep falling as the window
#   grows?
# - Cut the window in halves and fit each: is the branching ratio stable, or does it follow the level of activity?
# - Put the arrivals of new best prices beside the trades as a third and fourth kind.
# - Feed `HawkesSimulator` into a matching engine as order flow in place of Poisson arrivals.
