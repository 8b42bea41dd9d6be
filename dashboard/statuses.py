"""What the daemons say of themselves, kept over their lives and added up. Pure.

Every daemon answers GET /status with one JSON object. A daemon that is started again counts from zero in a new
life, so the last status of each life is kept and the counters are summed; what a stage restores from its journal
(risk, execution) already spans its lives and is taken from the last one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

PIPELINE: Final = ("market_data", "signal_bridge", "risk_manager", "execution_engine")
MOCK_EXCHANGE: Final = "mock_exchange"

#: The way of a tick: topic, the daemon that publishes it, the daemon it is meant for.
HOPS: Final = (
    ("book", "market_data", "signal_bridge"),
    ("signal", "signal_bridge", "risk_manager"),
    ("order", "risk_manager", "execution_engine"),
    ("report", "execution_engine", "risk_manager"),
)
#: Where the time goes on that way: the daemon that measures it and its name there, in order.
LATENCIES: Final = (
    ("market_data", "feed_to_publish"),
    ("signal_bridge", "book_transit"),
    ("signal_bridge", "book_handle"),
    ("risk_manager", "signal_transit"),
    ("risk_manager", "signal_handle"),
    ("execution_engine", "order_transit"),
    ("execution_engine", "order_handle"),
    ("risk_manager", "report_transit"),
    ("execution_engine", "tick_to_order"),
)


class _Reply(BaseModel):
    """Part of a status reply; what a newer daemon adds is ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class TopicOut(_Reply):
    """One topic a daemon publishes."""

    messages: int = 0


class TopicIn(_Reply):
    """One topic a daemon reads."""

    messages: int = 0
    gaps_seen: int = 0
    gaps_healed: int = 0
    missing: int = 0
    lost: int = 0
    duplicates: int = 0
    refused: int = 0


class Latency(_Reply):
    """One histogram's quantiles, microseconds; None when it is empty."""

    count: int = 0
    p50_us: float | None = None
    p99_us: float | None = None
    max_us: float | None = None


class DaemonStatus(_Reply):
    """One status reply."""

    service: str
    pid: int
    epoch: int = 0
    ready: bool = False
    uptime_s: float = 0.0
    topics_out: dict[str, TopicOut] = {}
    topics_in: dict[str, TopicIn] = {}
    latency: dict[str, Latency] = {}
    stage: dict[str, Any] = {}


@dataclass(slots=True)
class StatusLedger:
    """The last status of every life of every daemon."""

    _lives: dict[str, dict[tuple[int, int], DaemonStatus]] = field(default_factory=dict)

    def record(self, status: DaemonStatus) -> None:
        """Keep a status; it replaces the one before of the same life."""
        lives = self._lives.setdefault(status.service, {})
        life = (status.pid, status.epoch)
        lives.pop(life, None)
        lives[life] = status

    def lives(self, service: str) -> tuple[DaemonStatus, ...]:
        """Last status of each life, oldest life first."""
        return tuple(self._lives.get(service, {}).values())

    def latest(self, service: str) -> DaemonStatus | None:
        """The status heard last, if any."""
        lives = self.lives(service)
        return lives[-1] if lives else None

    def stage(self, service: str) -> dict[str, Any]:
        """Stage counters of the latest life."""
        status = self.latest(service)
        return status.stage if status else {}

    def summed(self, service: str, key: str) -> int:
        """A stage counter that starts at zero with every life, over all lives."""
        return sum(int(life.stage.get(key, 0)) for life in self.lives(service))


class GapCount(BaseModel):
    """Gaps of one topic over all its readers. `open` ones wait for healing in lives that still go on."""

    seen: int = 0
    healed: int = 0
    missing: int = 0
    lost: int = 0
    open: int = 0


class FeedCount(BaseModel):
    """What market data met on the venue's streams."""

    frames: int = 0
    gaps_seen: int = 0
    gaps_healed: int = 0
    resyncs: int = 0
    crossed: int = 0
    bad_frames: int = 0


class BboCount(BaseModel):
    """How often the rebuilt book's best bid and ask could be compared with the venue's own, and were equal."""

    compared: int = 0
    equal: int = 0


