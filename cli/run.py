"""`tidewire run`: the whole system under a supervisor, from one command.

Starts the mock exchange (when market data is pointed at it) and the four daemons, shows them live, starts again what
dies, and ends with a summary whose last line is one JSON object. `--duration` counts from the moment all daemons are
ready; with `--replay` the run also ends when the capture has been fed and the pipeline has drained.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import time
from pathlib import Path

from cli.supervisor import plan as plans
from cli.supervisor.plan import RunOptions, RunPlan
from cli.supervisor.presenter import choose_presenter
from cli.supervisor.replay import inspect_captures
from cli.supervisor.run_folder import RunFolder
from cli.supervisor.supervisor import End, Supervisor
from common.config import SystemConfig
from common.errors import EXIT_CONFIG
from common.runtime.settings import add_config_arguments, settings_of

#: A BLAS library that starts a thread per core in each of five processes makes all of them slow.
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_PARENT = "TIDEWIRE_PARENT_PID"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `tidewire run`."""
    add_config_arguments(parser)
    parser.add_argument("--duration", type=_seconds, metavar="S", help="stop after S seconds of trading")
    parser.add_argument("--seed", type=int, metavar="N", help="seed of the mock exchange: equal seed, equal market")
    parser.add_argument(
        "--replay", action="append", default=[], metavar="FILE", help="trade on a recorded capture; repeat for more"
    )
    parser.add_argument(
        "--speed", type=float, metavar="X", help="replay at X times the original speed; 0: full speed"
    )
    parser.add_argument(
        "--damage", type=float, metavar="P", help="drop, duplicate, reorder and truncate this share of depth frames"
    )
    parser.add_argument("--no-mock", action="store_true", help="do not start the mock exchange; it runs elsewhere")
    parser.add_argument(
        "--json-only", action="store_true", help="print nothing on stdout but the summary's JSON line"
    )


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds above 0")
    return value


def main(args: argparse.Namespace) -> int:
    """Run it; the exit code: 0 a good run, 1 a bad one (the summary says why), 4 a wrong configuration.

    Raises:
        ConfigError: found before anything was started.
    """
    options = RunOptions(
        duration_s=args.duration,
        seed=args.seed,
        replay=tuple(args.replay),
        speed=args.speed,
        damage=args.damage,
        without_mock=args.no_mock,
        json_only=args.json_only,
    )
    config, settings = _configure(args, options)
    folder = RunFolder(Path(config.journal.directory), time.time())
    try:
        settings["journal.directory"] = str(folder.path)
        return asyncio.run(_run(_plan(config, options, args.config, settings, folder), config, options))
    finally:
        folder.close()


def _configure(args: argparse.Namespace, options: RunOptions) -> tuple[SystemConfig, dict[str, str]]:
    """The configuration of the run, and the settings over the files that every daemon is to be told."""
    config = settings_of(args, os.environ).config
    capture = inspect_captures(options.replay) if options.replay else None
    flags = plans.own_flags(options, capture, config.mock_exchange.listen_address)
    config = settings_of(args, os.environ, flags).config
    settings = {key.strip(): value for key, _, value in (text.partition("=") for text in args.set)}
    return config, settings | {key: value for key, (_, value) in flags.items()}


def _plan(
    config: SystemConfig, options: RunOptions, files: list[Path], settings: dict[str, str], folder: RunFolder
) -> RunPlan:
    services = plans.services_of(config, options)
    return RunPlan(
        title=plans.title_of(config, options, services),
        folder=folder.path,
        commands={service: plans.command_of(service, files, settings) for service in services},
        addresses=plans.status_addresses(config, services),
        log_paths={service: folder.log_path(service) for service in services},
        duration_s=options.duration_s,
        is_replay=bool(options.replay),
    )


def _environment() -> dict[str, str]:
    defaults = dict.fromkeys(_ONE_THREAD, "1")
    return {**defaults, **os.environ, _PARENT: str(os.getpid())}


async def _run(plan: RunPlan, config: SystemConfig, options: RunOptions) -> int:
    presenter = choose_presenter(config, json_only=options.json_only)
    supervisor = Supervisor(plan, presenter, _environment())
    loop = asyncio.get_running_loop()

    def stop() -> None:
        if supervisor.stop.is_set():
            supervisor.hurry.set()
        supervisor.stop.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop)
    end = await supervisor.run()
    if end is End.REFUSED:
        print(supervisor.refusal, file=sys.stderr)
        return EXIT_CONFIG
    return _conclude(supervisor, plan, end, options)


def _conclude(supervisor: Supervisor, plan: RunPlan, end: End, options: RunOptions) -> int:
    """Print the summary, its JSON last; the exit code."""
    from rich.console import Console

    from cli.supervisor.report import report

    summary = supervisor.summary()
    if not options.json_only:
        is_terminal = sys.stdout.isatty()
        # Without a terminal the warnings have been printed already, each when it came.
        notices = tuple(supervisor.watch.notices) if is_terminal else ()
        Console(width=None if is_terminal else 120).print(report(summary, plan, end.value, notices))
    print(summary.line(), flush=True)
    return summary.exit_code
