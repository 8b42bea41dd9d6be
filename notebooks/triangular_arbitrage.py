# %% [markdown]
# # Round and back: triangular arbitrage
#
# ## The idea
#
# USDT buys BTC, BTC buys ETH, ETH is sold for USDT. If the product of the three best rates after fees is above one,
#
# $$\prod_{i=1}^{3} r_i\,(1 - f_i) > 1, \qquad r = \text{bid for a sale}, \quad 1/\text{ask for a purchase},$$
#
# the round ends with more than it began with. How much more is a question of depth: what a round returns is concave
# and piecewise linear in its size, so the best size ends where the product of the *marginal* rates is one. It is
# found by consuming the levels of the three books in step, in decimal arithmetic. Rules and accuracy:
# `docs/models/triangular.md`.

# %%
import json
import lzma
from collections.abc import Mapping
from decimal import Decimal

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog

from lab.data.recorded import own_capture, recorded
from lab.data.tape import read_tape
from models.triangular import (
    Level,
    Market,
    MarketRules,
    OrderBook,
    Triangle,
    compute_triangular_opportunity,
    find_triangles,
    index_triangles,
    top_of_book_returns,
    walk_triangle,
)

FloatArray = npt.NDArray[np.float64]
plt.rcParams["figure.constrained_layout.use"] = True

# %% [markdown]
# ## Data
#
# No recording we have holds the books of a whole triangle. So one leg is real where it can be: ten levels of
# BTCUSDT spot on Binance (2024-08-08, five minutes), or of `TIDEWIRE_CAPTURE`; else simulated. The two ETH books
# are made up around it: ETHUSDT moves with BTCUSDT and a little on its own, and ETHBTC follows the ratio of the two
# *with a delay*, as a thin market does. All the arbitrage below comes of that delay, which was chosen: the figures
# show the method, not what Binance offers.

# %%
LEVELS, DELAY = 10, 0.15  # of a difference, how much ETHBTC takes up with each change of the BTCUSDT book
MARKETS = [Market("BTCUSDT", "BTC", "USDT"), Market("ETHUSDT", "ETH", "USDT"), Market("ETHBTC", "ETH", "BTC")]
GRIDS = {"BTCUSDT": ("0.01", "0.00001"), "ETHUSDT": ("0.01", "0.0001"), "ETHBTC": ("0.00001", "0.0001")}
RULES = {
    symbol: MarketRules(lot=Decimal(lot), tick=Decimal(tick), min_notional=Decimal("0.0001"))
    for symbol, (tick, lot) in GRIDS.items()
}
rng = np.random.default_rng(11)


def made_up_book(symbol: str, mid: float, size: float) -> OrderBook:
    """Ten levels a side around `mid`, a spread of one tick, levels two ticks apart, exponential sizes."""
    rules = RULES[symbol]
    first = int(mid / float(rules.tick))
    lots = rng.exponential(size / float(rules.lot), (2, LEVELS)).astype(int) + 1
    sides = [
        tuple(Level((first + (sign > 0) + sign * 2 * i) * rules.tick, int(n) * rules.lot) for i, n in enumerate(row))
        for sign, row in zip((-1, 1), lots, strict=True)
    ]
    return OrderBook(*sides)


files = own_capture() or recorded("hftbacktest/spot/btcusdt_20240808.gz")
if files:
    tape = read_tape(files, levels=LEVELS)
    tick, lot = tape.instrument.tick_size, tape.instrument.lot_size
    rows = np.flatnonzero(tape.books.usable)[::5][:700]
    b = tape.books
    real = [
        OrderBook(
            *(
                tuple(Level(int(p) * tick, int(q) * lot) for p, q in zip(prices[row], sizes[row], strict=True) if q)
                for prices, sizes in ((b.bid_ticks, b.bid_lots), (b.ask_ticks, b.ask_lots))
            )
        )
        for row in rows
    ]
else:
    real = [made_up_book("BTCUSDT", mid, 0.5) for mid in 61_000 * np.exp(np.cumsum(rng.normal(0, 3e-5, 700)))]