class Totals(BaseModel):
    """Everything the statuses add up to."""

    messages: dict[str, int]
    delivered: dict[str, int]
    gaps: dict[str, GapCount]
    feed: FeedCount
    bbo: BboCount
    signals: int
    approvals: int
    refusals: dict[str, int]
    orders: int
    fills: int
    realised_pnl: str
    unrealised_pnl: str
    fees: str
    latency: dict[str, Latency]
    positions_agree: bool

    @property
    def bus_gaps_seen(self) -> int:
        """Over all topics."""
        return sum(gap.seen for gap in self.gaps.values())

    @property
    def bus_gaps_healed(self) -> int:
        """Over all topics."""
        return sum(gap.healed for gap in self.gaps.values())


def add_up(ledger: StatusLedger) -> Totals:
    """The totals of all lives of all daemons."""
    risk, execution = ledger.stage("risk_manager"), ledger.stage("execution_engine")
    feed = {key: ledger.summed("market_data", key) for key in FeedCount.model_fields}
    return Totals(
        messages=_messages(ledger),
        delivered={topic: _delivered(ledger, topic, reader) for topic, _, reader in HOPS},
        gaps=_gaps(ledger),
        feed=FeedCount(**feed),
        bbo=BboCount(
            compared=ledger.summed("market_data", "bbo_compared"), equal=ledger.summed("market_data", "bbo_equal")
        ),
        signals=ledger.summed("signal_bridge", "signals"),
        approvals=int(risk.get("approvals", 0)),
        refusals={str(code): int(n) for code, n in risk.get("refusals", {}).items() if n},
        orders=int(execution.get("orders", 0)),
        fills=int(execution.get("fills", 0)),
        realised_pnl=str(risk.get("realised_pnl", "0")),
        unrealised_pnl=str(risk.get("unrealised_pnl", "0")),
        fees=str(risk.get("fees", "0")),
        latency=_latencies(ledger),
        positions_agree=positions_agree(ledger),
    )


def _messages(ledger: StatusLedger) -> dict[str, int]:
    counts: dict[str, int] = {}
    for service in PIPELINE:
        for life in ledger.lives(service):
            for topic, out in life.topics_out.items():
                counts[topic] = counts.get(topic, 0) + out.messages
    return counts


def _delivered(ledger: StatusLedger, topic: str, reader: str) -> int:
    return sum(life.topics_in.get(topic, TopicIn()).messages for life in ledger.lives(reader))


def _gaps(ledger: StatusLedger) -> dict[str, GapCount]:
    counts: dict[str, GapCount] = {}
    for service in PIPELINE:
        lives = ledger.lives(service)
        for life in lives:
            for topic, came in life.topics_in.items():
                gap = counts.setdefault(topic, GapCount())
                gap.seen += came.gaps_seen
                gap.healed += came.gaps_healed
                gap.missing += came.missing
                gap.lost += came.lost
                if life is lives[-1]:
                    gap.open += came.gaps_seen - came.gaps_healed
    return counts


def _latencies(ledger: StatusLedger) -> dict[str, Latency]:
    """Quantiles cannot be added: those of the life with the most measurements stand for all."""
    found: dict[str, Latency] = {}
    for service, name in LATENCIES:
        candidates = [life.latency[name] for life in ledger.lives(service) if name in life.latency]
        measured = [latency for latency in candidates if latency.count]
        if measured:
            found[name] = max(measured, key=lambda latency: latency.count)
    return found


def positions_agree(ledger: StatusLedger) -> bool:
    """True when risk and execution are both heard and keep the same position lines."""
    if ledger.latest("risk_manager") is None or ledger.latest("execution_engine") is None:
        return False
    return position_lines(ledger.stage("risk_manager")) == position_lines(ledger.stage("execution_engine"))


def position_lines(stage: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """Position lines by (venue, symbol); a line of nothing but zeros says as much as no line."""
    lines = {(line["venue"], line["symbol"]): dict(line) for line in stage.get("positions", ())}
    return {
        key: line for key, line in lines.items() if any(v for k, v in line.items() if k not in ("venue", "symbol"))
    }


def open_feed_gaps(ledger: StatusLedger) -> int:
    """Feed gaps market data has seen and not yet healed in its present life."""
    stage = ledger.stage("market_data")
    return int(stage.get("gaps_seen", 0)) - int(stage.get("gaps_healed", 0))
