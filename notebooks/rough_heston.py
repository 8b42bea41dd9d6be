# %% [markdown]
# # Volatility is rough: the rough Heston model
#
# ## The idea
#
# The at-the-money skew of equity options explodes as the maturity falls, roughly like $T^{-0.4}$. Classical
# stochastic volatility cannot do that: there the skew of short options is finite. If volatility is as rough as a
# fractional Brownian motion of Hurst index $H \approx 0.1$, it can:
#
# $$\frac{dS}{S} = \sqrt{V}\,dW, \qquad
#   V_t = V_0 + \frac{1}{\Gamma(\alpha)} \int_0^t (t-s)^{\alpha-1}
#   \left[\lambda(\theta - V_s)\,ds + \nu\sqrt{V_s}\,dB_s\right], \qquad \alpha = H + \tfrac12 ,$$
#
# with $d\langle W, B\rangle = \rho\,dt$. At $H = 1/2$ this is Heston's model. The characteristic function solves a
# *fractional* Riccati equation,
#
# $$D^\alpha h = -\tfrac12 u(u+i) + (i\rho\nu u - \lambda)h + \tfrac12\nu^2 h^2, \qquad
#   \ln E\left[e^{iu \ln(S_T/F)}\right] = \int_0^T g_0(T-s)\,D^\alpha h(s)\,ds ,$$
#
# $g_0 = \xi + \lambda I^\alpha \xi$ with the forward variance curve $\xi(t) = E[V_t]$; prices follow by one
# integral. Methods, sources and accuracy: `docs/models/rough_heston.md`.

# %%
import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
from scipy.integrate import quad

from models.implied_vol import black_price
from models.rough_heston import RoughHeston, atm_skew, european_prices, implied_vols, short_time_skew
from models.rough_heston.calibration import SmileQuotes, calibrate
from models.rough_heston.leverage import leverage_swap
from models.rough_heston.simulation import simulate

plt.rcParams["figure.constrained_layout.use"] = True

# %% [markdown]
# ## Data
#
# None is recorded: option quotes are made from the model. Two models with the same parameters but for the
# roughness, and a surface of quotes with 0.2 volatility points of noise to calibrate to.

# %%
rough = RoughHeston.mean_reverting(hurst=0.1, nu=0.3, rho=-0.7, lam=0.3, theta=0.04, v0=0.04)
classical = RoughHeston.mean_reverting(hurst=0.5, nu=0.3, rho=-0.7, lam=0.3, theta=0.04, v0=0.04)

k = np.linspace(-1.5, 1.0, 9)
tenors = np.array([1 / 52, 1 / 12, 0.5])
log_moneyness = np.concatenate([k * 0.2 * np.sqrt(t) for t in tenors])
maturities = np.repeat(tenors, k.size)
clean = np.concatenate([implied_vols(rough, np.exp(k * 0.2 * np.sqrt(t)), t) for t in tenors])
noise = 0.002 * np.random.default_rng(7).standard_normal(clean.size)
quotes = SmileQuotes(maturities, log_moneyness, clean + noise)

# %% [markdown]
# ## Result: paths
#
# Two paths of the volatility. The rough one jumps about at every scale and is never seen to
# trend.

# %%
fig, axes = plt.subplots(1, 2, figsize=(9, 3), sharey=True)
for ax, model in zip(axes, (rough, classical), strict=True):
    drawn = simulate(model, 1.0, steps=500, paths=2, seed=3)
    ax.plot(drawn.times, np.sqrt(drawn.variances), lw=0.7)
    ax.set(title=f"H = {model.hurst}", xlabel="years")
axes[0].set_ylabel("volatility")
plt.show()

# %% [markdown]
# ## Result: smiles and the term structure of the skew
#
# The skew $d\sigma/dk$ at the money over maturities from a day to two years. Its local slope in logarithms tends to
# $H - 1/2$, slowly. Dotted: the law for short times (El Euch, Fukasawa, Gatheral, Rosenbaum 2019).

# %%
terms = np.geomspace(1 / 365, 2.0, 20)
skews = {model.hurst: atm_skew(model, terms) for model in (rough, classical)}

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.5))
for t in (1 / 52, 1 / 12, 0.5, 2.0):
    moneyness = k * 0.2 * np.sqrt(t)
    left.plot(moneyness, implied_vols(rough, np.exp(moneyness), t), label=f"{t:.2g} y")
left.set(xlabel="ln K/F", ylabel="implied volatility", title="H = 0.1")
left.legend()
for hurst, found in skews.items():
    right.loglog(terms, -found.skews, label=f"H = {hurst}")
right.loglog(terms, -short_time_skew(rough, terms), "k:", lw=0.8)
right.set(xlabel="years", ylabel="- skew", title="At-the-money skew")
right.legend()
plt.show()

