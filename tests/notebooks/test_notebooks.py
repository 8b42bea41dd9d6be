"""Every notebook keeps its form and runs to its end, its known figures checked, with recordings and without."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest

from lab.data.recorded import CAPTURE_VARIABLE, FOLDER_VARIABLE
from notebooks.runner import ExecutedNotebook, execute, html_of, names, read
from notebooks.runner.execution import CHECK, FOLDER
from tests.rig import ROOT

SECTIONS = ("## The idea", "## Data", "## Result", "## Check", "## What to try next")
READS_RECORDINGS = [name for name in names() if "lab.data.recorded" in (FOLDER / f"{name}.py").read_text()]


@pytest.mark.parametrize("name", names())
def test_it_has_the_sections_in_order(name: str) -> None:
    cells = [cell for cell in read(FOLDER / f"{name}.py").cells if cell.cell_type == "markdown"]
    text = "\n".join(cell.source for cell in cells)
    assert text.startswith("# ")
    places = [text.find(section) for section in SECTIONS]
    assert -1 not in places and places == sorted(places), dict(zip(SECTIONS, places, strict=True))


@pytest.mark.parametrize("name", names())
def test_it_checks_a_known_figure(name: str) -> None:
    cells = [cell for cell in read(FOLDER / f"{name}.py").cells if CHECK in cell.metadata.get("tags", [])]
    assert len(cells) == 1
    asserted = [node.test for node in ast.walk(ast.parse(cells[0].source)) if isinstance(node, ast.Assert)]
    assert any(isinstance(node, ast.Name) for test in asserted for node in ast.walk(test)), (
        "nothing computed is checked"
    )


@pytest.mark.parametrize("name", names())
def test_it_is_listed_and_thin(name: str) -> None:
    assert f"`{name}`" in (ROOT / "docs" / "notebooks.md").read_text()
    code = [cell.source for cell in read(FOLDER / f"{name}.py").cells if cell.cell_type == "code"]
    assert len("\n".join(code).splitlines()) <= 200, "what is longer belongs into lab or models"


def test_no_output_is_stored() -> None:
    """Scripts hold none; whatever else notebooks are kept as would."""
    done = subprocess.run(["git", "ls-files", "*.ipynb", "notebooks"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("this is no git working tree")
    kept = {Path(line).suffix for line in done.stdout.splitlines()}
    assert kept <= {".py"}
    for name in names():
        assert not any(cell.get("outputs") for cell in read(FOLDER / f"{name}.py").cells)


@pytest.mark.parametrize("name", names())
def test_it_runs_in_a_plain_clone(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "nothing"))
    monkeypatch.delenv(CAPTURE_VARIABLE, raising=False)
    show(execute(FOLDER / f"{name}.py"))


@pytest.mark.recorded
@pytest.mark.parametrize("name", READS_RECORDINGS)
def test_it_runs_on_recorded_data(name: str, recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(recorded))
    monkeypatch.delenv(CAPTURE_VARIABLE, raising=False)
    show(execute(FOLDER / f"{name}.py"))


def show(done: ExecutedNotebook) -> None:
    """Every cell was run, something was drawn, nothing was complained about, and there is a page."""
    cells = [cell for cell in done.content.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in cells)
    outputs = [output for cell in cells for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "stream" and output.name == "stderr"]
    assert sum("image/png" in output.get("data", {}) for output in outputs) >= 2
    assert "data:image/png;base64" in html_of(done)
