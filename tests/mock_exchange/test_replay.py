"""A capture walked through without a socket: every frame as captured, the true book beside it."""

from __future__ import annotations

import gzip
import json
from bisect import bisect_right
from pathlib import Path

import pytest

from common.errors import ConfigError
from services.mock_exchange.recorded.replay import ReplayExchange
from tests.mock_exchange.build import ClientBook, own_capture, parse


def lines_of(capture: bytes) -> list[dict]:
    return [json.loads(line.partition(" ")[2]) for line in gzip.decompress(capture).decode().splitlines()]


@pytest.fixture(scope="module")
def capture() -> bytes:
    return own_capture()


def test_every_frame_in_captured_order_byte_for_byte(capture: bytes) -> None:
    replay = ReplayExchange({"own.gz": capture})
    sent = []
    while not replay.is_done:
        event = replay.step()
        if event.channel:
            sent.append(f'{{"stream":"{event.channel}","data":{event.payload}}}')
    text = gzip.decompress(capture).decode()
    assert sent == [line.partition(" ")[2] for line in text.splitlines() if '"stream"' in line]
    assert replay.stats()["replay_frames_done"] == len(sent)


def test_rest_is_the_captured_snapshot_until_its_place_and_then_the_true_book(capture: bytes) -> None:
    replay = ReplayExchange({"own.gz": capture})
    captured = next(line for line in lines_of(capture) if "lastUpdateId" in line)
    truth = ClientBook(captured)
    before = after = 0
    waiting = []
    is_based = False
    while not replay.is_done:
        event = replay.step()
        if event.is_depth:
            waiting.append(parse(event.payload))
        is_based = is_based or not event.channel
        answer = parse(replay.snapshot("BTCUSDT", 5000))
        if not is_based:
            assert answer == captured
            before += 1
            continue
        for update in waiting:
            truth.apply(update)
        waiting.clear()
        assert answer == {"lastUpdateId": truth.update_id, **truth.levels()}
        after += 1
    assert before > 10 and after > 100 and truth.gaps == 0
    assert parse(replay.snapshot("BTCUSDT", 7))["bids"] == truth.levels()["bids"][:7]


def test_a_limit_cuts_the_captured_snapshot_too(capture: bytes) -> None:
    replay = ReplayExchange({"own.gz": capture})
    captured = next(line for line in lines_of(capture) if "lastUpdateId" in line)
    answer = parse(replay.snapshot("BTCUSDT", 5))
    assert answer["asks"] == captured["asks"][:5] and answer["lastUpdateId"] == captured["lastUpdateId"]


def test_a_diff_stream_answers_to_all_speeds(capture: bytes) -> None:
    replay = ReplayExchange(
        {"own.gz": gzip.compress(gzip.decompress(capture).replace(b"@depth@100ms", b"@depth@0ms"))}
    )
    for name in ("btcusdt@depth", "btcusdt@depth@100ms", "btcusdt@depth@0ms", "btcusdt@depth@250ms"):
        assert replay.channel_of(name) == "btcusdt@depth@0ms"
    for name in ("btcusdt@trade", "ethusdt@depth", "btcusdt@depth5@100ms", "nonsense", "BTCUSDT@depth"):
        assert replay.channel_of(name) == name


def test_the_grid_is_found_in_the_capture(capture: bytes) -> None:
    replay = ReplayExchange({"own.gz": capture})
    listing = replay.listings["BTCUSDT"]
    assert (listing.base, listing.quote) == ("BTC", "USDT")
    assert str(listing.tick_size.normalize()), str(listing.lot_size.normalize()) == ("0.01", "0.00001")
    info = replay.info([listing], 0)["symbols"][0]
    assert info["symbol"] == "BTCUSDT"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (own_capture(1.0, with_snapshot=False), "earlier file of the pair"),
        (b"not a capture\n", "no known format"),
        (b"\x1f\x8bbroken", "day2.gz"),
    ],
)
def test_what_cannot_be_replayed_is_refused_with_the_file_and_the_remedy(content: bytes, says: str) -> None:
    with pytest.raises(ConfigError) as error:
        ReplayExchange({"day2.gz": content})
    assert error.value.key == "mock_exchange.replay_files"
    assert says in str(error.value) and "day2.gz" in str(error.value)


@pytest.mark.recorded
@pytest.mark.parametrize(
    ("files", "prefix"),
    [
        (["spot/btcusdt_20240808.gz"], "/api/v3"),
        (["usdm/btcusdt_20240718.gz"], "/fapi/v1"),
    ],
)
def test_the_true_book_of_a_recorded_capture_has_the_recorded_touch(
    recorded: Path, files: list[str], prefix: str
) -> None:
    """The last ticker at or below a diff's id names the touch of the book after that diff."""
    replay = ReplayExchange({name: (recorded / "hftbacktest" / name).read_bytes() for name in files})
    assert replay.rest_prefix == prefix
    tickers = [parse(event.payload) for event in replay._events if event.channel.endswith("bookTicker")]
    ids = [ticker["u"] for ticker in tickers]
    diffs = compared = equal = 0
    is_based = False
    while not replay.is_done:
        event = replay.step()
        is_based = is_based or not event.channel
        diffs += event.is_depth
        if not (is_based and event.is_depth) or diffs % 10:
            continue
        answer = parse(replay.snapshot("BTCUSDT", 5))
        last = bisect_right(ids, answer["lastUpdateId"]) - 1
        if last >= 0:
            ticker = tickers[last]
            touch = (*answer["bids"][0], *answer["asks"][0])
            equal += touch == (ticker["b"], ticker["B"], ticker["a"], ticker["A"])
            compared += 1
    assert compared > 300 and equal >= compared - 2
