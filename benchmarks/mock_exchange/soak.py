"""`python -m benchmarks.mock_exchange.soak`: clients trade and read for ten minutes; memory must be flat.

Before it is looked at, the warm-up fills what the exchange keeps bounded: the last ten thousand orders, and as many
trades, of a symbol.

Four connections of the WebSocket API place, fill and cancel orders on all three symbols, twenty stream clients read
everything, and one of them looks whether its depth frames follow one another. Exit code 0 when nothing was refused,
cut or missing, and the resident memory of the last tenth is within two percent of that of the first after warm-up.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from typing import Any, Final

import uvloop
import websockets

from benchmarks.mock_exchange.orders import KEY, sign_parameters
from benchmarks.mock_exchange.servers import Server, serving

READERS: Final = 20
TRADERS: Final = 4
PAIRS_PER_S: Final = 240
#: Growth between the first and the last tenth of the samples that still counts as flat.
MOST_GROWTH: Final = 0.02
_STREAMS: Final = "/".join(
    f"{symbol}@{kind}" for symbol in ("btcusdt", "ethusdt", "ethbtc") for kind in ("depth@100ms", "trade", "kline_1m")
)
_SYMBOLS: Final = {"BTCUSDT": ("50000", "0.001"), "ETHUSDT": ("2500", "0.01"), "ETHBTC": ("0.04", "0.01")}


class Tally:
    """What happened."""

    def __init__(self) -> None:
        self.orders = self.refused = self.frames = self.gaps = 0
        self.rss_kb: list[int] = []
        self.last_ids: dict[str, int] = {}


async def _trade(port: int, name: str, tally: Tally, until_s: float) -> None:
    loop = asyncio.get_running_loop()
    number, due_s = 0, loop.time()
    async with websockets.connect(f"ws://127.0.0.1:{port}/ws-api/v3", compression=None) as link:

        async def ask(method: str, **params: Any) -> None:
            sent = sign_parameters(params | {"apiKey": KEY, "timestamp": int(time.time() * 1000)})
            await link.send(json.dumps({"id": number, "method": method, "params": sent}))
            answer = json.loads(await link.recv())
            tally.orders += 1
            tally.refused += answer["status"] != 200

        while loop.time() < until_s:
            due_s += TRADERS / PAIRS_PER_S
            await asyncio.sleep(max(0.0, due_s - loop.time()))
            number += 1
            symbol = list(_SYMBOLS)[number % len(_SYMBOLS)]
            price, quantity = _SYMBOLS[symbol]
            which = f"{name}-{number}"
            if number % 2:
                side = "BUY" if number % 4 == 1 else "SELL"
                await ask("order.place", symbol=symbol, side=side, type="MARKET", quantity=quantity)
                continue
            order = {"symbol": symbol, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "price": price}
            await ask("order.place", **order, quantity=quantity, newClientOrderId=which)
            await ask("order.cancel", symbol=symbol, origClientOrderId=which)


async def _read(port: int, tally: Tally, is_checking: bool, until_s: float) -> None:
    async with websockets.connect(f"ws://127.0.0.1:{port}/stream?streams={_STREAMS}", compression=None) as link:
        try:
            async with asyncio.timeout_at(until_s):
                while True:
                    text = await link.recv()
                    tally.frames += 1
                    if is_checking and "@depth" in text[:40]:
                        _follow(json.loads(text), tally)
        except TimeoutError:
            return


def _follow(frame: dict[str, Any], tally: Tally) -> None:
    data = frame["data"]
    last = tally.last_ids.get(frame["stream"])
    tally.gaps += last is not None and data["U"] != last + 1
    tally.last_ids[frame["stream"]] = data["u"]


async def _watch(server: Server, tally: Tally, warm_s: float, until_s: float) -> None:
    loop = asyncio.get_running_loop()
    await asyncio.sleep(warm_s)
    while loop.time() < until_s:
        tally.rss_kb.append(server.rss_kb())
        await asyncio.sleep(1)


async def _soak(server: Server, seconds: float, warm_s: float) -> Tally:
    tally = Tally()
    until_s = asyncio.get_running_loop().time() + seconds + warm_s
    await asyncio.gather(
        _watch(server, tally, warm_s, until_s),
        *(_trade(server.port, f"t{n}", tally, until_s) for n in range(TRADERS)),
        *(_read(server.port, tally, n == 0, until_s) for n in range(READERS)),
    )
    return tally


def growth(samples: list[int]) -> float:
    """Of the mean of the last tenth over that of the first."""
    count = max(1, len(samples) // 10)
    first, last = sum(samples[:count]) / count, sum(samples[-count:]) / count
    return last / first - 1


def main() -> int:
    """Run, tell, judge."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mock_exchange.soak")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--warm", type=float, default=300, help="seconds before memory is looked at")
    args = parser.parse_args()
    with serving("ours") as server:
        tally = uvloop.run(_soak(server, args.seconds, args.warm))
    grown = growth(tally.rss_kb)
    told = {
        "requests": tally.orders,
        "refused": tally.refused,
        "frames": tally.frames,
        "gaps": tally.gaps,
        "rss_mb": [round(tally.rss_kb[0] / 1024, 1), round(tally.rss_kb[-1] / 1024, 1)],
        "growth": round(grown, 4),
    }
    print(json.dumps(told))
    return 0 if not tally.refused and not tally.gaps and tally.frames and abs(grown) <= MOST_GROWTH else 1


if __name__ == "__main__":
    sys.exit(main())
