"""docs/mock_exchange_requests.md lists the endpoints there are, and no others."""

from __future__ import annotations

import re

from services.mock_exchange.api.endpoints import SPOT
from tests.rig import ROOT

_ROW = re.compile(
    r"^\| (?:`([A-Z]+ /[^`]+)`|-) \| (?:`([^`]+)`|-) \| (\d+|varies)( if refused)? \| ([^|]+) \|$", re.MULTILINE
)


def test_the_page_is_the_table() -> None:
    text = (ROOT / "docs" / "mock_exchange_requests.md").read_text()
    rows = [
        (rest or None, ws or None, weight, bool(free), what) for rest, ws, weight, free, what in _ROW.findall(text)
    ]
    assert rows == [
        (
            endpoint.rest,
            endpoint.ws,
            str(endpoint.weight) if isinstance(endpoint.weight, int) else "varies",
            endpoint.is_free_when_done,
            endpoint.security.value,
        )
        for endpoint in SPOT
    ]
