"""Frames survive the wire, and nothing else is taken for one."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.codec import ENVELOPE, Codec, address_bytes, decode_event, encode_frame, split_frame
from common.errors import UnknownMessage, UnknownSchema, WireError
from common.messages import (
    BookHeader,
    BookUpdate,
    FeedState,
    Instrument,
    PositionLine,
    RawFrame,
    RiskState,
    Side,
    Signal,
    SnapshotReply,
    Source,
)
from common.messages.book import HEADER_FIELDS, words_needed
from common.topics import TOPICS, TYPE_IDS, topic_of

NS = st.integers(0, 2**62)
LEVELS = st.integers(0, 30)


@st.composite
def books(draw: st.DrawFn) -> BookUpdate:
    bids, asks = draw(LEVELS), draw(LEVELS)
    words = np.array(
        draw(
            st.lists(
                st.integers(-(2**62), 2**62), min_size=words_needed(bids, asks), max_size=words_needed(bids, asks)
            )
        ),
        np.int64,
    )
    words[:9] = np.abs(words[:9])
    words[4:7] = draw(st.sampled_from(list(FeedState))), bids, asks
    return BookUpdate("binance", "BTCUSDT", words)


SIGNALS = st.builds(
    Signal,
    event_ns=NS,
    origin_ns=NS,
    trace_id=NS,
    venue=st.just("binance"),
    symbol=st.sampled_from(["BTCUSDT", "ETHUSDT"]),
    signal_id=st.text("abcdef", min_size=1, max_size=20),
    strategy=st.text(max_size=10),
    side=st.sampled_from(list(Side)),
    confidence=st.floats(0, 1),
    horizon_ns=st.integers(1, 2**60),
    expires_ns=NS,
    reference_ticks=st.integers(1, 2**60),
    reason=st.text(max_size=40),
    features=st.dictionaries(st.text(max_size=8), st.floats(allow_nan=False, allow_infinity=False), max_size=4),
)
RAW = st.builds(RawFrame, st.just("binance"), NS, st.binary(max_size=200))
REPLIES = st.builds(
    SnapshotReply,
    event_ns=NS,
    origin_ns=NS,
    trace_id=NS,
    venue=st.just("binance"),
    symbol=st.just("BTCUSDT"),
    data=st.binary(max_size=50),
)


@given(st.one_of(books(), SIGNALS, RAW), st.sampled_from(list(Codec)), st.integers(0, 2**60))
def test_round_trip(event: BookUpdate | Signal | RawFrame, codec: Codec, sequence: int) -> None:
    data = encode_frame(event, source=Source.MARKET_DATA, epoch=7, sequence=sequence, publish_ns=9, codec=codec)
    frame = split_frame(data)
    assert decode_event(frame) == event
    assert (frame.topic, frame.key) == (topic_of(event), event.key)
    assert frame.envelope[3:6] == (Source.MARKET_DATA, 7, sequence)
    assert frame.envelope[6:] == (event.event_ns, 9, event.origin_ns, event.trace_id)


@given(REPLIES)
def test_bytes_survive_msgpack(reply: SnapshotReply) -> None:
    data = encode_frame(reply, source=Source.LOCAL, epoch=0, sequence=0, publish_ns=0)
    assert decode_event(split_frame(data)) == reply


def test_nested_models_and_decimals_survive() -> None:
    line = PositionLine(
        venue="binance", symbol="BTCUSDT", qty_lots=1, cost_tick_lots=2, realised_tick_lots=-3, fees_e8=4
    )
    state = RiskState(event_ns=1, origin_ns=1, trace_id=1, is_halted=False, positions=(line,))
    pair = Instrument(
        event_ns=1,
        origin_ns=1,
        trace_id=0,
        venue="binance",
        symbol="BTCUSDT",
        base="BTC",
        quote="USDT",
        tick_size="0.01",
        lot_size="1E-5",
    )
    assert (pair.price_decimals, pair.qty_decimals) == (2, 5), "cached beside the fields, and not to travel"
    for event in (state, pair):
        for codec in Codec:
            data = encode_frame(event, source=Source.RISK_MANAGER, epoch=1, sequence=1, publish_ns=1, codec=codec)
            assert decode_event(split_frame(data)) == event


@given(books())
def test_a_raw_body_stands_on_whole_words(book: BookUpdate) -> None:
    data = encode_frame(book, source=Source.MARKET_DATA, epoch=1, sequence=1, publish_ns=1)
    assert (len(data) - len(book.body())) % 8 == 0


@given(st.binary(max_size=300))
def test_random_bytes_are_refused_not_fatal(data: bytes) -> None:
    with pytest.raises(WireError):
        decode_event(split_frame(data))


@given(SIGNALS, st.data())
def test_damaged_frames_are_refused_or_read_never_worse(signal: Signal, data: st.DataObject) -> None:
    good = bytearray(encode_frame(signal, source=Source.SIGNAL_BRIDGE, epoch=1, sequence=1, publish_ns=1))
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(good)))
    with contextlib.suppress(WireError):
        decode_event(split_frame(bytes(good[:cut])))


def _with_envelope(field_offset: int, value: int) -> bytes:
    signal = Signal(
        event_ns=1,
        origin_ns=1,
        trace_id=1,
        venue="b",
        symbol="S",
        signal_id="x",
        strategy="s",
        side=Side.BUY,
        confidence=1,
        horizon_ns=1,
        expires_ns=1,
        reference_ticks=1,
        reason="",
        features={},
    )
    data = bytearray(encode_frame(signal, source=Source.SIGNAL_BRIDGE, epoch=1, sequence=1, publish_ns=1))
    start = len(address_bytes("signal", signal.key))
    data[start + field_offset : start + field_offset + 2] = value.to_bytes(2, "little")
    return bytes(data)


def test_newer_schema_and_unknown_type_have_their_own_errors() -> None:
    with pytest.raises(UnknownMessage, match="4242"):
        decode_event(split_frame(_with_envelope(2, 4242)))
    with pytest.raises(UnknownSchema, match="Signal of schema 9; this build reads 1"):
        decode_event(split_frame(_with_envelope(4, 9)))


def test_a_book_whose_counts_do_not_fit_is_refused() -> None:
    book = BookUpdate.empty("b", "S", FeedState.SYNCED, event_ns=1, origin_ns=1, trace_id=1)
    words = book.words.copy()
    words[5] = 3
    with pytest.raises(WireError, match="cannot hold 3 bids"):
        BookUpdate.from_body("b.S", words.tobytes())


def test_the_header_model_describes_the_words() -> None:
    words = np.arange(1, 10, dtype=np.int64)
    words[4:7] = FeedState.SYNCED, 0, 0
    header = BookUpdate("b", "S", words).header
    assert isinstance(header, BookHeader)
    assert [int(getattr(header, name)) for name in HEADER_FIELDS] == words.tolist()


def test_every_type_has_one_number_and_every_topic_one_publisher() -> None:
    assert len(set(TYPE_IDS.values())) == len(TYPE_IDS)
    for topic in TOPICS.values():
        assert all(cls in TYPE_IDS for cls in topic.types)
        assert "." not in topic.name
    assert ENVELOPE.size % 8 == 0
