"""A mock exchange for the length of a module: a process that real clients talk to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.mock_exchange.clients.process import Mock, mock_process


@pytest.fixture(scope="module")
def mock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mock]:
    with mock_process(tmp_path_factory.mktemp("mock")) as serving:
        yield serving
