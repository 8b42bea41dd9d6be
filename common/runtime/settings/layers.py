"""Layers: what one place (a file, the environment, the flags) says, as a run of assignments to known keys."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from common.config.keys import Key, Shape, is_secret, keys_of, sections_of
from common.errors import ConfigError
from common.runtime.settings.files import DEPTH_MAX, ConfigFile, read_secret
from common.runtime.settings.problems import problem_of, unknown_key, value_text

_SWITCH_WORDS = {
    "true": True,
    "false": False,
    "yes": True,
    "no": False,
    "on": True,
    "off": False,
    "1": True,
    "0": False,
}


@dataclass(frozen=True, slots=True)
class Assignment:
    """One key gets one value. `origin` is for people who ask, `place` for messages (it has the line)."""

    path: str
    value: Any
    origin: str
    place: str


class Catalogue:
    """What a configuration knows: its sections and its keys."""

    def __init__(self, model: type[BaseModel]) -> None:
        self.model = model

    @cached_property
    def sections(self) -> tuple[str, ...]:
        """Paths of all sections; the empty path is the whole."""
        return ("", *sections_of(self.model))

    @cached_property
    def keys(self) -> dict[str, Key]:
        """Every key by its path."""
        return dict(keys_of(self.model))

    @property
    def names(self) -> list[str]:
        """All that may stand in a file."""
        return [*self.keys, *(s for s in self.sections if s)]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a layer's values come from, and how that place spells a key."""

    origin: str
    place: Callable[[str], str]
    spell: Callable[[str], str] = str


def file_layer(catalogue: Catalogue, file: ConfigFile) -> Iterator[Assignment | ConfigError]:
    """What a file says."""
    return spread(catalogue, "", file.content, Origin(str(file.path), file.place))


def spread(catalogue: Catalogue, path: str, value: Any, origin: Origin) -> Iterator[Assignment | ConfigError]:
    """A value for a path, taken apart into assignments to keys; what nobody knows becomes a problem."""
    place = origin.place(path)
    if path in catalogue.sections:
        if not isinstance(value, dict):
            problem = f"{value_text(path, value)} is not an object"
            yield problem_of(path, problem, place, "Give a JSON object of its keys, or leave it out")
            return
        for name, inner in value.items():
            inner_path = f"{path}.{name}" if path else name
            if "." in name or not name:
                inner_place = origin.place(inner_path)
                yield problem_of(
                    inner_path, "is not a known key", inner_place, 'Nest it: {"section": {"key": value}}'
                )
            else:
                yield from spread(catalogue, inner_path, inner, origin)
    elif path in catalogue.keys:
        unfit = _unfit(value)
        if unfit:
            yield problem_of(path, unfit, place, "Give a plain value")
        else:
            yield Assignment(path, value, origin.origin, place)
    elif path.endswith("_file") and is_secret(path.removesuffix("_file")) and path[:-5] in catalogue.keys:
        yield _from_secret_file(path.removesuffix("_file"), value, origin, place)
    else:
        yield unknown_key(path, place, catalogue.names, origin.spell)


def value_of_text(key: Key, text: str) -> Any:
    """A value given as text, in the environment or a flag; what does not fit the key is left for validation."""
    if key.may_be_null and text == "null":
        return None
    if key.shape is Shape.SWITCH:
        return _SWITCH_WORDS.get(text.lower(), text)
    return json_of_text(text) if key.shape is Shape.JSON else text


def json_of_text(text: str) -> Any:
    """JSON where it is JSON, else the text itself."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _from_secret_file(path: str, value: Any, origin: Origin, place: str) -> Assignment | ConfigError:
    if not isinstance(value, str) or not value:
        return problem_of(f"{path}_file", "is not a path", place, "Name the file that holds the secret")
    try:
        return Assignment(path, read_secret(Path(value)), f"{origin.origin}, secret file {value}", place)
    except ConfigError as error:
        return problem_of(f"{path}_file", f"{value!r}: {error.problem}", place, error.remedy)


def _unfit(value: Any, depth: int = 0) -> str | None:
    """Why a value cannot be handed on at all: broken Unicode, or nesting nobody means."""
    if depth > DEPTH_MAX:
        return f"is nested deeper than {DEPTH_MAX} levels"
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return "is not valid Unicode text"
    inner = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
    return next((text for v in inner if (text := _unfit(v, depth + 1))), None)
