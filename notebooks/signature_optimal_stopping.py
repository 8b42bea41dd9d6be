# %% [markdown]
# # When to stop, with memory: signatures
#
# ## The idea
#
# To sell at the best of the next $N$ dates is to find the stopping time with the largest $E[Y_\tau]$. Where the
# future depends on the present price alone, the continuation value is a function of that price, found by regression
# (Longstaff and Schwartz 2001). Where it depends on the whole path, the regression needs coordinates of paths. The
# *signature* of (time, value) gives them: the iterated integrals
#
# $$S^{i_1 \dots i_k} = \int_{0 < t_1 < \dots < t_k < t} dX^{i_1}_{t_1} \cdots dX^{i_k}_{t_k} ,$$
#
# of which linear combinations come as close to any continuous function of the path as one likes. Two rules come of
# it: regress the continuation value on the signature up to each date and stop where the reward is above it; or stop
# where one linear functional $\langle \ell, S \rangle$ is high, randomised so that $\ell$ can be raised by its
# gradient:
#
# $$P(\tau \le i \mid \text{path}) = 1 - e^{-A_i}, \qquad
#   A_i = \sum_{j \le i} \log\left(1 + e^{\langle \ell, S_j \rangle}\right) .$$
#
# A rule is learnt on one stream of paths and valued on another. Sources, tables and limits:
# `docs/models/optimal_stopping.md` and `docs/models/signatures.md`.

# %%
import lzma
from math import exp, sqrt

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt

from lab.data.recorded import recorded
from models.optimal_stopping import (
    Features,
    GaussianStep,
    Regression,
    SignatureFeatures,
    StateFeatures,
    dynamic_program,
    fit_linear_rule,
    fractional_brownian_motion,
    mean_reverting_sale,
    signature_opt_stop,
    solve,
    upper_bound,
    value_linear_rule,
)
from models.ornstein_uhlenbeck import OUParameters

FloatArray = npt.NDArray[np.float64]
plt.rcParams["figure.constrained_layout.use"] = True

# %% [markdown]
# ## Data
#
# Fractional Brownian motions, drawn exactly: the standard problem with memory and without a drift. And one history
# of hourly prices, the logarithm of Litecoin over Bitcoin Cash in per cent (January to March 2021) where the
# recording is present, else a mean-reverting process.

# %%
ENTER = OUParameters(kappa=0.15, theta=0.0, sigma=1.0)
files = recorded("pob/cryptos_hourly_20210107_20210331.csv.xz")


def made_up_history(hours: int, seed: int) -> FloatArray:
    """A mean-reverting spread in per cent."""
    weight, variance = ENTER.transition(1.0)
    noise = np.random.default_rng(seed).standard_normal(hours) * sqrt(variance)
    path = np.zeros(hours)
    for i in range(1, hours):
        path[i] = weight * path[i - 1] + noise[i]
    return path


simulated = made_up_history(2007, seed=2)
spread = simulated
if files:
    with lzma.open(files[0], "rt") as lines:
        names = next(lines).strip().replace('"', "").split(",")
        closes = np.array([line.split(",")[1:] for line in lines], np.float64)
    one, other = (closes[:, names.index(name) - 1] for name in ("LTC", "BCH"))
    spread = 100 * np.log(one / other)
print(f"{files[0].name if files else 'simulated'}: {spread.size} hours")

# %% [markdown]
# ## Result: memory is worth something
#
# $E[X_\tau]$ for a fractional Brownian motion on 100 dates in [0, 1]. A Brownian motion ($H = 1/2$) is a
# martingale: nothing can be gained. Below, moves are taken back, above, they go on; a rule that sees the path lives
# off that, one that sees the present value alone gets less. Black: the published lower bounds of Becker, Cheridito
# and Jentzen (2019) as `docs/models/optimal_stopping.md` quotes them.

# %%
published = {0.05: 1.293, 0.1: 1.048, 0.2: 0.658, 0.3: 0.369, 0.5: 0.0, 0.7: 0.206, 0.8: 0.276}
features: dict[str, Features] = {
    "signature, level 4": SignatureFeatures(level=4),
    "present value": StateFeatures(degree=3),
}
values = {
    label: [
        solve(fractional_brownian_motion(hurst, 100), kind, training_paths=4000, fresh_paths=8000, seed=1).lower
        for hurst in published
    ]
    for label, kind in features.items()
}
fig, ax = plt.subplots(figsize=(9, 3.4))
ax.plot(list(published), list(published.values()), "kx", label="published")
for label, found in values.items():
    ax.errorbar(
        list(published), [v.value for v in found], [2 * v.standard_error for v in found], fmt=".-", label=label
    )
ax.set(xlabel="H", ylabel="E[X at the stopping time]")
ax.legend()
plt.show()

# %% [markdown]
# A lower bound says how much the rule brings; the dual says how much any rule could. At $H = 0.1$ on 20 dates:

# %%
short = fractional_brownian_motion(hurst=0.1, dates=20)
below = solve(short, SignatureFeatures(level=4), training_paths=4000, fresh_paths=8000, seed=1)
above = upper_bound(below.rule, short, Regression(0.1), training_paths=4000, fresh_paths=2000, seed=1, order=1)
for bound in (below.lower, above):
    print(f"{bound.value:.3f} +- {bound.standard_error:.3f}")

