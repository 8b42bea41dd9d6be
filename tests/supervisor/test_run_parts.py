"""The smaller parts: backoff, run folders, log tails, what flags mean, captures, the report."""

from __future__ import annotations

import argparse
import gzip
import json
import os
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from cli import run
from cli.supervisor import plan as plans
from cli.supervisor.backoff import Backoff
from cli.supervisor.log_tail import LogTail, NoticeLimit, is_notable
from cli.supervisor.plan import Capture, RunOptions, RunPlan
from cli.supervisor.replay import inspect_captures
from cli.supervisor.report import report
from cli.supervisor.run_folder import KEPT_RUNS, RunFolder
from cli.supervisor.summary import summarise
from common.config import SystemConfig
from common.errors import ConfigError
from common.runtime.settings import settings_of
from tests.supervisor.samples import good_statuses, ledger_of


@given(st.lists(st.floats(0, 100), max_size=50))
def test_backoff_is_bounded_never_shrinks_between_short_lives_and_forgives_a_long_one(lives: list[float]) -> None:
    backoff, last = Backoff(), 0.0
    for lived_s in lives:
        delay = backoff.after_death(lived_s)
        assert backoff.first_s <= delay <= backoff.cap_s
        assert delay == backoff.first_s if lived_s >= backoff.forgive_after_s else delay >= last
        last = delay
    short = next((i for i, lived in enumerate(reversed(lives)) if lived >= 30), len(lives))
    assert backoff.gives_up == (min(short + (short < len(lives)), len(lives)) >= backoff.most_in_a_row)


def test_every_run_has_its_folder_and_only_the_newest_are_kept(tmp_path: Path) -> None:
    (tmp_path / "market_data").mkdir()
    folders = []
    for i in range(KEPT_RUNS + 3):
        folder = RunFolder(tmp_path, 1_700_000_000 + i // 2)  # two in the same second differ all the same
        os.utime(folder.path, ns=(i, i))
        folder.close()
        folders.append(folder.path)
    assert len(set(folders)) == len(folders)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"market_data", *(path.name for path in folders[-KEPT_RUNS:])}
    assert folder.log_path("market_data").parent.is_dir()


def test_a_run_that_goes_on_is_never_removed(tmp_path: Path) -> None:
    going_on = RunFolder(tmp_path, 1_700_000_000)
    (going_on.path / "journal").write_text("precious")
    os.utime(going_on.path, ns=(1, 1))
    for i in range(KEPT_RUNS + 3):
        RunFolder(tmp_path, 1_700_000_100 + i).close()
    assert (going_on.path / "journal").read_text() == "precious"
    going_on.close()
    RunFolder(tmp_path, 1_700_000_900).close()
    assert not going_on.path.exists()


def test_a_folder_that_cannot_be_made_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"journal\.directory"):
        RunFolder(tmp_path / "file", 0.0)


def test_a_tail_gives_whole_lines_once(tmp_path: Path) -> None:
    tail = LogTail(tmp_path / "a.log")
    assert tail.new_lines() == []
    with (tmp_path / "a.log").open("w") as file:
        file.write("one\ntw")
        file.flush()
        assert tail.new_lines() == ["one"]
        file.write("o\n\nthree\n")
        file.flush()
        assert tail.new_lines() == ["two", "three"]
    assert tail.new_lines() == []


def test_a_log_is_bounded_and_goes_on_after_it_started_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    tail = LogTail(path, most_bytes=100)
    seen = []
    with path.open("a") as file:
        for i in range(100):
            file.write(f"line {i}\n")
            file.flush()
            seen += tail.new_lines()
            assert path.stat().st_size < 110
    assert seen == [f"line {i}" for i in range(100)]
    assert (tmp_path / "a.1.log").stat().st_size < 110


@pytest.mark.parametrize(
    ("line", "notable"),
    [
        ("2025-10-14T20:15:32.456Z WARNING [a] b", True),
        ('{"level":"error","event":"x"}', True),
        ("2025-10-14T20:15:32.456Z INFO [a] no WARNINGS here", False),
        ('{"level":"info","event":"x"}', False),
    ],
)
def test_what_is_notable(line: str, notable: bool) -> None:
    assert is_notable(line) is notable


