"""The bounded log of rows against a plain list."""

from __future__ import annotations

import pytest

from services.mock_exchange.history.row_log import RowLog


@pytest.mark.parametrize("look_every", [1, 7, 10_000])
def test_the_latest_rows_are_kept_however_often_one_looks(look_every) -> None:
    log, truth = RowLog(2, 100), []
    for number in range(1, 2001):
        truth.append((number, number * number))
        log.append(truth[-1])
        if number % look_every == 0 or number == 2000:
            rows = [tuple(row) for row in log.rows().tolist()]
            assert len(rows) >= min(number, 100)
            assert rows == truth[-len(rows) :]
            assert log.dropped == number - len(rows)


def test_the_bound_holds() -> None:
    log = RowLog(1, 1000)
    most = 0
    for number in range(20_000):
        log.append((number,))
        most = max(most, len(log.rows()) if number % 50 == 0 else 0)
    assert 1000 <= most <= 1000 + 500 + 128
