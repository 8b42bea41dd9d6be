"""What a run came to, and whether it was good. Pure.

The summary is the last line of a run, one JSON object for scripts; the verdict is the exit code and says why.
"""

from __future__ import annotations

from collections.abc import Mapping

from common.errors import EXIT_FAILED, EXIT_OK
from dashboard.statuses import HOPS, StatusLedger, Totals, add_up, open_feed_gaps


class Summary(Totals):
    """Totals of the statuses, and what only the supervisor knows."""

    seconds: float
    first_fill_s: float | None
    daemons_died: int
    deaths: dict[str, int]
    replay_done: bool | None
    exit_reasons: list[str]

    @property
    def exit_code(self) -> int:
        """0 when nothing speaks against it."""
        return EXIT_FAILED if self.exit_reasons else EXIT_OK

    def line(self) -> str:
        """One line of JSON."""
        return self.model_dump_json()


def summarise(
    ledger: StatusLedger,
    *,
    seconds: float,
    first_fill_s: float | None = None,
    deaths: Mapping[str, int],
    replay_done: bool | None = None,
    troubles: tuple[str, ...] = (),
) -> Summary:
    """Sum a run up.

    Args:
        ledger: every status heard, the final ones last.
        seconds: how long it traded, from the moment all daemons were ready.
        first_fill_s: seconds from the start of the daemons to the first fill heard of.
        deaths: unexpected exits by service.
        replay_done: whether all of the capture was fed; None when nothing was replayed.
        troubles: what else the supervisor holds against the run.
    """
    totals = add_up(ledger)
    reasons = [*troubles, *_reasons(totals, open_feed_gaps(ledger), deaths)]
    return Summary(
        **dict(totals),
        seconds=round(seconds, 3),
        first_fill_s=None if first_fill_s is None else round(first_fill_s, 3),
        daemons_died=sum(deaths.values()),
        deaths={service: n for service, n in deaths.items() if n},
        replay_done=replay_done,
        exit_reasons=reasons,
    )


def _reasons(totals: Totals, feed_gaps: int, deaths: Mapping[str, int]) -> list[str]:
    reasons = []
    for topic, publisher, reader in HOPS:
        if not totals.messages.get(topic):
            reasons.append(f"{publisher} published no {topic}")
        elif not totals.delivered.get(topic):
            reasons.append(f"no {topic} reached {reader}")
    if not totals.fills:
        reasons.append("no order was filled")
    reasons += [f"{gap.open} gap(s) of {topic} stayed unhealed" for topic, gap in totals.gaps.items() if gap.open]
    if feed_gaps:
        reasons.append(f"{feed_gaps} gap(s) of the venue's feed stayed unhealed")
    if not totals.positions_agree:
        reasons.append("positions differ between risk and execution")
    reasons += [f"{service} died {_times(n)}" for service, n in deaths.items() if n]
    return reasons


def _times(n: int) -> str:
    return "once" if n == 1 else f"{n} times"
