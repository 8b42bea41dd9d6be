"""A process that is killed in the middle of its trading: what it said was kept is there, and nothing half done."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

from services.mock_exchange.trading.orders import OrderRef
from services.mock_exchange.trading.restoring import unbalanced
from tests.conftest import ROOT
from tests.mock_exchange.state_file.build import answers, kept_floor

#: NEW and PARTIALLY_FILLED orders may go on to any other state, and fills may follow.
OPEN = {"NEW", "PARTIALLY_FILLED"}


def trade_and_die(path: Path, seed: int, after_s: float) -> list[list[str]]:
    """What the process said before it was killed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.mock_exchange.state_file.victim", str(path), str(seed)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("ready")
    # Nobody reads meanwhile but the pipe's buffer holds what is said in so short a time.
    time.sleep(after_s)
    process.kill()
    said, _ = process.communicate()
    assert process.returncode == -9
    # The last line may be cut.
    return [line.split() for line in said.split("\n")[:-1]]


def test_kills_at_any_moment(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    draw = random.Random(5)
    kept = 0
    for seed in range(5):
        said = trade_and_die(path, seed, draw.uniform(0.02, 0.2))
        it, store, restored = kept_floor(path)
        assert restored.orders > kept
        kept = restored.orders
        by_name = {account.name: account for account in it.accounts.all()}
        for name, order_id, status, executed, fills in said:
            order = it.desk.order(by_name[name], "COINUSDT", OrderRef(int(order_id)))
            assert order.executed_lots >= int(executed) and len(order.fills) >= int(fills)
            assert status in OPEN or (order.status, order.executed_lots) == (status, int(executed))
        assert len(said) > 5
        for account in it.accounts.all():
            assert unbalanced(account, it.desk) is None
            assert all(free >= 0 and locked >= 0 for _, free, locked in account.ledger.balances())
        for order in it.orders():
            assert order.executed_lots == sum(fill.qty_lots for fill in order.fills)
            assert order.executed_quote == sum(fill.quote_amount for fill in order.fills)
        assert it.total("COIN") == it.total("USDT") == 0
        before = answers(it.desk, it.accounts)
        store.abandon()
        again, store, _ = kept_floor(path)
        assert answers(again.desk, again.accounts) == before
        store.close()