week = atm_skew(rough, [1 / 365, 1 / 52, 1 / 12])
print(
    "slope of ln|skew| from a day to a week, a week to a month:",
    week.slopes().round(3),
    "; H - 1/2 =",
    rough.hurst - 0.5,
)
for t in (1 / 12, 1.0):
    print(f"leverage swap over variance swap, {t:.2g} y: {leverage_swap(rough, t).normalised:+.4f}")

# %% [markdown]
# ## Result: calibration
#
# $H$, $\nu$, $\rho$ and a forward variance curve from the noisy quotes. Only the short maturities tell $H$ and
# $\nu$ apart: from half a year alone the search ends on the bound of $H$, says so, and gives no standard error for
# it. The mean reversion $\lambda$ is held at its true value.

# %%
fit = calibrate(quotes, lam=rough.lam)
late = maturities > 0.1
blind = calibrate(SmileQuotes(maturities[late], log_moneyness[late], quotes.vols[late]), lam=rough.lam)
truth = {"hurst": rough.hurst, "nu": rough.nu, "rho": rough.rho}
print(f"converged: {fit.converged}, rmse {fit.rmse:.4f}; on a bound, half a year alone: {', '.join(blind.at_bounds)}")
print("         truth   all maturities       half a year alone")
for name, value in truth.items():
    both = (f"{getattr(f.model, name):+.3f} +- {f.standard_errors[name]:.3f}" for f in (fit, blind))
    print(f"{name:6} {value:+.3f}   " + "      ".join(both))

fig, axes = plt.subplots(1, 3, figsize=(9, 3), sharey=True)
for ax, t in zip(axes, tenors, strict=True):
    mine = maturities == t
    ax.plot(log_moneyness[mine], quotes.vols[mine], "k.", label="quotes")
    ax.plot(log_moneyness[mine], fit.model_vols[mine], label="calibrated")
    ax.set(title=f"{t:.2g} y", xlabel="ln K/F")
axes[0].legend()
plt.show()

# %% [markdown]
# ## Check
#
# At $H = 1/2$ the prices must be Heston's, by his own closed-form characteristic function. The slopes of the skew
# must be those of docs/models/rough_heston.md. Simulated prices must be within four standard errors and the known
# bias of 0.5 % of the Fourier prices. The calibration must come within four of its standard errors.


# %% tags=["check"]
def heston_call(m: RoughHeston, strike: float, maturity: float, theta: float, v0: float) -> float:
    """Heston's (1993) characteristic function on the line u - i/2, forward 1."""

    def integrand(w: float) -> float:
        u = w - 0.5j
        b = m.lam - 1j * m.rho * m.nu * u
        d = np.sqrt(b * b + m.nu**2 * u * (u + 1j))
        g = (b - d) / (b + d)
        e = np.exp(-d * maturity)
        log_phi = m.lam * theta / m.nu**2 * ((b - d) * maturity - 2 * np.log((1 - g * e) / (1 - g)))
        log_phi += v0 / m.nu**2 * (b - d) * (1 - e) / (1 - g * e)
        return float((np.exp(log_phi - 1j * w * np.log(strike))).real / (w * w + 0.25))

    integral: float = quad(integrand, 0, 200, limit=400)[0]
    return float(1 - np.sqrt(strike) / np.pi * integral)


strikes: npt.NDArray[np.float64] = np.array([0.8, 1.0, 1.2])
theirs = np.array([heston_call(classical, float(x), 1.0, 0.04, 0.04) for x in strikes])
ours = european_prices(classical, strikes, 1.0)
assert abs(ours - theirs).max() < 1e-8, ours - theirs
assert abs(ours - black_price(1.0, strikes, 1.0, 0.2)).max() > 1e-3, "this is not Black's formula"

assert np.allclose(week.slopes(), [-0.417, -0.433], atol=5e-4)

exact = european_prices(rough, strikes, 1.0)
sampled = simulate(rough, 1.0, steps=100, paths=20_000, seed=1, keep="end").european_prices(strikes)
assert (abs(sampled.values - exact) < 4 * sampled.standard_errors + 0.005 * exact[1]).all(), sampled.values - exact

assert fit.converged and fit.rmse < 0.003, fit.reason
for name, value in truth.items():
    assert abs(getattr(fit.model, name) - value) < 4 * fit.standard_errors[name], name
assert "hurst" in blind.at_bounds, "half a year alone does not determine H"

# %% [markdown]
# ## What to try next
#
# - Your own quotes in `SmileQuotes`, with the variance swap curve given: `calibrate(quotes, variance=curve)`.
# - Calibrate with `lam=0`: the fit is as good, and H comes out lower. How far do quotes alone determine it?
# - H from 0.02 to 0.5: at which maturities is a rough smile told from a classical one beyond the noise?
# - `scheme="euler_volterra"` beside the default: at 50 steps the variance of $V_T$ is off by half.
# - Hedge a one-month option on simulated paths with the rough and with the classical delta.
