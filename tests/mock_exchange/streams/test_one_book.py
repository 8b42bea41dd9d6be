"""Every way to see a book shows the same one: diffs of both speeds, partial books, the touch, and GET depth."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from common.config import MockExchangeConfig
from services.mock_exchange.simulation.simulated_exchange import SimulatedExchange
from tests.mock_exchange.build import SECOND_NS, START_NS, ClientBook, parse

MS = 1_000_000
KINDS = (
    "depth", "depth@100ms", "bookTicker", *(f"depth{n}{speed}" for n in (5, 10, 20) for speed in ("", "@100ms")),
)  # fmt: skip


def is_btc_book(channel: str) -> bool:
    return channel in {f"btcusdt@{kind}" for kind in KINDS}


class Watcher:
    """Keeps a book from diffs of each speed and compares all it is told at equal ids."""

    def __init__(self, snapshot: dict) -> None:
        self.books = {kind: ClientBook(snapshot) for kind in ("depth", "depth@100ms")}
        #: Book text by update id, as the fast diffs tell it.
        self.known = {snapshot["lastUpdateId"]: self._top(self.books["depth@100ms"])}
        self.compared: dict[str, int] = defaultdict(int)
        self.ticker: dict | None = None

    def _top(self, book: ClientBook) -> dict[str, list[list[str]]]:
        return book.levels()

    def take(self, kind: str, payload: dict) -> None:
        if kind in self.books:
            book = self.books[kind]
            book.apply(payload)
            if kind == "depth@100ms":
                self.known[book.update_id] = self._top(book)
                if self.ticker is not None:
                    assert book.best() == tuple(self.ticker[key] for key in "bBaA")
                    self.compared["bookTicker"] += 1
            else:
                assert self.known[book.update_id] == self._top(book)
                self.compared[kind] += 1
        elif kind == "bookTicker":
            self.ticker = payload
        else:
            levels = int(kind.partition("@")[0].removeprefix("depth"))
            self.see(payload, levels, kind)

    def see(self, payload: dict, levels: int, kind: str) -> None:
        truth = self.known.get(payload["lastUpdateId"])
        if truth is not None:
            for side in ("bids", "asks"):
                assert payload[side] == truth[side][:levels]
            self.compared[kind] += 1


@settings(max_examples=15, deadline=None)
@given(
    st.integers(0, 2**32),
    st.integers(0, SECOND_NS),
    st.lists(st.tuples(st.integers(1, 900 * MS), st.integers(1, 5000)), min_size=8, max_size=15),
)
def test_all_views_agree_at_random_times(seed, begins, looks) -> None:
    exchange = SimulatedExchange(MockExchangeConfig(seed=seed))
    exchange.make_only(is_btc_book)
    now_ns = START_NS + begins
    exchange.advance(now_ns)
    watcher = Watcher(parse(exchange.snapshot("BTCUSDT", 5000)))
    for step_ns, limit in looks:
        now_ns += step_ns
        # To just behind a fast frame, so that GET depth is comparable with it.
        now_ns = max(now_ns, START_NS + begins + (now_ns - START_NS - begins) // (100 * MS) * 100 * MS)
        for frame in exchange.advance(now_ns):
            watcher.take(frame.stream.partition("@")[2], parse(frame.payload))
        watcher.see(parse(exchange.snapshot("BTCUSDT", limit)), limit, "GET")
    assert watcher.books["depth@100ms"].gaps == watcher.books["depth"].gaps == 0


def test_every_view_is_compared_in_a_while() -> None:
    exchange = SimulatedExchange(MockExchangeConfig(seed=3))
    exchange.make_only(is_btc_book)
    exchange.advance(START_NS)
    watcher = Watcher(parse(exchange.snapshot("BTCUSDT", 5000)))
    for step in range(1, 81):
        for frame in exchange.advance(START_NS + step * 100 * MS):
            watcher.take(frame.stream.partition("@")[2], parse(frame.payload))
        watcher.see(parse(exchange.snapshot("BTCUSDT", 100)), 100, "GET")
    slow = {"depth", "depth5", "depth10", "depth20"}
    for kind in {*KINDS, "GET"} - {"depth@100ms"}:
        assert watcher.compared[kind] >= (7 if kind in slow else 60), kind
