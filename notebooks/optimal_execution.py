# %% [markdown]
# # Working off an order: optimal execution
#
# ## The idea
#
# Trading fast moves the price against you, trading slowly leaves you exposed to it. Three views of the same
# trade-off:
#
# **Almgren and Chriss (2001)**: least expected cost plus $\lambda$ times its variance, for impact that is linear
# and forgotten at once (temporary) or never (permanent). The holdings are
#
# $$x_j = X\,\frac{\sinh(\kappa (T - t_j))}{\sinh(\kappa T)}, \qquad
#   2\,(\cosh \kappa\tau - 1) = \frac{\lambda \sigma^2 \tau^2}{\eta - \gamma\tau/2} .$$
#
# **Obizhaeva and Wang (2013)**: the book refills at rate $\rho$. Then it pays to take a block first, live off what
# refills, and take a block last: $X/(\rho T + 2)$ at both ends.
#
# **Several mean-reverting assets** (Bergault, Drissi, Gueant 2022): $dS = R(\bar S - S)\,dt + V\,dW$ with quadratic
# costs and exponential utility; the value is quadratic in holdings and prices, and its coefficients solve a matrix
# Riccati equation.
#
# Equations, units and accuracy: `docs/models/optimal_execution.md`.

# %%
import matplotlib.pyplot as plt
import numpy as np

from lab.data.recorded import own_capture, recorded
from lab.data.tape import read_tape
from models.optimal_execution import (
    AlmgrenChriss,
    LinearSystem,
    OUExecution,
    ResilientBook,
    almgren_chriss,
    lqg,
    obizhaeva_wang,
    ou_execution,
)

plt.rcParams["figure.constrained_layout.use"] = True

# %% [markdown]
# ## Data
#
# The order of Almgren and Chriss' section 4: a million shares over five days, $\sigma = 0.95$, $\eta = 2.5\cdot
# 10^{-6}$, $\gamma = 2.5\cdot 10^{-7}$, half a spread of 0.0625. For the book that refills, depth and volatility
# are measured where a recording is present (BTCUSDT perpetual, 2024-08-08, or `TIDEWIRE_CAPTURE`), else assumed.

# %%
order = AlmgrenChriss(shares=1e6, horizon=5, trades=5, sigma=0.95, temporary=2.5e-6, permanent=2.5e-7, fixed=0.0625)

files = own_capture() or recorded("hftbacktest/usdm/btcusdt_20240808.gz")
depth, half_spread = 2.0, 0.05
if files:
    tape = read_tape(files, levels=20)
    books = tape.books
    tick, lot = float(tape.instrument.tick_size), float(tape.instrument.lot_size)
    good = books.usable
    reach = (books.ask_ticks[good].max(axis=1) - books.ask_ticks[good, 0] + 1) * tick
    depth = float(np.median(books.ask_lots[good].sum(axis=1) * lot / reach))
    half_spread = float(np.median(books.ask_ticks[good, 0] - books.bid_ticks[good, 0])) * tick / 2
print(
    f"{files[0].name if files else 'assumed'}: depth {depth:.2f} coins per price unit, half spread {half_spread:.2f}"
)

# %% [markdown]
# ## Result: Almgren and Chriss
#
# Left, holdings for four risk aversions; right, the frontier of all of them, each point the least cost for its
# risk. The more one minds the risk, the sooner it is sold.

# %%
aversions = (0.0, 1e-7, 1e-6, 1e-5)
schedules = [almgren_chriss.solve(order, lam) for lam in aversions]
front = almgren_chriss.frontier(order, np.geomspace(1e-9, 1e-3, 200))

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4))
for lam, schedule in zip(aversions, schedules, strict=True):
    left.plot(schedule.times, schedule.holdings / 1e3, ".-", label=f"{lam:g}")
    right.plot(np.sqrt(schedule.variance) / 1e6, schedule.expected_cost / 1e6, "o")
left.set(xlabel="days", ylabel="thousand shares left")
left.legend(title="risk aversion")
right.plot(np.sqrt(front.variance) / 1e6, front.expected_cost / 1e6, "k-", lw=0.8, zorder=0)
right.set(xlabel="deviation of the cost, millions", ylabel="expected cost, millions", ylim=(0.5, 3))
plt.show()

# %% [markdown]
# One schedule on 20,000 simulated prices, sold trade by trade with its impact, beside the two numbers it was chosen
# by.

# %%
chosen = schedules[2]
rng = np.random.default_rng(5)
price = np.full(20_000, 50.0)
received = np.zeros(20_000)
for sold in chosen.trades:
    received += sold * (price - order.fixed - order.temporary / order.tau * sold)
    price += order.sigma * np.sqrt(order.tau) * rng.standard_normal(price.size) - order.permanent * sold
costs = 50.0 * order.shares - received

fig, ax = plt.subplots(figsize=(9, 2.6))
ax.hist(costs / 1e6, bins=80, color="0.7")
ax.axvline(chosen.expected_cost / 1e6, color="k")
for side in (-1, 1):
    ax.axvline((chosen.expected_cost + side * np.sqrt(chosen.variance)) / 1e6, color="k", ls=":")
ax.set(xlabel="cost, millions", title="risk aversion 1e-6")
plt.show()

# %% [markdown]
# ## Result: a book that refills
#
# Fifty coins bought within ten minutes in 61 trades, the book's half-life ten seconds to five minutes. The slower
# it refills, the larger the blocks at the ends. Equal slices cost the more beside that, up to a tenth here.

