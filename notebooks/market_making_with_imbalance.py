# %% [markdown]
# # Quoting with a view: market making and the imbalance of the book
#
# ## The idea
#
# A dealer quotes a bid and an ask, earns the distance to the mid-price $S$ where he is filled, and carries the
# inventory $q$ until the other side comes. With $dS = \sigma\,dW$, fills at the rate $A e^{-k\delta}$ at distance
# $\delta$, and risk aversion $\gamma$, Avellaneda and Stoikov (2008) quote around the price at which he is
# indifferent,
#
# $$r = S - q\,\gamma\sigma^2 (T - t), \qquad
#   \text{spread} = \gamma\sigma^2 (T - t) + \tfrac{2}{\gamma}\ln\left(1 + \tfrac{\gamma}{k}\right),$$
#
# and Gueant, Lehalle and Fernandez-Tapia (2013) solve it under an inventory limit; far from the end the distances
# are constant in time. Both take $S$ for a martingale. It is not: where more is bid than offered, the price tends
# to rise. With
#
# $$I = \frac{Q^b - Q^a}{Q^b + Q^a}, \qquad E[S_{t+h} - S_t \mid I] \approx \beta I ,$$
#
# the value the dealer should quote around is $S + \beta I$: the *tilt*. Solvers, tables and limits:
# `docs/models/market_making.md`.

# %%
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt

from lab.data.recorded import own_capture, recorded
from lab.data.steps import Steps, cut_into_steps
from lab.data.tape import read_tape
from models.market_making import QuoteTable, QuotingParameters, avellaneda_stoikov, exact_moments, glft

FloatArray = npt.NDArray[np.float64]
plt.rcParams["figure.constrained_layout.use"] = True

# %% [markdown]
# ## Data
#
# A market here is, for each step of half a second: the mid-price, the imbalance of the best quotes at its
# beginning, and the prices furthest from it that buyers and sellers reached during it.
#
# - *Simulated*: the dealer's model, and beside it an imbalance with a memory of a second that moves the price and
#   brings buyers where it is above zero.
# - *Recorded* where present: eight minutes of the BTCUSDT perpetual (Binance, 2024-07-18 and 19), or
#   `TIDEWIRE_CAPTURE`, cut into paths of half a minute. The dealer is small, does not move the market, and is
#   filled only by trades *beyond* his quote: as if he were always last in the queue.

# %%
DT, LIMIT = 0.5, 5


def simulated(model: QuotingParameters, push: float, pull: float, paths: int, steps: int, seed: int) -> Steps:
    """Moves of `push` times imbalance a second; buyers come exp(pull imbalance) times as often, sellers exp(-)."""
    rng = np.random.default_rng(seed)
    keep = np.exp(-DT)
    state = rng.standard_normal((paths, steps))
    for i in range(1, steps):
        state[:, i] = keep * state[:, i - 1] + np.sqrt(1 - keep**2) * state[:, i]
    imbalance = np.tanh(state)
    moves = push * imbalance * DT + model.sigma * np.sqrt(DT) * rng.choice([-1.0, 1.0], (paths, steps))
    mid = np.concatenate([np.zeros((paths, 1)), np.cumsum(moves, axis=1)], axis=1)
    # The chance that somebody goes beyond a distance d is A exp(-k d) dt: so far did he go.
    chance = model.intensity * DT * np.exp(np.array([[[pull]], [[-pull]]]) * imbalance)
    reach = -np.log(rng.random((2, paths, steps)) / chance) / model.decay
    return Steps(mid, imbalance, mid[:, :-1] + reach[0], mid[:, :-1] - reach[1])


DEALER = QuotingParameters(sigma=1.7, gamma=0.02, decay=0.8, intensity=0.5)
plain_market = simulated(DEALER, push=0.0, pull=0.0, paths=2000, steps=200, seed=1)
market = simulated(DEALER, push=1.5, pull=0.7, paths=2000, steps=200, seed=2)
RECORDING = ("hftbacktest/usdm/btcusdt_20240718.gz", "hftbacktest/usdm/btcusdt_20240719.gz")
files = own_capture() or recorded(*RECORDING)
real = cut_into_steps(read_tape(files), DT, steps=60) if files else None
print(f"{', '.join(file.name for file in files) or 'simulated alone'}")

# %% [markdown]
# ## Result: the quotes
#
# Distances far from the horizon by inventory: the longer the dealer is, the lower both quotes. Dotted, the
# closed-form approximation. Right, Avellaneda and Stoikov's quotes for the same dealer with ten seconds to go.

