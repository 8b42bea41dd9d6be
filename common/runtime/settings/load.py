"""From files, environment and flags to one checked configuration."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from common.config import SystemConfig
from common.errors import ConfigError
from common.runtime.settings.environment import environment_layer
from common.runtime.settings.files import read_file
from common.runtime.settings.layers import (
    Assignment,
    Catalogue,
    Origin,
    file_layer,
    json_of_text,
    spread,
    value_of_text,
)
from common.runtime.settings.problems import ConfigProblems, problem_of, validation_problems

M = TypeVar("M", bound=BaseModel)
DEFAULT_ORIGIN: Final = "default"
SET_FLAG: Final = "--set"


@dataclass(frozen=True, slots=True)
class Settings:
    """A configuration that holds, and where each of its values comes from."""

    config: SystemConfig
    #: Path of every key -> "flag --set", "environment NAME", a file as it was named, or "default".
    origins: Mapping[str, str]


def load_settings(
    files: Sequence[Path],
    flags: Mapping[str, str],
    environ: Mapping[str, str],
    *,
    flag_names: Mapping[str, str] = MappingProxyType({}),
) -> Settings:
    """Load the configuration.

    `flags` are paths with their values as text; `flag_names` names those that came from a flag of their own.

    Raises:
        ConfigProblems: everything that is wrong, a ConfigError and a line each.
    """
    config, origins = load(SystemConfig, files, flags, environ, flag_names)
    return Settings(config, origins)


def load(
    model: type[M],
    files: Sequence[Path],
    flags: Mapping[str, str],
    environ: Mapping[str, str],
    flag_names: Mapping[str, str] = MappingProxyType({}),
) -> tuple[M, Mapping[str, str]]:
    """`load_settings` for any model of sections."""
    catalogue = Catalogue(model)
    problems: list[ConfigError] = []
    chosen: dict[str, Assignment] = {}
    for item in _layers(catalogue, files, flags, environ, flag_names):
        if isinstance(item, ConfigError):
            problems.append(item)
        else:
            chosen[item.path] = item
    try:
        # Through JSON, so that strictness is JSON's: a list is a list, "5" is no number, 5.0 is no whole one.
        config = model.model_validate_json(json.dumps(_nest(chosen)), strict=True)
    except ValidationError as error:
        places = {path: item.place for path, item in chosen.items()}
        defaults = {path: key.default for path, key in catalogue.keys.items()}
        named = {problem.key for problem in problems}
        problems += [p for p in validation_problems(model, error, places, defaults) if p.key not in named]
    if problems:
        raise ConfigProblems(problems)
    return config, {path: chosen[path].origin if path in chosen else DEFAULT_ORIGIN for path in catalogue.keys}


def _layers(
    catalogue: Catalogue,
    files: Sequence[Path],
    flags: Mapping[str, str],
    environ: Mapping[str, str],
    flag_names: Mapping[str, str],
) -> Iterator[Assignment | ConfigError]:
    """All that is said, weakest first."""
    for path in files:
        try:
            file, problems = read_file(path)
        except ConfigError as error:
            yield error
            continue
        yield from problems
        yield from file_layer(catalogue, file)
    yield from environment_layer(catalogue, environ)
    for path_text in sorted(flags, key=lambda p: p.count(".")):
        yield from _flag(catalogue, path_text, flags[path_text], flag_names.get(path_text, SET_FLAG))


def _flag(catalogue: Catalogue, path: str, text: str, flag: str) -> Iterator[Assignment | ConfigError]:
    place = f"flag {flag}"
    key = catalogue.keys.get(path)
    if key is not None and key.is_secret:
        # Every user of the machine can read a command line.
        remedy = f"Name the file that holds it: {SET_FLAG} {path}_file=PATH"
        yield problem_of(path, "a secret must not stand on a command line", place, remedy)
        return
    value = value_of_text(key, text) if key is not None else json_of_text(text)
    origin = Origin(place, lambda _: place, lambda near: f"{SET_FLAG} {near}=VALUE")
    yield from spread(catalogue, path, value, origin)


def _nest(chosen: Mapping[str, Assignment]) -> dict[str, Any]:
    """Assignments as the object a file would hold."""
    root: dict[str, Any] = {}
    for path, item in chosen.items():
        *parents, name = path.split(".")
        inner = root
        for parent in parents:
            inner = inner.setdefault(parent, {})
        inner[name] = item.value
    return root