# %%
coins, horizon, intervals = 50.0, 600.0, 60
fig, ax = plt.subplots(figsize=(9, 2.8))
even = np.full(intervals + 1, coins / (intervals + 1))
for half_life in (10.0, 60.0, 300.0):
    book = ResilientBook(depth=depth, resilience=np.log(2) / half_life, half_spread=half_spread)
    plan = obizhaeva_wang.solve(book, coins, horizon, intervals)
    sliced = obizhaeva_wang.cost(book, even, plan.times)
    ax.plot(plan.times, plan.trades, ".-", label=f"{half_life:g} s")
    print(f"half-life {half_life:3g} s: cost {plan.expected_cost:8.2f}, in equal slices {sliced:8.2f}")
ax.set(xlabel="s", ylabel="coins", yscale="log")
ax.legend(title="half-life")
plt.show()

# %% [markdown]
# ## Result: two assets, one of them drawn to the other
#
# Two units of the first are to be sold. Where it stands half a unit above the second, to which it is drawn, the
# policy sells at once; where it stands below, it waits, and sells more of the second for a while, as a hedge.

# %%
pair = OUExecution(
    reversion=np.array([[5.0, -5.0], [0.0, 0.0]]),
    mean=np.array([100.0, 100.0]),
    volatility=np.array([[1.0, 0.5], [0.0, 1.2]]),
    impact=0.1 * np.eye(2),
    risk_aversion=0.5,
    terminal_penalty=5.0 * np.eye(2),
    horizon=1.0,
)
policy = ou_execution.solve(pair, steps=200)
start = np.array([2.0, 0.0])
fig, axes = plt.subplots(1, 2, figsize=(9, 3), sharey=True)
for ax, dear in zip(axes, (0.5, -0.5), strict=True):
    held = [start]
    prices = np.array([100.0 + dear, 100.0])
    for step in range(200):
        held.append(held[-1] + policy.rate(step, held[-1], prices) / 200)
        prices = prices + pair.reversion @ (pair.mean - prices) / 200
    ax.plot(policy.times, np.array(held), label=["first", "second"])
    ax.set(xlabel="time", title=f"the first {dear:+g} against the second, no noise")
    ax.axhline(0, color="0.6", lw=0.8)
axes[0].set_ylabel("held")
axes[0].legend()
plt.show()

prices = np.array([100.5, 100.0])
theta = policy.theta(0, start, prices)
run = ou_execution.simulate(policy, start, prices, paths=5000, seed=1)
print(f"value {theta:.4f}; of 5000 paths {run.certainty_equivalent:.4f} +- {run.standard_error:.4f}")

# %% [markdown]
# ## Result: a signal behind noise
#
# Inventory and a decaying signal that pays 0.5 per unit held, both seen through noise (LQG): the Kalman filter
# estimates, the regulator acts on the estimate as if it were the truth.

# %%
system = LinearSystem(
    a=np.diag([1.0, 0.9]),
    b=np.array([[1.0], [0.0]]),
    c=np.eye(2),
    process_noise=np.diag([0.2, 0.1]),
    measurement_noise=np.diag([0.3, 1.0]),
)
state_cost, control_cost = np.array([[1.0, -0.25], [-0.25, 0.1]]), np.array([[2.0]])
control = lqg.solve(system, state_cost, control_cost)
played = lqg.simulate_cost(system, control, state_cost, control_cost, steps=400, paths=200, burn_in=100, seed=1)
print(f"cost per step {control.average_cost:.4f}; simulated {played.mean:.4f} +- {played.standard_error:.4f}")
back, follow = control.regulator.gain[0, 0], -control.regulator.gain[0, 1]
print(f"each step {back:.2f} of the inventory goes back, {follow:.2f} is bought per unit of the signal")

# %% [markdown]
# ## Check
#
# The figures of docs/models/optimal_execution.md for the paper's order; simulated costs against the two formulas;
# the blocks of Obizhaeva and Wang's continuous limit, and that no shifted schedule is cheaper; values against
# simulations.

# %% tags=["check"]
assert np.allclose(schedules[2].holdings[1:] / 1e3, [542.0, 289.9, 147.9, 62.1, 0], atol=0.05)
known = ((662_500, 1_040_673), (670_057, 961_623), (911_227, 603_431), (1_845_211, 171_712))
for schedule, (expected, deviation) in zip(schedules, known, strict=True):
    assert abs(schedule.expected_cost - expected) < 1 and abs(schedule.variance**0.5 - deviation) < 1
assert abs(costs.mean() - chosen.expected_cost) < 4 * costs.std() / np.sqrt(costs.size)
assert abs(costs.std() / chosen.variance**0.5 - 1) < 4 / np.sqrt(2 * costs.size)

book = ResilientBook(depth=depth, resilience=np.log(2) / 60, half_spread=half_spread)
plan = obizhaeva_wang.solve(book, coins, horizon, intervals)
assert abs(obizhaeva_wang.cost(book, plan.trades, plan.times) / plan.expected_cost - 1) < 1e-12
fine = obizhaeva_wang.solve(book, coins, horizon, 20_000)
assert abs(fine.trades[0] / (coins / (book.resilience * horizon + 2)) - 1) < 1e-3
for _ in range(50):
    shift = rng.standard_normal(intervals + 1) * 0.1
    assert obizhaeva_wang.cost(book, plan.trades + shift - shift.mean(), plan.times) > plan.expected_cost

assert abs(run.certainty_equivalent - theta) < 4 * run.standard_error
assert abs(played.mean - control.average_cost) < 4 * played.standard_error

# %% [markdown]
# ## What to try next
#
# - Fit the resilience: after a large recorded trade, how long until the depth is back? (`read_tape(files,
#   levels=20)`)
# - A U-shaped volume curve: replace equal times by equal volumes and compare the costs.
# - `garleanu_pedersen`: trade part of the way towards an aim when signals decay at different speeds.
# - Raise the risk aversion of the pair until `BlowUpError`: is the value ever infinite with these parameters?
