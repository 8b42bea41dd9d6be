"""The flow is a market's, and every engine the benchmark times trades it alike."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.matching import RESTING, order_flow, ours, plain, rows, write
from benchmarks.peer_process import PeerProcess


def test_the_flow_repeats_and_holds_what_it_says():
    flow = order_flow(2_000)
    assert flow == order_flow(2_000) != order_flow(2_000, seed=2)
    assert (len(flow.opening), len(flow.timed)) == (RESTING, 2_000)
    cancels = sum(not operation.lots for operation in flow.timed)
    assert 800 < cancels < 1_000
    bid, bid_lots, ask, ask_lots = flow.touch
    assert 0 < bid < ask and bid_lots and ask_lots


def test_ours_and_the_plain_engine_end_at_the_same_touch():
    flow = order_flow(2_000)
    assert ours(flow) > 0 and plain(flow) > 0
    with pytest.raises(AssertionError):
        ours(flow._replace(touch=(1, 1, 2, 1)))


def test_without_peers_their_row_has_no_floor(tmp_path: Path):
    with PeerProcess(tmp_path / "nothing") as peers:
        beside_plain, beside_peer = rows(order_flow(500), peers, tmp_path / "orders.json")
    assert beside_plain.ratio is not None and beside_peer.ratio is None
    assert "bench-peers" in beside_peer.floor_name


def test_the_peers_file_holds_every_operation(tmp_path: Path):
    flow = order_flow(300)
    write(flow, tmp_path / "orders.json")
    events = json.loads((tmp_path / "orders.json").read_text())["events"]
    assert [kind for kind, _, _ in events] == ["snapshot"] * RESTING + ["frame"] * 300
    assert [tuple(map(int, text.split())) for _, _, text in events] == [*flow.opening, *flow.timed]
