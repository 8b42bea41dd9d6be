"""Files that cannot be read, or say what they cannot mean: each gets one line with the place and the remedy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import ConfigError
from common.runtime.settings import load_settings, problem_lines
from common.runtime.settings.files import FILE_MAX_BYTES, locate


def refused(path: Path) -> str:
    """The one line said about a file."""
    with pytest.raises(ConfigError) as caught:
        load_settings([path], {}, {})
    (line,) = problem_lines(caught.value)
    return line


@pytest.mark.parametrize(
    ("content", "problem", "remedy"),
    [
        (b"", "is empty", "Write {}"),
        (b" \n\t ", "is empty", "Write {}"),
        (b"[1, 2]", "holds a list, not a JSON object", 'Write {"section"'),
        (b"5", "holds a number, not", "Write"),
        (b"true", "holds true or false, not", "Write"),
        (b"null", "holds null, not", "Write"),
        (b'{"risk": {"max_open_positions": 5,}}', "line 1 column 3", "Remove the comma before the closing bracket"),
        (b'{\n  "risk": {\n    // limits\n  }\n}', "line 3 column 5", "Remove the comment"),
        (b"{'risk': {}}", "line 1 column 2", "Use double quotes"),
        (b'{"risk": {"max_open_positions": 5}', "line 1 column 35", "Correct the JSON"),
        (b'{"risk": }', "line 1 column 10", "Correct the JSON"),
        (b"\xff\xfe{\x00}\x00", "is not UTF-8 text at byte 0", "Save it as UTF-8"),
        (b'{"journal": {"directory": "\xe9"}}', "is not UTF-8 text at byte 27", "Save it as UTF-8"),
        (b"[" * 100_000, "is nested too deep", "Keep it within"),
        (
            b'{"bus": {"ring_frames": ' + b"9" * 5000 + b"}}",
            "holds a number of thousands of digits",
            "Write it shorter",
        ),
        (b'{"$schema": 5}', "$schema is not text", "leave it out"),
        (b" " * (FILE_MAX_BYTES + 1), f"is larger than {FILE_MAX_BYTES} bytes", "right file"),
    ],
)
def test_a_bad_file_is_named_with_problem_and_remedy(
    tmp_path: Path, content: bytes, problem: str, remedy: str
) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    line = refused(path)
    assert line.startswith(f"{path}: ")
    assert problem in line
    assert remedy in line


def test_missing_directory_and_unreadable_names(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.json") == (
        f"{tmp_path / 'none.json'}: no such file. Name a file that exists, or leave it out"
    )
    assert "is a directory. Name a file in it" in refused(tmp_path)
    (tmp_path / "file").write_text("{}")
    assert "cannot be read" in refused(tmp_path / "file" / "below.json")
    assert "cannot be read" in refused(tmp_path / "nul\0.json")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
def test_numbers_that_are_none_are_refused_with_their_line(tmp_path: Path, number: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text('{\n "risk": {\n  "max_position_size": ' + number + "}}")
    assert refused(path).startswith(f"risk.max_position_size: {number} is not a finite number ({path} line 3). ")


def test_a_key_given_twice_is_refused_with_both_lines(tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_text('{"risk": {\n"max_open_positions": 5,\n"max_open_positions": 6}}')
    assert refused(path) == f"risk.max_open_positions: is given twice, on lines 2 and 3 ({path}). Keep one"
    path.write_text('{"risk": {},\n"risk": {"max_open_positions": 6}}')
    assert refused(path) == f"risk: is given twice, on lines 1 and 2 ({path}). Keep one"


def test_the_same_key_in_two_places_is_no_duplicate(tmp_path: Path) -> None:
    path = tmp_path / "good.json"
    path.write_text('{"risk": {"state_interval_ms": 1}, "execution": {"state_interval_ms": 2}}')
    config = load_settings([path], {}, {}).config
    assert (config.risk.state_interval_ms, config.execution.state_interval_ms) == (1, 2)


def test_a_byte_order_mark_and_a_schema_reference_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "windows.json"
    path.write_bytes(b'\xef\xbb\xbf{"$schema": "system.schema.json", "risk": {"max_open_positions": 7}}\r\n')
    assert load_settings([path], {}, {}).config.risk.max_open_positions == 7


def test_a_pipe_can_be_read() -> None:
    """As in --config <(generate): no regular file, read once."""
    import os

    reader, writer = os.pipe()
    os.write(writer, b'{"risk": {"max_open_positions": 7}}')
    os.close(writer)
    try:
        assert load_settings([Path(f"/dev/fd/{reader}")], {}, {}).config.risk.max_open_positions == 7
    finally:
        os.close(reader)


def test_a_problem_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_text('{"risk":\n {"max_open_positions":\n  "five"}}')
    assert refused(path).startswith(f'risk.max_open_positions: "five" is not a whole number ({path} line 2). Give ')


_names = st.text(st.characters(exclude_characters=".[]"), min_size=1)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(_names, inner),
    max_leaves=20,
)


@given(st.dictionaries(_names, _json), st.sampled_from([0, 2]))
def test_every_key_is_found_on_its_line(content: dict[str, Any], indent: int) -> None:
    """Against the obvious twin: with an indent, json.dumps puts each key and each item on a line of its own."""
    lines, problems = locate(json.dumps(content, indent=indent), Path("x"))
    assert lines == dict(_lines_of(content, "", iter(range(2, 10**6))))
    assert not problems


def _lines_of(value: Any, path: str, numbers: Any) -> list[tuple[str, int]]:
    """(path, line) of every key, for text written with an indent."""
    found: list[tuple[str, int]] = []
    if isinstance(value, dict):
        for name, inner in value.items():
            inner_path = f"{path}.{name}" if path else name
            found.append((inner_path, next(numbers)))
            found += _lines_of(inner, inner_path, numbers)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            next(numbers)
            found += _lines_of(inner, f"{path}[{index}]", numbers)
    if isinstance(value, (dict, list)) and value and path:
        next(numbers)  # the closing bracket
    return found
