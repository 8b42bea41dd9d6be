"""Configuration files: JSON objects in UTF-8, read strictly, with the line each key stands on."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from common.errors import ConfigError
from common.runtime.settings.problems import problem_of

FILE_MAX_BYTES: Final = 2**20
DEPTH_MAX: Final = 32
#: For editors alone: names the JSON Schema.
SCHEMA_KEY: Final = "$schema"
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """What one file says: its object, and the line of each path."""

    path: Path
    content: dict[str, Any]
    lines: dict[str, int]

    def place(self, path: str) -> str:
        """Where a key stands, for messages."""
        return f"{self.path} line {self.lines[path]}" if path in self.lines else str(self.path)


def read_file(path: Path) -> tuple[ConfigFile, list[ConfigError]]:
    """The file's object, with what is wrong inside it but leaves it readable.

    Raises:
        ConfigError: it cannot be read at all, or is not a JSON object.
    """
    text = _read_text(path)
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise problem_of(
            str(path), f"line {error.lineno} column {error.colno}: {error.msg}", "", _json_remedy(text, error.pos)
        ) from None
    except RecursionError:
        raise problem_of(str(path), "is nested too deep", "", f"Keep it within {DEPTH_MAX} levels") from None
    except ValueError:
        raise problem_of(str(path), "holds a number of thousands of digits", "", "Write it shorter") from None
    if not isinstance(content, dict):
        raise problem_of(
            str(path), f"holds {_kind(content)}, not a JSON object", "", 'Write {"section": {"key": value}}'
        )
    if not isinstance(content.pop(SCHEMA_KEY, ""), str):
        raise problem_of(
            str(path), f"{SCHEMA_KEY} is not text", "", "Give the place of system.schema.json, or leave it out"
        )
    lines, problems = locate(text, path)
    return ConfigFile(path, content, lines), problems


def read_secret(path: Path) -> str:
    """The text of a secret file, without the line end behind it.

    Raises:
        ConfigError: it cannot be read, or is empty.
    """
    return _read_text(path).rstrip("\r\n")


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(FILE_MAX_BYTES + 1)
    except FileNotFoundError:
        raise problem_of(str(path), "no such file", "", "Name a file that exists, or leave it out") from None
    except IsADirectoryError:
        raise problem_of(
            str(path), "is a directory", "", f"Name a file in it, such as {path / 'system.json'}"
        ) from None
    except PermissionError:
        raise problem_of(str(path), "may not be read by this user", "", "Change its owner or its mode") from None
    except (OSError, ValueError) as error:
        raise problem_of(str(path), f"cannot be read: {error}", "", "Name a readable file") from None
    if len(data) > FILE_MAX_BYTES:
        raise problem_of(str(path), f"is larger than {FILE_MAX_BYTES} bytes", "", "Is it the right file?")
    try:
        # Editors on Windows put a byte order mark in front; it says nothing and is skipped.
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise problem_of(str(path), f"is not UTF-8 text at byte {error.start}", "", "Save it as UTF-8") from None
    if not text.strip():
        raise problem_of(str(path), "is empty", "", "Write {} for nothing but defaults, or leave the file out")
    return text


def _json_remedy(text: str, position: int) -> str:
    here, rest = text[position : position + 1], text[position + 1 :].lstrip()
    if here in ("/", "#"):
        return "Remove the comment; JSON has none"
    # Which of the two is pointed at depends on Python's version.
    if (here in ("}", "]") and text[:position].rstrip().endswith(",")) or (here == "," and rest[:1] in ("}", "]")):
        return "Remove the comma before the closing bracket"
    if here == "'":
        return "Use double quotes"
    return "Correct the JSON there"


def _kind(value: Any) -> str:
    names = {list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def locate(text: str, file: Path) -> tuple[dict[str, int], list[ConfigError]]:
    """The line of each path of valid JSON; keys given twice and numbers that are none are problems."""
    lines: dict[str, int] = {}
    problems: list[ConfigError] = []
    # A container is its path and, for a list, the index reached; `expects_key` is about the innermost object.
    stack: list[tuple[str, int | None]] = []
    path, line, seen, expects_key = "", 1, 0, False
    for match in _TOKEN.finditer(text):
        piece = match[0]
        line += text.count("\n", seen, match.start())
        seen = match.start()
        if piece in "{[":
            stack.append((path, 0 if piece == "[" else None))
            expects_key = piece == "{"
            path = f"{path}[0]" if piece == "[" else path
        elif piece in "}]":
            path, _ = stack.pop()
            expects_key = False
        elif piece == ",":
            base, index = stack[-1]
            if index is None:
                expects_key = True
            else:
                stack[-1] = (base, index + 1)
                path = f"{base}[{index + 1}]"
        elif piece == ":":
            expects_key = False
        elif expects_key:
            base = stack[-1][0]
            path = f"{base}.{json.loads(piece)}" if base else json.loads(piece)
            if path in lines:
                problems.append(
                    problem_of(path, f"is given twice, on lines {lines[path]} and {line}", str(file), "Keep one")
                )
            lines[path] = line
        elif piece[0] != '"' and _is_no_number(piece):
            problems.append(
                problem_of(path, f"{piece} is not a finite number", f"{file} line {line}", "Give a finite number")
            )
    return lines, problems


def _is_no_number(literal: str) -> bool:
    return literal not in ("true", "false", "null") and not math.isfinite(float(literal))
