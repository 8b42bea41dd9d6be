"""The entry point all daemons share: stopping, exit codes, errors, orphans; in real processes."""

from __future__ import annotations

import errno
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from common.runtime.sockets import bind_error
from tests.cli.commands import ROOT, environment, run_module

TINY = "tests.cli.tiny_daemon"


@contextmanager
def running(*arguments: str, **extra: str) -> Iterator[subprocess.Popen[str]]:
    """The tiny daemon, once it runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", TINY, *arguments],
        cwd=ROOT,
        env=environment(extra),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("running")
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(number: signal.Signals) -> None:
    with running() as process:
        began_s = time.monotonic()
        process.send_signal(number)
        out, err = process.communicate(timeout=10)
        assert process.returncode == 0
        assert "cleaned up" in out
        assert "Traceback" not in err
        assert number.name in err
        assert time.monotonic() - began_s < 1.5


def test_a_daemon_that_does_not_watch_stop_is_cancelled_within_three_seconds() -> None:
    with running("--behaviour", "deaf") as process:
        began_s = time.monotonic()
        process.terminate()
        out, err = process.communicate(timeout=10)
        assert process.returncode == 0
        assert "cleaned up" in out
        assert "Traceback" not in err
        assert time.monotonic() - began_s < 3.5


def test_a_second_signal_cancels_at_once() -> None:
    with running("--behaviour", "deaf") as process:
        began_s = time.monotonic()
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=10)
        assert process.returncode == 0
        assert "cleaned up" in out
        assert time.monotonic() - began_s < 1.5


def test_a_daemon_that_swallows_cancellation_ends_all_the_same() -> None:
    with running("--behaviour", "stubborn") as process:
        began_s = time.monotonic()
        process.terminate()
        out, err = process.communicate(timeout=10)
        assert process.returncode == 1
        assert "ignored" in out
        assert "Did not stop in time" in err
        assert time.monotonic() - began_s < 4


@pytest.mark.parametrize("behaviour", ["config-error", "config-error-in-group"])
def test_a_config_error_at_run_time_is_one_line(behaviour: str) -> None:
    done = run_module(TINY, "--behaviour", behaviour)
    assert done.returncode == 4
    assert done.stderr == "risk.x: is wrong. Make it right\n"


def test_an_unexpected_exception_is_logged_once_with_its_traceback() -> None:
    done = run_module(TINY, "--behaviour", "crash")
    assert done.returncode == 1
    assert done.stderr.count("Traceback") == 1
    assert done.stderr.count("RuntimeError: the floor gave way") == 1
    assert "CRITICAL [tiny] Failed" in done.stderr


def test_the_exit_code_is_what_run_returns() -> None:
    assert run_module(TINY, "--behaviour", "return-1").returncode == 1


def test_check_config_says_one_line_and_runs_nothing() -> None:
    done = run_module(TINY, "--check-config")
    assert (done.returncode, done.stdout, done.stderr) == (0, "configuration is valid\n", "")


def test_wrong_configuration_is_a_line_each_and_exit_code_4() -> None:
    done = run_module(
        TINY, "--check-config", "--set", "risk.max_open_positions=0", extra={"TIDEWIRE__BUS__CODEC": "xml"}
    )
    assert done.returncode == 4
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("risk.max_open_positions: 0 is out of range (flag --set). Give ")
    assert lines[1].startswith('bus.codec: "xml" is not accepted (environment TIDEWIRE__BUS__CODEC). Give one of ')


def test_flags_reach_the_daemon() -> None:
    with running("--live", "--set", "risk.max_open_positions=3") as process:
        process.terminate()
    done = run_module(TINY, "--behaviour", "return-1", "--set", "risk.max_open_positions=3", "--live")
    assert done.stdout == "running live=True positions=3\n"


def test_wrong_log_levels_name_their_flag() -> None:
    done = run_module(TINY, "--log-levels", "loud", "--check-config")
    assert done.returncode == 4
    assert "logging.levels: 'loud'" in done.stderr
    assert "(flag --log-levels)" in done.stderr


def test_help_has_examples_and_version_a_number() -> None:
    helped = run_module(TINY, "--help").stdout
    for word in ("--config", "--set", "--check-config", "--live", "--log-levels", "examples:", "TIDEWIRE__"):
        assert word in helped
    assert re.match(r"tiny \S+", run_module(TINY, "--version").stdout)


def test_a_child_ends_when_its_parent_is_gone() -> None:
    """A parent that starts the daemon and is killed: the daemon must not stay behind."""
    script = (
        "import os, subprocess, sys, time\n"
        "os.environ['TIDEWIRE_PARENT_PID'] = str(os.getpid())\n"
        f"child = subprocess.Popen([sys.executable, '-m', '{TINY}'])\n"
        "print('child', child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline().startswith("child")
        assert parent.stdout.readline().startswith("running")
        parent.kill()
        # The child shares the pipe: end of file comes when it has ended as well.
        began_s = time.monotonic()
        assert "cleaned up" in parent.stdout.read()
        assert time.monotonic() - began_s < 5
        assert parent.stderr is not None
        assert "the supervisor is gone" in parent.stderr.read()


def test_a_living_parent_lets_it_run() -> None:
    with running(TIDEWIRE_PARENT_PID=str(os.getpid())) as process:
        time.sleep(1.6)
        assert process.poll() is None


def test_a_parent_that_was_never_there_ends_it() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    done = run_module(TINY, extra={"TIDEWIRE_PARENT_PID": str(gone.pid)})
    assert done.returncode == 0
    assert "the supervisor is gone" in done.stderr


def test_a_parent_that_is_no_process_id_is_refused() -> None:
    done = run_module(TINY, extra={"TIDEWIRE_PARENT_PID": "mother"})
    assert done.returncode == 4
    assert done.stderr == "TIDEWIRE_PARENT_PID: 'mother' is not a process id. Unset it; only a supervisor sets it\n"


def test_a_taken_port_names_key_and_remedy() -> None:
    with socket.socket() as first, socket.socket() as second:
        first.bind(("127.0.0.1", 0))
        first.listen()
        port = first.getsockname()[1]
        with pytest.raises(OSError, match="in use") as caught:
            second.bind(("127.0.0.1", port))
        text = str(bind_error("risk.zmq_publish_address", f"tcp://127.0.0.1:{port}", caught.value))
    assert text.startswith(f"risk.zmq_publish_address: tcp://127.0.0.1:{port} is taken by another process. ")
    assert "--set risk.zmq_publish_address=tcp://127.0.0.1:PORT" in text


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EACCES, "may not be used"),
        (errno.EADDRNOTAVAIL, "not an address of this machine"),
        (errno.EIO, "cannot"),
    ],
)
def test_other_bind_failures_are_clear_too(number: int, words: str) -> None:
    text = str(bind_error("bus.x", "127.0.0.1:80", OSError(number, os.strerror(number))))
    assert words in text
    assert "--set bus.x=127.0.0.1:PORT" in text
