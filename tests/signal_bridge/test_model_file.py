"""Model files: the warning, the refusals, and the way out that docs/models.md gives."""

from __future__ import annotations

import json
import pickle
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from common.config import SignalConfig
from common.errors import ConfigError
from services.signal_bridge.io.model_file import MAX_BYTES, load_model
from services.signal_bridge.stage import SignalBridgeStage

DOCS = Path(__file__).resolve().parents[2] / "docs" / "models.md"
GOOD = {"weights": {"rsi": -0.8, "bb_percent": 1}, "bias": 0.05, "mean": {"rsi": 50}, "scale": {"rsi": 12.5}}


def test_a_good_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_text(json.dumps(GOOD))
    model, warning = load_model(str(path))
    assert warning is None
    assert model is not None
    values = {"rsi": 62.5, "bb_percent": 0.3}
    assert model.probability(values) == pytest.approx(1 / (1 + np.exp(-(0.05 - 0.8 * 1.0 + 0.3))))
    assert SignalBridgeStage(SignalConfig(), model).stats()["model"] is True


def test_no_path_no_model_no_warning() -> None:
    assert load_model(None) == (None, None)


@pytest.mark.parametrize("name", ["models/ml_model.pkl", "models/x.json", "nowhere/at/all.joblib"])
def test_an_absent_file_is_a_warning(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_model(name) == (None, f"signal.model_path: {name} is not there; the rule strategies run")


class Bomb:
    """Leaves a mark when it is unpickled."""

    def __init__(self, mark: str) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (Path(self.mark),)


@pytest.mark.parametrize("suffix", [".pkl", ".pickle", ".joblib", ".PKL"])
def test_a_pickle_that_is_there_is_refused_unread(suffix: str, tmp_path: Path) -> None:
    path, mark = tmp_path / f"model{suffix}", tmp_path / "ran"
    path.write_bytes(pickle.dumps(Bomb(str(mark))))
    with pytest.raises(ConfigError, match=r"signal.model_path: .*runs any code.*docs/models.md"):
        load_model(str(path))
    assert not mark.exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is not JSON"),
        ("{", "is not JSON"),
        ('{"weights": {"rsi": NaN}}', "is not JSON"),
        ("[1]", "holds a list, not an object"),
        ("{}", "field 'weights' is missing"),
        ('{"weights": [1, 2]}', "field 'weights' is not an object"),
        ('{"weights": {}}', "field weights: there are none"),
        ('{"weights": {"rsj": 1}}', r"field 'weights\.rsj': no such feature"),
        ('{"weights": {"rsi": "1"}}', r"field weights\.rsi: '1' is not a finite number"),
        ('{"weights": {"rsi": 1}, "bias": [0]}', r"field bias: \[0\] is not"),
        ('{"weights": {"rsi": 1}, "mean": 5}', "field 'mean' is not an object"),
        ('{"weights": {"rsi": 1}, "scale": {"rsi": 0}}', r"field scale\.rsi: 0 is not above 0"),
        ('{"weights": {"rsi": 1}, "intercept": 1}', "unknown field 'intercept'.*Known are weights, bias"),
        ('{"weights": {"rsi": 1e999}}', "is not JSON|not a finite"),
    ],
)
def test_a_malformed_file_is_named_with_its_field(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match=says) as caught:
        load_model(str(path))
    assert str(path) in str(caught.value)
    assert caught.value.key == "signal.model_path"


def test_other_things_are_refused(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"x")
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "big.json").write_bytes(b" " * (MAX_BYTES + 1))
    for name, says in (
        ("model.onnx", "no .json file"),
        ("folder.json", "cannot be read"),
        ("big.json", "larger than"),
    ):
        with pytest.raises(ConfigError, match=says):
            load_model(str(tmp_path / name))
    with pytest.raises(ConfigError, match="cannot be reached"):
        load_model("x" * 5000)


def documented_export() -> str:
    match = re.search(r"```python\n(.*?)```", DOCS.read_text(), re.S)
    assert match is not None
    return match[1]


def test_the_documented_export_gives_the_same_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The snippet runs as it stands, needs no pickle, and what it writes is the model it was given."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    features = ["rsi", "macd_histogram", "imbalance"]
    model = SimpleNamespace(coef_=np.array([[-0.4, 1.5, 2.0]]), intercept_=np.array([0.1]))
    scaler = SimpleNamespace(mean_=np.array([50.0, 0.1, 0.0]), scale_=np.array([12.0, 0.5, 0.3]))
    code = documented_export()
    assert "pickle" not in code
    exec(compile(code, str(DOCS), "exec"), {"model": model, "scaler": scaler, "features": features})
    loaded, warning = load_model("models/ml_model.json")
    assert loaded is not None and warning is None
    x = np.array([41.0, 0.3, -0.2])
    scaled = (x - scaler.mean_) / scaler.scale_
    expected = 1 / (1 + np.exp(-(scaled @ model.coef_[0] + model.intercept_[0])))
    assert loaded.probability(dict(zip(features, x.tolist(), strict=True))) == pytest.approx(expected)


def test_the_documented_example_and_features_are_true(tmp_path: Path) -> None:
    from services.signal_bridge.indicators.layout import OUTPUTS

    text = DOCS.read_text()
    example = re.search(r"^    (\{.*\})$", text, re.M)
    assert example is not None
    (tmp_path / "m.json").write_text(example[1])
    assert load_model(str(tmp_path / "m.json"))[0] is not None
    listed = text[text.index("Features are ") : text.index("Train on")]
    assert re.findall(r"`(\w+)`", listed) == list(OUTPUTS)
