"""`tidewire compile`: compile every numba kernel into the cache, so that daemons start at once.

A room's kernels lie in modules named `kernels`, each with a `warm_up()`; they are found by that name, so that none
is forgotten. A stamp in the cache (NUMBA_CACHE_DIR) names the sources it was filled from: while they are the same
nothing is even imported, and when they changed the cache is emptied first, because numba looks only at the file a
kernel stands in, not at those it calls into.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import os
import platform
import sys
import time
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Final

from common.errors import EXIT_FAILED, EXIT_OK
from common.runtime.kernel_cache import VARIABLE

ROOMS: Final = ("market", "venues", "models", "strategies", "services", "lab")
_ROOT: Final = Path(__file__).resolve().parent.parent
_STAMP: Final = "tidewire-kernels.stamp"
_CACHE_SUFFIXES: Final = (".nbi", ".nbc")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of `tidewire compile`."""
    parser.add_argument("--force", action="store_true", help="empty the cache and compile anew")


def main(args: argparse.Namespace) -> int:
    """Fill the cache, a line for each module; the exit code."""
    sources = kernel_sources(_ROOT)
    cache = Path(os.environ[VARIABLE])
    fingerprint = fingerprint_of(sources)
    stamp = cache / _STAMP
    if not args.force and _read(stamp) == fingerprint:
        print(f"[compile] {len(sources)} modules of kernels are compiled already")
        return EXIT_OK
    stamp.unlink(missing_ok=True)
    empty(cache)
    if not warm_up(list(sources)):
        return EXIT_FAILED
    cache.mkdir(parents=True, exist_ok=True)
    stamp.write_text(fingerprint)
    return EXIT_OK


def kernel_sources(root: Path) -> dict[str, Path]:
    """Module name -> file of every module of kernels below the rooms of `root`, in order."""
    found = (path for room in ROOMS for path in sorted((root / room).rglob("kernels.py")))
    return {".".join(path.relative_to(root).with_suffix("").parts): path for path in found}


def fingerprint_of(sources: dict[str, Path]) -> str:
    """What the compiled code depends on: the kernels, the constants they take from beside them and from the
    messages' layout, numba, Python, the machine."""
    digest = hashlib.sha256(f"{metadata.version('numba')} {sys.version} {platform.machine()}".encode())
    digest.update(_processor().encode())
    folders = {path.parent for path in sources.values()} | {_ROOT / "common" / "messages"}
    for path in sorted(path for folder in folders for path in folder.glob("*.py")):
        digest.update(f"{path} ".encode() + path.read_bytes())
    return digest.hexdigest()


def warm_up(modules: Sequence[str]) -> bool:
    """Call each module's `warm_up`, showing the progress; False when one failed."""
    all_good = True
    for number, module in enumerate(modules, 1):
        print(f"[compile] {number}/{len(modules)} {module} ", end="", flush=True)
        started_s = time.perf_counter()
        try:
            importlib.import_module(module).warm_up()
        except Exception as error:  # noqa: BLE001 - whatever a kernel raises is shown, and the others still compile
            print("failed", flush=True)
            print(f"[compile] {module}: {type(error).__name__}: {error}", file=sys.stderr)
            all_good = False
        else:
            print(f"{time.perf_counter() - started_s:.1f} s", flush=True)
    return all_good


def empty(cache: Path) -> None:
    """Remove what numba keeps in `cache`, and nothing else."""
    for path in cache.rglob("*"):
        if path.suffix in _CACHE_SUFFIXES:
            path.unlink(missing_ok=True)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _processor() -> str:
    """The processor's kind, since numba compiles for it; what Linux tells, else what Python knows."""
    for line in _read(Path("/proc/cpuinfo")).splitlines():
        if line.startswith("model name"):
            return line
    return platform.processor()
