"""The flags every command with a configuration has."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

from common.errors import ConfigError
from common.runtime.settings.load import SET_FLAG, Settings, load_settings
from common.runtime.settings.problems import ConfigProblems, problem_of

DEFAULT_FILE: Final = Path("config/system.json")


def add_config_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --config and --set."""
    parser.add_argument(
        "--config",
        action="append",
        type=Path,
        default=[],
        metavar="FILE",
        help=f"configuration file; repeat for overlays, later wins (default: {DEFAULT_FILE} if it exists)",
    )
    parser.add_argument(
        SET_FLAG,
        action="append",
        default=[],
        dest="set",
        metavar="KEY=VALUE",
        help="one value, as in risk.max_position_size=5; repeatable, stronger than environment and files",
    )


def settings_of(
    args: argparse.Namespace,
    environ: Mapping[str, str],
    own_flags: Mapping[str, tuple[str, str]] = MappingProxyType({}),
) -> Settings:
    """The settings of parsed arguments. `own_flags`: key -> (flag, value), for keys with a flag of their own.

    Raises:
        ConfigProblems: everything that is wrong.
    """
    flags, problems = _assignments(args.set)
    flags |= {key: value for key, (_, value) in own_flags.items()}
    files = args.config or ([DEFAULT_FILE] if DEFAULT_FILE.exists() else [])
    try:
        settings = load_settings(files, flags, environ, flag_names={k: flag for k, (flag, _) in own_flags.items()})
    except ConfigProblems as error:
        raise ConfigProblems([*problems, *error.problems]) from None
    if problems:
        raise ConfigProblems(problems)
    return settings


def _assignments(texts: Sequence[str]) -> tuple[dict[str, str], list[ConfigError]]:
    flags: dict[str, str] = {}
    problems: list[ConfigError] = []
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            remedy = "Write KEY=VALUE, such as risk.max_position_size=5"
            problems.append(problem_of(SET_FLAG, f"{text!r} sets nothing", "", remedy))
        elif flags.get(key.strip(), value) != value:
            problems.append(problem_of(key.strip(), "is set to two values", f"flag {SET_FLAG}", "Keep one"))
        else:
            flags[key.strip()] = value
    return flags, problems
