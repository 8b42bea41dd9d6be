"""`tidewire config show|check|schema|docs`."""

from __future__ import annotations

import argparse
import importlib
from typing import Final

from common.runtime.settings import add_config_arguments

_HELP: Final = {
    "show": "print every value and where it comes from; secrets are masked",
    "check": "say whether the configuration is valid; every problem on a line of its own, exit code 4",
    "schema": "print the JSON Schema of a configuration file",
    "docs": "print the manual of every key, in Markdown",
}
_WITH_CONFIG: Final = ("show", "check")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of `tidewire config`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, text in _HELP.items():
        sub = actions.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        if name in _WITH_CONFIG:
            add_config_arguments(sub)
        if name == "show":
            sub.add_argument("--json", action="store_true", help="one JSON object: key -> value and origin")


def main(args: argparse.Namespace) -> int:
    """Run the action; returns the exit code."""
    return int(importlib.import_module(f"cli.config.{args.action}").main(args))
