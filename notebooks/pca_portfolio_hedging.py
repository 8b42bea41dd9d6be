# %% [markdown]
# # Hedging a portfolio by its factors: PCA
#
# ## The idea
#
# Many assets move with few factors. Principal components find them in the covariance $S$ of returns,
#
# $$r = \mu + B f + \varepsilon, \qquad B = \mathrm{diag}(s)\,V, \qquad f = V^\top \mathrm{diag}(s)^{-1} (r - \mu),$$
#
# $V$ the leading eigenvectors of the covariance ($s = 1$) or of the correlation. A portfolio $w$ is to be hedged
# with a few liquid assets. Two different questions:
#
# - which trades $h$ leave **no factor exposure**, $B^\top(w + h) = 0$, whatever else they bring along?
# - which trades leave the **least variance**, $h = -S_{HH}^{-1} S_H w$, whatever exposure remains?
#
# What the factors leave, $\varepsilon$, is traded on its own: its sum is fitted as an autoregression, and the
# s-score says how many equilibrium deviations it stands from its mean (Avellaneda and Lee 2010). Functions:
# `docs/models/factors.md`.

# %%
import lzma

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt

from lab.data.recorded import recorded
from models.factors import (
    Bands,
    factor_neutral_hedge,
    fit_factors,
    ledoit_wolf,
    minimum_variance_hedge,
    next_position,
    s_scores,
    sample_covariance,
)

FloatArray = npt.NDArray[np.float64]
plt.rcParams["figure.constrained_layout.use"] = True

# %% [markdown]
# ## Data
#
# Hourly closes of 82 coins, January to March 2021, where the recording is present; else 40 assets with a market
# factor, a weaker second one, and idiosyncratic noise with fat tails. Fitted on the first two thirds, judged on the
# last.


# %%
def made_up_returns(periods: int, assets: int, seed: int) -> tuple[list[str], FloatArray]:
    """Two factors; the first two assets are the liquid ones and carry the second factor differently."""
    rng = np.random.default_rng(seed)
    loadings = np.column_stack([rng.uniform(0.6, 1.4, assets), rng.normal(0, 0.3, assets)])
    loadings[:2] = [[1.0, -0.6], [1.1, 0.6]]
    factors = rng.standard_t(5, (periods, 2)) * [0.008, 0.003]
    noise = rng.standard_t(4, (periods, assets)) * 0.006
    noise[:, :2] /= 4
    return ["BTC", "ETH", *(f"C{i:02}" for i in range(2, assets))], factors @ loadings.T + noise


files = recorded("pob/cryptos_hourly_20210107_20210331.csv.xz")
if files:
    with lzma.open(files[0], "rt") as lines:
        names = next(lines).strip().replace('"', "").split(",")[1:]
        closes = np.array([line.split(",")[1:] for line in lines], np.float64)
    returns = closes[1:] / closes[:-1] - 1
else:
    names, returns = made_up_returns(2006, 40, seed=1)
cut = len(returns) * 2 // 3
fitted, judged = returns[:cut], returns[cut:]
print(f"{files[0].name if files else 'simulated'}: {len(names)} assets, {cut} hours to fit, {len(judged)} to judge")

# %% [markdown]
# ## Result: the factors
#
# Shares of the variance of correlations that each factor explains, beside those of the same returns shuffled in
# time asset by asset, which have no factors at all; and the loadings of the first two.

# %%
count = 12
factors = fit_factors(returns, count, "correlation")
rng = np.random.default_rng(3)
shuffled = np.column_stack([rng.permutation(column) for column in returns.T])
chance = fit_factors(shuffled, count, "correlation")
print("explained: " + ", ".join(f"{share:.1%}" for share in factors.explained[:5]))

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2))
left.semilogy(np.arange(1, count + 1), factors.explained, "o-", label="returns")
left.semilogy(np.arange(1, count + 1), chance.explained, ".--", label="shuffled")
left.set(xlabel="factor", ylabel="share of variance")
left.legend()
right.scatter(*factors.loadings[:, :2].T, s=12)
for i in sorted({0, 1, *np.argsort(-abs(factors.loadings[:, 1]))[:6].tolist()}):
    right.annotate(names[i], factors.loadings[i, :2], fontsize=8)
right.set(xlabel="loading on factor 1", ylabel="on factor 2")
plt.show()

# %% [markdown]
# ## Result: two hedges of one basket
#
# All other assets in equal weights, hedged with BTC and ETH. Where the two hedging assets carry the two factors
# nearly alike, neutrality is bought with huge opposite positions: no exposure left, and many times the variance.
# Then the same with more hedging assets, the neutral hedge of least variance among them.

# %%
two = fit_factors(fitted, 2)
covariance, shrunk = sample_covariance(fitted), ledoit_wolf(fitted)
pair = [names.index("BTC"), names.index("ETH")]
basket = np.full(len(names), 1 / (len(names) - 2))
basket[pair] = 0
neutral = factor_neutral_hedge(two.exposures, basket, pair)
least = minimum_variance_hedge(covariance, basket, pair)
bare = float(np.var(judged @ basket))
print("            trades in BTC, ETH     exposure left   variance against no hedge, unseen hours")
for label, trades, total in (("neutral", neutral.trades, neutral.total), ("least var.", least.trades, least.total)):
    left_over = abs(two.exposures.T @ total).max()
    ratio = float(np.var(judged @ total)) / bare
    print(f"{label:10}  {trades[0]:+8.3f} {trades[1]:+8.3f}     {left_over:.1e}        {ratio:.3f}")

