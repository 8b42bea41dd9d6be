# %% [markdown]
# # Fundamentalists against trend followers: the Chiarella model
#
# ## The idea
#
# Two kinds of traders move a price $p$: fundamentalists buy below the value $V$, trend followers buy what rises,
# $M$ being the trend they see, and their demand saturates:
#
# $$dp = \kappa\,(V - p)\,dt + \beta \tanh(\gamma M)\,dt + \sigma\,dW, \qquad dM = -\alpha M\,dt + \alpha\,dp .$$
#
# The first calm the market, the second excite it. At $p = V$, $M = 0$ the trace of the Jacobian is
# $\alpha(\beta\gamma - 1) - \kappa$ and its determinant $\alpha\kappa$, so the price settles if and only if the
# gain $\beta\gamma$ is below $1 + \kappa/\alpha$. Beyond, a stable cycle of booms and crashes goes round without
# any news, born with the frequency $\sqrt{\alpha\kappa}$ (Hopf). Sources and proofs: `docs/models/chiarella.md`.

# %%
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np

from models.chiarella import (
    BrockHommes,
    ChiarellaParameters,
    ChiarellaSimulator,
    ChiarellaState,
    Trader,
    bifurcation,
    fit,
    limit_cycle,
    simulate,
    skeleton,
    stability,
)

plt.rcParams["figure.constrained_layout.use"] = True

# %% [markdown]
# ## Data
#
# Simulated: the model makes the market here. One that settles, one that cycles, the same but for the strength of
# the trend followers. Time is in days, prices are logarithms in per cent.

# %%
calm = ChiarellaParameters(kappa=0.5, beta=0.5, gamma=2.0, alpha=1.0)
wild = replace(calm, beta=1.0)
START = ChiarellaState(price=0.5, fundamental=0.0)
times = np.linspace(0, 80, 2000)
noisy = ChiarellaParameters(kappa=0.5, beta=1.0, gamma=3.0, alpha=1.0, sigma=0.3)
path = simulate(noisy, dt=0.1, steps=8000, seed=1)

# %% [markdown]
# ## Result: settling and cycling

# %%
for name, market in (("calm", calm), ("wild", wild)):
    report = stability(market)
    print(f"{name}: gain {report.gain:g}, critical {report.critical_gain:g}: {report.kind}")
cycle = limit_cycle(wild)
print(f"the cycle: period {cycle.period:.4f}, amplitude {cycle.price_amplitude:.4f}")

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2))
for name, market in (("calm", calm), ("wild", wild)):
    free = skeleton(market, times, START)
    left.plot(free.times, free.price, label=name)
    right.plot(free.price, free.trend, label=name)
left.set(xlabel="days", ylabel="price", title="Without noise")
right.set(xlabel="price", ylabel="trend", title="Phases")
left.legend()
plt.show()

# %% [markdown]
# ## Result: the bifurcation
#
# Amplitude and period of the cycle while the trend followers grow stronger. It is born at amplitude 0, where
# $\beta\gamma = 1 + \kappa/\alpha$, with the period $2\pi/\sqrt{\alpha\kappa}$ (dotted).

# %%
swept = bifurcation(calm, "beta", np.concatenate([np.linspace(0.3, 0.74, 8), np.geomspace(0.7501, 3.0, 25)]))
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2))
left.plot(swept.values, swept.price_amplitude, ".-")
left.axvline(swept.critical or 0.0, color="0.5", ls=":")
left.set(xlabel="beta", ylabel="price amplitude")
right.plot(swept.values, swept.period, ".-")
right.axhline(2 * np.pi / stability(calm).hopf_frequency, color="0.5", ls=":")
right.set(xlabel="beta", ylabel="period, days")
plt.show()

# %% [markdown]
# ## Result: news
#
# The value jumps by 2 on day 40. `ChiarellaSimulator` lets somebody else move it, a mock exchange for one. The
# trend followers carry the price beyond the value before the fundamentalists bring it back.

# %%
fig, ax = plt.subplots(figsize=(9, 2.8))
for name, market in (("calm", replace(calm, sigma=0.1)), ("no trend followers", replace(calm, beta=0.0, sigma=0.1))):
    feed = ChiarellaSimulator(market, 0.1, ChiarellaState(0.0, 0.0), np.random.default_rng(4))
    before = feed.advance(400)[0]
    feed.state = replace(feed.state, fundamental=2.0)
    ax.plot(np.arange(800) * 0.1, np.concatenate([before, feed.advance(400)[0]]), label=name)
