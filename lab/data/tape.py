"""One instrument of a capture as arrays: its trades, and its book after every change.

The capture goes through the very stage of the daemon (lab.replay), so that a book here is what a strategy would have
seen: void while it could not be believed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from common.messages import BookUpdate, Instrument, TradeTick
from lab.replay import DEPTH, CaptureReplay
from venues.captures import CaptureError, guess_venue, instruments_for, read_capture, subscribed_depth
from venues.registry import venue_named

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class Trades:
    """By order of receipt, int64[n] each. `aggressor` is +1 where the taker bought, -1 where he sold."""

    event_ns: IntArray
    recv_ns: IntArray
    price_ticks: IntArray
    qty_lots: IntArray
    aggressor: IntArray


@dataclass(frozen=True, eq=False, slots=True)
class Books:
    """States of the book by order of receipt: times int64[m], levels int64[m, levels], best first.

    A level that is not there has 0 lots at price 0. Where the book could not be believed, or had an empty side, all
    of a row's levels are so, and `usable` is false.
    """

    event_ns: IntArray
    recv_ns: IntArray
    bid_ticks: IntArray
    bid_lots: IntArray
    ask_ticks: IntArray
    ask_lots: IntArray

    @property
    def usable(self) -> npt.NDArray[np.bool_]:
        """bool[m]."""
        result: npt.NDArray[np.bool_] = self.bid_lots[:, 0] > 0
        return result


@dataclass(frozen=True, eq=False, slots=True)
class Tape:
    """What was recorded of one instrument."""

    instrument: Instrument
    trades: Trades
    books: Books


def read_tape(files: Iterable[Path], symbol: str = "", *, levels: int = 1) -> Tape:
    """The tape of `symbol`, or of the capture's only instrument.

    Args:
        files: of one capture, in any format of `venues.captures` (docs/market_data/captures.md).
        levels: of the book to keep on each side.

    Raises:
        CaptureError: a file is no capture, or of a venue that is not known.
        ValueError: `symbol` is not in the capture, or none was named where there are several.
    """
    kept = [(file.name, file.read_bytes()) for file in files]
    name = guess_venue(read_capture(kept))
    if name is None:
        raise CaptureError("the capture is of no venue that is known by its frames", "Give a recorded capture")
    venue = venue_named(name)
    found = {instrument.symbol: instrument for instrument in instruments_for(venue, read_capture(kept))}
    if symbol not in found and (symbol or len(found) != 1):
        raise ValueError(f"symbol: {symbol or 'none was named'}; the capture holds {', '.join(found)}")
    instrument = found[symbol] if symbol else next(iter(found.values()))
    replay = CaptureReplay(venue, [instrument], depth=subscribed_depth(name, read_capture(kept)) or DEPTH)
    trades: list[tuple[int, int, int, int, int]] = []
    books: list[tuple[int, int]] = []
    rows: list[IntArray] = []
    for event in read_capture(kept):
        for told in replay.take(event):
            if isinstance(told, TradeTick):
                trades.append((told.event_ns, told.origin_ns, told.price_ticks, told.qty_lots, told.aggressor.sign))
            elif isinstance(told, BookUpdate):
                books.append((told.event_ns, told.origin_ns))
                rows.append(_levels(told, levels))
    columns = np.array(trades, np.int64).reshape(-1, 5).T
    times = np.array(books, np.int64).reshape(-1, 2).T
    sides = np.array(rows, np.int64).reshape(-1, 4, levels).transpose(1, 0, 2)
    return Tape(instrument, Trades(*columns), Books(*times, *sides))


def _levels(book: BookUpdate, levels: int) -> IntArray:
    row = np.zeros((4, levels), np.int64)
    if book.is_valid:
        for place, side in enumerate((book.bid_ticks, book.bid_lots, book.ask_ticks, book.ask_lots)):
            row[place, : min(levels, side.size)] = side[:levels]
    return row
