"""Cuts one symbol's stream of mids and trades into bars of equal length, by the venue's clock.

The rules:
1. Interval k covers venue time [k x length, (k + 1) x length). A mid stands until it changes, so a bar begins at the
   mid before it; its volume is that of the trades in it.
2. The first event of a later interval closes the bar. Nothing closes by local time: equal events, equal bars.
3. Intervals without any event, between the bar that closes and the event that closes it, become bars too: the mid
   carried on, volume 0. More than MAX_EMPTY of them are not made up: the run ends, and the next bar is the first
   of a new run (`run` counts them), to which nothing before it is comparable.
4. An event older than the open bar belongs to it none the less (its interval is gone), and is counted. A trade more
   than MAX_EMPTY intervals away from the open bar, to either side, is not counted into it; a mid that is so much
   older means that the venue's clock was set back: a new run.
5. `pause` throws the open bar away: the book is not to be trusted. The next mid goes on in the same run, the hole
   filled by rule 3, and trades do not count until then.

Mids travel as bid + ask in ticks, twice the mid: exact integers.
"""

from __future__ import annotations

from typing import Final, NamedTuple

#: Most empty intervals in a row that are filled.
MAX_EMPTY: Final = 100


class Bar(NamedTuple):
    """One interval: highest, lowest and last of twice the mid in ticks, and the volume in lots."""

    interval: int
    high2: int
    low2: int
    close2: int
    volume_lots: int


NO_BARS: Final[tuple[Bar, ...]] = ()


class Sampler:
    """Bars of one symbol."""

    __slots__ = (
        "_close2",
        "_end_ns",
        "_high2",
        "_interval",
        "_last_bar",
        "_low2",
        "_start_ns",
        "_volume_lots",
        "empty_intervals",
        "interval_ns",
        "late_events",
        "run",
    )

    def __init__(self, interval_ns: int) -> None:
        self.interval_ns = interval_ns
        self.run = 0
        self.late_events = 0
        self.empty_intervals = 0
        self._last_bar: Bar | None = None
        self._interval = 0
        self._high2 = self._low2 = self._close2 = self._volume_lots = 0
        self.pause()

    @property
    def is_open(self) -> bool:
        """True while a bar is being built."""
        return self._end_ns > self._start_ns

    def on_mid(self, event_ns: int, mid2: int) -> tuple[Bar, ...]:
        """A book with bid + ask = `mid2` ticks. The bars that this closes, oldest first; mostly none."""
        bars = (
            NO_BARS if self._start_ns <= event_ns < self._end_ns else self._move(event_ns // self.interval_ns, mid2)
        )
        self._close2 = mid2
        if mid2 > self._high2:
            self._high2 = mid2
        elif mid2 < self._low2:
            self._low2 = mid2
        return bars

    def on_trade(self, event_ns: int, qty_lots: int) -> tuple[Bar, ...]:
        """A trade. The bars that this closes, oldest first; mostly none."""
        bars = NO_BARS
        if not self._start_ns <= event_ns < self._end_ns:
            if not self.is_open:
                return NO_BARS
            away = event_ns // self.interval_ns - self._interval
            self.late_events += away < 0
            if abs(away) > MAX_EMPTY:
                return NO_BARS
            if away > 0:
                bars = self._close_until(self._interval + away)
        self._volume_lots += qty_lots
        return bars

    def pause(self) -> None:
        """The book stopped being one: throw the open bar away."""
        self._start_ns = self._end_ns = 0

    def _move(self, interval: int, mid2: int) -> tuple[Bar, ...]:
        """A mid outside the open interval, or while none is open: see which rule applies."""
        if self.is_open:
            away = interval - self._interval
            if -MAX_EMPTY <= away < 0:
                self.late_events += 1
                return NO_BARS
            if 0 < away <= MAX_EMPTY + 1:
                return self._close_until(interval)
            self._begin_run()
        elif self._last_bar is not None:
            following = self._last_bar.interval + 1
            if abs(interval - following) > MAX_EMPTY:
                self._begin_run()
            elif interval < following:
                self.late_events += 1
                interval = following
        self._open(interval, mid2)
        return NO_BARS

    def _begin_run(self) -> None:
        self.run += 1
        self._last_bar = None

    def _open(self, interval: int, mid2: int) -> None:
        self._interval = interval
        self._start_ns = interval * self.interval_ns
        self._end_ns = self._start_ns + self.interval_ns
        self._high2 = self._low2 = self._close2 = mid2
        self._volume_lots = 0

    def _close_until(self, interval: int) -> tuple[Bar, ...]:
        """Close the open bar, fill the empty intervals before it (after a pause) and after it, open `interval`."""
        before = self._last_bar
        bar = Bar(self._interval, self._high2, self._low2, self._close2, self._volume_lots)
        bars = (
            *(self._empty(before, bar.interval) if before is not None else ()),
            bar,
            *self._empty(bar, interval),
        )
        self._last_bar = bars[-1]
        self._open(interval, bar.close2)
        return bars

    def _empty(self, after: Bar, until: int) -> tuple[Bar, ...]:
        """The intervals between bar `after` and interval `until`, at the mid carried on."""
        mid2 = after.close2
        bars = tuple(Bar(k, mid2, mid2, mid2, 0) for k in range(after.interval + 1, until))
        self.empty_intervals += len(bars)
        return bars
