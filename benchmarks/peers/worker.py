"""What the peers' process is asked for: which paths there are, and how long one takes over a workload.

A workload is a JSON file: {"venue", "symbols", "depth", "events": [[kind, symbol, text], ...]}, kinds as in
venues.captures; `depth` is how many levels a side were subscribed to.
Only the run over the events is timed, in processor time of the one thread that does it; building the peer's objects
and reading the file are not.
"""

from __future__ import annotations

import gc
import importlib
import json
import logging
import time
from collections.abc import Callable
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol


class Load(NamedTuple):
    """What is to be run through a path."""

    venue: str
    symbols: list[str]
    depth: int
    #: (kind, symbol, text)
    events: list[tuple[str, str, str]]


class Run(Protocol):
    """One path over one workload, ready to begin."""

    def go(self) -> None:
        """All of it."""
        ...

    def top(self) -> dict[str, list[str]]:
        """Best bid and ask as decimal text, [price, quantity, price, quantity] by symbol, as they stand now."""
        ...


#: By the name they are asked for: the distribution they are of, and where their paths are.
_PEERS: Final = {
    "cryptofeed": ("cryptofeed", "benchmarks.peers.cryptofeed_path"),
    "nautilus_trader": ("nautilus_trader", "benchmarks.peers.nautilus_path"),
    "order-book": ("order_book", "benchmarks.peers.levels"),
    "pyorderbook": ("pyorderbook", "benchmarks.peers.pyorderbook_path"),
}


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """{"peers": versions} for {}; {"seconds", "top"} for {"peer", "file", "path"}, or {"error"} where it has none."""
    logging.disable(logging.CRITICAL)
    if not request:
        return {"peers": {name: version(distribution) for name, (distribution, _) in _PEERS.items()}}
    paths: dict[str, Callable[[Load], Run]] = importlib.import_module(_PEERS[request["peer"]][1]).PATHS
    load = _read(request["file"])
    make = paths.get(request["path"])
    if make is None:
        return {"error": f"{request['peer']} has no path for {request['path']}"}
    run = make(load)
    gc.collect()
    gc.disable()
    began = time.thread_time()
    run.go()
    seconds = time.thread_time() - began
    gc.enable()
    return {"seconds": seconds, "top": run.top()}


@lru_cache(maxsize=1)
def _read(file: str) -> Load:
    loaded = json.loads(Path(file).read_text())
    return Load(loaded["venue"], loaded["symbols"], loaded["depth"], [tuple(event) for event in loaded["events"]])