liquid = [*pair, *(i for i in range(len(names)) if i not in pair)]
numbers = [2, 4, 8, 12, 16, 24]
curves: dict[str, list[float]] = {"neutral": [], "least variance": [], "least variance, shrunk": []}
for number in numbers:
    chosen = liquid[:number]
    other = np.array([0.0 if i in chosen else 1.0 for i in range(len(names))])
    other /= other.sum()
    for label, total in (
        ("neutral", factor_neutral_hedge(two.exposures, other, chosen, covariance).total),
        ("least variance", minimum_variance_hedge(covariance, other, chosen).total),
        ("least variance, shrunk", minimum_variance_hedge(shrunk.covariance, other, chosen).total),
    ):
        curves[label].append(float(np.var(judged @ total) / np.var(judged @ other)))

fig, ax = plt.subplots(figsize=(9, 2.8))
for label, curve in curves.items():
    ax.semilogy(numbers, curve, ".-", label=label)
ax.axhline(1, color="k", lw=0.6)
ax.set(xlabel="hedging assets", ylabel="variance, unseen hours / no hedge")
ax.legend()
plt.show()

# %% [markdown]
# ## Result: residuals and their s-scores
#
# Over the last 240 hours, each asset's residual against three factors. Nearly all of them look mean reverting. So
# do sums of pure noise: in a short window the estimate of $b$ is biased downward. Compare the estimated half-lives
# before believing any.

# %%
three = fit_factors(returns[-720:], 3, "correlation")
single = [i for i, name in enumerate(names) if name != "WBTC"]
market = three.factor_returns(returns[-240:])
scored = s_scores(returns[-240:, single], market, 8760)
noise = rng.standard_normal((240, len(single))) * 0.01
scored_noise = s_scores(noise, market, 8760)
for label, found in (("returns", scored), ("pure noise", scored_noise)):
    hours = np.nanmedian(found.half_life) * 8760
    print(f"{label:10}: {found.mean_reverting.mean():.0%} look mean reverting, half-life {hours:.0f} h in the middle")

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2))
bins = np.linspace(0.8, 1.0, 31)
left.hist([scored.b, scored_noise.b], bins=list(bins), label=["returns", "pure noise"])
left.set(xlabel="b of the summed residual, 1 is a random walk", ylabel="assets")
left.legend()
bands = Bands()
right.hist(scored.score[scored.mean_reverting], bins=30, color="0.6")
for edge in (bands.open_long, bands.open_short):
    right.axvline(edge, color="k", ls=":")
right.set(xlabel="s-score", ylabel="assets")
plt.show()
opened = [next_position(float(score), 0, bands) for score in scored.score[scored.mean_reverting]]
print(f"the bands would open {opened.count(1)} long and {opened.count(-1)} short positions")

# %% [markdown]
# ## Check
#
# The minimum-variance hedge must be the regression hedge, by least squares; the neutral one must leave nothing; on
# fresh simulated returns a hedge must leave what its own covariance promised. Pure noise has $b$ near one. On the
# recording, the figures of docs/models/factors.md.

# %% tags=["check"]
regression = np.linalg.lstsq(np.column_stack([np.ones(cut), fitted[:, pair]]), fitted @ basket, rcond=None)[0]
assert np.allclose(least.trades, -regression[1:], atol=1e-8)
assert abs(two.exposures.T @ neutral.total).max() < 1e-9 * abs(neutral.total).sum()
assert np.allclose(two.loadings.T @ two.loadings, np.eye(2), atol=1e-10)
assert factors.explained[0] > 5 * chance.explained[0], "returns have a common factor, shuffled ones have none"

_, made_up = made_up_returns(20_000, 40, seed=5)
promise = minimum_variance_hedge(sample_covariance(made_up[:10_000]), np.r_[0, 0, np.full(38, 1 / 38)], [0, 1])
kept = np.var(made_up[10_000:] @ promise.total)
assert abs(kept / promise.variance_after - 1) < 0.15, "out of sample as in sample where the law is the same"
assert kept < 0.2 * promise.variance_before
assert 0.9 < np.median(scored_noise.b) < 1.0

if files:
    assert abs(factors.explained[0] - 0.418) < 5e-4 and abs(factors.explained[1] - 0.022) < 5e-4
    assert (factors.loadings[:, 0] > 0).all()
    assert abs(np.var(judged @ least.total) / bare - 0.25) < 0.005
    assert abs(np.var(judged @ neutral.total) / bare - 15.1) < 0.1
    wrapped = np.array([1.0 if name == "WBTC" else 0.0 for name in names])
    assert abs(minimum_variance_hedge(covariance, wrapped, [names.index("BTC")]).trades[0] + 0.996) < 1e-3
    assert scored.mean_reverting.all()

# %% [markdown]
# ## What to try next
#
# - Hedge again every week with the last 500 hours: does the variance on unseen hours fall further, and what does it
#   cost?
# - `mean_variance_with_costs` with `Constraints(exposures=two.exposures)`: neutral and cheap to reach.
# - `risk_parity` over the coins beside equal weights: whose drawdown is smaller in the unseen third?
# - Simulate residuals with a known half-life: from which window on does the s-score tell them from noise?
