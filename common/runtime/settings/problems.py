"""What is said about a wrong configuration: one line a problem, with the key, the place and the remedy."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from common.config.keys import fields_at, form_at, is_secret, path_text, shown
from common.errors import ConfigError

MASK: Final = "***"
_VALUE_MAX_CHARS: Final = 60
_NOUNS: Final = {
    "bool_type": "true or false",
    "decimal_type": "a number",
    "float_type": "a number",
    "int_from_float": "a whole number",
    "int_type": "a whole number",
    "model_type": "an object",
    "string_type": "text",
    "tuple_type": "a list",
}
_OUT_OF_RANGE: Final = frozenset(
    {
        "decimal_max_places",
        "finite_number",
        "greater_than",
        "greater_than_equal",
        "less_than",
        "less_than_equal",
        "string_too_long",
        "string_too_short",
        "too_long",
        "too_short",
    }
)


class ConfigProblems(ConfigError):  # noqa: N818 - it is several
    """Everything that is wrong with a configuration, a line each."""

    def __init__(self, problems: Sequence[ConfigError]) -> None:
        first = problems[0]
        super().__init__(first.key, first.problem, first.remedy)
        self.args = ("\n".join(str(p) for p in problems),)
        self.problems = tuple(problems)


def problem_lines(error: ConfigError) -> list[str]:
    """One line for each problem."""
    problems: Iterable[ConfigError] = error.problems if isinstance(error, ConfigProblems) else (error,)
    return [printable(str(p)) for p in problems]


def problem_of(key: str, problem: str, place: str, remedy: str) -> ConfigError:
    """A problem with the place it comes from."""
    return ConfigError(
        printable(key) or '""', printable(f"{problem} ({place})" if place else problem), printable(remedy)
    )


def printable(text: str) -> str:
    """`text` on one line, without anything a terminal would obey."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def value_text(path: str, value: Any) -> str:
    """A value for a message: masked when secret, cut when long."""
    if is_secret(path):
        return MASK
    text = shown(value)
    return text if len(text) <= _VALUE_MAX_CHARS else f"{text[:_VALUE_MAX_CHARS]}..."


def unknown_key(path: str, place: str, known: Iterable[str], spell: Callable[[str], str] = str) -> ConfigError:
    """A key nobody knows, with the nearest one somebody does; `spell` writes a key as the place would."""
    known = list(known)
    near = _nearest(path, known)
    if near:
        remedy = f"Did you mean {spell(near)}?"
    else:
        parent = path.rpartition(".")[0]
        siblings = [k for k in known if k.rpartition(".")[0] == parent]
        remedy = f"Known here: {', '.join(k.rpartition('.')[2] for k in siblings or known)}"
    return problem_of(path, "is not a known key", place, remedy)


def _nearest(path: str, known: Sequence[str]) -> str | None:
    parent, _, name = path.rpartition(".")
    same_name = [k for k in known if k.rpartition(".")[2] == name]
    if len(same_name) == 1:
        return same_name[0]
    siblings = {k.rpartition(".")[2]: k for k in known if k.rpartition(".")[0] == parent}
    if siblings:
        return next((siblings[n] for n in difflib.get_close_matches(name, siblings, 1)), None)
    return next(iter(difflib.get_close_matches(path, known, 1)), None)


def validation_problems(
    model: type[BaseModel], error: ValidationError, places: Mapping[str, str], defaults: Mapping[str, Any]
) -> list[ConfigError]:
    """What pydantic found, in this project's words. `places` says where each given key was given."""
    problems: list[ConfigError] = []
    found = error.errors(include_url=False)
    for details in found:
        if details["type"] == "too_short" and any(_is_inside(other["loc"], details["loc"]) for other in found):
            continue  # pydantic does not count the items it refused
        if details["type"] == "conflicts":
            conflicts = details["ctx"]["conflicts"]
            problems += [problem_of(c.key, c.problem, places.get(c.key, "default"), c.remedy) for c in conflicts]
        else:
            problems.append(_describe(model, details, places, defaults))
    return problems


def _is_inside(location: Sequence[int | str], outer: Sequence[int | str]) -> bool:
    return len(location) > len(outer) and location[: len(outer)] == outer


def _describe(
    model: type[BaseModel], details: ErrorDetails, places: Mapping[str, str], defaults: Mapping[str, Any]
) -> ConfigError:
    kind, location, value = details["type"], details["loc"], details["input"]
    path = path_text(location)
    leaf = next((p for p in places if path == p or path.startswith((f"{p}.", f"{p}["))), "")
    place = places.get(leaf, "")
    if kind == "extra_forbidden":
        parent = path_text(location[:-1])
        siblings = [f"{parent}.{name}" for name in fields_at(model, location[:-1])]
        return unknown_key(path, place, siblings)
    form = form_at(model, location)
    example = _example(defaults.get(path))
    if kind == "refused":
        problem, remedy = details["ctx"]["problem"], details["ctx"]["remedy"]
        return problem_of(path, MASK if is_secret(path) else problem, place, remedy)
    if kind == "missing":
        return problem_of(path, "is missing", place, f"Give {form}")
    text = value_text(path, value)
    if kind in _OUT_OF_RANGE:
        problem = f"{text} is out of range"
    elif kind in _NOUNS:
        problem = f"{text} is not {_NOUNS[kind]}"
    else:
        problem = f"{text} is not accepted"
    return problem_of(path, problem, place, f"Give {form}{example}")


def _example(default: Any) -> str:
    text = "" if default is None else shown(default)
    return f", such as {text}" if 0 < len(text) <= _VALUE_MAX_CHARS else ""
