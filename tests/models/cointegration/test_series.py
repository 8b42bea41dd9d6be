"""What cannot be tested is refused with the reason, by every way in."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from models.cointegration import (
    engle_granger,
    fit_hedge,
    fit_vecm,
    integration_order,
    johansen,
    rolling_z_score,
    scan_pairs,
    unit_root,
)
from models.cointegration.library import import_statsmodels
from models.cointegration.series import check_level, check_not_collinear
from tests.models.cointegration.made_up import pair, walks

Two = Callable[[np.ndarray, np.ndarray], object]
PAIRWISE: dict[str, Two] = {
    "engle_granger": engle_granger,
    "hedge": fit_hedge,
    "static hedge": lambda y, x: fit_hedge(y, x, method="static"),
    "rolling": lambda y, x: rolling_z_score(y, x, window=50),
    "johansen": lambda y, x: johansen(np.column_stack((y, x)), det_order=0, k_ar_diff=1),
    "vecm": lambda y, x: fit_vecm(np.column_stack((y, x)), k_ar_diff=1),
    "scan": lambda y, x: scan_pairs(np.column_stack((y, x)), ["A", "B"]),
}


@pytest.mark.parametrize("call", PAIRWISE.values(), ids=PAIRWISE)
def test_bad_legs_are_refused(call: Two) -> None:
    y, x = pair(1, 100)
    call(y, x)
    for bad in (np.nan, np.inf):
        holed = x.copy()
        holed[7] = bad
        with pytest.raises(ValueError, match=r"7\] is not finite|\[:, 1\]\[7\]"):
            call(y, holed)
    with pytest.raises(ValueError, match="constant"):
        call(y, np.full(100, 3.0))
    with pytest.raises(ValueError, match="straight line"):
        call(np.arange(100) * 0.1, x)
    with pytest.raises(ValueError, match=r"at least (20|51) values"):
        call(y[:12], x[:12])


@pytest.mark.parametrize("name", [name for name in PAIRWISE if name != "rolling"])
@pytest.mark.parametrize("noise", [0.0, 1e-6])
def test_collinear_legs_are_refused(name: str, noise: float) -> None:
    _, x = pair(2, 200)
    other = 4 * x - 7 + noise * np.random.default_rng(0).standard_normal(200)
    with pytest.raises(ValueError, match="collinear"):
        PAIRWISE[name](other, x)


def test_collinearity_is_found_among_many_legs_of_any_unit() -> None:
    legs = walks(3, 300, 4)
    check_not_collinear(legs)
    check_not_collinear(legs * np.array([1e9, 1e-9, 1.0, 1e4]) + np.array([1e10, 0.0, -5.0, 1e6]))
    legs[:, 2] = (legs[:, 0] - 2 * legs[:, 3]) * 1e-6
    with pytest.raises(ValueError, match="collinear"):
        check_not_collinear(legs)


def test_shapes() -> None:
    y, x = pair(1, 100)
    with pytest.raises(ValueError, match="100 and 99"):
        engle_granger(y, x[1:])
    with pytest.raises(ValueError, match=r"shape \(100, 1\)"):
        unit_root(x[:, None])
    with pytest.raises(ValueError, match="at least 2 legs"):
        johansen(x[:, None], det_order=0, k_ar_diff=1)
    with pytest.raises(ValueError, match="at least 21"):
        integration_order(x[:20])


def test_levels_are_those_tabulated() -> None:
    assert [check_level(level) for level in (0.01, 0.05, 0.1)] == [0, 1, 2]
    with pytest.raises(ValueError, match=r"0\.01, 0\.05, 0\.1"):
        check_level(0.2)


def test_a_missing_library_names_the_extra() -> None:
    with pytest.raises(ImportError, match=r"tidewire\[lab\]"):
        import_statsmodels("not.there")
