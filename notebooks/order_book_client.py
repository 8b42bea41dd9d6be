# %% [markdown]
# # An order book over a WebSocket, kept by the venue's rules
#
# ## The idea
#
# A venue tells the whole book once, by `GET /api/v3/depth`, and every change of it, over a WebSocket. Changes are
# numbered: a diff carries the first and the last update id it covers, $U$ and $u$, and holds for each price the
# *new* quantity, 0 where nothing is left. Binance's rules for a local book (spot, in their order):
#
# 1. Open the stream and keep what comes.
# 2. Fetch a snapshot. Were its `lastUpdateId` below the $U$ of the first diff kept, fetch again: something between
#    was never seen.
# 3. Drop all diffs with $u \le$ `lastUpdateId`. The first that is left must reach it: $U \le$ `lastUpdateId` $+ 1$.
# 4. Apply diff by diff. Each must follow the last, $U = u_\text{before} + 1$; where one does not, a diff was lost,
#    nothing that the book says can be believed any more, and one begins again at 2.
#
# A book that has silently lost a diff looks like any other. So here it is put to the test: against the venue's own
# best prices and against fresh snapshots, at the same update id, while diffs are lost on purpose.

# %%
import json
import time
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Self

import matplotlib.pyplot as plt
import numpy as np
from websockets.sync.client import connect

from cli.mock_exchange import MockExchange, mock_exchange

plt.rcParams["figure.constrained_layout.use"] = True

# %% [markdown]
# ## Data
#
# The mock exchange: a simulated market behind Binance's REST paths and streams, in a process of its own, on free
# ports. It is told to lose 4% of its depth frames. Its seed decides which; the depth snapshots stay true. It is
# asked to stop (SIGTERM) as soon as the recording is done, and stops by itself should this notebook die.

# %%
SYMBOL, SECONDS = "BTCUSDT", 14.0
SETTINGS = {"seed": 7, "damage.drop": 0.04}

# %% [markdown]
# The book, in exact decimals as the venue writes them. `apply` holds the rules 3 and 4.


# %%
class GapError(Exception):
    """A diff does not follow what the book knows."""


@dataclass
class Book:
    """Quantity by price; `update_id` is the last update that is in it."""

    bids: dict[Decimal, Decimal]
    asks: dict[Decimal, Decimal]
    update_id: int

    @classmethod
    def of(cls, snapshot: dict[str, Any]) -> Self:
        bids, asks = ({Decimal(p): Decimal(q) for p, q in snapshot[side]} for side in ("bids", "asks"))
        return cls(bids, asks, int(snapshot["lastUpdateId"]))

    def apply(self, diff: dict[str, Any]) -> None:
        first, last = int(diff["U"]), int(diff["u"])
        if last <= self.update_id:
            return
        if first > self.update_id + 1:
            raise GapError(f"updates {self.update_id + 1} to {first - 1} were never seen")
        for side, changes in ((self.bids, diff["b"]), (self.asks, diff["a"])):
            for price, quantity in changes:
                if Decimal(quantity):
                    side[Decimal(price)] = Decimal(quantity)
                else:
                    side.pop(Decimal(price), None)
        self.update_id = last

    @property
    def touch(self) -> tuple[Decimal, Decimal, Decimal, Decimal]:
        """Best bid, its quantity, best ask, its quantity."""
        bid, ask = max(self.bids), min(self.asks)
        return bid, self.bids[bid], ask, self.asks[ask]


# %% [markdown]
# The client. Beside the book that it keeps it holds what that is compared with:
#
# - the last `bookTicker`, sent at every change of the best prices with the id of the update that made it. After a
#   diff up to $u$, the last one with an id of at most $u$ tells the best prices *at* $u$;
# - snapshots, one a second. One at id $i$ falls between two diffs; brought forward by the diff that covers $i$, it is
#   a book at that diff's $u$, all levels of which must be ours.
#
# A second book is kept wrong on purpose: it applies what comes and never looks at the numbers.


# %%
def differing(one: Book, other: Book) -> int:
    """Levels that are not the same in both."""
    pairs = ((one.bids, other.bids), (one.asks, other.asks))
    return sum(len(mine.items() ^ theirs.items()) for mine, theirs in pairs)


@dataclass
class Client:
    """Takes one diff after the other; times in seconds since the start."""

    exchange: MockExchange
    book: Book | None = None
    careless: Book | None = None
    ticker: dict[str, Any] = field(default_factory=dict)
    #: since when, and why, there is no book; whether a snapshot is to be fetched once there is one again.
    lost: tuple[float, str] = (0.0, "start")
    pending: list[Book] = field(default_factory=list)
    next_check_s: float = 1.0
    gaps: list[tuple[float, float, str]] = field(default_factory=list)
    best: list[tuple[float, float, float, int]] = field(default_factory=list)
    equal_touches: list[bool] = field(default_factory=list)
    equal_snapshots: list[bool] = field(default_factory=list)

    def snapshot(self) -> Book:
        """What comes while the answer is on its way waits in the connection."""
        return Book.of(self.exchange.get("/api/v3/depth", symbol=SYMBOL, limit=5000))

    def take(self, diff: dict[str, Any], now_s: float) -> None:
        if self.careless is not None:
            self.careless.update_id = int(diff["U"]) - 1
            self.careless.apply(diff)
        if self.book is None:
            fresh = self.snapshot()
            if fresh.update_id + 1 < int(diff["U"]):
                return
            self.book = fresh
            self.gaps.append((self.lost[0], now_s, self.lost[1]))
            if self.careless is None:
                self.careless = Book(dict(fresh.bids), dict(fresh.asks), fresh.update_id)
        elif now_s > self.next_check_s:
            self.pending.append(self.snapshot())
            self.next_check_s = now_s + 1.0
        try:
            self.book.apply(diff)
        except GapError as gap:
            self.book, self.pending, self.lost = None, [], (now_s, str(gap))
            return
        if self.book.update_id == int(diff["u"]):
            self.compare(self.book, diff, now_s)

    def compare(self, book: Book, diff: dict[str, Any], now_s: float) -> None:
        """The book has just reached the diff's last update."""
        for other in [other for other in self.pending if other.update_id <= book.update_id]:
            other.apply(diff)
            self.equal_snapshots.append(differing(other, book) == 0)
            self.pending.remove(other)
        if self.ticker:
            self.equal_touches.append(book.touch == tuple(Decimal(self.ticker[key]) for key in "bBaA"))
        bid, _, ask, _ = book.touch
        self.best.append((now_s, float(bid), float(ask), differing(self.careless or book, book)))