# %%
inventories = np.arange(-LIMIT, LIMIT + 1)
bid, ask = glft.asymptotic_quotes(DEALER, LIMIT)
near = glft.approximate_quotes(DEALER, inventories.astype(float))
last = np.array([avellaneda_stoikov.quotes(DEALER, 0.0, float(q), time_left=10.0) for q in inventories])

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), sharey=True)
for ax, quotes, title in (
    (left, (-bid, ask), "GLFT, far from the end"),
    (right, last.T, "Avellaneda-Stoikov, 10 s left"),
):
    for side, label in zip(quotes, ("bid", "ask"), strict=True):
        ax.plot(inventories, np.where(np.isfinite(side), side, np.nan), ".-", label=label)
    ax.set(xlabel="inventory", title=title)
left.plot(inventories, -near[0], "k:", inventories, near[1], "k:", lw=0.8)
left.set(ylabel="quote less mid-price")
left.legend()
plt.show()

# %% [markdown]
# ## Result: what the imbalance says
#
# Mean move of the mid-price over one and five seconds, by imbalance.


# %%
def ahead(tape: Steps, seconds: float) -> tuple[FloatArray, FloatArray]:
    """Imbalances and the moves of the mid-price after them, within paths."""
    lag = round(seconds / DT)
    return tape.imbalance[:, : 1 - lag or None].ravel(), (tape.mid[:, lag:] - tape.mid[:, :-lag]).ravel()


def slope_of(tape: Steps, seconds: float) -> float:
    """beta."""
    imbalance, move = ahead(tape, seconds)
    return float(np.polyfit(imbalance, move, 1)[0])


edges = np.linspace(-1, 1, 9)
shown = {"simulated": market} | ({"recorded": real} if real else {})
fig, axes = plt.subplots(1, len(shown), figsize=(9, 3.2), squeeze=False)
for ax, (label, tape) in zip(axes[0], shown.items(), strict=True):
    for seconds in (1.0, 5.0):
        imbalance, move = ahead(tape, seconds)
        place = np.clip(np.digitize(imbalance, edges) - 1, 0, edges.size - 2)
        means = [move[place == i].mean() for i in range(edges.size - 1)]
        errors = [move[place == i].std() / np.sqrt((place == i).sum()) for i in range(edges.size - 1)]
        ax.errorbar((edges[1:] + edges[:-1]) / 2, means, errors, fmt=".-", label=f"{seconds:g} s")
        correlation = np.corrcoef(imbalance, move)[0, 1]
        print(f"{label:9} {seconds:g} s ahead: beta {slope_of(tape, seconds):.2f}, correlation {correlation:.2f}")
    ax.set(xlabel="imbalance", title=label)
    ax.legend()
axes[0, 0].set_ylabel("move of the mid-price")
plt.show()

# %% [markdown]
# ## Result: what the tilt earns
#
# The same quotes with and without the tilt, on the same paths. A position is valued at the mid-price. The
# *mark-out* is how far the mid-price is on the right side of a fill five seconds later: what is left of the
# distance earned.


# %%
@dataclass(frozen=True)
class Outcome:
    """Profit of each path, fills in all, and the mean mark-out of a fill."""

    profit: FloatArray
    fills: int
    mark_out: float


def quote(tape: Steps, bid: FloatArray, ask: FloatArray, tilt: float) -> Outcome:
    """Distances by inventory from the mid-price plus `tilt` times imbalance; one unit a fill; quotes never cross."""
    paths, steps = tape.imbalance.shape
    held, cash = np.zeros(paths, np.int64), np.zeros(paths)
    fills, marks = 0, 0.0
    for i in range(steps):
        mid = tape.mid[:, i]
        centre = mid + tilt * tape.imbalance[:, i]
        buy, sell = centre - bid[held + LIMIT], centre + ask[held + LIMIT]
        if tape.tick:
            buy, sell = np.floor(buy / tape.tick) * tape.tick, np.ceil(sell / tape.tick) * tape.tick
            buy, sell = np.minimum(buy, mid - tape.tick / 2), np.maximum(sell, mid + tape.tick / 2)
        hit, lifted = tape.sold[:, i] < buy - 1e-9, tape.bought[:, i] > sell + 1e-9
        later = tape.mid[:, min(i + 10, steps)]
        marks += (later - buy)[hit].sum() + (sell - later)[lifted].sum()
        fills += int(hit.sum() + lifted.sum())
        cash += np.where(lifted, sell, 0.0) - np.where(hit, buy, 0.0)
        held += hit.astype(np.int64) - lifted
    return Outcome(cash + held * tape.mid[:, -1], fills, marks / max(fills, 1))


def report(label: str, plain: Outcome, tilted: Outcome) -> None:
    print(f"{label}: per path        fills    mark-out of a fill")
    gain = tilted.profit - plain.profit
    for name, found in (("without tilt", plain), ("with tilt", tilted)):
        error = found.profit.std(ddof=1) / np.sqrt(found.profit.size)
        print(f"  {name:12} {found.profit.mean():+8.2f} +- {error:.2f}   {found.fills:6}   {found.mark_out:+.2f}")
    print(f"  the tilt adds {gain.mean():+.2f} +- {gain.std(ddof=1) / np.sqrt(gain.size):.2f} a path")


