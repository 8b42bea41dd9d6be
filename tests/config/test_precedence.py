"""flag > environment > overlays, later first > file > default; every value says where it comes from."""

from __future__ import annotations

import json
import tempfile
from functools import reduce
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from common.config import SystemConfig
from common.config.keys import keys_of
from common.runtime.settings import load_settings, variable_of

#: Keys with values any of which may stand beside any others.
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "market_data.symbols": st.lists(st.sampled_from(["BTCUSDT", "ETHUSDT", "XRPUSDT"]), min_size=1, unique=True),
    "market_data.verify_with_book_ticker": st.booleans(),
    "market_data.stale_after_ms": st.integers(1, 86_400_000),
    "risk.max_open_positions": st.integers(1, 10_000),
    "risk.max_position_size": st.decimals("0.00000001", 10**6, places=8).map(str),
    "risk.allow_short": st.none() | st.booleans(),
    "signal.model_threshold": st.floats(0.5, 1, exclude_min=True, exclude_max=True),
    "signal.momentum.min_imbalance": st.floats(0, 1, exclude_max=True),
    "signal.model_path": st.none() | st.sampled_from(["a.json", "5", "true", '"x"', "ä ö"]),
    "execution.paper.latency_ms": st.integers(0, 60_000),
    "bus.codec": st.sampled_from(["msgpack", "json"]),
    "journal.directory": st.sampled_from(["state", "s=1", "[]", "null "]),
    "logging.levels": st.sampled_from(["info", "debug,market_data=error"]),
    "mock_exchange.damage.drop": st.floats(0, 0.5),
    "mock_exchange.replay_files": st.lists(st.sampled_from(["a.gz", "b.gz"])),
}
LAYERS = ("file", "overlay 1", "overlay 2", "environment", "flag")
said = st.dictionaries(
    st.sampled_from(sorted(VALUES)).flatmap(lambda k: st.tuples(st.just(k), st.sampled_from(LAYERS))),
    st.none(),
    max_size=30,
)


def as_text(value: Any) -> str:
    """A value as one writes it in the environment."""
    return value if isinstance(value, str) else json.dumps(value)


def nested(flat: dict[str, Any]) -> dict[str, Any]:
    """Paths as the objects of a file."""
    root: dict[str, Any] = {}
    for path, value in flat.items():
        *parents, name = path.split(".")
        reduce(lambda d, p: d.setdefault(p, {}), parents, root)[name] = value
    return root


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_the_strongest_layer_that_says_something_wins(data: st.DataObject) -> None:
    layers: dict[str, dict[str, Any]] = {layer: {} for layer in LAYERS}
    for path, layer in data.draw(said):
        layers[layer][path] = data.draw(VALUES[path])
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{name}.json" for name in ("file", "overlay 1", "overlay 2")]
        for file in files:
            file.write_text(json.dumps(nested(layers[file.stem])))
        loaded = load_settings(
            files,
            {path: as_text(value) for path, value in layers["flag"].items()},
            {variable_of(path): as_text(value) for path, value in layers["environment"].items()},
        )
    default = SystemConfig().model_dump(mode="json")
    for path in VALUES:
        winner = next((layer for layer in reversed(LAYERS) if path in layers[layer]), None)
        expected = layers[winner][path] if winner else reduce(dict.__getitem__, path.split("."), default)
        actual = reduce(dict.__getitem__, path.split("."), loaded.config.model_dump(mode="json"))
        assert actual == expected
        origin = {
            None: "default",
            "environment": f"environment {variable_of(path)}",
            "flag": "flag --set",
        }.get(winner, str(Path(folder) / f"{winner}.json"))
        assert loaded.origins[path] == origin


def test_every_key_has_an_origin() -> None:
    assert list(load_settings([], {}, {}).origins) == list(keys_of(SystemConfig))


def test_a_flag_of_its_own_is_named() -> None:
    loaded = load_settings([], {"mock_exchange.seed": "7"}, {}, flag_names={"mock_exchange.seed": "--seed"})
    assert loaded.config.mock_exchange.seed == 7
    assert loaded.origins["mock_exchange.seed"] == "flag --seed"


def test_a_section_may_be_given_as_json_and_a_key_of_its_own_beats_it() -> None:
    environ = {
        "TIDEWIRE__RISK": '{"max_open_positions": 2, "max_position_size": 3}',
        "TIDEWIRE__RISK__MAX_OPEN_POSITIONS": "4",
    }
    loaded = load_settings([], {"execution.paper": '{"latency_ms": 9}'}, environ)
    assert loaded.config.risk.max_open_positions == 4
    assert loaded.config.risk.max_position_size == 3
    assert loaded.origins["risk.max_position_size"] == "environment TIDEWIRE__RISK"
    assert loaded.config.execution.paper.latency_ms == 9


def test_log_levels_have_a_short_variable_that_flags_beat() -> None:
    environ = {"TIDEWIRE_LOG": "debug", "TIDEWIRE__LOGGING__LEVELS": "error"}
    loaded = load_settings([], {}, environ)
    assert (loaded.config.logging.levels, loaded.origins["logging.levels"]) == ("debug", "environment TIDEWIRE_LOG")
    assert load_settings([], {"logging.levels": "warning"}, environ).config.logging.levels == "warning"


def test_exact_numbers_keep_every_digit(tmp_path: Path) -> None:
    file = tmp_path / "exact.json"
    file.write_text('{"risk": {"max_position_size": 0.1, "order_notional": "12345678901.123456789012345"}}')
    risk = load_settings([file], {}, {"TIDEWIRE__RISK__MAX_LOSS_THRESHOLD": "0.30000000000000000001"}).config.risk
    assert str(risk.max_position_size) == "0.1"
    assert str(risk.order_notional) == "12345678901.123456789012345"
    assert str(risk.max_loss_threshold) == "0.30000000000000000001"