# %% [markdown]
# ## Result: one functional for all dates
#
# A linear signature rule, learnt on 3000 paths, and what it says of three it has not seen: the chance to have
# stopped by each date. It climbs where the path stands high against its own past.

# %%
rough = fractional_brownian_motion(hurst=0.1, dates=30)
rule = fit_linear_rule(rough(3000, np.random.default_rng(1)), SignatureFeatures(level=3))
linear = value_linear_rule(rule, rough, paths=8000, seed=1)
print(f"converged: {rule.converged}; value {linear.value:.3f} +- {linear.standard_error:.3f}")

fresh = rough(3, np.random.default_rng(8)).paths
fig, (top, bottom) = plt.subplots(2, 1, figsize=(9, 4), sharex=True)
top.plot(fresh.T)
bottom.plot(rule.stopped_by(fresh).T)
top.set(ylabel="path")
bottom.set(ylabel="P(stopped)", xlabel="date")
plt.show()

# %% [markdown]
# ## Result: selling the spread of one history
#
# There is only one past. Every other day `signature_opt_stop` learns from the 900 hours before, then sells within
# the next 24, at the date where the chance to have stopped passes 1/2. Gains are against selling at once. On the
# simulated history there is something to be had; on the recorded one the days are too few and too different to say
# so.


# %%
def daily_gains(path: FloatArray) -> FloatArray:
    """Of each sale: value where the rule stopped less value where the day began."""
    ends = range(948, path.size, 48)
    stops = [signature_opt_stop(path[end - 924 : end + 1], 0.5, horizon=24, level=2) for end in ends]
    return np.array([stop.value - path[end - 24] for stop, end in zip(stops, ends, strict=True)])


gains = {"simulated": daily_gains(simulated)}
if files:
    gains["recorded"] = daily_gains(spread)
for label, gain in gains.items():
    error = gain.std(ddof=1) / sqrt(gain.size)
    print(f"{label}: {gain.mean():+.2f} +- {error:.2f} per cent a sale, {gain.size} sales")

last = signature_opt_stop(spread[-925:], 0.5, horizon=24, level=2)
fig, ax = plt.subplots(figsize=(9, 2.8))
ax.plot(range(-120, 1), spread[-121:], lw=0.8)
ax.plot(last.index - 924, last.value, "ro", label="sold here")
ax.axvspan(-24, 0, color="0.93", zorder=0)
ax.set(xlabel="hours", ylabel="spread, per cent")
ax.legend()
plt.show()

# %% [markdown]
# ## Check
#
# The signature rule reaches at least 95 % of the published values at $H = 0.05$ and $0.1$ and never more than they
# and three standard errors, gains nothing from a Brownian motion, and beats the memoryless rule far from it. The
# bounds enclose. Selling an Ornstein-Uhlenbeck spread must be worth what the dynamic program says, to 2 % and three
# standard errors. What `signature_opt_stop` finds on the simulated history must be above chance.

# %% tags=["check"]
at = dict(zip(published, values["signature, level 4"], strict=True))
memoryless = dict(zip(published, values["present value"], strict=True))
for hurst in (0.05, 0.1):
    assert 0.95 * published[hurst] < at[hurst].value < published[hurst] + 3 * at[hurst].standard_error, at[hurst]
assert abs(at[0.5].value) < 3 * at[0.5].standard_error + 0.01
assert at[0.1].value > 2 * memoryless[0.1].value
assert below.lower.value - 3 * below.lower.standard_error < above.value + 3 * above.standard_error
assert (
    linear.value
    > 0.93 * solve(rough, SignatureFeatures(4), training_paths=4000, fresh_paths=8000, seed=1).lower.value
)

sale = mean_reverting_sale(OUParameters(2.0, 0.0, 0.5), start=-0.1, cost=0.05, rate=0.1, maturity=2.0, dates=50)
weight, variance = OUParameters(2.0, 0.0, 0.5).transition(2.0 / 50)
exact = dynamic_program(
    GaussianStep(0.0, weight, sqrt(variance)), lambda x, date: (x - 0.05) * exp(-0.1 * 2.0 / 50 * date), 50, -0.1
)
sold = solve(sale, SignatureFeatures(3), training_paths=5000, fresh_paths=10_000, seed=3).lower
assert 0.98 * exact - 3 * sold.standard_error < sold.value < exact + 3 * sold.standard_error, (exact, sold)

assert gains["simulated"].mean() > 2 * gains["simulated"].std(ddof=1) / sqrt(gains["simulated"].size)

# %% [markdown]
# ## What to try next
#
# - `Regression(hidden=50)`: random units beside the signature. At which $H$ do they help?
# - A rough volatility: stop a put on paths of `models.rough_heston.simulation`, with the variance beside the price.
# - Ten spreads of the recorded coins instead of one: do the gains add up, and do they survive a cost per sale?
# - Shrink the quantile in `signature_opt_stop`: patience against certainty.