ax.step([0, 40, 80], [0, 0, 2], "k:", label="value")
ax.set(xlabel="days", ylabel="price")
ax.legend()
plt.show()

# %% [markdown]
# ## Result: who is in the market?
#
# From 8000 prices alone, by simulated moments: variances and kurtoses of the changes over 1, 2, 4, ... steps. The
# value and the trend are never seen. The search begins elsewhere.

# %%
found = fit(path.price, 0.1, ChiarellaParameters(0.3, 0.7, 4.0, 0.7, 0.25), seed=2, multiple=10)
print(f"converged: {found.converged} ({found.reason}); J-test p = {found.j_p_value:.2f}")
for parameter in found.free:
    estimate, error = getattr(found.parameters, parameter), found.errors[parameter]
    print(f"{parameter:6} {estimate:.3f} +- {error:.3f}   truth {getattr(noisy, parameter)}")
print(f"gain   {found.parameters.gain:.2f} +- {found.gain_error:.2f}   critical {found.parameters.critical_gain:.2f}")

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2))
left.plot(path.times[:2000], path.price[:2000], lw=0.7)
left.set(xlabel="days", ylabel="price", title="A market that cycles, with noise")
horizons = found.data.horizons * 0.1
right.semilogx(horizons, np.exp(found.data.log_variance) / horizons, "k.", label="prices")
right.semilogx(horizons, np.exp(found.model.log_variance) / horizons, label="fitted")
right.set(xlabel="days", ylabel="variance of changes / time", title="Trends, then reversion")
right.legend()
plt.show()

# %% [markdown]
# ## Check
#
# The table of docs/models/chiarella.md at $\beta = 1$ and $1.5$. The measured period of a long noiseless path must
# be that of the cycle, and near the birth of the cycle that of Hopf's frequency. The calibration must come within
# four of its standard errors, and find the market unstable. In Brock and Hommes' (1998) model a run must end in the
# steady state that theory names.

# %% tags=["check"]
assert stability(calm).stable and not stability(wild).stable
assert abs(cycle.period - 9.071809) < 1e-6 and abs(cycle.price_amplitude - 1.049171) < 1e-6
assert abs(limit_cycle(replace(calm, beta=1.5)).period - 9.804258) < 1e-6
assert abs(limit_cycle(replace(calm, beta=0.750075)).period - 2 * np.pi / np.sqrt(0.5)) < 1e-3

long = skeleton(wild, np.linspace(0, 400, 200_001), START)
rising = np.flatnonzero((long.price[:-1] < 0) & (long.price[1:] >= 0) & (long.times[:-1] > 200))
measured = np.diff(long.times[rising]).mean()
assert abs(measured - cycle.period) < 1e-3, measured
assert abs(skeleton(calm, [200.0], START).price[0]) < 1e-9, "the calm market settles"

assert found.converged, found.reason
for parameter in found.free:
    gap = getattr(found.parameters, parameter) - getattr(noisy, parameter)
    assert abs(gap) < 4 * found.errors[parameter], parameter
assert found.parameters.gain - 2 * found.gain_error > found.parameters.critical_gain

pair = BrockHommes((Trader(trend=0.0, cost=1.0), Trader(trend=1.2)), gross_return=1.1, intensity=2.6)
steady = pair.steady_states()
assert steady.pitchfork is not None and abs(steady.pitchfork - np.log(1.1 / 0.1)) < 1e-12
assert steady.other is not None
deviations, _ = pair.simulate(4000, start=[0.1, 0.1, 0.1])
assert abs(deviations[-1] - steady.other) < 1e-6

# %% [markdown]
# ## What to try next
#
# - Let `fundamental_volatility` move the value: how much of it do the trend followers amplify?
# - Calibrate with `free=("kappa", "sigma")` in a calm market: which parameters can its prices not tell apart?
# - Use `ChiarellaSimulator` as the mid-price of a mock exchange and run the mean-reversion and momentum strategies
#   on it.
# - Raise `intensity` in `BrockHommes`: past the pitchfork, where do the steady states lose their stability?
