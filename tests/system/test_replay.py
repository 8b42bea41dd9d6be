"""Trading on recorded reality: the published book against the venue's own best bid and offer, whole and damaged."""

from __future__ import annotations

import asyncio
import gzip
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import structlog
import zmq

from common.codec import Frame
from common.config import BusConfig
from common.messages import BookUpdate, Instrument, Source
from common.runtime.upstream import Upstream
from common.topics import Event
from tests.rig import PIPELINE, ROOT, Rig

pytestmark = [pytest.mark.slow, pytest.mark.recorded, pytest.mark.timeout(300)]

#: files, diffs older than the snapshot, misses the capture itself cannot decide (see the data's README)
CAPTURES = {
    "spot": (["spot/btcusdt_20240808.gz"], 2, 2),
    "usdm_2023": (["usdm/btcusdt_20230404.dat.gz", "usdm/btcusdt_20230405.dat.gz"], 0, 0),
    "usdm_july": (["usdm/btcusdt_20240718.gz", "usdm/btcusdt_20240719.gz"], 5, 0),
    "usdm_august": (["usdm/btcusdt_20240808.gz"], 4, 0),
}


class Listener:
    """Reads market data's bus as any client would, while `tidewire run` trades on it."""

    def __init__(self) -> None:
        self.books: list[BookUpdate] = []
        self.instruments: dict[str, Instrument] = {}
        self.is_live = False

    def on_event(self, event: Event, _data: bytes, _frame: Frame | None) -> None:
        if isinstance(event, BookUpdate):
            self.books.append(event)
        elif isinstance(event, Instrument):
            self.instruments[event.symbol] = event

    async def follow(self, rig: Rig, is_over: Callable[[], bool]) -> None:
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        upstream = Upstream(
            Source.MARKET_DATA,
            ("book", "status"),
            BusConfig(),
            self.on_event,
            clock_ns=time.time_ns,
            applied={},
            log=structlog.get_logger(),
        )
        section = rig.settings["market_data"]
        upstream.open(context, section["zmq_publish_address"], section["zmq_reply_address"])
        end = time.monotonic() + 120
        try:
            while not await asyncio.to_thread(is_over):
                await asyncio.sleep(0.1)
                upstream.tick()
                self.is_live = upstream.is_live
                if time.monotonic() > end:
                    told = {service: rig.status(service) for service in ("mock_exchange", "market_data")}
                    pytest.fail(f"the replay does not end: {told}")
        finally:
            upstream.close()
            context.destroy(linger=0)
        assert upstream.topics["book"].tracker.lost == 0


def capture_frames(files: list[Path]) -> list[dict[str, Any]]:
    frames = []
    for file in files:
        with gzip.open(file, "rt") as lines:
            frames += [json.loads(line.partition(" ")[2]) for line in lines]
    return frames


def trade_on(rig: Rig) -> Listener:
    """Start the pipeline, listen to it, then let the exchange replay; until all is fed and settled."""
    listener = Listener()
    rig.start(*PIPELINE)
    rig.wait(lambda: bool(rig.status("market_data")), "market data up")
    quiet_since = [0.0, 0.0]

    def is_over() -> bool:
        if "mock_exchange" not in rig.processes:
            if listener.is_live:
                rig.start("mock_exchange")
            return False
        frames = float(rig.stage("market_data").get("frames", 0))
        if frames != quiet_since[0] or not rig.stage("mock_exchange").get("replay_done"):
            quiet_since[:] = frames, time.monotonic()
        return frames > 0 and time.monotonic() - quiet_since[1] > 2

    asyncio.run(listener.follow(rig, is_over))
    return listener