btc = np.array([float(book.bids[0].price + book.asks[0].price) / 2 for book in real])
eth = 2600 * btc / btc[0] * np.exp(np.cumsum(rng.normal(0, 1.5e-4, len(real))))
ratio = eth / btc
for i in range(1, ratio.size):
    ratio[i] = ratio[i - 1] + DELAY * (ratio[i] - ratio[i - 1])
states: list[Mapping[str, OrderBook]] = [
    {"BTCUSDT": x, "ETHUSDT": made_up_book("ETHUSDT", y, 8.0), "ETHBTC": made_up_book("ETHBTC", z, 4.0)}
    for x, y, z in zip(real, eth, ratio, strict=True)
]
triangles = find_triangles(MARKETS, starts=["USDT"])
print(f"BTCUSDT: {files[0].name if files else 'simulated'}, {len(states)} states")
for triangle in triangles:
    print(" -> ".join(f"{'buy' if leg.buy else 'sell'} {leg.symbol}" for leg in triangle))

# %% [markdown]
# ## Result: the screen
#
# The return of a round at the best prices, in both directions, before fees. Spreads keep both below zero most of
# the time.

# %%
symbols = [market.symbol for market in MARKETS]
index = index_triangles(triangles, symbols)
tops = np.array([[[float(s[m].bids[0].price), float(s[m].asks[0].price)] for m in symbols] for s in states])
returns = np.array([top_of_book_returns(index, bid, ask, 0.0) for bid, ask in tops.transpose(0, 2, 1)]) * 1e4

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2))
left.plot(returns, lw=0.7)
left.axhline(0, color="k", lw=0.6)
left.set(xlabel="state", ylabel="basis points", title="Return of a round, no fees")
fees = np.linspace(0, 2.0, 41)
right.plot(fees, [(returns - 3 * fee > 0).any(axis=1).mean() for fee in fees])
right.set(xlabel="taker fee a leg, basis points", ylabel="share of states", title="Something pays")
plt.show()

# %% [markdown]
# ## Result: size and profit over depth
#
# At the state with the highest return, with a fee of 0.2 basis points: profit against size, and where the search
# over the three books stops. Beyond it, each further unit loses.

# %%
FEE = Decimal("0.00002")
when, which = divmod(int(returns.argmax()), len(triangles))
best, books = triangles[which], states[when]
found = compute_triangular_opportunity(best, books, FEE)
fee_of = dict.fromkeys(symbols, FEE)


def profit_of(size: float) -> float:
    return float(walk_triangle(best, books, fee_of, Decimal(size)).profit)


sizes = np.linspace(0.02, 2.0, 60) * float(found.start)
fig, ax = plt.subplots(figsize=(9, 2.8))
ax.plot(sizes, [profit_of(size) for size in sizes])
ax.plot(float(found.start), float(found.profit), "ro", label="found")
ax.axhline(0, color="k", lw=0.6)
ax.set(xlabel="USDT in", ylabel="USDT gained")
ax.legend()
plt.show()

on_lots = compute_triangular_opportunity(best, books, FEE, rules=RULES)
print(f"best size {found.start:.2f} USDT gains {found.profit:.4f}")
print(f"on the venue's lots {on_lots.start:.2f} gains {on_lots.profit:.4f}; left over: {dict(on_lots.dust)}")

# %% [markdown]
# ## Result: the same, a little later
#
# What was seen is sent, and meets the books some states later: the profits of all rounds that paid when they were
# seen.


# %%
def met(triangle: Triangle, size: Decimal, i: int) -> float:
    """What the round gains in state i, in USDT; what a leg could not convert is valued at the mid-price."""
    worth = {"BTC": btc[i], "ETH": eth[i]}
    done = walk_triangle(triangle, states[i], fee_of, size)
    return float(done.profit) + sum(float(rest) * float(worth[currency]) for currency, rest in done.dust.items())


