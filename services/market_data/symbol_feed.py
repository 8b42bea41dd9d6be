"""SymbolFeed: one instrument's book from its frames, with the counts that tell how it went. Pure.

What is published as SYNCED is exact at its update id. Everything that could make it otherwise voids the book at
once: a gap in the ids, a crossed book, a depth frame that cannot be read, a lost connection, silence.
"""

from __future__ import annotations

from typing import NamedTuple

from common.config import MarketDataConfig
from common.errors import WireError
from common.messages import BookUpdate, FeedState, FeedStatus, Instrument, SnapshotReply
from common.messages.base import mix64
from common.messages.book import EVENT_NS, ORIGIN_NS, STATE, TRACE_ID, UPDATE_ID, IntArray
from common.stage import Output
from common.units import NS_PER_MS, NS_PER_S
from market.order_book import BookFull, OrderBook
from services.market_data.bbo_audit import BboAudit
from services.market_data.snapshot_schedule import SnapshotSchedule
from venues.binance import kernels as k
from venues.binance.depth import DepthDecoder
from venues.binance.sync import BookSync, Ids, Joined, Kept

#: A symbol that stays quiet after connecting: ask for its snapshot all the same.
_QUIET_NS = NS_PER_S


class _Kept(NamedTuple):
    data: bytes
    recv_ns: int
    counter: int


