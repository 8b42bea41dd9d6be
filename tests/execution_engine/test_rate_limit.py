"""No window, wherever it begins, sees more sends than allowed; cancels go first; nothing is lost or overtakes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.execution_engine.rate_limit import SendQueue, TokenBucket

GAPS = st.lists(st.integers(0, 40), min_size=1, max_size=120)
FAR = 10**18


@given(tokens=st.integers(1, 6), gaps=GAPS)
def test_no_window_sees_more_than_the_tokens(tokens: int, gaps: list[int]) -> None:
    bucket, now, sent = TokenBucket(tokens, window_ns=100), 1_000, []
    for gap in gaps:
        now += gap
        allowed = sum(now - t < 100 for t in sent) < tokens
        assert bucket.take(now) is allowed
        if allowed:
            sent.append(now)
        assert bucket.free_at_ns() <= now + 100


@given(tokens=st.integers(1, 6), gaps=GAPS, cuts=st.sets(st.integers(0, 119)), lag=st.integers(0, 30))
def test_no_window_sees_more_when_the_bucket_is_restored(
    tokens: int, gaps: list[int], cuts: set[int], lag: int
) -> None:
    bucket, now = TokenBucket(tokens, window_ns=100), 1_000
    sent: list[int] = []
    for n, gap in enumerate(gaps):
        now += gap
        if n in cuts:
            bucket = TokenBucket(tokens, window_ns=100)
            bucket.restore([t + lag for t in reversed(sent)], now)
        if bucket.take(now):
            sent.append(now)
        assert sum(now - t < 100 for t in sent) <= tokens
        assert bucket.free_at_ns() <= now + 100


@given(tokens=st.integers(1, 4), gaps=GAPS, kinds=st.lists(st.booleans(), min_size=120, max_size=120))
def test_everything_leaves_once_in_order_when_deadlines_are_kept(
    tokens: int, gaps: list[int], kinds: list[bool]
) -> None:
    queue, now = SendQueue(TokenBucket(tokens, window_ns=100)), 0
    orders_out: list[str] = []
    cancels_out: list[str] = []
    for n, (gap, is_cancel) in enumerate(zip(gaps, kinds, strict=False)):
        while (due := queue.deadline_ns()) is not None and due <= now + gap:
            now = max(now, due)
            released = queue.release(now)
            assert released.cancels or released.orders
            orders_out += released.orders
            cancels_out += released.cancels
        now += gap
        if is_cancel:
            queue.add_cancel(f"c-{n}")
        else:
            queue.add_order(f"o-{n}", FAR)
    while (due := queue.deadline_ns()) is not None:
        now = max(now, due)
        released = queue.release(now)
        orders_out += released.orders
        cancels_out += released.cancels
    told = list(zip(range(len(gaps)), kinds, strict=False))
    assert orders_out == [f"o-{n}" for n, is_cancel in told if not is_cancel]
    assert cancels_out == [f"c-{n}" for n, is_cancel in told if is_cancel]


def test_cancels_go_before_orders() -> None:
    queue = SendQueue(TokenBucket(2, window_ns=100))
    for n in range(3):
        queue.add_order(f"o-{n}", FAR)
    queue.add_cancel("c-0")
    queue.add_cancel("c-0")
    assert queue.release(0) == (["c-0"], ["o-0"], [])
    assert queue.release(99) == ([], [], [])
    assert queue.deadline_ns() == 100
    assert queue.release(100) == ([], ["o-1", "o-2"], [])
    assert queue.deadline_ns() is None


def test_what_is_past_its_time_leaves_without_a_token() -> None:
    queue = SendQueue(TokenBucket(1, window_ns=100))
    queue.add_order("late", 5)
    queue.add_order("in-time", 6)
    assert queue.release(6) == ([], ["in-time"], ["late"])


def test_the_queue_is_bounded_and_orders_can_be_taken_back() -> None:
    queue = SendQueue(TokenBucket(1), max_waiting=2)
    queue.add_order("a", FAR)
    queue.add_order("b", FAR)
    assert queue.is_full
    assert queue.remove_order("a")
    assert not queue.remove_order("a")
    assert not queue.is_full
    assert queue.release(0).orders == ["b"]
