"""One bus hop: numbered, encoded, sent, read, checked and decoded, beside bare pyzmq PUB/SUB with the same bytes.

Both sides read the socket in the same way (descriptor drained on uvloop) in a process of their own, at the same
pace, in turns, so that what differs is our envelope, codec and sequence accounting alone.
"""

from __future__ import annotations

import asyncio
import multiprocessing as mp
import os
import struct
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import structlog
import uvloop
import zmq

from benchmarks.report import Row, median_of
from common.codec import Frame
from common.config import BusConfig
from common.messages import BookUpdate, FeedState, Side, Source, TradeTick
from common.runtime.publisher import Publisher
from common.runtime.sockets import SocketReader, make_socket
from common.runtime.upstream import Upstream
from common.topics import Event

RATE_PER_S = 2_000
SECONDS = 1.5
REPETITIONS = 7
_STAMP = struct.Struct("<q")


def sample_book() -> BookUpdate:
    """A valid top-20 book."""
    words = np.zeros(9 + 80, np.int64)
    words[:9] = (1, 1, 1, 1, FeedState.SYNCED, 20, 20, 500, 500)
    words[9:] = np.arange(80) + 1
    return BookUpdate("binance", "BTCUSDT", words)


def sample_trade() -> TradeTick:
    """A trade: the smallest message of the feed."""
    return TradeTick(
        event_ns=1,
        origin_ns=1,
        trace_id=1,
        venue="binance",
        symbol="BTCUSDT",
        trade_id=1,
        price_ticks=6_000_000,
        qty_lots=10,
        aggressor=Side.BUY,
    )


async def _read_ours(addresses: tuple[str, str], topic: str, results: Any, done: Any) -> None:
    ages: list[int] = []

    def on_event(_event: Event, _data: bytes, frame: Frame | None) -> None:
        if frame is not None:
            ages.append(time.time_ns() - frame.envelope.publish_ns)

    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    upstream = Upstream(
        Source.MARKET_DATA,
        (topic,),
        BusConfig(),
        on_event,
        clock_ns=time.time_ns,
        applied={},
        log=structlog.get_logger(),
    )
    upstream.open(context, *addresses)
    while not done.is_set():
        upstream.tick()
        await asyncio.sleep(0.1)
    results.put(ages)


async def _read_bare(address: str, results: Any, done: Any) -> None:
    ages: list[int] = []
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    sub = make_socket(context, zmq.SUB, 100_000)
    sub.subscribe(b"")
    sub.connect(address)
    SocketReader(sub, lambda parts: ages.append(time.time_ns() - _STAMP.unpack_from(parts[0], 32)[0]), 256)
    while not done.is_set():
        await asyncio.sleep(0.1)
    results.put(ages)


def _reader(kind: str, addresses: tuple[str, str], topic: str, results: Any, done: Any) -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(Path(os.devnull).open("w")))  # noqa: SIM115
    work = _read_ours(addresses, topic, results, done) if kind == "ours" else _read_bare(addresses[0], results, done)
    uvloop.run(work)


async def _send_paced(send: Any) -> None:
    loop = asyncio.get_running_loop()
    start, interval = loop.time(), 1 / RATE_PER_S
    for n in range(int(RATE_PER_S * SECONDS)):
        wait = start + n * interval - loop.time()
        if wait > 0:
            await asyncio.sleep(wait)
        send()


async def _measure(kind: str, event: BookUpdate | TradeTick, topic: str, folder: str) -> tuple[float, float]:
    addresses = (f"ipc://{folder}/{kind}-pub", f"ipc://{folder}/{kind}-rep")
    spawn = mp.get_context("spawn")
    results, done = spawn.Queue(), spawn.Event()
    process = spawn.Process(target=_reader, args=(kind, addresses, topic, results, done), daemon=True)
    process.start()
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    publisher = Publisher(Source.MARKET_DATA, BusConfig(), epoch=time.time_ns(), journal=None, status=dict)
    if kind == "ours":
        publisher.open(context, "market_data", *addresses)

        def send() -> None:
            publisher.send(publisher.frame(event, time.time_ns()))
    else:
        pub = make_socket(context, zmq.PUB, 100_000)
        pub.bind(addresses[0])
        same = bytearray(publisher.frame(event, 0))

        def send() -> None:
            _STAMP.pack_into(same, 32, time.time_ns())
            pub.send(same, zmq.NOBLOCK)

    await asyncio.sleep(1.5)
    await _send_paced(send)
    await asyncio.sleep(0.2)
    done.set()
    ages = await asyncio.get_running_loop().run_in_executor(None, results.get)
    process.join()
    context.destroy(linger=0)
    ages = np.array(ages[len(ages) // 10 :]) / 1e3
    return float(np.median(ages)), float(np.quantile(ages, 0.99))


def run() -> list[Row]:
    """Median hop of a book and of a trade, in turns with the bare socket."""
    rows = []
    for topic, event in (("book", sample_book()), ("trade", sample_trade())):
        found: dict[str, list[tuple[float, float]]] = {"ours": [], "bare": []}
        with TemporaryDirectory() as folder:
            for repetition in range(REPETITIONS):
                for kind in ("ours", "bare") if repetition % 2 else ("bare", "ours"):
                    found[kind].append(uvloop.run(_measure(kind, event, topic, folder)))
        for at, name in enumerate(("p50", "p99")):
            ours, bare = (median_of(pair[at] for pair in found[kind]) for kind in ("ours", "bare"))
            aim = 1.2 if at == 0 else 2.0
            rows.append(Row(f"one bus hop, {topic}, {name}", "us", ours, bare, aim, "bare pyzmq PUB/SUB, same bytes"))
    return rows