beta = slope_of(market, 5.0)
plain, tilted = quote(market, bid, ask, 0.0), quote(market, bid, ask, beta)
report("simulated", plain, tilted)

fig, ax = plt.subplots(figsize=(9, 2.8))
tilts = np.linspace(-1, 4, 11)
ax.plot(tilts, [quote(market, bid, ask, float(tilt)).profit.mean() for tilt in tilts], ".-")
ax.axvline(beta, color="k", ls=":")
ax.set(xlabel="tilt (dotted: beta)", ylabel="mean profit, simulated")
plt.show()

# %% [markdown]
# On the recording, volatility, $A$, $k$ and $\beta$ are measured on the first 40 % of the paths and the rest is
# traded. Nothing here makes money, for a plain reason: the mark-outs are below zero. In the model fills come by
# chance; in the market a quote well away from the mid-price is filled by just those moves that go through it. The
# tilt steps out of the way of some of them. It does not make a small, slow, last-in-queue dealer profitable, and so
# few minutes prove nothing about its size.

# %%
if real:
    cut = len(real.mid) * 2 // 5
    seen, unseen = real.part(slice(0, cut)), real.part(slice(cut, None))
    reaches = np.concatenate([seen.bought - seen.mid[:, :-1], seen.mid[:, :-1] - seen.sold]).ravel()
    distances = np.linspace(0.1, 5.0, 20)
    rates = np.array([(reaches > distance).mean() / DT for distance in distances])
    decay, log_intensity = np.polyfit(distances, np.log(rates), 1)
    measured = QuotingParameters(
        sigma=float(np.diff(seen.mid, axis=1).std() / np.sqrt(DT)),
        gamma=0.01,
        decay=-float(decay),
        intensity=float(np.exp(log_intensity)),
    )
    view = slope_of(seen, 5.0)
    print(f"sigma {measured.sigma:.2f}, A {measured.intensity:.3f} 1/s, k {measured.decay:.3f}, beta {view:.2f}")
    real_bid, real_ask = glft.asymptotic_quotes(measured, LIMIT)
    pair = [quote(unseen, real_bid, real_ask, tilt) for tilt in (0.0, view)]
    report("recorded", *pair)

# %% [markdown]
# ## Check
#
# Without an imbalance the simulated market is the model itself: mean and deviation of the profit must be those of
# the exact inventory chain. The journal's table of Avellaneda and Stoikov (gamma 0.1, inventory strategy: profit
# 65.0, deviation 6.6, of 1000 simulations) must be a sample of the exact figures. The tilt must add profit beyond
# its error where there is something to know, and cost where there is not. On the recording the imbalance must
# predict the next second.

# %% tags=["check"]
table = QuoteTable(np.tile(bid, (200, 1)), np.tile(ask, (200, 1)), horizon=200 * DT)
exact = exact_moments(table, DEALER)
base = quote(plain_market, bid, ask, 0.0)
count = base.profit.size
assert abs(base.profit.mean() - exact.mean_profit) < 4 * exact.std_profit / np.sqrt(count), (
    base.profit.mean(),
    exact,
)
assert abs(base.profit.std() / exact.std_profit - 1) < 0.1
assert abs(base.fills / count / exact.fills - 1) < 0.03

paper = QuotingParameters(sigma=2.0, gamma=0.1, decay=1.5, intensity=140.0)
journal = exact_moments(avellaneda_stoikov.quote_table(paper, horizon=1.0, steps=200, max_inventory=201), paper)
assert abs(journal.mean_profit - 65.0) < 4 * journal.std_profit / np.sqrt(1000)
assert abs(journal.std_profit - 6.6) < 4 * journal.std_profit / np.sqrt(2 * 1000)

gain = tilted.profit - plain.profit
assert gain.mean() > 5 * gain.std(ddof=1) / np.sqrt(gain.size)
assert tilted.mark_out > plain.mark_out
loss = quote(plain_market, bid, ask, beta).profit - base.profit
assert loss.mean() < -2 * loss.std(ddof=1) / np.sqrt(loss.size), "a tilt by what says nothing costs"

if real and files == recorded(*RECORDING):
    assert 0.3 < np.corrcoef(*ahead(real, 1.0))[0, 1] < 0.42
    assert pair[0].mark_out < 0, "fills at a distance are the market running through the quote"

# %% [markdown]
# ## What to try next
#
# - `adverse_jump` in `QuotingParameters`: measure how far the price goes after a fill and let GLFT widen the quotes
#   by it.
# - Imbalance over five levels, or the microprice, in place of the best quotes: `read_tape(files, levels=5)`.
# - Quote at the best prices with a queue: how much of the volume ahead must trade before a fill?
# - Tilt by a forecast of several features, and compare its mark-outs with those of the imbalance alone.
