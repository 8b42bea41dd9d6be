"""European options and implied volatilities under rough Heston."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.implied_vol import OptionKind, black_price, implied_vol
from models.rough_heston.fourier import difference_integrals
from models.rough_heston.lifted import HestonModel
from models.rough_heston.riccati import Method, tolerance_of

__all__ = ["european_prices", "implied_vol_surface", "implied_vols"]

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complex128]


def european_prices(
    model: HestonModel,
    strikes: npt.ArrayLike,
    maturity: float,
    *,
    forward: float = 1.0,
    discount: float = 1.0,
    kind: OptionKind = "call",
    method: Method = "implicit",
    tolerance: float | None = None,
) -> FloatArray:
    """Prices of calls or puts of one maturity.

    Args:
        model: the model.
        strikes: above 0, any shape, in the unit of the forward.
        maturity: years, above 0.
        forward: forward price of the asset, S0 exp(rT) where it pays nothing.
        discount: exp(-rT).
        kind: `call` or `put`.
        method: of the Riccati equation.
        tolerance: of a price divided by sqrt(F K), in units of s = sqrt(total variance), by the solver's estimate; at
            the money this is nearly the relative error. 1e-8, or 1e-4 for `adams`.

    Returns:
        Float64 of the shape of strikes; a price that the error would carry below its intrinsic value is that value.

    Raises:
        ValueError: an argument outside its range.
        RiccatiError: the tolerance was not reached.
    """
    k, strike = _moneyness(strikes, forward)
    if not (np.isfinite(discount) and discount > 0.0):
        raise ValueError(f"discount: {discount:g} is not a finite number above 0")
    out_of_the_money = out_of_the_money_prices(model, k.reshape(-1), maturity, method, tolerance).reshape(k.shape)
    if kind not in ("call", "put"):
        raise ValueError(f"kind: {kind!r} is neither 'call' nor 'put'")
    intrinsic = forward - strike if kind == "call" else strike - forward
    return discount * (forward * out_of_the_money + np.maximum(intrinsic, 0.0))


def implied_vols(
    model: HestonModel,
    strikes: npt.ArrayLike,
    maturity: float,
    *,
    forward: float = 1.0,
    method: Method = "implicit",
    tolerance: float | None = None,
) -> FloatArray:
    """Implied volatilities of one maturity, from the out-of-the-money option of each strike.

    Arguments as european_prices. NaN where that price is not above the tolerance: such a strike is too far out for
    its price to tell a volatility (some six standard deviations).
    """
    k, _ = _moneyness(strikes, forward)
    price = out_of_the_money_prices(model, k.reshape(-1), maturity, method, tolerance).reshape(k.shape)
    noise = tolerance_of(method, tolerance) * np.sqrt(model.total_variance(maturity))
    price = np.where(price > noise * np.exp(0.5 * k), price, np.nan)
    call = implied_vol(price, 1.0, np.exp(k), maturity, "call")
    put = implied_vol(price, 1.0, np.exp(k), maturity, "put")
    return np.where(k >= 0.0, call, put)


def implied_vol_surface(
    model: HestonModel,
    log_moneyness: npt.ArrayLike,
    maturities: npt.ArrayLike,
    *,
    method: Method = "implicit",
    tolerance: float | None = None,
) -> FloatArray:
    """Implied volatilities, maturities x strikes.

    Args:
        log_moneyness: ln(K/F); a vector for every maturity alike, or one row for each.
        maturities: vector of years, above 0.

    Raises:
        ValueError: shapes that do not fit, or as european_prices says.
    """
    times = np.asarray(maturities, np.float64)
    if times.ndim != 1:
        raise ValueError("maturities: must be a vector")
    k = np.asarray(log_moneyness, np.float64)
    if k.ndim not in (1, 2) or (k.ndim == 2 and k.shape[0] != times.size):
        raise ValueError(f"log_moneyness: must be a vector or have {times.size} rows, one for each maturity")
    rows = np.broadcast_to(k, (times.size, k.shape[-1]))
    return np.array(
        [
            implied_vols(model, np.exp(row), float(t), method=method, tolerance=tolerance)
            for row, t in zip(rows, times, strict=True)
        ]
    ).reshape(rows.shape)


def _moneyness(strikes: npt.ArrayLike, forward: float) -> tuple[FloatArray, FloatArray]:
    strike = np.asarray(strikes, np.float64)
    if not (np.isfinite(forward) and forward > 0.0):
        raise ValueError(f"forward: {forward:g} is not a finite number above 0")
    if not np.all(np.isfinite(strike) & (strike > 0.0)):
        raise ValueError("strikes: every strike must be a finite number above 0")
    return np.log(strike / forward), strike


def out_of_the_money_prices(
    model: HestonModel, k: FloatArray, maturity: float, method: Method, tolerance: float | None
) -> FloatArray:
    """Price of the option that is out of the money at each k, per unit of forward; at least 0."""
    if not (np.isfinite(maturity) and maturity > 0.0):
        raise ValueError(f"maturity: {maturity:g} is not a finite number of years above 0")

    def rows(w: FloatArray) -> ComplexArray:
        return np.asarray(np.exp(-1j * np.outer(k, w)) / (w * w + 0.25), np.complex128)

    difference = difference_integrals(model, maturity, rows, method=method, tolerance=tolerance)
    sigma = np.sqrt(model.total_variance(maturity) / maturity)
    call = black_price(1.0, np.exp(k), maturity, sigma, "call")
    put = black_price(1.0, np.exp(k), maturity, sigma, "put")
    return np.maximum(np.where(k >= 0.0, call, put) + np.exp(0.5 * k) * difference, 0.0)
