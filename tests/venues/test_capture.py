"""Recorded captures: both formats, merged, described; damage is named."""

from __future__ import annotations

import gzip
import lzma
from decimal import Decimal
from pathlib import Path

import pytest

from common.errors import WireError
from tests.venues.build import CAPTURES, diff, load, snapshot
from venues.binance.capture import (
    EXCHANGE_INFO,
    FRAME,
    LINK_UP,
    OTHER,
    SENT,
    SNAPSHOT,
    describe_capture,
    read_capture,
    stream_of,
    unpack,
)
from venues.binance.symbols import split_symbol

D1 = b'{"stream":"btcusdt@depth@100ms","data":' + diff(1, 2, [["10.50", "0.20"]], [["11.00", "0.30"]]) + b"}"
T1 = b'{"stream":"btcusdt@trade","data":{"e":"trade","s":"BTCUSDT","p":"10.75","q":"0.05","t":1,"T":1,"m":true}}'
SNAP = snapshot(1, [["10.00", "1.00"]], [["12.00", "1.00"]])


def test_plain_lines_of_any_unit():
    data = b"\n".join(
        [b"1680652700 " + D1, b"1680652700423 " + SNAP, b"1680652700423575 " + T1, b"1723161253937085768 " + T1, b""]
    )
    events = list(read_capture(data))
    assert [e.local_ns for e in events] == [
        1680652700 * 10**9,
        1680652700423 * 10**6,
        1680652700423575000,
        1723161253937085768,
    ]
    assert [(e.kind, e.symbol) for e in events] == [
        (FRAME, "BTCUSDT"),
        (SNAPSHOT, "BTCUSDT"),
        (FRAME, "BTCUSDT"),
        (FRAME, "BTCUSDT"),
    ]
    assert events[0].payload == D1
    assert stream_of(D1) == ("btcusdt@depth@100ms", D1[39:-1])
    assert stream_of(SNAP) == ("", SNAP)


def test_cryptofeed_lines_of_every_shape():
    url = b"https://www.binance.com/api/v3/depth?symbol=BTCUSDT&limit=1000 -> 1633998512.320639: "
    data = b"\n".join(
        [
            b'configuration: {"x":1}',
            b"https://api.binance.com/api/v3/exchangeInfo -> 1633998511.5: {}",
            b"wss://stream.binance.com:9443/ws <-> 1633998511.6",
            b'wss://stream.binance.com:9443/ws <- 1633998511.7: {"id":1}',
            b"1633998512.0633569: " + D1,
            url + SNAP,
        ]
    )
    events = list(read_capture(data))
    assert [e.kind for e in events] == [OTHER, EXCHANGE_INFO, LINK_UP, SENT, FRAME, SNAPSHOT]
    assert events[4].local_ns == 1633998512063356900 and events[5].symbol == "BTCUSDT"


def test_archives_are_told_by_their_magic_and_files_are_merged_by_time():
    late, early = b"1680652702 " + D1, b"1680652701 " + SNAP.replace(b"{", b'{"symbol":"BTCUSDT",', 1)
    events = list(read_capture(gzip.compress(late), lzma.compress(early)))
    assert [(e.kind, e.symbol) for e in events] == [(SNAPSHOT, "BTCUSDT"), (FRAME, "BTCUSDT")]
    with pytest.raises(WireError, match="archive is damaged"):
        unpack(gzip.compress(late)[:-12])


def test_a_line_of_no_known_form_is_named():
    with pytest.raises(WireError, match=r"line 2 is not .*nonsense"):
        list(read_capture(b"1680652702 " + D1 + b"\nnonsense\n"))


def test_description_finds_the_grid_the_numbers_lie_on():
    events = read_capture(b"\n".join([b"1680652701 " + D1, b"1680652702 " + SNAP, b"1680652704 " + T1]))
    info = describe_capture(events)
    assert (info.venue, info.symbols, info.span_ns) == ("binance", ("BTCUSDT",), 3 * 10**9)
    assert info.counts == {"depth": 1, "snapshot": 1, "trade": 1}
    (it,) = info.instruments
    assert (it.base, it.quote, it.tick_size, it.lot_size) == ("BTC", "USDT", Decimal("0.05"), Decimal("0.05"))
    with pytest.raises(WireError, match="no depth updates"):
        describe_capture(read_capture(b"1680652704 " + T1))


def test_previous_ids_mean_futures():
    assert (
        describe_capture(read_capture(b"1680652701 " + D1.replace(b'"u":2', b'"u":2,"pu":0'))).venue == "binance-usdm"
    )


def test_symbols_are_split_by_their_endings():
    assert [
        split_symbol(s)
        for s in ("BTCUSDT", "ETHBTC", "BTCFDUSD", "BTCUSD_PERP", "DOTUSD_210625", "USDTUSD", "USDT", "ODD")
    ] == [
        ("BTC", "USDT"),
        ("ETH", "BTC"),
        ("BTC", "FDUSD"),
        ("BTC", "USD"),
        ("DOT", "USD"),
        ("USDT", "USD"),
        ("USDT", ""),
        ("ODD", ""),
    ]


@pytest.mark.recorded
@pytest.mark.parametrize(
    ("name", "venue", "counts"),
    [
        ("spot", "binance", {"depth": 6495, "trade": 19904, "bookTicker": 73174, "snapshot": 1}),
        ("usdm_2023", "binance-usdm", {"depth": 16110, "trade": 12935, "snapshot": 1}),
        ("cf_us", "binance", {"depth": 807, "bookTicker": 458, "aggTrade": 18, "snapshot": 10, "exchange_info": 1}),
        ("cf_usdm_202107", "binance-usdm", {"depth": 764, "kline": 67, "snapshot": 4}),
    ],
)
def test_recorded_captures_hold_what_their_notes_say(recorded: Path, name: str, venue: str, counts: dict[str, int]):
    assert name in CAPTURES
    info = describe_capture(load(recorded, name))
    assert info.venue == venue
    assert {key: info.counts[key] for key in counts} == counts
