"""The `tidewire` command. Each sub-command lies in a module of its own, imported when it is asked for."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import Final, NamedTuple

from common.errors import EXIT_CONFIG, ConfigError
from common.runtime.settings import problem_lines
from common.runtime.version import version


class Command(NamedTuple):
    """A sub-command: its module has `add_arguments(parser)` and `main(args) -> exit code`."""

    module: str
    help: str


COMMANDS: Final = {
    "run": Command("cli.run", "start the whole system and watch it trade; Ctrl-C stops it"),
    "replay": Command("cli.replay", "replay a recorded capture through the decoder, sync and book code"),
    "record": Command("cli.record", "keep what venues send, exactly as it came, and as tables on wish"),
    "data": Command("cli.data", "list, verify, export and import recorded market data"),
    "market-statistics": Command(
        "cli.market_statistics", "measure the mock exchange's simulated market: spread, depth, volatility, order flow"
    ),
    "config": Command("cli.config", "show, check and describe the configuration"),
    "compile": Command("cli.compile", "compile the numba kernels, so that daemons start at once"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a sub-command; returns its exit code (0 good, 1 failed, 2 usage, 4 configuration)."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    args = _parser(arguments).parse_args(arguments)
    try:
        code = int(importlib.import_module(COMMANDS[args.command].module).main(args))
        sys.stdout.flush()
        return code
    except ConfigError as error:
        for line in problem_lines(error):
            print(line, file=sys.stderr)
        return EXIT_CONFIG
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough; nothing is left to flush at exit.
        sys.stdout = None
        return 0


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """The parser; only the chosen command's module is imported, for its flags."""
    parser = argparse.ArgumentParser(prog="tidewire", description="An algorithmic trading system and research lab.")
    parser.add_argument("--version", action="version", version=f"tidewire {version()}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    chosen = next((a for a in arguments if not a.startswith("-")), "")
    for name, command in COMMANDS.items():
        sub = commands.add_parser(
            name, help=command.help, description=f"{command.help[0].upper()}{command.help[1:]}."
        )
        if name == chosen:
            importlib.import_module(command.module).add_arguments(sub)
    return parser


if __name__ == "__main__":
    sys.exit(main())
