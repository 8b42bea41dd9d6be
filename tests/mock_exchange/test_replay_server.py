"""Replay over real sockets: nothing lost, nothing changed, paced by its reader or by the clock."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.mock_exchange.build import ClientBook, Server, own_capture, parse, running

STREAMS = "btcusdt@depth@100ms/btcusdt@trade/btcusdt@bookTicker"


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("capture") / "own.gz"
    path.write_bytes(own_capture(3.0))
    return path


def frames_of(*paths: Path) -> list[str]:
    lines = [line for path in paths for line in gzip.decompress(path.read_bytes()).decode().splitlines()]
    return [line.partition(" ")[2] for line in lines if '"stream"' in line]


def payloads_of(*paths: Path) -> list[str]:
    return [frame.partition(',"data":')[2][:-1] for frame in frames_of(*paths)]


def connect_to(server: Server, path: str) -> connect:
    return connect(server.ws + path, compression=None, close_timeout=0.2)


async def read_until_done(server: Server, ws: ClientConnection) -> list[str]:
    """Everything sent until the replay is over and the stream silent."""
    received: list[str] = []
    while True:
        try:
            received.append(str(await asyncio.wait_for(ws.recv(), 0.5)))
        except TimeoutError:
            if (await server.stage())["replay_done"]:
                return received


async def read_all(server: Server, ws: ClientConnection) -> list[str]:
    """As a client does that fetches its snapshot at once, so that the replay need not wait for it."""
    first = str(await ws.recv())
    await server.snapshot()
    return [first, *await read_until_done(server, ws)]


async def test_combined_frames_are_the_captured_ones(capture: Path) -> None:
    async with (
        running(replay_files=(str(capture),), replay_speed=0) as server,
        connect_to(server, f"/stream?streams={STREAMS}") as ws,
    ):
        assert await read_all(server, ws) == frames_of(capture)


async def test_raw_frames_are_the_captured_payloads_under_any_depth_speed(capture: Path) -> None:
    names = STREAMS.replace("@depth@100ms", "@depth@0ms")
    async with (
        running(replay_files=(str(capture),), replay_speed=0) as server,
        connect_to(server, f"/ws/{names}") as ws,
    ):
        assert await read_all(server, ws) == payloads_of(capture)


async def test_it_waits_for_its_readers_and_keeps_answering_at_the_end(capture: Path) -> None:
    async with running(replay_files=(str(capture),), replay_speed=0) as server:
        captured = await server.snapshot()
        async with connect_to(server, "/ws") as ws:
            await asyncio.sleep(0.4)
            assert (await server.stage())["replay_frames_done"] == 0
            await ws.send(json.dumps({"method": "SUBSCRIBE", "params": ["btcusdt@depth"], "id": 1}))
            assert parse(await ws.recv()) == {"result": None, "id": 1}
            await ws.send(json.dumps({"method": "SUBSCRIBE", "params": STREAMS.split("/")[1:], "id": 2}))
            received = await read_all(server, ws)
        assert [text for text in received if '"result"' not in text] == payloads_of(capture)
        book = ClientBook(captured)
        for text in received:
            if "depthUpdate" in text:
                book.apply(parse(text))
        assert await server.snapshot() == {"lastUpdateId": book.update_id, **book.levels()}
        assert book.gaps == 0


async def test_the_replay_stops_at_the_snapshots_place_until_it_is_fetched(capture: Path) -> None:
    async with running(replay_files=(str(capture),), replay_speed=0) as server:
        async with connect_to(server, f"/ws/{STREAMS}") as ws:
            first = parse(await ws.recv())
            await asyncio.sleep(0.3)
            held_at = (await server.stage())["replay_frames_done"]
            assert 0 < held_at < 200
            snapshot = await server.snapshot()
            assert first.get("u", 0) <= snapshot["lastUpdateId"] + 1000
            received = await read_until_done(server, ws)
        assert len(received) + 1 == len(payloads_of(capture))


async def test_the_clock_paces_a_replay_with_a_speed(capture: Path) -> None:
    async with (
        running(replay_files=(str(capture),), replay_speed=2.0) as server,
        connect_to(server, f"/ws/{STREAMS}") as ws,
    ):
        began = time.monotonic()
        await ws.recv()
        await server.snapshot()
        for _ in range(len(payloads_of(capture)) - 1):
            await asyncio.wait_for(ws.recv(), 2)
        took_s = time.monotonic() - began
    assert 1.3 < took_s < 2.5


async def test_a_paced_replay_goes_on_without_its_client_and_one_that_returns_gets_what_is_live(
    capture: Path,
) -> None:
    async with running(replay_files=(str(capture),), replay_speed=2.0) as server:
        async with connect_to(server, f"/ws/{STREAMS}") as ws:
            await ws.recv()
            await server.snapshot()
        await asyncio.sleep(0.4)
        left_at = (await server.stage())["replay_frames_done"]
        assert left_at > 20
        async with connect_to(server, f"/ws/{STREAMS}") as ws:
            diffs = [event async for event in _depth(ws, 4)]
            snapshot = await server.snapshot()
            book = ClientBook(snapshot)
            for event in diffs:
                book.apply(event)
            async for event in _depth(ws, 4):
                book.apply(event)
        assert book.gaps == 0 and book.update_id > snapshot["lastUpdateId"]


async def _depth(ws: ClientConnection, count: int) -> Any:
    while count:
        event = parse(await ws.recv())
        if "U" in event:
            count -= 1
            yield event


async def test_damage_is_done_to_frames_and_never_to_the_book(capture: Path) -> None:
    damage = {"drop": 0.2, "duplicate": 0.2, "reorder": 0.2, "truncate": 0.2}
    async with running(replay_files=(str(capture),), replay_speed=0, seed=4, damage=damage) as server:
        async with connect_to(server, f"/ws/{STREAMS}") as ws:
            received = await read_all(server, ws)
        counts = (await server.stage())["damaged"]
        truth = await server.snapshot()
    whole = payloads_of(capture)
    diffs = [text for text in whole if "depthUpdate" in text]
    assert all(counts.values())
    assert len(received) == len(whole) - counts["drop"] + counts["duplicate"]
    assert sum(text not in set(whole) for text in received) == counts["truncate"]
    assert len(set(diffs) - set(received)) == counts["drop"] + counts["truncate"]
    assert [t for t in received if t in set(whole) - set(diffs)] == [t for t in whole if t not in set(diffs)]
    assert truth["lastUpdateId"] == parse(diffs[-1])["u"]


@pytest.mark.recorded
@pytest.mark.parametrize(
    ("files", "names", "prefix"),
    [
        (["spot/btcusdt_20240808.gz"], STREAMS, "/api/v3"),
        (["usdm/btcusdt_20240718.gz"], STREAMS, "/fapi/v1"),
    ],
)
async def test_a_recorded_capture_byte_for_byte_at_full_speed(
    recorded: Path, files: list[str], names: str, prefix: str
) -> None:
    paths = [recorded / "hftbacktest" / name for name in files]
    async with running(replay_files=tuple(map(str, paths)), replay_speed=0) as server:
        async with connect_to(server, f"/ws/{names}") as ws:
            first = str(await ws.recv())
            answer = await server.snapshot(limit=1000, prefix=prefix)
            received = [first, *await read_until_done(server, ws)]
            stage = await server.stage()
        assert await server.snapshot(limit=5, prefix=prefix) != answer
    assert received == payloads_of(*paths)
    assert stage["replay_frames_done"] == stage["replay_frames"] == len(received)
    text = gzip.decompress(paths[0].read_bytes()).decode()
    assert answer == parse(next(line for line in text.splitlines() if '{"lastUpdateId"' in line).partition(" ")[2])
