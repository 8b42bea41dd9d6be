"""Every command and every Python snippet of README.md and docs/ is executed, as written.

Shell blocks run line by line: what ends must end with 0; daemons are started together, must become ready and end on
SIGTERM; `make run` is bounded through DURATION. Free ports are given through the environment, stronger than files;
where the mock exchange's address stands in a block, it is replaced by that of one on a free port.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from common.config import SystemConfig
from tests.mock_exchange.clients.process import Mock, mock_process
from tests.rig import ROOT, Rig

DOCS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DAEMONS = ("mock-exchange", "market-data", "signal-bridge", "risk-manager", "execution-engine")
MOCK_ADDRESS = "127.0.0.1:9443"
#: Only checked to be known to make: this very run is one of them, tests/notebooks is another, the rest need a network
#: or a quiet machine.
DRY = {"make test", "make paper", "make bench", "make soak", "make notebooks"}

#: What a Python snippet's text says the reader has already.
GIVEN = {
    "docs/models.md": """
import pathlib
from types import SimpleNamespace

pathlib.Path("models").mkdir()
features = ["rsi", "atr"]
model = SimpleNamespace(coef_=[[0.5, -1.0]], intercept_=[0.1])
scaler = SimpleNamespace(mean_=[50.0, 1.0], scale_=[12.0, 0.5])
""",
    "docs/market_data/recording.md": f"""
from cli.main import main

assert main(["data", "import", {str(ROOT / "docs/market_data/sample_capture.txt")!r}]) == 0
""",
}


def blocks(language: str) -> Iterator[Any]:
    for path in DOCS:
        name = str(path.relative_to(ROOT))
        for number, match in enumerate(BLOCK.finditer(path.read_text())):
            if match[1] == language:
                given = GIVEN.get(name, "") if language == "python" else ""
                yield pytest.param(given + match[2], id=f"{name}-{number}")


def test_every_block_says_what_it_is() -> None:
    known = {"sh", "python", "json", "text", "mermaid"}
    for path in DOCS:
        text = path.read_text()
        assert text.count("```") % 2 == 0, f"{path} has an open block"
        fences = re.findall(r"^```(.*)$", text, re.MULTILINE)[::2]
        assert set(fences) <= known | {""}, f"{path}: {fences}"


def test_every_link_leads_somewhere() -> None:
    for path in DOCS:
        for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text()):
            assert (path.parent / target).exists(), f"{path.relative_to(ROOT)} links to {target}"


@pytest.fixture(scope="module")
def mock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mock]:
    with mock_process(tmp_path_factory.mktemp("mock")) as serving:
        yield serving


@pytest.mark.parametrize("code", list(blocks("python")))
def test_python_snippets_run(code: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if MOCK_ADDRESS in code:
        code = code.replace(MOCK_ADDRESS, request.getfixturevalue("mock").address)
    file = tmp_path / "snippet.py"
    file.write_text(code)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, str(file)], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_configurations_of_the_mock_exchange_are_taken() -> None:
    texts = [match[2] for match in BLOCK.finditer((ROOT / "docs/mock_exchange.md").read_text()) if match[1] == "json"]
    assert texts
    for text in texts:
        SystemConfig.model_validate(json.loads(text))


def environment_of(rig: Rig) -> dict[str, str]:
    made = {**os.environ, "DURATION": "12", "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for section, keys in rig.settings.items():
        for key, value in keys.items():
            made[f"TIDEWIRE__{section.upper()}__{key.upper()}"] = value
    return made


@pytest.mark.slow
@pytest.mark.parametrize("block", list(blocks("sh")))
def test_shell_blocks_run(block: str, make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()
    environment = environment_of(rig)
    running: dict[str, subprocess.Popen[bytes]] = {}
    address = rig.settings["mock_exchange"]["listen_address"]
    block = block.replace(MOCK_ADDRESS, address).replace("--port 9443", f"--port {address.rpartition(':')[2]}")
    try:
        for line in filter(None, (raw.split("#")[0].strip() for raw in block.splitlines())):
            words = shlex.split(line)
            if words[0] == "." and words[1].endswith("/bin/activate"):
                continue
            if words[0] in DAEMONS and "--check-config" not in words:
                running[words[0]] = subprocess.Popen(words, cwd=ROOT, env=environment)
                continue
            if running:
                rig.wait(lambda: bool(rig.status("mock_exchange").get("ready")), "the mock exchange is ready", 60)
            command = ["make", "-n", *words[1:]] if line in DRY else words
            done = subprocess.run(
                command,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=150,
            )
            assert done.returncode == 0, f"{line}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        if running.keys() == {"mock-exchange"}:
            rig.wait(lambda: bool(rig.status("mock_exchange").get("ready")), "the mock exchange is ready", 60)
        elif running:
            rig.wait(lambda: bool(rig.status("execution_engine").get("ready")), "the terminals are ready", 60)
            rig.wait(lambda: rig.stage("execution_engine").get("fills", 0) > 0, "the first fill", 60)
    finally:
        for process in running.values():
            process.send_signal(signal.SIGTERM)
        end = time.monotonic() + 8
        codes = [process.wait(max(0.1, end - time.monotonic())) for process in running.values()]
    assert codes == [0] * len(codes)
