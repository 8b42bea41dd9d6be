"""Calibration by the method of simulated moments (McFadden 1989; Duffie and Singleton 1993).

The moments of the prices are compared with the mean of those of `multiple` simulated series as long, always
with the same shocks. S is the covariance of the moments over 400 simulated series: first its diagonal at the start
gives the weights, then its inverse at the estimate, this twice. Standard errors are of
(D' S^-1 D)^-1 (1 + 1 / multiple), D the slopes of the moments. The least distance is chi-squared when the model is
right (Hansen's J), with as many degrees of freedom as moments exceed parameters. Around a cycle the distance is rough
on the scale of a hundredth of a parameter, for the phase of the simulation wanders: slopes are differences over wider
steps, and the last steps of the search use the mean of the simulations around it. It has arrived when its next step
would be less than a quarter of a standard error.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.optimize import least_squares

from models.chiarella.moments import Moments, default_horizons, moments
from models.chiarella.parameters import ChiarellaParameters, ChiarellaState, FloatArray
from models.chiarella.simulation import simulate

PARAMETERS: Final = ("kappa", "beta", "gamma", "alpha", "sigma", "fundamental_volatility")
#: How far from the start a parameter may go, as a factor.
_RANGE: Final = 1e3
_LIMIT: Final = math.log(_RANGE)
_ARRIVED: Final = "the distance is least"
#: Simulated series that tell the covariance of the moments.
_SERIES: Final = 400
#: Half the width of the differences, in the logarithm of a parameter.
_STEP: Final = 0.03
#: The search has arrived when its next step would be fewer standard errors.
_NEAR: Final = 0.25
_SMOOTH_STEPS: Final = 30


@dataclass(frozen=True, slots=True, eq=False)
class ChiarellaFit:
    """An estimate; when `converged` is False, `reason` says why, and the numbers are where the search stopped.

    `errors` are standard errors by name, `covariance` is of the logarithms of the `free` parameters. `j_statistic`
    has `degrees` degrees of freedom; a low `j_p_value` speaks against the model.
    """

    parameters: ChiarellaParameters
    free: tuple[str, ...]
    errors: dict[str, float]
    covariance: FloatArray
    converged: bool
    reason: str
    j_statistic: float
    degrees: int
    j_p_value: float
    data: Moments
    model: Moments
    seed: int

    @property
    def gain_error(self) -> float:
        """Standard error of the gain beta gamma."""
        weights = np.array([name in ("beta", "gamma") for name in self.free], np.float64)
        return self.parameters.gain * math.sqrt(float(weights @ self.covariance @ weights))


def fit(
    prices: npt.ArrayLike,
    dt: float,
    start: ChiarellaParameters,
    *,
    seed: int,
    free: Sequence[str] = ("kappa", "beta", "gamma", "alpha", "sigma"),
    horizons: npt.ArrayLike | None = None,
    multiple: int = 20,
    substeps: int = 1,
) -> ChiarellaFit:
    """Match the moments of a series.

    Args:
        prices: float64[n], (log) prices `dt` apart.
        dt: time between two prices, above 0.
        start: where to begin; what is not in `free` stays as it is here.
        seed: of the simulations.
        free: parameters to find, out of `PARAMETERS`. With little gain
            only the product of beta and gamma shows: hold one.
        horizons: in steps; 1, 2, 4, ... up to n / 50 when None.
        multiple: simulated series as long as the data, at least 5; more when the search does not arrive.
        substeps: Euler steps between two prices, at least 1.

    Raises:
        ValueError: an argument is out of its range, or there are fewer moments than free parameters.
    """
    series = np.asarray(prices, np.float64)
    names = tuple(free)
    if not names or len(set(names)) < len(names) or not set(names) <= set(PARAMETERS):
        raise ValueError(f"free: {names}; name each of {', '.join(PARAMETERS)} once at most")
    if low := [name for name in names if getattr(start, name) <= 0]:
        raise ValueError(f"start.{low[0]}: it must be above 0 to be found")
    if start.sigma == 0 and start.fundamental_volatility == 0:
        raise ValueError("start.sigma: with no noise at all nothing moves in the simulation; give a little")
    if multiple < 5 or substeps < 1:
        raise ValueError(f"multiple, substeps: {multiple}, {substeps}; at least 5 and 1 are needed")
    steps = default_horizons(series.size) if horizons is None else np.asarray(horizons, np.int64)
    data = moments(series, steps)
    if data.vector.size <= len(names):
        raise ValueError(f"horizons: {data.vector.size} moments are too few for {len(names)} free parameters")
    search = _Search(start, names, data, dt / substeps, series.size, multiple, substeps, seed)
    origin = np.zeros(len(names))
    x = search.run(origin, np.diag(1 / np.sqrt(np.diag(search.covariance(origin)))))
    for _ in range(2):
        weight = search.weight(x)
        # the rough weights of the turn before may have led astray: what begins anew must not do better
        x = min((search.run(begin, weight) for begin in (x, origin)), key=lambda at: search.distance(at, weight))
    return search.result(x, weight)


class _Search:
    """In x = ln(parameter / start)."""

    def __init__(
        self,
        start: ChiarellaParameters,
        names: tuple[str, ...],
        data: Moments,
        dt: float,
        count: int,
        multiple: int,
        substeps: int,
        seed: int,
    ) -> None:
        self._start, self._names, self._data, self._dt, self._seed = start, names, data, dt, seed
        self._count, self._substeps, self._multiple = count, substeps, multiple
        # a pull that is over within one Euler step explodes in the simulation
        fast = [math.log(1 / (dt * getattr(start, name))) if name in ("kappa", "alpha") else _LIMIT for name in names]
        self._highest: FloatArray = np.minimum(fast, _LIMIT)
        if held := [n for n in ("kappa", "alpha") if n not in names and dt * getattr(start, n) >= 2]:
            name = held[0]
            raise ValueError(f"start.{name}: {getattr(start, name):g} explodes in steps of {dt:g}; more substeps")
        if (self._highest <= 0).any():
            name = names[int(self._highest.argmin())]
            raise ValueError(f"start.{name}: {getattr(start, name):g} is over within a step of {dt:g}; more substeps")
        # the start is forgotten over half the length of the data
        self._dropped = count // 2
        self._shocks = self._draw(seed, multiple)

    def _draw(self, seed: int, series: int) -> FloatArray:
        length = (self._dropped + series * self._count) * self._substeps
        columns = 2 if self._start.fundamental_volatility > 0 else 1
        return np.random.default_rng(seed).standard_normal((length, columns))

    def at(self, x: FloatArray) -> ChiarellaParameters:
        """The parameters."""
        values = {
            name: getattr(self._start, name) * math.exp(float(v)) for name, v in zip(self._names, x, strict=True)
        }
        return replace(self._start, **values)

    def _prices(self, x: FloatArray, shocks: FloatArray) -> FloatArray:
        path = simulate(self.at(x), self._dt, len(shocks), shocks=shocks, start=ChiarellaState(0.0, 0.0))
        return np.ascontiguousarray(path.price[(self._dropped + 1) * self._substeps :: self._substeps])

    def _vectors(self, x: FloatArray, shocks: FloatArray, series: int) -> FloatArray:
        """The moments of each of `series` pieces as long as the data, float64[series, moments]."""
        pieces = self._prices(x, shocks).reshape(series, self._count)
        return np.array([moments(prices, self._data.horizons).vector for prices in pieces])

    def model(self, x: FloatArray) -> FloatArray:
        """What the moments of a series as long as the data are on average; in short ones they are biased."""
        mean: FloatArray = self._vectors(x, self._shocks, self._multiple).mean(axis=0)
        return mean

    def covariance(self, x: FloatArray) -> FloatArray:
        """S, of the moments of series as long as the data."""
        result: FloatArray = np.cov(self._vectors(x, self._draw(self._seed + 1, _SERIES), _SERIES), rowvar=False)
        return result

    def weight(self, x: FloatArray) -> FloatArray:
        """W with W' W = S^-1 / (1 + 1 / multiple)."""
        covariance = self.covariance(x)
        # the inverse of a covariance from few series is too large by this share (Hartlap, Simon and Schneider 2007)
        share = (_SERIES - len(covariance) - 2) / (_SERIES - 1)
        precision = np.linalg.inv(covariance) * share / (1 + 1 / self._multiple)
        result: FloatArray = np.linalg.cholesky(precision).T
        return result

    def distance(self, x: FloatArray, weight: FloatArray) -> float:
        """Squared, of the simulated moments from those of the data."""
        off = weight @ (self.model(x) - self._data.vector)
        return float(off @ off)

    def run(self, x: FloatArray, weight: FloatArray) -> FloatArray:
        """Near the least distance, by Levenberg and Marquardt's method inside bounds."""
        target = self._data.vector

        def off(at: FloatArray) -> FloatArray:
            result: FloatArray = weight @ (self.model(at) - target)
            return result

        found = least_squares(
            off, x, jac=lambda at: weight @ self._around(at)[1], bounds=(-_LIMIT, self._highest), xtol=1e-3, ftol=1e-3
        )
        result: FloatArray = found.x
        return result

    def settle(self, x: FloatArray, weight: FloatArray) -> tuple[FloatArray, FloatArray, bool]:
        """To the least distance of the smoothed model: where, the inverse information there, whether it arrived."""
        covariance: FloatArray = np.full((x.size, x.size), np.nan)
        for turn in range(_SMOOTH_STEPS):
            middle, slopes = self._around(x)
            slopes = weight @ slopes
            information = slopes.T @ slopes
            scale = np.sqrt(np.diag(information))
            if not scale.all() or np.linalg.eigvalsh(information / np.outer(scale, scale)).min() < 1e-8:
                return x, np.full((x.size, x.size), np.nan), False
            covariance = np.linalg.inv(information).astype(np.float64)
            step = -covariance @ slopes.T @ weight @ (middle - self._data.vector)
            if step @ information @ step < _NEAR**2:
                return x, covariance, True
            # ever shorter, so that what is left of the roughness averages out
            share = min(1.0, 0.2 / np.abs(step).max()) * 4 / (4 + turn)
            x = np.clip(x + step * share, -_LIMIT, self._highest)
        return x, covariance, False

    def result(self, x: FloatArray, weight: FloatArray) -> ChiarellaFit:
        """With standard errors and Hansen's J."""
        x, covariance, arrived = self.settle(x, weight)
        reason = _ARRIVED if arrived else "the search stopped before the distance was least"
        if np.isnan(covariance).any():
            reason = "the moments do not tell the free parameters apart: hold one of them"
        elif (np.abs(x) > _LIMIT - 1e-6).any():
            reason = f"{self._names[int(np.abs(x).argmax())]} ran to {_RANGE:g} times or a part of its start"
        elif (x > self._highest - 1e-6).any():
            name = self._names[int((x - self._highest).argmax())]
            reason = f"{name} ran to one over the Euler step: the prices are too far apart to show it"
        parameters, model = self.at(x), self.model(x)
        j, degrees = self.distance(x, weight), model.size - x.size
        variances = zip(self._names, np.diag(covariance).tolist(), strict=True)
        errors = {name: getattr(parameters, name) * math.sqrt(v) for name, v in variances}
        p_value = float(stats.chi2.sf(j, degrees))
        matched = Moments(self._data.horizons, *np.split(model, 2))
        return ChiarellaFit(
            parameters, self._names, errors, covariance, reason == _ARRIVED, reason, j, degrees, p_value, self._data,
            matched, self._seed,
        )  # fmt: skip

    def _around(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The moments and their slopes by x, both from a central difference in each direction."""
        middles, slopes = [], []
        for i in range(x.size):
            step = np.zeros_like(x)
            step[i] = _STEP
            above, below = self.model(x + step), self.model(x - step)
            middles.append((above + below) / 2)
            slopes.append((above - below) / (2 * _STEP))
        return np.mean(middles, axis=0), np.stack(slopes, axis=1)