with mock_exchange(SETTINGS) as exchange:
    client, began_s, now_s = Client(exchange), time.monotonic(), 0.0
    streams = "/".join(f"{SYMBOL.lower()}@{kind}" for kind in ("depth@100ms", "bookTicker"))
    with connect(f"ws://{exchange.address}/stream?streams={streams}", max_queue=None) as feed:
        while now_s < SECONDS or client.book is None:
            told = json.loads(feed.recv(timeout=10))
            now_s = time.monotonic() - began_s
            if told["stream"].endswith("@bookTicker"):
                client.ticker = told["data"]
            else:
                client.take(told["data"], now_s)
    lost_frames = exchange.status()["stage"]["damaged"]["drop"]
book = client.book
assert book is not None
print(
    f"{len(client.best)} diffs applied, {lost_frames} lost on purpose; the exchange ended with {exchange.exit_code}"
)

# %% [markdown]
# ## Result: the book and its best prices
#
# Left, what it would cost to take a quantity, at the end of the recording; right, the two best prices.

# %%
at_s, bids, asks, wrong = (np.array(column) for column in zip(*client.best, strict=True))
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2))
for side, name, falling in ((book.bids, "bids", True), (book.asks, "asks", False)):
    levels = sorted(side.items(), reverse=falling)[:200]
    prices, sizes = np.array(levels, np.float64).T
    left.step(prices, np.cumsum(sizes), where="post", label=f"{name}, {len(side)} levels")
left.set(xlabel="price", ylabel="quantity up to there", title=f"Depth at update {book.update_id}")
left.legend()
right.step(at_s, bids, where="post", lw=0.8, label="bid")
right.step(at_s, asks, where="post", lw=0.8, label="ask")
right.set(xlabel="s", title="Best prices")
right.legend()
plt.show()

# %% [markdown]
# ## Result: gaps, and what they do to who does not look
#
# Above, the spread; grey is while the book was not to be believed: from the diff that did not follow until a fresh
# snapshot and the diff that covers it. Below, how many levels of the careless book are wrong. A lost diff is not
# made up for: a level stays wrong until it changes again, or for good.

# %%
fig, (above, below) = plt.subplots(2, 1, figsize=(9, 4.4), sharex=True)
above.step(at_s, 1e4 * (asks - bids) / bids, where="post", lw=0.8)
above.set(ylabel="basis points", title="Spread")
for from_s, until_s, why in client.gaps:
    above.axvspan(from_s, max(until_s, from_s + 0.05), color="0.8")
    print(f"no book from {from_s:6.2f} s to {until_s:6.2f} s: {why}")
below.step(at_s, wrong, where="post", lw=0.8, color="r")
below.set(xlabel="s", ylabel="levels", title="Wrong in the careless book")
plt.show()
print(f"equal to bookTicker: {sum(client.equal_touches)} of {len(client.equal_touches)}")
print(f"equal to snapshots, all levels: {sum(client.equal_snapshots)} of {len(client.equal_snapshots)}")

# %% [markdown]
# ## Check
#
# At every update id at which there was something to compare with, the book must equal it, before and after every
# gap. Every gap must be seen and healed, none without a lost frame, and the careless book must be right until the
# first one and wrong after it. The exchange must have ended by itself when told to.

# %% tags=["check"]
assert all(client.equal_touches) and len(client.equal_touches) > 50
assert all(client.equal_snapshots) and len(client.equal_snapshots) >= 5
seen = client.gaps[1:]  # the first is the start
assert 1 <= len(seen) <= lost_frames
first_s, last_s = seen[0][0], seen[-1][1]
assert (wrong[at_s < first_s] == 0).all() and wrong[at_s > first_s].max() > 0
assert (at_s > last_s).any() and all(until_s - from_s < 1 for from_s, until_s, _ in seen)
assert (bids < asks).all() and (np.diff(at_s) > 0).all()
assert exchange.exit_code == 0

# %% [markdown]
# ## What to try next
#
# - Point the client at Binance itself (`wss://stream.binance.com:9443`, `https://api.binance.com`): public streams
#   need no key. Compare the age of a diff (`E`) with your clock.
# - Let the mock exchange reorder and double frames (`mock_exchange.damage`), or use a plan (`docs/faults.md`):
#   which of the rules meets which harm?
# - `venues/binance` does the same in one compiled call from bytes to words; time both on one capture.
# - Kraken sends a checksum of the best ten levels in place of numbers: what does it find that numbers do not?
