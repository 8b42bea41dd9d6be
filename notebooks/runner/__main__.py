"""`python -m notebooks.runner [--out FOLDER] [NAME...]`: run notebooks, all unless named."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from notebooks.runner.execution import FOLDER, NotebookError, execute, html_of, names


def main() -> int:
    """Run them one by one; 1 when any of them failed, after all have run."""
    parser = argparse.ArgumentParser(prog="python -m notebooks.runner", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", choices=[[], *names()], help="one of: " + ", ".join(names())
    )
    parser.add_argument("--out", type=Path, default=FOLDER / "executed", help="where the HTML goes")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    failed = 0
    for name in args.names or names():
        try:
            done = execute(FOLDER / f"{name}.py")
        except NotebookError as exc:
            failed += 1
            print(f"[notebooks] {exc}", file=sys.stderr, flush=True)
            continue
        page = args.out / f"{name}.html"
        page.write_text(html_of(done), encoding="utf-8")
        print(f"[notebooks] {name}: {done.seconds:.1f} s, {page}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
