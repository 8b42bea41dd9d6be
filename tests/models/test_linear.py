from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.linear import MAX_FEATURES, LinearModel, logistic

number = st.floats(-50, 50)
rows = st.dictionaries(
    st.sampled_from("abcdefgh"), st.tuples(number, number, st.floats(0.01, 50), number), min_size=1
)


@given(rows=rows, bias=number)
def test_probability_is_the_formula(rows: dict[str, tuple[float, float, float, float]], bias: float) -> None:
    model = LinearModel(
        weights={k: r[0] for k, r in rows.items()},
        bias=bias,
        mean={k: r[1] for k, r in rows.items()},
        scale={k: r[2] for k, r in rows.items()},
    )
    values = {k: r[3] for k, r in rows.items()}
    log_odds = math.fsum([bias, *(w * (x - m) / s for w, m, s, x in rows.values())])
    assert model.probability(values) == pytest.approx(1 / (1 + math.exp(-min(max(log_odds, -700), 700))), abs=1e-9)
    assert model.probability({**values, "unused": math.nan}) == model.probability(values)
    assert model.contributions(values).sum() + bias == pytest.approx(log_odds, abs=1e-6)


def test_mean_and_scale_are_0_and_1_where_not_given() -> None:
    model = LinearModel(weights={"a": 2.0, "b": 1.0}, mean={"b": 3.0}, scale={"a": 4.0})
    assert model.probability({"a": 4.0, "b": 3.0}) == logistic(2.0)
    assert model.features == ("a", "b")


@pytest.mark.parametrize(("x", "y"), [(0.0, 0.5), (1e6, 1.0), (-1e6, 0.0), (math.log(3), 0.75)])
def test_logistic(x: float, y: float) -> None:
    assert logistic(x) == pytest.approx(y)


@given(st.floats(-700, 700))
def test_logistic_is_symmetric(x: float) -> None:
    assert logistic(x) + logistic(-x) == pytest.approx(1.0)


def test_nan_in_nan_out_and_missing_is_told() -> None:
    model = LinearModel(weights={"a": 1.0})
    assert math.isnan(model.probability({"a": math.nan}))
    with pytest.raises(KeyError, match="a"):
        model.probability({})


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"weights": {}}, "^weights: there are none"),
        ({"weights": {"a": math.nan}}, r"^weights\.a: nan is not a finite number"),
        ({"weights": {"a": "1"}}, r"^weights\.a: '1' is not"),
        ({"weights": {"a": True}}, r"^weights\.a: True is not"),
        ({"weights": {"a": 1}, "bias": math.inf}, "^bias: inf"),
        ({"weights": {"a": 1}, "bias": None}, "^bias: None"),
        ({"weights": {"a": 1}, "mean": {"b": 1}}, r"^mean\.b: .* no weight"),
        ({"weights": {"a": 1}, "scale": {"a": 0}}, r"^scale\.a: 0 is not above 0"),
        ({"weights": {"a": 1}, "scale": {"a": -1.5}}, r"^scale\.a: -1.5"),
        ({"weights": {str(i): 1 for i in range(MAX_FEATURES + 1)}}, "^weights: 1001 features"),
    ],
)
def test_what_is_wrong_is_named_by_its_path(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        LinearModel(**arguments)
