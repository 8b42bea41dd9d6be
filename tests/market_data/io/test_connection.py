"""Connections over real sockets: kept up, replaced without a break, spread after a storm."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import time

import pytest

from common.messages import LinkState, RawFrame
from services.market_data.commands import Reconnect, Resubscribe
from tests.market_data.io.build import QUICK, fed, first_seen, numbers, settings
from tests.market_data.io.server import TICK_S, TinyVenue, serving
from venues.protocol import ConnectionPlan, LinkRules, Resync


def contiguous(ids: list[int]) -> bool:
    return ids == list(range(ids[0], ids[0] + len(ids)))


async def test_a_planned_change_loses_nothing_and_is_not_told() -> None:
    async with serving() as server:
        async with fed(settings(server), timing=dataclasses.replace(QUICK, life_s=0.6)) as running:
            await running.until(lambda: len(server.connected_s) >= 4)
            await running.until(lambda: len(server.open) == 1)
            await running.frames(20)
        ids = running.inbox.ids
    assert running.inbox.links == [True], "one connection as far as the stage can tell"
    assert contiguous(first_seen(ids)) and len(first_seen(ids)) > 200
    assert len(ids) > len(first_seen(ids)), "for a while both delivered"
    assert len(running.log.of("The connection is replaced")) == 3


@pytest.mark.parametrize("settle_s", [0.3, 0.0])
async def test_a_new_link_that_is_ahead_of_the_old_one_waits_for_it(settle_s: float) -> None:
    """With nothing held back the same server makes a gap: so the holding back is what prevents it."""
    async with serving(lags_s=[0.15]) as server:
        async with fed(settings(server), timing=dataclasses.replace(QUICK, settle_s=settle_s)) as running:
            await running.frames(20)
            running.feed.perform(Reconnect("binance", "", "the venue announces maintenance", planned=True))
            await running.until(lambda: running.log.of("The connection is replaced"))
            await running.frames(20)
        ids = first_seen(running.inbox.ids)
    assert contiguous(ids) is (settle_s > 0)
    assert running.inbox.links == [True]


async def test_links_whose_frames_cannot_be_told_apart_never_deliver_both() -> None:
    """Down and up in one breath; then the new link, which was there before the old one ended."""
    venue = TinyVenue(resync=Resync.RESUBSCRIBE)
    async with serving(lags_s=[0.1]) as server, fed(settings(server), venue) as running:
        await running.frames(20)
        running.feed.perform(Reconnect("binance", "", "now", planned=True))
        await running.until(lambda: running.log.of("The connection is replaced"))
        await running.frames(20)
        events, links = running.inbox.events, running.inbox.of(LinkState)
        assert running.inbox.links == [True, False, True] and len(server.open) == 1
        down = events.index(links[1])
        assert events[down + 1] is links[2]
        old, new = numbers(events[:down]), numbers(events[down:])
        assert contiguous(old) and contiguous(new)
        assert new[0] <= old[-1] + 1, "nothing lies between them"


async def test_a_silent_link_does_not_take_over_where_frames_cannot_be_told_apart() -> None:
    venue = TinyVenue(resync=Resync.RESUBSCRIBE)
    async with serving() as server, fed(settings(server), venue) as running:
        await running.frames(10)
        server.is_silent = True
        running.feed.perform(Reconnect("binance", "", "now", planned=True))
        await running.until(lambda: running.log.of("The connection was not replaced"))
        await running.frames(10)
        assert running.inbox.links == [True] and contiguous(running.inbox.ids)


async def test_what_was_held_back_keeps_its_order_and_its_times() -> None:
    async with serving() as server, fed(settings(server)) as running:
        await running.frames(5)
        running.feed.perform(Reconnect("binance", "", "now", planned=True))
        await running.until(lambda: running.log.of("The connection is replaced"))
        frames = running.inbox.of(RawFrame)
        released = next(n for n, (a, b) in enumerate(itertools.pairwise(frames)) if b.recv_ns < a.recv_ns) + 1
        held = [f for f in frames[released:] if f.recv_ns <= frames[released - 1].recv_ns]
        assert len(held) > 0.15 / TICK_S / 3
        assert [f.recv_ns for f in held] == sorted(f.recv_ns for f in held)


async def test_a_new_link_that_delivers_nothing_does_not_take_over() -> None:
    async with serving() as server, fed(settings(server)) as running:
        await running.frames(10)
        server.is_silent = True
        running.feed.perform(Reconnect("binance", "", "now", planned=True))
        await running.until(lambda: running.log.of("The connection was not replaced"))
        assert "delivers nothing" in running.log.of("The connection was not replaced")[0]["problem"]
        server.is_silent = False
        await running.until(lambda: running.log.of("The connection is replaced"))
        await running.frames(10)
        assert contiguous(first_seen(running.inbox.ids)) and running.inbox.links == [True]


async def test_a_venue_that_takes_no_new_link_leaves_the_old_one_alone() -> None:
    async with serving() as server, fed(settings(server)) as running:
        await running.frames(10)
        server.is_closed = True
        running.feed.perform(Reconnect("binance", "", "now", planned=True))
        await running.until(lambda: running.log.of("The connection was not replaced"))
        await running.frames(10)
        assert running.inbox.links == [True] and running.feed.is_connected


async def test_an_old_link_that_ends_while_the_new_one_is_held_back_is_told() -> None:
    timing = dataclasses.replace(QUICK, settle_s=5)
    async with serving() as server, fed(settings(server), timing=timing) as running:
        await running.frames(10)
        running.feed.perform(Reconnect("binance", "", "now", planned=True))
        await running.until(lambda: len(server.open) == 2)
        server.open[0].transport.abort()
        await running.until(lambda: running.inbox.links == [True, False, True])
        await running.frames(10)


async def test_an_old_link_that_ends_while_both_deliver_is_not_missed() -> None:
    timing = dataclasses.replace(QUICK, overlap_s=30)
    async with serving() as server, fed(settings(server), timing=timing) as running:
        await running.frames(10)
        running.feed.perform(Reconnect("binance", "", "now", planned=True))
        await running.until(lambda: len(running.inbox.ids) > len(first_seen(running.inbox.ids)) + 20)
        server.open[0].transport.abort()
        await running.until(lambda: running.log.of("The connection is replaced"))
        await running.frames(10)
        assert contiguous(first_seen(running.inbox.ids)) and running.inbox.links == [True]


async def test_where_two_at_once_are_not_allowed_a_planned_change_is_down_and_up() -> None:
    rules = LinkRules(ping_interval_s=0, life_s=0.4)
    async with serving() as server, fed(settings(server), TinyVenue(rules=rules)) as running:
        await running.until(lambda: running.inbox.links == [True, False, True])
        assert len(server.open) == 1
        assert "its time is over" in running.inbox.of(LinkState)[1].reason
        assert not running.log.of("Venue not reached"), "it is nobody's fault"


async def test_an_unplanned_reconnect_breaks_off_also_in_the_middle_of_a_change() -> None:
    async with serving() as server, fed(settings(server), timing=dataclasses.replace(QUICK, overlap_s=30)) as running:
        await running.frames(10)
        running.feed.perform(Reconnect("binance", "", "planned", planned=True))
        await running.until(lambda: len(running.inbox.ids) > len(first_seen(running.inbox.ids)) + 5)
        running.feed.perform(Reconnect("binance", "", "the books are void"))
        await running.until(lambda: running.inbox.links == [True, False, True])
        assert running.inbox.of(LinkState)[1].reason == "the books are void"
        await running.until(lambda: len(server.open) == 1)


async def test_a_lost_connection_is_told_and_comes_back() -> None:
    async with serving() as server, fed(settings(server)) as running:
        await running.frames(10)
        server.drop_all()
        await running.until(lambda: running.inbox.links == [True, False])
        assert not running.feed.is_connected
        await running.until(lambda: running.inbox.links == [True, False, True] and running.feed.is_connected)


async def test_a_storm_of_reconnects_is_spread() -> None:
    plans = tuple(ConnectionPlan(f"r{n}", "/ws", ("AAA",), ('{"s":1}',)) for n in range(24))
    # Spread wide enough that a busy machine does not draw them together again.
    timing = dataclasses.replace(QUICK, first_wait_ms=2400)
    async with serving() as server, fed(settings(server), TinyVenue(plans=plans), timing=timing) as running:
        await running.until(lambda: len(server.open) == 24 and running.inbox.links == [True] * 24)
        before = len(server.connected_s)
        dropped = time.monotonic()
        server.drop_all()
        await running.until(lambda: len(server.connected_s) == 2 * before)
        waited = sorted(at - dropped for at in server.connected_s[before:])
    assert waited[0] >= 1.19, "nobody comes back at once"
    assert waited[-1] - waited[0] > 0.4, "and not all together"
    assert max(sum(start <= w < start + 0.05 for w in waited) for start in waited) < 18


async def test_attempts_keep_to_the_venues_limit_over_all_connections() -> None:
    plans = tuple(ConnectionPlan(f"r{n}", "/ws", ("AAA",), ('{"s":1}',)) for n in range(6))
    rules = LinkRules(ping_interval_s=0, connects=4, connects_window_s=0.5)
    async with serving() as server, fed(settings(server), TinyVenue(rules=rules, plans=plans)) as running:
        await running.until(lambda: len(server.open) == 6)
        assert server.connected_s[4] - server.connected_s[0] >= 0.45


async def test_a_peer_that_answers_no_ping_is_noticed() -> None:
    rules = LinkRules(may_overlap=True, ping_interval_s=0.1, ping_timeout_s=0.5)
    async with serving() as server, fed(settings(server), TinyVenue(rules=rules)) as running:
        await running.frames(5)
        await asyncio.sleep(0.8)
        assert running.inbox.links == [True], "a peer that answers is left in peace"
        for connection in server.open:
            connection.transport.pause_reading()
        await running.until(lambda: False in running.inbox.links)
        assert "no answer to a ping within 0.5 s" in running.inbox.of(LinkState)[1].reason


async def test_resubscribing_goes_to_the_connection_that_carries_the_book() -> None:
    plans = (
        ConnectionPlan("trades", "/ws", ("AAA",), ('{"c":"trades"}',), carries_books=False),
        ConnectionPlan("books", "/ws", ("AAA",), ('{"c":"books"}',)),
        ConnectionPlan("books2", "/ws", ("AAB",), ('{"c":"books2"}',)),
    )
    async with (
        serving() as server,
        fed(settings(server, symbols=("AAA", "AAB")), TinyVenue(plans=plans)) as running,
    ):
        await running.until(lambda: len(server.received) == 3)
        running.feed.perform(Resubscribe("binance", "AAB"))
        await running.until(lambda: len(server.received) == 5)
        assert [text for _, text in server.received[3:]] == ['{"off":"AAB"}', '{"on":"AAB"}']
        frames = running.inbox.of(RawFrame)
        assert {f.route for f in frames} <= {"trades", "books", "books2"}


async def test_a_daemon_that_is_stopped_leaves_within_a_second_whatever_the_peer_does() -> None:
    async with serving() as server, fed(settings(server)) as running:
        await running.frames(5)
        for connection in server.open:
            connection.transport.pause_reading()
        running.task.cancel()
        start = time.monotonic()
        await asyncio.gather(running.task, return_exceptions=True)
        assert time.monotonic() - start < 1
