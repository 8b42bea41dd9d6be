"""Who finds the price: shares of n markets in the common trend of their prices.

With weights w (A_perp of a VECM) and innovations of covariance S, the common trend moves by w'e and its variance is
w'S w.

- Component share (Gonzalo and Granger 1995): w_j / sum w. The weight of a market's price in the common trend; it
  takes no account of how much the market moves.
- Information share (Hasbrouck 1995): the share of w'S w that market j's innovation brings. Innovations of one step
  are correlated; with S = F F' by Cholesky, share_j = (w'F)_j^2 / w'S w depends on the order of the markets, the
  earlier taking what is common. Every order is computed; the answer is an interval.
- Modified information share (Lien and Shrestha 2009): F = V R^(1/2), with the symmetric root of the correlation
  matrix R and the standard deviations V: no order, one number.
- Information leadership share of two markets (Yan and Zivot 2010; Putnins 2013): with L = |IS_1 CS_2 / (IS_2 CS_1)|,
  share_1 = L / (L + 1/L). It is meant to be free of what noise does to the other two, and is so only in part: of two
  equally fast markets it names the noisier one, and beside a market that never answers, its follower, as soon as
  their innovations are correlated. Read it beside the others, never alone.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from models.price_discovery.ticks import FloatArray, IntArray
from models.price_discovery.vecm import VECMParameters, check_covariance, common_trend_weights

#: n! orders are computed and returned.
MAX_MARKETS: Final = 8


@dataclass(frozen=True, slots=True, eq=False)
class InformationShares:
    """Hasbrouck's information shares in all n! orders.

    Args:
        orders: int64[n!, n]: the markets from the first to the last of each Cholesky factor.
        by_order: float64[n!, n], of each market (in their own order, not the factor's); rows sum to 1.
    """

    orders: IntArray
    by_order: FloatArray

    @property
    def lower(self) -> FloatArray:
        """float64[n], the least over all orders."""
        return np.asarray(self.by_order.min(axis=0), np.float64)

    @property
    def upper(self) -> FloatArray:
        """float64[n], the most over all orders."""
        return np.asarray(self.by_order.max(axis=0), np.float64)

    @property
    def midpoint(self) -> FloatArray:
        """float64[n], halfway between lower and upper. They sum to 1 for two markets, not in general for more."""
        return (self.lower + self.upper) / 2

    @property
    def mean(self) -> FloatArray:
        """float64[n], over all orders: they sum to 1 (each market's Shapley value). The midpoint for two markets."""
        return np.asarray(self.by_order.mean(axis=0), np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class PriceDiscoveryShares:
    """All measures of one model; `leadership` is None for more than two markets, and where it would be 0 by 0."""

    component: FloatArray
    information: InformationShares
    modified: FloatArray
    leadership: FloatArray | None


def component_shares(weights: npt.ArrayLike) -> FloatArray:
    """w / sum w, float64[n]. A share may be negative or above 1: the market then moves against the trend's weights.

    Raises:
        ValueError: weights that are not finite, fewer than 2, or of sum 0.
    """
    w = _weights(weights)
    if abs(w.sum()) <= 1e-12 * np.abs(w).sum():
        raise ValueError("weights: they sum to 0: component shares are not defined")
    result: FloatArray = w / w.sum() + 0.0  # no -0
    return result


def information_shares(weights: npt.ArrayLike, covariance: npt.ArrayLike) -> InformationShares:
    """Information shares in every order, up to `MAX_MARKETS` markets.

    Args:
        weights: w, float64[n]; of any length and sign: only its direction counts.
        covariance: S, float64[n, n], positive definite.

    Raises:
        ValueError: weights or a covariance that are not such; too many markets.
    """
    w, s = _weights_and_covariance(weights, covariance)
    if w.size > MAX_MARKETS:
        raise ValueError(f"weights: {w.size} markets; at most {MAX_MARKETS}, for all orders of them are computed")
    orders = np.array(list(itertools.permutations(range(w.size))), np.int64)
    factors = np.linalg.cholesky(s[orders[:, :, None], orders[:, None, :]])
    parts = np.einsum("oi,oij->oj", w[orders], factors) ** 2
    shares = np.empty_like(parts)
    np.put_along_axis(shares, orders, parts / parts.sum(axis=1, keepdims=True), axis=1)
    return InformationShares(orders, shares)


def modified_information_shares(weights: npt.ArrayLike, covariance: npt.ArrayLike) -> FloatArray:
    """Lien and Shrestha's shares, float64[n], sum 1; arguments and errors as `information_shares`, for any n."""
    w, s = _weights_and_covariance(weights, covariance)
    deviation = np.sqrt(np.diag(s))
    values, vectors = np.linalg.eigh(s / np.outer(deviation, deviation))
    parts = ((w * deviation) @ (vectors * np.sqrt(values.clip(0.0))) @ vectors.T) ** 2
    result: FloatArray = parts / parts.sum()
    return result


def information_leadership_shares(information: npt.ArrayLike, component: npt.ArrayLike) -> FloatArray:
    """Putnins' shares of two markets, float64[2], sum 1.

    Args:
        information: float64[2], one number for each market: the midpoint or the modified share.
        component: float64[2].

    Raises:
        ValueError: not two finite numbers each; 0 by 0, where the shares are not defined.
    """
    i, c = np.asarray(information, np.float64), np.asarray(component, np.float64)
    if i.shape != (2,) or c.shape != (2,) or not (np.isfinite(i).all() and np.isfinite(c).all()):
        raise ValueError("information, component: two finite numbers each are needed; defined for two markets only")
    # L1 / (L1 + L2) with both terms times the same, so that a share of 0 needs no division
    lead = np.square(i * c[::-1])
    if lead.sum() == 0:
        raise ValueError("information, component: 0 by 0; leadership is not defined")
    result: FloatArray = lead / lead.sum()
    return result


def price_discovery_shares(parameters: VECMParameters) -> PriceDiscoveryShares:
    """Every measure of a VECM; leadership from the midpoint of the information shares.

    Raises:
        ValueError: deviations do not die out; more than one common trend; as the measures.
    """
    if not parameters.cointegrated:
        raise ValueError(
            f"parameters: largest root beside the common trend's is {parameters.roots[0]:.6g}, not below 1: the "
            "prices do not follow one trend"
        )
    weights = common_trend_weights(parameters.adjustment)
    component = component_shares(weights)
    information = information_shares(weights, parameters.covariance)
    # a market with neither weight nor information has no ratio of the two
    defined = weights.size == 2 and bool((information.midpoint * component[::-1]).any())
    return PriceDiscoveryShares(
        component=component,
        information=information,
        modified=modified_information_shares(weights, parameters.covariance),
        leadership=information_leadership_shares(information.midpoint, component) if defined else None,
    )


def _weights(weights: npt.ArrayLike) -> FloatArray:
    w = np.asarray(weights, np.float64)
    if w.ndim != 1 or w.size < 2 or not np.isfinite(w).all() or not w.any():
        raise ValueError("weights: at least 2 finite numbers on one axis, not all 0, are needed")
    return w


def _weights_and_covariance(weights: npt.ArrayLike, covariance: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    w, s = _weights(weights), np.asarray(covariance, np.float64)
    check_covariance(s)
    if s.shape[0] != w.size:
        raise ValueError(f"covariance: shape {s.shape}; ({w.size}, {w.size}) is needed for {w.size} weights")
    return w, s
