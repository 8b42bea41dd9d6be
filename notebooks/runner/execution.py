"""One notebook: read as text, run cell by cell, made into a page."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jupytext
import nbformat
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbconvert import HTMLExporter

FOLDER: Final = Path(__file__).resolve().parent.parent
#: The tag of the cell that holds the figures known beforehand.
CHECK: Final = "check"
_CELL_TIMEOUT_S: Final = 120
_COLOURS: Final = re.compile(r"\x1b\[[0-9;]*m")


class NotebookError(Exception):
    """A notebook could not be run to its end; the message says which, which cell and why."""


@dataclass(frozen=True, slots=True)
class ExecutedNotebook:
    """A notebook with what its cells put out, and the seconds that it took, those of its kernel's start included."""

    name: str
    content: nbformat.NotebookNode
    seconds: float


def names() -> list[str]:
    """All notebooks, in alphabetical order."""
    return sorted(path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_"))


def read(path: Path) -> nbformat.NotebookNode:
    """The cells of a notebook kept as percent script."""
    content: nbformat.NotebookNode = jupytext.read(path, fmt="py:percent")
    return content


def execute(path: Path) -> ExecutedNotebook:
    """Run every cell in a fresh kernel of this very interpreter.

    The kernel works in the notebook's folder, as in an editor, and keeps no history.

    Raises:
        NotebookError: a cell raised, took over two minutes, or ended the kernel.
    """
    content = read(path)
    began_s = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="notebook-") as scratch:
        client = NotebookClient(
            content,
            timeout=_CELL_TIMEOUT_S,
            resources={"metadata": {"path": str(path.parent)}},
            km=_kernel(Path(scratch)),
        )
        try:
            client.execute(env=_environment(Path(scratch)), cleanup_kc=True)
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as exc:
            raise NotebookError(_failure(path, content, exc)) from exc
    return ExecutedNotebook(path.stem, content, time.perf_counter() - began_s)


def html_of(notebook: ExecutedNotebook) -> str:
    """The page: text, code, and plots as images within it."""
    resources = {"metadata": {"name": notebook.name}}
    exporter = HTMLExporter(embed_images=True)  # type: ignore[no-untyped-call]
    page: str = exporter.from_notebook_node(notebook.content, resources=resources)[0]
    return page


def _kernel(scratch: Path) -> AsyncKernelManager:
    """This interpreter's kernel, spoken to through files in `scratch` and not over a network."""
    manager = AsyncKernelManager(
        transport="ipc", ip=str(scratch / "socket"), connection_file=str(scratch / "connection.json")
    )
    spec = manager.kernel_spec
    if spec is None:
        raise NotebookError("no Python kernel is installed here; install tidewire[notebooks]")
    spec.argv[0] = sys.executable
    return manager


def _environment(scratch: Path) -> dict[str, str]:
    """Ours, without the user's own settings of IPython and matplotlib; matplotlib may keep its list of fonts.

    Unless said otherwise, one BLAS thread and the kernels compiled before, as the Makefile has it.
    """
    cache = FOLDER.parent / ".cache"
    return {
        "NUMBA_CACHE_DIR": str(cache / "numba"),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        **os.environ,
        "IPYTHONDIR": str(scratch),
        "MPLCONFIGDIR": str(cache / "matplotlib"),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }


def _failure(path: Path, content: nbformat.NotebookNode, error: Exception) -> str:
    """notebook:line, cell N (its first line): what happened."""
    number, cell = _last_run(content)
    source = path.read_text(encoding="utf-8")
    begin = source.find(cell.source)
    line = source.count("\n", 0, begin) + 1 if begin >= 0 else 0
    first = next(iter(cell.source.splitlines()), "")
    raised = [line for output in cell.get("outputs", []) for line in output.get("traceback", [])]
    what = _COLOURS.sub("", "\n".join(raised) or str(error)).strip()
    return f"{path.name}:{line}, cell {number} ({first}) failed:\n{what}"


def _last_run(content: nbformat.NotebookNode) -> tuple[int, Any]:
    """The last code cell that was begun, and its number among all cells from 1 on."""
    begun = [(i, c) for i, c in enumerate(content.cells, 1) if c.cell_type == "code" and "execution" in c.metadata]
    return begun[-1] if begun else (1, content.cells[0])
