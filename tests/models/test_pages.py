"""Every model has a page that docs/models.md leads to, and a benchmark that `make bench` runs."""

from __future__ import annotations

import re

from benchmarks.__main__ import MODELS
from tests.rig import ROOT

PAGES = {page.stem for page in (ROOT / "docs/models").glob("*.md")}
#: What others are built of; what it does is on their pages.
PARTS = {"mittag_leffler"}
#: Measured with the signatures whose rules they are.
MEASURED_THERE = {"optimal_stopping"}


def rooms() -> set[str]:
    return {path.parent.name for path in (ROOT / "models").glob("*/__init__.py")}


def test_every_model_has_a_page_and_every_page_a_link() -> None:
    assert rooms() - PARTS == PAGES
    linked = re.findall(r"\]\(models/(\w+)\.md\)", (ROOT / "docs/models.md").read_text())
    assert sorted(linked) == sorted(PAGES)


def test_every_model_has_a_benchmark_that_is_run() -> None:
    assert rooms() - PARTS - MEASURED_THERE <= set(MODELS)
