"""The lab's event heap with stages small enough to see through: routing, hop latency, deadlines, commands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from common.messages import RawFrame, Side, Source, TradeTick
from common.stage import Command, Output
from common.topics import Event
from lab.driver import LabDriver

HOP_NS = 7


class Wish(Command):
    pass


class Tiny:
    """Notes what it is told and when; a frame becomes a trade and a wish; a trade sets a deadline 100 ns on."""

    def __init__(self) -> None:
        self.heard: list[tuple[int, str]] = []
        self.due: int | None = None

    def handle(self, event: Event, now_ns: int) -> Iterable[Output]:
        self.heard.append((now_ns, type(event).__name__))
        if isinstance(event, RawFrame) and event.data == b"tick":
            yield Wish()
            yield TradeTick(
                event_ns=now_ns,
                origin_ns=now_ns,
                trace_id=1,
                venue="v",
                symbol="S",
                trade_id=1,
                price_ticks=1,
                qty_lots=1,
                aggressor=Side.BUY,
            )
        elif isinstance(event, TradeTick):
            self.due = now_ns + 100

    def deadline_ns(self) -> int | None:
        return self.due

    def on_deadline(self, now_ns: int) -> Iterable[Output]:
        self.due = None
        self.heard.append((now_ns, "deadline"))
        return ()

    def restore(self, event: Event, *, was_output: bool) -> None:
        """Nothing to give back."""

    def stats(self) -> Mapping[str, object]:
        return {}


def run() -> dict[Source, list[tuple[int, str]]]:
    stages = {source: Tiny() for source in (Source.MARKET_DATA, Source.SIGNAL_BRIDGE, Source.RISK_MANAGER)}
    driver = LabDriver(
        stages,
        hop_latency_ns=HOP_NS,
        perform=lambda _s, _c, now_ns: [(now_ns + 50, RawFrame("v", now_ns, b"answer"))],
    )
    driver.join(0)
    driver.feed(1000, Source.MARKET_DATA, RawFrame("v", 1000, b"tick"))
    driver.run()
    return {source: stage.heard for source, stage in stages.items()}


def test_outputs_reach_their_readers_after_a_hop_and_deadlines_fire_when_due() -> None:
    heard = run()
    assert heard[Source.MARKET_DATA] == [(1000, "RawFrame"), (1050, "RawFrame")]
    assert heard[Source.SIGNAL_BRIDGE] == [(0, "UpstreamStatus"), (1007, "TradeTick"), (1107, "deadline")]
    assert heard[Source.RISK_MANAGER] == [(0, "UpstreamStatus")] * 2, "risk does not read trades"


def test_a_run_is_deterministic() -> None:
    assert run() == run()