seen = []
for i in np.flatnonzero((returns > 0.6).any(axis=1)).tolist():
    paying = compute_triangular_opportunity(triangles[int(returns[i].argmax())], states[i], FEE)
    if paying.profit > 0 and i + 10 < len(states):
        seen.append((i, paying.triangle, paying.start))
delays = [0, 1, 2, 5, 10]
late = np.array([[met(triangle, size, i + delay) for delay in delays] for i, triangle, size in seen])
print(f"{len(seen)} of {len(states)} states pay")
for delay, column in zip(delays, late.T, strict=True):
    print(f"{delay:2} states late: {column.sum():8.2f} USDT in all, {np.mean(column > 0):.0%} still gain")

fig, ax = plt.subplots(figsize=(9, 2.8))
ax.boxplot(late, tick_labels=[str(d) for d in delays], showfliers=False)
ax.axhline(0, color="k", lw=0.6)
ax.set(xlabel="states late", ylabel="USDT gained")
plt.show()

# %% [markdown]
# ## Check
#
# The best round must earn what a linear program over all levels earns, and more than a tenth more or less of it.
# Without an opportunity at the best prices there must be none in depth. Being late must cost. Where the listing of
# a venue is recorded, its triangles must be as many as the closed walks of three steps in its graph of currencies.


# %% tags=["check"]
def by_linear_program(triangle: Triangle, at: Mapping[str, OrderBook], fee: float) -> float:
    """Largest profit, with how much of each level is taken as the unknowns, in units of what the leg gives."""
    levels = []
    for place, leg in enumerate(triangle):
        for price, quantity in at[leg.symbol].asks if leg.buy else at[leg.symbol].bids:
            p, q = float(price), float(quantity)
            levels.append((place, q * p, (1 - fee) / p) if leg.buy else (place, q, p * (1 - fee)))
    step, most, rate = np.array(levels).T
    gain = np.where(step == 2, rate, 0.0) - (step == 0)
    flows = np.array([np.where(step == k, 1.0, 0.0) - np.where(step == k - 1, rate, 0.0) for k in (1, 2)])
    solved = linprog(-gain, A_ub=flows, b_ub=[0.0, 0.0], bounds=np.column_stack([np.zeros(most.size), most]))
    return float(-solved.fun)


assert found.profit > 0 and abs(float(found.profit) - by_linear_program(best, books, float(FEE))) < 1e-6
assert max(profit_of(float(found.start) * factor) for factor in (0.9, 1.1)) < float(found.profit)
quiet = int(returns.max(axis=1).argmin())
for triangle in triangles:
    nothing = compute_triangular_opportunity(triangle, states[quiet], FEE)
    assert nothing.profit == 0 and "not above 1" in nothing.reason
    assert by_linear_program(triangle, states[quiet], float(FEE)) < 1e-9
assert on_lots.profit <= found.profit and on_lots.start <= found.start
assert late[:, 0].sum() > late[:, 2].sum() > late[:, 4].sum()

if listing := recorded("cryptofeed/2021-04-17_BINANCE_US/BINANCE_US.0.xz"):
    with lzma.open(listing[0], "rt") as lines:
        told = json.loads(next(x for x in lines if "exchangeInfo" in x).partition(": ")[2])["symbols"]
    listed = [Market(s["symbol"], s["baseAsset"], s["quoteAsset"]) for s in told]
    names = sorted({m.base for m in listed} | {m.quote for m in listed})
    joined = np.zeros((len(names), len(names)), np.int64)
    for m in listed:
        joined[names.index(m.base), names.index(m.quote)] += 1
    joined += joined.T
    assert 3 * len(find_triangles(listed, ["USD", "USDT"])) == np.trace(joined @ joined @ joined) > 0

# %% [markdown]
# ## What to try next
#
# - Record the three books of a triangle (`tidewire record`) and read each with `read_tape(files, symbol)`: what
#   delay is there?
# - Let the fee fall to a maker's on one leg and ask how long its order may rest before the round is gone.
# - `find_opportunities` over all triangles of a venue's listing: which currencies come up again and again?
