"""The environment as a layer: TIDEWIRE__RISK__MAX_POSITION_SIZE=5, lists and sections as JSON.

A variable that means a key but names none is refused: a limit that silently does not hold is worse than a daemon
that does not start. pydantic-settings is not used: it skips unknown variables and stops at the first bad one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from common.errors import ConfigError
from common.runtime.settings.layers import Assignment, Catalogue, Origin, json_of_text, spread, value_of_text
from common.runtime.settings.problems import problem_of

PREFIX: Final = "TIDEWIRE__"
#: Short for logging.levels, and stronger than its long name.
LOG_VARIABLE: Final = "TIDEWIRE_LOG"
_LOG_KEY: Final = "logging.levels"


def variable_of(path: str) -> str:
    """`risk.max_position_size` -> `TIDEWIRE__RISK__MAX_POSITION_SIZE`."""
    return PREFIX + path.upper().replace(".", "__")


def environment_layer(catalogue: Catalogue, environ: Mapping[str, str]) -> Iterator[Assignment | ConfigError]:
    """What the environment says. Names are read in any case; a key's own variable beats that of its section."""
    yield from _near_misses(catalogue, environ)
    seen: dict[str, str] = {}
    for name in sorted((n for n in environ if n.upper().startswith(PREFIX)), key=lambda n: (n.count("__"), n)):
        path = name[len(PREFIX) :].lower().replace("__", ".")
        place = f"environment {name}"
        if seen.setdefault(path, name) != name:
            yield problem_of(path, f"is given by {seen[path]} too", place, "Unset one of them")
            continue
        text = environ[name]
        value = value_of_text(catalogue.keys[path], text) if path in catalogue.keys else json_of_text(text)
        yield from spread(catalogue, path, value, _origin(name))
    if environ.get(LOG_VARIABLE) and _LOG_KEY in catalogue.keys:
        yield from spread(catalogue, _LOG_KEY, environ[LOG_VARIABLE], _origin(LOG_VARIABLE))


def _origin(name: str) -> Origin:
    return Origin(f"environment {name}", lambda _: f"environment {name}", variable_of)


def _near_misses(catalogue: Catalogue, environ: Mapping[str, str]) -> Iterator[ConfigError]:
    """TIDEWIRE_RISK_MAX_POSITION_SIZE means a key and would be read by nobody."""
    sections = {s.upper() for s in catalogue.sections if s and "." not in s}
    by_flat_name = {variable_of(path).replace("__", "_"): path for path in catalogue.keys}
    for name in sorted(environ):
        flat = name.upper().replace("__", "_")
        if name.upper().startswith(PREFIX) or not flat.startswith(tuple(f"TIDEWIRE_{s}_" for s in sections)):
            continue
        meant = by_flat_name.get(flat)
        remedy = f"Did you mean {variable_of(meant)}?" if meant else f"Write {PREFIX}SECTION__KEY, or unset it"
        yield problem_of(meant or name, "is not a known variable", f"environment {name}", remedy)
