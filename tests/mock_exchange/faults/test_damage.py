"""Damage on purpose: what is lost, doubled, swapped or cut is exactly what is counted."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from common.config.mock_exchange import DamageConfig
from services.mock_exchange.faults.injector import Injector, plan_of_damage

FRAMES = [json.dumps({"u": number, "b": [["1.0", "2.0"]]}) for number in range(2000)]


def run(seed: int = 1, **shares: float) -> tuple[list[str], Injector]:
    injector = Injector(plan_of_damage(DamageConfig(**shares), seed))
    sent = [text for frame in FRAMES for text in injector.on_frame("x@depth", frame, 0).texts]
    return sent + [text for _, text in injector.flush()], injector


def test_no_damage_by_default() -> None:
    assert run()[0] == FRAMES


@pytest.mark.parametrize("kind", ["drop", "duplicate", "reorder", "truncate"])
def test_each_kind_does_what_its_name_says(kind: str) -> None:
    sent, injector = run(**{kind: 0.2})
    count = injector.account.counts[kind]
    assert 300 < count < 500 and sum(injector.account.counts.values()) == count
    times = Counter(sent)
    if kind == "drop":
        assert len(sent) == len(FRAMES) - count and sent == [f for f in FRAMES if f in times]
    elif kind == "duplicate":
        assert list(dict.fromkeys(sent)) == FRAMES and sum(n == 2 for n in times.values()) == count
    elif kind == "reorder":
        swapped = sum(a > b for a, b in zip(map(FRAMES.index, sent), map(FRAMES.index, sent[1:])))
        assert Counter(FRAMES) == times and swapped in (count, count - 1)
    else:
        cut = [text for text in sent if text not in set(FRAMES)]
        assert len(cut) == count and all(any(f.startswith(text) for f in FRAMES) for text in cut)
        for text in cut:
            with pytest.raises(json.JSONDecodeError):
                json.loads(text)


def test_the_seed_decides() -> None:
    shares = {"drop": 0.1, "duplicate": 0.1, "reorder": 0.1, "truncate": 0.1}
    assert run(3, **shares)[0] == run(3, **shares)[0] != run(4, **shares)[0]


def test_channels_do_not_hold_each_others_frames() -> None:
    injector = Injector(plan_of_damage(DamageConfig(reorder=0.5), 1))
    sent: dict[str, list[str]] = {"a@depth": [], "b@depth": []}
    for frame in FRAMES:
        for channel, into in sent.items():
            into += injector.on_frame(channel, channel + frame, 0).texts
    for channel, text in injector.flush():
        sent[channel].append(text)
    assert all(Counter(into) == Counter(channel + f for f in FRAMES) for channel, into in sent.items())
