"""Balances."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.mock_exchange.trading.ledger import Ledger


def funded(amount: int = 100) -> tuple[Ledger, Ledger]:
    house, ledger = Ledger(is_house=True), Ledger()
    house.pay(ledger, "BTC", amount)
    return house, ledger


def test_lock_and_unlock_move_between_free_and_locked() -> None:
    house, ledger = funded()
    ledger.lock("BTC", 30)
    assert (ledger.free("BTC"), ledger.locked("BTC"), ledger.total("BTC")) == (70, 30, 100)
    ledger.unlock("BTC", 10)
    ledger.pay(house, "BTC", 20, of_locked=True)
    assert list(ledger.balances()) == [("BTC", 80, 0)]
    assert house.total("BTC") == -80


@pytest.mark.parametrize("amount", [101, -1])
def test_nobody_but_the_house_can_owe(amount: int) -> None:
    house, ledger = funded()
    for act in (ledger.lock, lambda asset, much: ledger.pay(house, asset, much)):
        with pytest.raises(ValueError, match="BTC"):
            act("BTC", amount)
    with pytest.raises(ValueError, match="0 BTC that are locked"):
        ledger.unlock("BTC", 1)
    assert list(ledger.balances()) == [("BTC", 100, 0)]


ACTS = st.tuples(
    st.sampled_from(["lock", "unlock", "free", "locked"]), st.integers(0, 2), st.integers(0, 2), st.integers(0, 120)
)


@given(st.lists(ACTS, max_size=60))
def test_the_sum_over_all_never_changes_and_no_balance_is_negative(acts: list[tuple[str, int, int, int]]) -> None:
    house, clients = Ledger(is_house=True), [Ledger(), Ledger()]
    ledgers = [*clients, house]
    for client in clients:
        house.pay(client, "BTC", 100)
    for kind, who, to, amount in acts:
        try:
            if kind == "lock":
                ledgers[who].lock("BTC", amount)
            elif kind == "unlock":
                ledgers[who].unlock("BTC", amount)
            else:
                ledgers[who].pay(ledgers[to], "BTC", amount, of_locked=kind == "locked")
        except ValueError:
            assert who != 2 or kind in ("unlock", "locked")
        assert sum(ledger.total("BTC") for ledger in ledgers) == 0
        assert all(client.free("BTC") >= 0 and client.locked("BTC") >= 0 for client in clients)