class SymbolFeed:
    """Book, sync state and audit of one instrument. Outputs are appended to the `out` given."""

    def __init__(self, instrument: Instrument, config: MarketDataConfig, schedule: SnapshotSchedule) -> None:
        self.instrument = instrument
        self._venue, self._symbol = instrument.venue, instrument.symbol
        self.book = OrderBook(capacity=max(1024, 2 * config.snapshot_levels))
        self.decoder = DepthDecoder(instrument, self.book, top_levels=config.depth_levels)
        self.audit = BboAudit()
        self.state = FeedState.DISCONNECTED
        self.reason = "no connection yet"
        self.frames = self.depth_frames = self.bad_frames = 0
        self.gaps_seen = self.gaps_healed = self.resyncs = self.crossed = 0
        self._sync: BookSync[_Kept] = BookSync(self.decoder.mode, config.buffer_max_frames)
        self._schedule = schedule
        self._stale_after_ns = config.stale_after_ms * NS_PER_MS
        self._applied_ns = 0
        self._ignored = 0
        self._event_ns = 0

    # -- the connection ----------------------------------------------------------------------------------------

    def link_up(self, now_ns: int, out: list[Output]) -> None:
        """A new connection: start from nothing."""
        self._sync.link_up()
        self.audit.reset()
        self._schedule.done(self._symbol)
        self._schedule.want(self._symbol, now_ns + _QUIET_NS)
        self._enter(FeedState.BUFFERING, "connected", now_ns, out)

    def link_down(self, reason: str, now_ns: int, out: list[Output]) -> None:
        """The connection is gone, and with it the book."""
        self._sync.link_down()
        self.audit.reset()
        self._schedule.done(self._symbol)
        self._enter(FeedState.DISCONNECTED, reason, now_ns, out)

    # -- diffs -------------------------------------------------------------------------------------------------

    def on_depth(self, data: bytes, recv_ns: int, counter: int, now_ns: int, out: list[Output]) -> None:
        """A depth frame came. The usual one is all here: one kernel call from bytes to words."""
        self.depth_frames += 1
        if self._sync.state is not FeedState.SYNCED:
            if self._sync.state is FeedState.BUFFERING:
                self._keep(_Kept(data, recv_ns, counter), now_ns, out)
            return
        words = self.decoder.new_words()
        try:
            used = self.decoder.take_frame(data, words, recv_ns, counter)
        except WireError as exc:
            self.on_bad_depth(exc, now_ns, out)
            return
        except BookFull as exc:
            self._resync(str(exc), now_ns, out)
            return
        if used <= 0:
            self._not_applied(-used, _Kept(data, recv_ns, counter), now_ns, out)
            return
        if used != len(words):
            words = words[:used]
        self._applied_ns = now_ns
        self._ignored = 0
        if self.state is not FeedState.SYNCED:
            self._enter(FeedState.SYNCED, "frames come again", now_ns, out)
        if self.audit.is_comparing:
            self.audit.on_book(words)
        out.append(BookUpdate(self._venue, self._symbol, words))

    def on_bad_depth(self, error: WireError, now_ns: int, out: list[Output]) -> None:
        """A depth frame came that cannot be read: a diff is lost, and the book with it."""
        self.bad_frames += 1
        if self._sync.state is FeedState.SYNCED:
            self._resync(f"unreadable frame: {error}", now_ns, out)

    def _not_applied(self, status: int, item: _Kept, now_ns: int, out: list[Output]) -> None:
        if status == k.OLD:
            self._ignored += 1
        elif status == k.CROSSED:
            self.crossed += 1
            self._resync("the book is crossed", now_ns, out)
        else:
            self.gaps_seen += 1
            self._resync("a diff is missing", now_ns, out)
            self._keep(item, now_ns, out)

    def _keep(self, item: _Kept, now_ns: int, out: list[Output]) -> None:
        try:
            ids = Ids(*self.decoder.read(item.data))
        except WireError as exc:
            self.on_bad_depth(exc, now_ns, out)
            return
        kept = self._sync.keep(ids, item)
        if kept is Kept.AWAITED:
            self._join(self._sync.resume(), now_ns, out)
            return
        if kept is Kept.GAP:
            self.gaps_seen += 1
        elif kept is Kept.OVERFLOW:
            self._resync("too many diffs kept while waiting for a snapshot", now_ns, out)
        self._schedule.want(self._symbol, now_ns)

    # -- snapshots ---------------------------------------------------------------------------------------------

    def on_snapshot(self, reply: SnapshotReply, now_ns: int, out: list[Output]) -> None:
        """The answer to a FetchSnapshot, or its failure."""
        if self._sync.state is not FeedState.BUFFERING:
            self._schedule.done(self._symbol)
            return
        try:
            if reply.error:
                raise WireError(reply.error)
            last_update_id, event_ns = self.decoder.load_snapshot(reply.data)
        except (WireError, BookFull) as exc:
            self.reason = f"no snapshot: {exc}"
            self._schedule.retry(self._symbol, now_ns)
            return
        self._event_ns = max(self._event_ns, event_ns)
        self.decoder.follow(last_update_id)
        self._join(self._sync.snapshot(last_update_id), now_ns, out)

    def _join(self, joined: Joined, now_ns: int, out: list[Output]) -> None:
        if joined is Joined.TOO_OLD:
            self.reason = "the snapshot is older than the stream"
            self._schedule.retry(self._symbol, now_ns)
            return
        self._schedule.done(self._symbol)
        if joined is Joined.WAITING:
            self.reason = "snapshot taken; waiting for the first diff"
        elif joined is Joined.IN_SYNC:
            self._replay(now_ns, out)

    def _replay(self, now_ns: int, out: list[Output]) -> None:
        """Apply what was kept; publish the book once, as it stands in the end."""
        latest: IntArray | None = None
        for item in self._sync.replay():
            words = self.decoder.new_words()
            try:
                self.decoder.read(item.data)
                result = self.decoder.take(words, item.recv_ns, item.counter)
            except BookFull as exc:
                self._resync(str(exc), now_ns, out)
                return
            if result in (-k.GAP, -k.CROSSED):
                self.crossed += result == -k.CROSSED
                self._resync("what was kept does not fit the snapshot", now_ns, out)
                return
            if result > 0:
                latest = words[:result]
                if self.audit.is_comparing:
                    self.audit.on_book(latest)
        if latest is None:
            if self.book.is_crossed:
                self.crossed += 1
                self._resync("the snapshot is crossed", now_ns, out)
                return
            latest = self._words_of_snapshot(now_ns)
        self.gaps_healed = self.gaps_seen
        self._applied_ns = now_ns
        self._ignored = 0
        self._enter(FeedState.SYNCED, "snapshot and diffs joined", now_ns, out)
        out.append(BookUpdate(self._venue, self._symbol, latest))

    def _words_of_snapshot(self, now_ns: int) -> IntArray:
        words = self.decoder.new_words()
        words[EVENT_NS] = self._event_ns or now_ns
        words[ORIGIN_NS] = now_ns
        words[TRACE_ID] = mix64(now_ns)
        words[UPDATE_ID] = self.decoder.last_id
        words[STATE] = FeedState.SYNCED
        return words[: self.decoder.write_levels(words)]

    # -- states ------------------------------------------------------------------------------------------------

    def check_stale(self, now_ns: int, out: list[Output]) -> None:
        """Silence voids the book until diffs follow again; diffs that come and do not move it void it for good."""
        if self.state is not FeedState.SYNCED or now_ns - self._applied_ns < self._stale_after_ns:
            return
        if self._ignored:
            self._resync(f"{self._ignored} diffs came and none followed", now_ns, out)
        else:
            self._enter(FeedState.STALE, f"no diff for {self._stale_after_ns // NS_PER_MS} ms", now_ns, out)

    def status(self, now_ns: int) -> FeedStatus:
        """State and counts, for topic `status`."""
        return FeedStatus(
            event_ns=now_ns,
            origin_ns=now_ns,
            trace_id=mix64(now_ns + self.frames),
            venue=self._venue,
            symbol=self._symbol,
            state=self.state,
            reason=self.reason,
            update_id=self.decoder.last_id,
            frames=self.frames,
            gaps_seen=self.gaps_seen,
            gaps_healed=self.gaps_healed,
            resyncs=self.resyncs,
            crossed=self.crossed,
            bad_frames=self.bad_frames,
            bbo_compared=self.audit.compared,
            bbo_equal=self.audit.equal,
        )

    def _resync(self, reason: str, now_ns: int, out: list[Output]) -> None:
        self.resyncs += 1
        self._sync.restart()
        self._schedule.want(self._symbol, now_ns + _QUIET_NS)
        self._enter(FeedState.BUFFERING, reason, now_ns, out)

    def _enter(self, state: FeedState, reason: str, now_ns: int, out: list[Output]) -> None:
        """The one place where the state changes: a book that stops being one is replaced by an empty one at once."""
        was_synced, changed = self.state is FeedState.SYNCED, self.state is not state
        self.state, self.reason = state, reason
        if was_synced and changed:
            out.append(
                BookUpdate.empty(
                    self._venue,
                    self._symbol,
                    state,
                    event_ns=self._last_event_ns(now_ns),
                    origin_ns=now_ns,
                    trace_id=mix64(now_ns + self.frames),
                    update_id=self.decoder.last_id,
                )
            )
        if changed:
            out.append(self.status(now_ns))

    def _last_event_ns(self, now_ns: int) -> int:
        return k.event_ns(self.decoder.feed) or now_ns
