"""Loads the weights of a linear model from a .json file; docs/models.md describes the format.

Only plain numbers are read. Pickles (.pkl, .pickle, .joblib) are refused: reading one runs whatever code its author,
or whoever replaced the file, put into it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import orjson

from common.errors import ConfigError
from models.linear import LinearModel
from services.signal_bridge.indicators.layout import OUTPUTS

KEY: Final = "signal.model_path"
MAX_BYTES: Final = 1_000_000
_PICKLES: Final = (".pkl", ".pickle", ".joblib")
_FIELDS: Final = ("weights", "bias", "mean", "scale")


def load_model(model_path: str | None) -> tuple[LinearModel | None, str | None]:
    """The model at `model_path`, or None with a warning to be logged when no file is there.

    Args:
        model_path: as configured; relative paths are read from the working directory; None asks for no model.

    Raises:
        ConfigError: the file is there but is a pickle, is not a .json file, cannot be read, or is malformed.
    """
    if model_path is None:
        return None, None
    path = Path(model_path)
    if not _is_there(path):
        return None, f"{KEY}: {model_path} is not there; the rule strategies run"
    if path.suffix.lower() in _PICKLES:
        raise ConfigError(
            KEY,
            f"{model_path} is a pickle, and reading a pickle runs any code that is in it",
            "Export the model's coefficients to JSON as docs/models.md shows, and name the .json file",
        )
    if path.suffix.lower() != ".json":
        raise ConfigError(
            KEY, f"{model_path} is no .json file", "Export the model's coefficients to JSON as docs/models.md shows"
        )
    return _parse(model_path, _read(path)), None


def _is_there(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as exc:
        raise ConfigError(KEY, f"{path} cannot be reached ({exc})", "Give a path that this user may read") from None
    return True


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as exc:
        raise ConfigError(
            KEY, f"{path} cannot be read ({exc.strerror})", "Give a file that this user may read"
        ) from None
    if len(data) > MAX_BYTES:
        raise ConfigError(
            KEY, f"{path} is larger than {MAX_BYTES} bytes", "A linear model is a few numbers; check it"
        )
    return data


def _parse(where: str, data: bytes) -> LinearModel:
    remedy = "docs/models.md describes the format"
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError as exc:
        raise ConfigError(KEY, f"{where} is not JSON ({exc})", remedy) from None
    if not isinstance(document, dict):
        raise ConfigError(KEY, f"{where} holds a {type(document).__name__}, not an object", remedy)
    for name, value in document.items():
        if name not in _FIELDS:
            raise ConfigError(KEY, f"{where}: unknown field '{name}'", f"Known are {', '.join(_FIELDS)}; {remedy}")
        if name != "bias" and not isinstance(value, dict):
            raise ConfigError(KEY, f"{where}: field '{name}' is not an object of numbers by feature name", remedy)
    weights = document.get("weights")
    if weights is None:
        raise ConfigError(KEY, f"{where}: field 'weights' is missing", remedy)
    for feature in weights:
        if feature not in OUTPUTS:
            raise ConfigError(
                KEY, f"{where}: field 'weights.{feature}': no such feature", f"Known are {', '.join(OUTPUTS)}"
            )
    try:
        return LinearModel(**document)
    except ValueError as exc:
        raise ConfigError(KEY, f"{where}: field {exc}", remedy) from None
