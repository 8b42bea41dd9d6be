"""Whatever was traded: after a restart every query answers the same, and trading goes on as if nothing had been."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from services.mock_exchange.trading.events import OrderReport
from tests.mock_exchange.state_file.build import answers, kept_floor
from tests.mock_exchange.trading.test_desk_machine import BALANCES, FINE, DeskMachine


class RestartMachine(DeskMachine):
    """The desk's own machine, over a file; now and then everything but the file is lost."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "state.sqlite"
        self.restarts = 0
        self.open()

    def open(self) -> None:
        self.floor, self.store, self.restored = kept_floor(
            self.path, FINE, balances=BALANCES, fee_ppm=37_000, last_price_ticks=self.floor.book.last_price_ticks
        )
        self.desk = self.floor.desk
        self.read = 0

    @rule(times=st.integers(1, 2))
    def restart(self, times: int) -> None:
        before = answers(self.desk, self.floor.accounts)
        now_ns = self.floor.now_ns
        for _ in range(times):
            self.store.abandon()
            self.open()
            assert not [event for event in self.floor.events if isinstance(event, OrderReport)]
            assert answers(self.desk, self.floor.accounts) == before
        assert self.restored.orders == len(self.floor.orders())
        self.floor.now_ns = now_ns
        self.restarts += 1

    @invariant()
    def a_request_is_a_transaction(self) -> None:
        self.store.flush()
        self.floor.now_ns += 1
        self.floor.book.time_ns = self.floor.now_ns

    @precondition(lambda self: self.restarts)
    @invariant()
    def the_queue_is_as_it_was(self) -> None:
        """Of orders that rest since before, the earlier ones are still before the later ones.

        One request may bring in two orders at once, its own and a pending one that it sets free: these tie.
        """
        for account in self.floor.accounts.all():
            plain = [o for o in self.desk.open_orders(account) if o.book_id and not o.iceberg_lots]
            times_ns = [order.working_ns for order in sorted(plain, key=lambda order: order.book_id)]
            assert times_ns == sorted(times_ns)

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()


RestartMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestRestartMachine = RestartMachine.TestCase
