"""The runner: what it says of a notebook that fails, and what it leaves behind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from notebooks.runner import NotebookError, __main__, execute, html_of, names, read
from notebooks.runner.execution import CHECK

GOOD = """# %% [markdown]
# # A notebook with $x^2$

# %%
import os

import matplotlib.pyplot as plt

plt.plot([1, 4, 9])
plt.show()
x = 3

# %% tags=["check"]
assert x == 3
print(os.getcwd())
"""


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / f"{name}.py"
    path.write_text(text)
    return path


def test_cells_are_run_and_shown_where_the_notebook_lies(tmp_path: Path) -> None:
    done = execute(write(tmp_path, "good", GOOD))
    checks = [cell for cell in done.content.cells if CHECK in cell.metadata.get("tags", [])]
    assert len(checks) == 1 and checks[0].outputs[0].text.strip() == os.path.realpath(tmp_path)
    page = html_of(done)
    assert "data:image/png;base64" in page and "A notebook with" in page


def test_a_failing_cell_is_named_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, "bad", GOOD.replace("x == 3", 'x == 4, "x is not four"'))
    line = path.read_text().splitlines().index('assert x == 4, "x is not four"') + 1
    with pytest.raises(NotebookError) as told:
        execute(path)
    assert f"bad.py:{line}, cell 3" in str(told.value) and "AssertionError: x is not four" in str(told.value)


def test_a_kernel_that_dies_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(NotebookError, match="cell 1") as told:
        execute(write(tmp_path, "dies", "# %%\nimport os\n\nos._exit(3)\n"))
    assert "died" in str(told.value).lower()


def test_the_users_own_settings_do_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00-mine.py").write_text("x = 5\n")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    execute(write(tmp_path, "alone", "# %%\nassert 'x' not in globals()\n"))


def test_all_are_run_and_one_failure_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(__main__, "FOLDER", tmp_path)
    monkeypatch.setattr(__main__, "names", lambda: ["bad", "good"])
    write(tmp_path, "bad", "# %%\n1 / 0\n")
    write(tmp_path, "good", GOOD)
    monkeypatch.setattr("sys.argv", ["runner", "--out", str(tmp_path / "pages")])
    assert __main__.main() == 1
    told = capsys.readouterr()
    assert "bad.py:2, cell 1" in told.err and "ZeroDivisionError" in told.err and "good:" in told.out
    assert [page.name for page in (tmp_path / "pages").iterdir()] == ["good.html"]


def test_names_are_those_of_notebooks_alone() -> None:
    assert "hawkes" in names() and "__init__" not in names() and "runner" not in names()
    assert all(read(__main__.FOLDER / f"{name}.py").cells for name in names())
