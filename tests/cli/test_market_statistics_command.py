"""`tidewire market-statistics` as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.main import main
from tests.cli import commands


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["market-statistics", *arguments]) == 0
    return capsys.readouterr().out


def test_tables_have_a_column_for_each_symbol(capsys: pytest.CaptureFixture[str]) -> None:
    text = told(capsys, "--seconds", "12", "--seed", "3", "--lag-ms", "200")
    heads = [line.split() for line in text.splitlines()]
    assert text.startswith("12 s of virtual time, seed 3\n")
    assert ["symbols", "BTCUSDT", "ETHUSDT", "ETHBTC"] in heads and ["triangles", "ETHBTC"] in heads
    assert ["venues", "BTCUSDT", "ETHUSDT", "ETHBTC"] in heads
    [spread] = [line for line in heads if line[:3] == ["spread", "mean", "bps"]]
    assert all(0 < float(value) < 20 for value in spread[3:]) and len(spread) == 6
    assert {len(line) for line in text.splitlines() if line.startswith(("flow", "spread", "sign"))} != set()


def test_json_says_the_same_and_the_same_again(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--seconds", "12", "--seed", "3", "--symbol", "BTCUSDT", "--flow", "hawkes", "--json")
    first, again = told(capsys, *words), told(capsys, *words)
    found = json.loads(first)
    assert first == again
    assert found["flows"] == {"BTCUSDT": "hawkes"} and list(found["symbols"]) == ["BTCUSDT"]
    assert (found["seconds"], found["seed"], found["venues"], found["triangles"]) == (12, 3, {}, {})
    assert found["symbols"]["BTCUSDT"]["volatility_to_fundamental"].keys() == {"0.1s", "0.5s", "1s"}


def test_what_does_not_exist_is_null(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A market of hardly an order a minute has no autocorrelation at lag 50, in either form."""
    coin = {"symbol": "AB", "base": "A", "quote": "B", "tick_size": "0.01", "lot_size": "0.01", "start_price": "100"}
    file = tmp_path / "slow.json"
    file.write_text(
        json.dumps({"mock_exchange": {"symbols": [coin | {"events_per_s": 0.02, "levels_per_side": 20}]}})
    )
    words = ("--config", str(file), "--seconds", "30")
    found = json.loads(told(capsys, *words, "--lag-ms", "50", "--json"))
    assert found["symbols"]["AB"]["sign_autocorrelation"]["50"] is None
    assert found["venues"]["AB"]["set_s"] == 0.05
    [line] = [line for line in told(capsys, *words).splitlines() if line.startswith("sign autocorrelation 50")]
    assert line.split()[-1] == "-"


def test_the_configured_second_venue_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--set", 'mock_exchange.second_venue={"lag_ms":300}', "--seconds", "12", "--symbol", "BTCUSDT", "--json")
    assert json.loads(told(capsys, *words))["venues"]["BTCUSDT"]["set_s"] == 0.3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--seconds", "1"), "--seconds: 1 is not from 10 to 86400"),
        (("--seconds", "20", "--lag-ms", "9000"), "--seconds: 20 is not from 36 to 86400"),
        (("--seconds", "nan"), "--seconds"),
        (("--seed", "-1"), "--seed: -1 is not from 0"),
        (("--lag-ms", "30001"), "--lag-ms: 30001 is not from 0 to 30000"),
        (("--symbol", "FOO"), "--symbol: 'FOO' is not listed. Take one of BTCUSDT, ETHUSDT, ETHBTC"),
    ],
)
def test_wrong_flags_are_named(capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str) -> None:
    assert main(["market-statistics", *words]) == 4
    assert said in capsys.readouterr().err


def test_the_command_runs_in_a_process_of_its_own() -> None:
    done = commands.tidewire("market-statistics", "--seconds", "10", "--symbol", "ETHUSDT", "--flow", "chiarella")
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert "chiarella" in done.stdout and "BTCUSDT" not in done.stdout