def test_the_published_book_is_the_venues_own(make_rig: Callable[..., Rig], recorded: Path, capture: str) -> None:
    names, older, misses_allowed = CAPTURES[capture]
    files = [recorded / "hftbacktest" / name for name in names]
    rig = make_rig(
        market_data={
            "exchange": "binance" if capture == "spot" else "binance-usdm",
            "symbols": ["BTCUSDT"],
            "reconnect_delay_ms": 50,
            "reconnect_max_delay_ms": 200,
        },
        mock_exchange={"replay_files": [str(file) for file in files], "replay_speed": 40},
    )
    listener = trade_on(rig)
    status = rig.status("market_data")["stage"]
    assert (status["gaps_seen"], status["bad_frames"], status["crossed"]) == (0, 0, 0)
    assert status["bbo_compared"] - status["bbo_equal"] <= misses_allowed
    assert rig.stage("execution_engine")["fills"] > 0
    assert rig.positions("risk_manager") == rig.positions("execution_engine")
    rig.stop()
    frames = capture_frames(files)
    diffs = [f["data"]["u"] for f in frames if f.get("stream", "").split("@")[1:2] == ["depth"]]
    tickers = [f["data"] for f in frames if f.get("stream", "").endswith("bookTicker")]
    pair = listener.instruments["BTCUSDT"]
    published = {b.update_id: b for b in listener.books if b.is_valid}
    wanted = diffs[older:]
    first = next(n for n, update_id in enumerate(wanted) if update_id in published)
    assert first < 100, "diffs that came before the snapshot did are published once, as they stand in the end"
    assert set(wanted[first:]) <= set(published), "every diff since then was published as a valid book"
    compared = equal = at = 0
    for update_id in wanted[first:]:
        while at + 1 < len(tickers) and tickers[at + 1]["u"] <= update_id:
            at += 1
        if tickers[at]["u"] > update_id:
            continue
        book, ticker = published[update_id], tickers[at]
        ours = (
            float(pair.price_text(int(book.bid_ticks[0]))),
            float(pair.qty_text(int(book.bid_lots[0]))),
            float(pair.price_text(int(book.ask_ticks[0]))),
            float(pair.qty_text(int(book.ask_lots[0]))),
        )
        compared += 1
        equal += ours == tuple(float(ticker[k]) for k in "bBaA")
    assert compared >= len(wanted) - first - 5
    assert status["bbo_compared"] >= len(wanted) - 100
    assert compared - equal <= misses_allowed


@pytest.fixture(params=sorted(CAPTURES))
def capture(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_damage_is_seen_and_healed_and_no_wrong_book_is_published(
    make_rig: Callable[..., Rig], recorded: Path
) -> None:
    file = recorded / "hftbacktest" / "spot" / "btcusdt_20240808.gz"
    rig = make_rig()
    listener = Listener()
    with (rig.folder / "err").open("wb") as err:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "cli.main", "run", *rig.config_flags),
                *("--replay", str(file), "--speed", "20", "--damage", "0.01", "--seed", "5"),
            ],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=err,
            stdin=subprocess.DEVNULL,
        )
    asyncio.run(listener.follow(rig, lambda: process.poll() is not None))
    said = process.communicate()[0].decode()
    assert process.returncode == 0, said
    summary = json.loads(said.strip().splitlines()[-1])
    feed = summary["feed"]
    assert feed["gaps_seen"] > 10 and feed["gaps_seen"] == feed["gaps_healed"]
    assert feed["bad_frames"] > 5
    pair = listener.instruments["BTCUSDT"]
    truth = true_books([file])
    checked = 0
    for book in listener.books:
        if not book.is_valid:
            continue
        bids, asks = truth[book.update_id]
        top = [(pair.price_text(int(t)), pair.qty_text(int(q))) for t, q in zip(book.bid_ticks, book.bid_lots)]
        assert [(float(p), float(q)) for p, q in top] == bids[: len(top)]
        top = [(pair.price_text(int(t)), pair.qty_text(int(q))) for t, q in zip(book.ask_ticks, book.ask_lots)]
        assert [(float(p), float(q)) for p, q in top] == asks[: len(top)]
        checked += 1
    assert checked > 1000


Side = list[tuple[float, float]]


def true_books(files: list[Path]) -> dict[int, tuple[Side, Side]]:
    """Top 20 after each diff of the undamaged capture, by the slowest obvious means."""
    bids: dict[float, float] = {}
    asks: dict[float, float] = {}
    frames = capture_frames(files)
    snapshot = next(f for f in frames if "lastUpdateId" in f)
    for side, levels in ((bids, snapshot["bids"]), (asks, snapshot["asks"])):
        side.update((float(p), float(q)) for p, q in levels)
    found = {snapshot["lastUpdateId"]: _top(bids, asks)}
    for frame in frames:
        data = frame.get("data", {})
        if data.get("e") != "depthUpdate" or data["u"] <= snapshot["lastUpdateId"]:
            continue
        for side, levels in ((bids, data["b"]), (asks, data["a"])):
            for price, qty in levels:
                side[float(price)] = float(qty)
                if float(qty) == 0:
                    del side[float(price)]
        found[data["u"]] = _top(bids, asks)
    return found


def _top(bids: dict[float, float], asks: dict[float, float]) -> tuple[Side, Side]:
    return sorted(bids.items(), reverse=True)[:20], sorted(asks.items())[:20]
