"""Killed at any point and started again: no fill is lost, none is doubled, no order is sent twice."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from common.messages import ApprovedOrder, ExecutionReport, OrderType, Side, TimeInForce
from tests.execution_engine.build import MS, T0, Level, S, approved, book, cancel
from tests.execution_engine.lives import Lives
from tests.execution_engine.test_liquidity import ladders

NO_LATENCY: dict[str, Any] = {"paper": {"latency_ms": 0}}
KINDS: list[dict[str, Any]] = [
    {"time_in_force": TimeInForce.GTC},
    {"time_in_force": TimeInForce.IOC},
    {"time_in_force": TimeInForce.FOK},
    {"order_type": OrderType.MARKET, "time_in_force": TimeInForce.IOC},
]
ORDERS = st.builds(
    lambda side, qty, limit, kind, reduce_only: approved(
        side=side, qty_lots=qty, reduce_only=reduce_only, **({"limit_ticks": limit} if len(kind) == 1 else {}), **kind
    ),
    st.sampled_from(list(Side)),
    st.integers(1, 25),
    st.integers(35, 75),
    st.sampled_from(KINDS),
    st.booleans(),
)
STEPS = st.lists(
    st.one_of(
        ORDERS,
        ladders(),
        st.tuples(st.just("cancel"), st.integers(0, 12)),
        st.tuples(st.just("wait"), st.integers(0, 2 * S)),
        st.tuples(st.just("again"), st.integers(0, 12)),
        st.tuples(st.just("kill"), st.integers(0, 4)),
    ),
    max_size=30,
)


class Play:
    """Plays steps; numbers its orders so that cancels and repetitions find them."""

    def __init__(self, **config: Any) -> None:
        self.lives = Lives(**config)
        self.sent: list[ApprovedOrder] = []

    def step(self, step: Any) -> None:
        lives = self.lives
        lives.wait(7 * MS)
        if isinstance(step, ApprovedOrder):
            changes = {"order_id": f"o-{len(self.sent)}", "event_ns": lives.now, "valid_until_ns": lives.now + S}
            self.sent.append(step.model_copy(update=changes))
            lives.give(self.sent[-1])
        elif isinstance(step[0], list):
            lives.give(book(*step, lives.now))
        elif step[0] == "cancel":
            lives.give(cancel(f"o-{step[1]}", lives.now))
        elif step[0] == "again" and step[1] < len(self.sent):
            lives.give(self.sent[step[1]])
        elif step[0] == "wait":
            lives.wait(step[1])
        elif step[0] == "kill":
            lives.kill(lose_outputs=step[1])


@given(steps=STEPS, latency_ms=st.sampled_from([0, 20]), rate=st.sampled_from([1, 3, 1000]))
def test_nothing_is_lost_nothing_is_doubled(steps: list[Any], latency_ms: int, rate: int) -> None:
    play = Play(paper={"latency_ms": latency_ms}, rate_limit_per_second=rate)
    for step in steps:
        play.step(step)
    play.lives.wait(60 * S)
    table = play.lives.check()
    intents = Counter(r.order_id for r in play.lives.reports if r.exec_type.value == "PENDING_NEW")
    assert all(n == 1 for n in intents.values())
    for order in play.sent:
        known = table.get(order.order_id)
        assert known is not None and known.status is not None, "every approval is answered"
        is_gtc = order.order_type is OrderType.LIMIT and order.time_in_force is TimeInForce.GTC
        assert is_gtc or not known.is_open
    assert len(table.open_ids()) == play.lives.stage.stats()["open_orders"]


def far_apart(number: int, ladder: tuple[list[Level], list[Level]]) -> tuple[list[Level], list[Level]]:
    """The ladder at prices that no other book of the test shows and no order names.

    What a former life took from a level counts as taken until the level is seen to change (a restart can only be too
    careful about it); here no level is ever met again, so the two lives must agree to the letter.
    """
    shift = 1000 + 100 * (number * 7 % 40)
    return [(p + shift, q) for p, q in ladder[0]], [(p + shift, q) for p, q in ladder[1]]


@given(data=st.data(), number_of_books=st.integers(1, 12))
def test_a_restored_stage_says_what_the_unbroken_one_says(data: st.DataObject, number_of_books: int) -> None:
    steps: list[Any] = []
    for n in range(number_of_books):
        steps.append(far_apart(n, data.draw(ladders())))
        for order in data.draw(st.lists(ORDERS, max_size=3)):
            limit = order.limit_ticks and 1000 + 100 * data.draw(st.integers(0, 41))
            steps.append(order.model_copy(update={"limit_ticks": limit}))
        steps += data.draw(st.lists(st.tuples(st.just("cancel"), st.integers(0, 12)), max_size=1))
    cuts = data.draw(st.sets(st.integers(0, len(steps))))
    broken, unbroken = (Play(rate_limit_per_second=1000, **NO_LATENCY) for _ in range(2))
    for n, step in enumerate(steps):
        if n in cuts:
            broken.lives.kill()
        broken.step(step)
        unbroken.step(step)
    assert broken.lives.reports == unbroken.lives.reports
    assert broken.lives.stage.stats()["positions"] == unbroken.lives.stage.stats()["positions"]


def test_an_approval_on_file_without_an_answer_is_sent_after_the_restart() -> None:
    lives = Lives(**NO_LATENCY)
    lives.give(book([(100, 5)], [(101, 5)]))
    lives.give(approved(qty_lots=3, order_type=OrderType.MARKET, time_in_force=TimeInForce.IOC))
    lives.kill(lose_outputs=99, is_ready=False)
    assert lives.reports == []
    assert lives.stage.deadline_ns() == 0
    lives.make_ready()
    assert [r.exec_type.value for r in lives.reports] == ["PENDING_NEW", "NEW", "TRADE"]
    lives.check()


def test_an_intent_on_file_is_sent_once_after_the_restart_unless_its_time_has_passed() -> None:
    lives = Lives(paper={"latency_ms": 20})
    lives.give(book([(100, 5)], [(101, 5)]))
    for order_id in ("a", "b"):
        lives.give(approved(order_id, qty_lots=3, valid_until_ns=T0 + (S if order_id == "a" else 9 * S)))
    lives.now += 2 * S
    lives.kill()
    lives.wait(3 * S)
    ends = {r.order_id: r for r in lives.reports}
    assert ends["a"].exec_type.value == "EXPIRED"
    assert ends["b"].exec_type.value == "NEW"
    lives.check()


def test_lots_taken_before_the_restart_are_not_given_again() -> None:
    lives = Lives(**NO_LATENCY)
    lives.give(book([(100, 5)], [(101, 5)]))
    lives.give(approved("a", qty_lots=4, limit_ticks=101))
    lives.kill()
    lives.give(approved("b", qty_lots=4, limit_ticks=101))
    assert [r.last_qty_lots for r in lives.reports if r.last_qty_lots] == [4, 1]


def test_a_cancel_on_file_is_carried_out_after_the_restart() -> None:
    lives = Lives(paper={"latency_ms": 20})
    lives.give(book([(100, 5)], [(101, 5)]))
    lives.give(approved(limit_ticks=99))
    lives.wait(3 * S)
    lives.give(cancel(event_ns=T0))
    lives.kill()
    lives.wait(S)
    last = lives.reports[-1]
    assert isinstance(last, ExecutionReport)
    assert (last.exec_type.value, last.reason) == ("CANCELED", "no longer wanted")
    lives.check()


def test_a_life_without_its_journal_tells_its_story_under_other_ids() -> None:
    lives = Lives(**NO_LATENCY)
    lives.give(book([(100, 5)], [(101, 5)]))
    order = approved("a", qty_lots=7, limit_ticks=101)
    before = lives.give(order)
    assert [r.exec_type.value for r in before] == ["PENDING_NEW", "NEW", "TRADE"]
    lives.journal.clear()
    lives.now += 9 * S
    lives.kill()
    (after,) = lives.give(order)
    assert after.exec_type.value == "EXPIRED"
    assert after.report_id not in {r.report_id for r in before}


def test_the_same_facts_have_the_same_ids_in_a_life_without_its_journal() -> None:
    ids = []
    for _ in range(2):
        lives = Lives(**NO_LATENCY)
        lives.give(book([(100, 5)], [(101, 5)]))
        ids.append([r.report_id for r in lives.give(approved("a" * 36, qty_lots=7, limit_ticks=101))])
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == len(ids[0]) == 3


def test_what_was_sent_before_the_restart_counts_against_the_rate_limit() -> None:
    lives = Lives(rate_limit_per_second=10, **NO_LATENCY)
    lives.give(book([(100, 5)], [(101, 5)]))

    def send(name: str) -> int:
        sent = [lives.give(approved(f"{name}-{n}", qty_lots=1, limit_ticks=99)) for n in range(10)]
        return sum(r.exec_type.value == "NEW" for reports in sent for r in reports)

    assert send("a") == 10
    lives.wait(S // 2)
    lives.kill()
    assert send("b") == 0
    assert lives.wait(S // 2 - 1) == []
    assert len(lives.wait(S // 2 + 1)) == 10
    lives.check()


def test_orders_whose_time_had_passed_long_before_the_restart_cost_no_token() -> None:
    lives = Lives(rate_limit_per_second=1, **NO_LATENCY)
    lives.give(book([(100, 5)], [(101, 5)]))
    lives.give(approved("a", qty_lots=1, limit_ticks=99))
    lives.wait(7 * S)
    lives.kill()
    reports = lives.give(approved("b", qty_lots=1, limit_ticks=99, valid_until_ns=T0 + 9 * S))
    assert [r.exec_type.value for r in reports] == ["PENDING_NEW", "NEW"]


def test_a_cancel_sent_just_before_the_restart_counts_too() -> None:
    lives = Lives(rate_limit_per_second=1, **NO_LATENCY)
    lives.give(book([(100, 5)], [(101, 5)]))
    lives.give(approved("a", qty_lots=1, limit_ticks=99))
    lives.wait(7 * S)
    assert [r.exec_type.value for r in lives.give(cancel("a", lives.now, origin_ns=lives.now))] == ["CANCELED"]
    lives.kill()
    reports = lives.give(approved("b", qty_lots=1, limit_ticks=99, valid_until_ns=T0 + 99 * S))
    assert [r.exec_type.value for r in reports] == ["PENDING_NEW"]
