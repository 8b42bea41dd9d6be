"""The stage: features and signals out of books and trades, and nothing out of what may not be traded on."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest

from common.codec import Codec, encode_frame
from common.config import SignalConfig
from common.messages import FeedState, Side, Source
from common.stage import Output
from models.linear import LinearModel
from services.signal_bridge import FeatureComputer
from services.signal_bridge.sampler import MAX_EMPTY
from services.signal_bridge.stage import SignalBridgeStage, signal_id
from strategies.base import FeatureSnapshot, Opinion
from tests.signal_bridge.build import (
    INTERVAL_NS,
    START_NS,
    SYMBOL,
    VENUE,
    book,
    drive,
    feed_status,
    instrument,
    market,
    signals,
    trade,
    upstream,
    vectors,
)

ALL = ("rsi", "macd", "bb", "atr", "volume", "imbalance")
CONFIG = SignalConfig(features=ALL, update_interval_ms=100)


def ready(config: SignalConfig = CONFIG, model: LinearModel | None = None) -> SignalBridgeStage:
    stage = SignalBridgeStage(config, model)
    assert drive(stage, [instrument(), upstream()]) == []
    return stage


def frames(outputs: list[Output]) -> list[bytes]:
    return [
        encode_frame(o, source=Source.SIGNAL_BRIDGE, epoch=1, sequence=i, publish_ns=0, codec=Codec.MSGPACK)  # type: ignore[arg-type]
        for i, o in enumerate(outputs)
    ]


def test_a_market_gives_signals_of_both_sides_by_both_strategies() -> None:
    out = signals(drive(ready(), market(1, 2000)))
    seen = {(signal.strategy, signal.side) for signal in out}
    assert seen == {(name, side) for name in ("mean_reversion", "momentum") for side in Side}


@pytest.mark.parametrize("seed", range(5))
def test_the_first_signal_comes_within_seconds(seed: int) -> None:
    events = [
        e for pair in zip(market(seed, 300), market(seed + 50, 300, symbol="ETHUSDT"), strict=False) for e in pair
    ]
    stage = ready()
    stage.handle(instrument("ETHUSDT"), 0)
    events.sort(key=lambda e: e.event_ns)
    first = signals(drive(stage, events))[0]
    assert (first.event_ns - START_NS) / 1e9 < 15


def test_same_inputs_same_outputs_bit_for_bit() -> None:
    events = [*market(2, 600), *market(3, 300, start_ns=START_NS + 10**12)]
    once, again = drive(ready(), events), drive(ready(), events)
    assert len(signals(once)) > 10
    assert frames(once) == frames(again)


def test_restore_is_nothing() -> None:
    """A stage that was given journalled facts acts as one that was not."""
    events = market(4, 400)
    plain, restored = ready(), ready()
    for output in drive(ready(), events):
        restored.restore(output, was_output=True)  # type: ignore[arg-type]
    for event in events:
        restored.restore(event, was_output=False)
    assert frames(drive(restored, events)) == frames(drive(plain, events))
    assert restored.stats() == plain.stats()


def test_what_a_signal_says() -> None:
    config = CONFIG.model_copy(update={"signal_ttl_ms": 1500})
    events = market(1, 1000)
    stage = ready(config)
    by_event = {}
    for event in events:
        now_ns = event.event_ns + 7
        for signal in signals(stage.handle(event, now_ns)):
            by_event[signal.signal_id] = (event, now_ns, signal)
    assert len(by_event) > 10
    for event, now_ns, signal in by_event.values():
        assert (signal.event_ns, signal.origin_ns, signal.trace_id) == (
            event.event_ns,
            event.origin_ns,
            event.trace_id,
        )
        assert (signal.venue, signal.symbol) == (VENUE, SYMBOL)
        assert signal.expires_ns == now_ns + 1_500_000_000
        assert signal.horizon_ns in (30 * INTERVAL_NS, 60 * INTERVAL_NS)
        assert 0.5 <= signal.confidence <= 1
        assert abs(signal.reference_ticks - 6_000_000) < 600_000
        assert signal.signal_id == signal_id(signal.strategy, VENUE, SYMBOL, event.event_ns, signal.side.value)
        assert all(np.isfinite(value) for value in signal.features.values())
        assert any(
            f"{value:.1f}" in signal.reason or f"{value:.4g}" in signal.reason for value in signal.features.values()
        )


def test_cooldown_holds_between_signals_of_one_strategy() -> None:
    out = signals(drive(ready(), market(1, 3000)))
    for name in ("mean_reversion", "momentum"):
        times = [s.event_ns // INTERVAL_NS for s in out if s.strategy == name]
        assert len(times) > 5
        assert all(b - a >= 10 for a, b in pairwise(times))


def test_features_are_those_of_feature_computer() -> None:
    """Live and offline agree: a model sees in the daemon what it was trained on."""
    events = market(5, 300)
    last = vectors(drive(ready(), events))[-1]
    books = [e for e in events if not hasattr(e, "qty_lots")]
    mids = [(int(b.bid_ticks[0]) + int(b.ask_ticks[0])) / 2 * 0.01 for b in books][:-1]
    highs = np.maximum(mids, [mids[0], *mids[:-1]])
    lows = np.minimum(mids, [mids[0], *mids[:-1]])
    volumes = np.zeros(len(mids))
    for event in events:
        k = (event.event_ns - START_NS) // INTERVAL_NS
        if hasattr(event, "qty_lots") and k < len(mids):
            volumes[k] += event.qty_lots * 1e-5
    offline = FeatureComputer().compute({"close": mids, "high": highs, "low": lows, "volume": volumes})
    assert set(last.values) == {*offline, "imbalance", "microprice"}
    for key, value in offline.items():
        assert last.values[key] == pytest.approx(value, rel=1e-9, abs=1e-9), key
    bid, ask = int(books[-2].bid_lots[0]), int(books[-2].ask_lots[0])
    assert last.values["imbalance"] == pytest.approx((bid - ask) / (bid + ask))


def test_a_vector_per_interval_with_what_is_configured_and_warm() -> None:
    stage = ready(CONFIG.model_copy(update={"features": ("volume", "rsi", "bb")}))
    out = vectors(drive(stage, market(6, 101)))
    assert len(out) == 100
    assert set(out[0].values) == {"volume"}
    bands = [f"bb_{part}" for part in ("upper", "middle", "lower", "percent", "width")]
    assert list(out[-1].values) == ["volume", "volume_ratio", "rsi", *bands]


def test_a_strategy_gets_what_it_needs_though_it_is_not_published() -> None:
    """The default configuration publishes no imbalance; momentum asks the book for it all the same."""
    stage = ready(SignalConfig(update_interval_ms=100))
    out = drive(stage, market(1, 1000))
    assert any(s.strategy == "momentum" for s in signals(out))
    assert not any("imbalance" in v.values for v in vectors(out))


def test_only_configured_strategies_run() -> None:
    stage = ready(CONFIG.model_copy(update={"strategies": ("momentum",)}))
    assert {s.strategy for s in signals(drive(stage, market(1, 2000)))} == {"momentum"}


def test_nothing_without_an_instrument_or_before_the_publisher_is_there() -> None:
    events = market(7, 200)
    stage = SignalBridgeStage(CONFIG)
    assert drive(stage, [upstream(), *events]) == []
    assert stage.stats()["unknown_symbols"] == len(events)
    assert drive(SignalBridgeStage(CONFIG), [instrument(), *events]) == []
    other = SignalBridgeStage(CONFIG)
    assert drive(other, [instrument(), upstream(source=Source.RISK_MANAGER), *events]) == []


@pytest.mark.parametrize(
    "blow",
    [
        book(START_NS + 200 * INTERVAL_NS, 1, 2, state=FeedState.BUFFERING),
        book(START_NS + 200 * INTERVAL_NS, 1, 2, state=FeedState.STALE),
        book(START_NS + 200 * INTERVAL_NS, 1, 2, levels=0),
        feed_status(FeedState.DISCONNECTED),
        upstream(is_alive=False),
    ],
    ids=["buffering", "stale", "no levels", "feed status", "publisher gone"],
)
def test_nothing_follows_from_a_book_that_may_be_wrong(blow: object) -> None:
    stage = ready()
    drive(stage, market(8, 200))
    assert not list(stage.handle(blow, START_NS + 201 * INTERVAL_NS))  # type: ignore[arg-type]
    symbols = stage.stats()["symbols"]
    assert isinstance(symbols, dict)
    assert not symbols[f"{VENUE}.{SYMBOL}"]["is_live"]
    assert drive(stage, [trade(START_NS + 205 * INTERVAL_NS, 6_000_000, 5)]) == []


def test_after_a_short_hole_indicators_go_on_and_the_bad_price_is_in_none() -> None:
    stage = ready()
    drive(stage, market(9, 100))
    bad = book(START_NS + 100 * INTERVAL_NS, 1, 2, state=FeedState.BUFFERING)
    back = market(9, 30, start_ns=START_NS + 110 * INTERVAL_NS)
    out = drive(stage, [bad, *back])
    first = vectors(out)[0]
    assert first.event_ns - START_NS >= 111 * INTERVAL_NS
    assert first.values["bb_lower"] > 50_000
    # 99 closed before, the one open at the blow and the ten of the hole made up, 29 closed after.
    symbols = stage.stats()["symbols"]
    assert isinstance(symbols, dict)
    assert symbols[f"{VENUE}.{SYMBOL}"]["samples"] == 99 + 11 + 29
    assert symbols[f"{VENUE}.{SYMBOL}"]["runs"] == 1


def test_after_a_long_hole_everything_is_cold() -> None:
    stage = ready()
    drive(stage, market(10, 100))
    again = market(10, 10, start_ns=START_NS + (102 + MAX_EMPTY) * INTERVAL_NS)
    out = drive(stage, again)
    assert set(vectors(out)[-1].values) == {"volume", "imbalance", "microprice"}
    fresh = drive(ready(), again)
    assert frames(out) == frames(fresh)


def test_a_book_without_venue_time_is_not_sampled() -> None:
    """Taken at its word, it would set the clock back and throw all indicators away."""
    events = market(8, 60)
    plain, with_snapshot = ready(), ready()
    snapshot = book(0, 1, 2)
    assert frames(drive(with_snapshot, [snapshot, *events[:30], snapshot, *events[30:]])) == frames(
        drive(plain, events)
    )


def test_a_restarted_publisher_is_a_hole() -> None:
    stage = ready()
    drive(stage, market(8, 50))
    stage.handle(upstream(epoch=2), 0)
    symbols = stage.stats()["symbols"]
    assert isinstance(symbols, dict)
    assert not symbols[f"{VENUE}.{SYMBOL}"]["is_live"]
    assert len(vectors(drive(stage, market(8, 3, start_ns=START_NS + 60 * INTERVAL_NS)))) == 2


def test_the_same_instrument_again_changes_nothing_another_grid_starts_anew() -> None:
    events = market(11, 120)
    plain, told_again = ready(), ready()
    a = drive(plain, events)
    b = drive(told_again, events[:90]) + drive(told_again, [instrument()]) + drive(told_again, events[90:])
    assert frames(a) == frames(b)
    told_again.handle(instrument(tick_size="0.1"), 0)
    out = drive(told_again, market(11, 3, start_ns=START_NS + 10**12))
    assert set(vectors(out)[-1].values) == {"volume", "imbalance", "microprice"}


def test_symbols_do_not_touch_each_other() -> None:
    """Interleaving another symbol changes nothing for this one."""
    alone = drive(ready(), market(12, 300))
    stage = ready()
    stage.handle(instrument("ETHUSDT"), 0)
    both = sorted([*market(12, 300), *market(13, 300, symbol="ETHUSDT")], key=lambda e: e.event_ns)
    together = [o for o in drive(stage, both) if o.symbol == SYMBOL]  # type: ignore[union-attr]
    assert frames(alone) == frames(together)


class Watcher:
    """A strategy that keeps what it was told."""

    name = "watcher"
    needs = ()

    def __init__(self) -> None:
        self.heard: list[object] = []

    def on_features(self, snapshot: FeatureSnapshot) -> Opinion | None:
        self.heard.append(snapshot.interval - START_NS // INTERVAL_NS)
        return None

    def reset(self) -> None:
        self.heard.append("reset")


def test_a_strategy_is_told_of_holes_once_and_replaced_after_long_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[Watcher] = []

    def build(*_: object) -> tuple[Watcher]:
        built.append(Watcher())
        return (built[-1],)

    monkeypatch.setattr("services.signal_bridge.stage.build_strategies", build)
    stage = ready()
    drive(stage, market(1, 3))
    drive(
        stage, [book(START_NS + 3 * INTERVAL_NS, 1, 2, state=FeedState.STALE), upstream(is_alive=False), upstream()]
    )
    drive(stage, market(1, 2, start_ns=START_NS + 5 * INTERVAL_NS))
    # An empty interval on the way is no hole: the strategy looks at the newest interval only.
    drive(stage, market(1, 2, start_ns=START_NS + 8 * INTERVAL_NS))
    assert [watcher.heard for watcher in built if watcher.heard] == [[0, 1, "reset", 5, 7, 8]]
    drive(stage, market(1, 2, start_ns=START_NS + 1000 * INTERVAL_NS))
    assert [watcher.heard for watcher in built if watcher.heard][1:] == [[1000]]


def test_a_model_speaks_under_its_own_name() -> None:
    model = LinearModel(weights={"rsi": -1.0}, mean={"rsi": 50.0}, scale={"rsi": 10.0})
    out = signals(drive(ready(CONFIG.model_copy(update={"strategies": ()}), model), market(1, 1000)))
    assert {(s.strategy, s.side) for s in out} == {("model", Side.BUY), ("model", Side.SELL)}
    for signal in out:
        assert (signal.features["rsi"] < 50) == (signal.side is Side.BUY)


def test_stats_are_plain_json_and_add_up() -> None:
    stage = ready()
    out = drive(stage, market(1, 1500))
    stats = json.loads(json.dumps(stage.stats()))
    assert stats["signals"] == len(signals(out)) == sum(stats["signals_by_strategy"].values())
    assert stats["feature_vectors"] == len(vectors(out)) == 1499
    assert len(stats["last_signals"]) == 20
    assert stats["last_signals"][-1]["reason"] == signals(out)[-1].reason
    assert stats["symbols"] == {f"{VENUE}.{SYMBOL}": {"is_live": True, "samples": 1499, "is_warm": True, "runs": 1}}


def test_it_has_no_deadline() -> None:
    stage = ready()
    assert stage.deadline_ns() is None
    assert list(stage.on_deadline(1)) == []