def test_a_storm_of_notices_is_held_back_and_its_size_told() -> None:
    limit = NoticeLimit(most=2, window_s=10.0)
    assert limit.admit("a", ["1", "2", "3", "4"], 0.0) == ["1", "2"]
    assert limit.admit("a", ["5"], 5.0) == []
    assert limit.admit("b", ["1"], 5.0) == ["1"]
    assert limit.admit("a", ["6"], 11.0) == ["3 more warnings of a stand in its log", "6"]


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    run.add_arguments(parser)
    return parser.parse_args(arguments)


def test_flags_become_settings_that_hold() -> None:
    options = RunOptions(seed=7, speed=3.0, damage=0.02, replay=("x",))
    capture = Capture(("/data/x.gz",), "binance-usdm", ("BTCUSDT",))
    flags = plans.own_flags(options, capture, "127.0.0.1:9443")
    config = settings_of(parsed(), {}, flags).config
    assert config.mock_exchange.seed == 7 and config.mock_exchange.replay_speed == 3.0
    damage = config.mock_exchange.damage
    assert (damage.drop, damage.duplicate, damage.reorder, damage.truncate) == (0.02,) * 4
    assert config.mock_exchange.replay_files == ("/data/x.gz",)
    assert config.market_data.exchange == "binance-usdm" and config.market_data.symbols == ("BTCUSDT",)
    assert plans.services_of(config, options) == (
        "mock_exchange", "market_data", "signal_bridge", "risk_manager", "execution_engine",
    )  # fmt: skip
    assert "replay of x" in plans.title_of(config, options, plans.services_of(config, options))


def test_the_mock_is_started_only_where_market_data_is_pointed_at_it() -> None:
    assert "mock_exchange" not in plans.services_of(SystemConfig(), RunOptions())
    demo = settings_of(parsed("--config", "config/system.json", "--config", "config/demo.json"), {}).config
    assert plans.services_of(demo, RunOptions())[0] == "mock_exchange"
    assert "mock_exchange" not in plans.services_of(demo, RunOptions(without_mock=True))


def test_a_command_line_says_files_then_settings() -> None:
    command = plans.command_of("risk_manager", [Path("a.json"), Path("b.json")], {"risk.max_open_positions": "3"})
    assert command[1:] == [
        "-m", "services.risk_manager", "--config", "a.json", "--config", "b.json",
        "--set", "risk.max_open_positions=3",
    ]  # fmt: skip


def test_a_wrong_flag_names_itself() -> None:
    flags = plans.own_flags(RunOptions(damage=2.0), None, "127.0.0.1:9443")
    with pytest.raises(ConfigError, match=r"--damage"):
        settings_of(parsed(), {}, flags)


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "x"])
def test_a_duration_must_be_some_seconds(text: str) -> None:
    with pytest.raises(SystemExit):
        parsed("--duration", text)


def test_captures_that_cannot_be_replayed_are_clear_errors(tmp_path: Path) -> None:
    for name, content in (("text", b"hello\n"), ("cut.gz", gzip.compress(b"x" * 1000)[:30]), ("empty", b"")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ConfigError, match=name):
            inspect_captures([str(tmp_path / name)])
    with pytest.raises(ConfigError, match="nowhere"):
        inspect_captures([str(tmp_path / "nowhere")])


@pytest.mark.recorded
@pytest.mark.parametrize(("name", "exchange"), [("spot", "binance"), ("usdm", "binance-usdm")])
def test_recorded_captures_say_what_they_are(recorded: Path, name: str, exchange: str) -> None:
    capture = inspect_captures([str(recorded / "hftbacktest" / name / "btcusdt_20240808.gz")])
    assert (capture.exchange, capture.symbols) == (exchange, ("BTCUSDT",))
    assert Path(capture.files[0]).is_absolute()


def test_the_report_reads_like_the_summary() -> None:
    plan = RunPlan("paper trading", Path("state/run-x"), {}, {}, {})
    summary = summarise(ledger_of(good_statuses()), seconds=60.0, deaths={"market_data": 1})
    console = Console(file=StringIO(), record=True, width=100)
    console.print(report(summary, plan, "the time is up", ("a warning",)))
    text = console.export_text()
    for part in (
        "1:00, the time is up", "refused: already positioned", "-1.32", "4,000 of 4,000", "310us", "5,000",
        "a warning", "state/run-x", "Not a good run: market_data died once",
    ):  # fmt: skip
        assert part in text, part
    assert json.loads(summary.line())["deaths"] == {"market_data": 1}
