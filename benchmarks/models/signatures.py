"""Signatures beside iisignature, and a rule for 100 dates learnt and valued, in one thread."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

import numpy as np

from benchmarks.models.turns import alone, in_turns
from benchmarks.report import Row
from models.optimal_stopping import Regression, SignatureFeatures, Solution, fractional_brownian_motion, solve
from models.signatures import log_signature, signature


def run() -> list[Row]:
    """Rows in milliseconds of processor time; ratios to iisignature where it is installed."""
    rng = np.random.default_rng(1)
    wide = rng.standard_normal((50_000, 100, 2)).cumsum(axis=1) * 0.1
    deep = rng.standard_normal((10_000, 100, 3)).cumsum(axis=1) * 0.1
    return [
        _signature(wide, 4, "signature level 4 of 50000 x 100 x 2"),
        _signature(deep, 4, "signature level 4 of 10000 x 100 x 3"),
        _log_signature(deep, 4, "log-signature level 4 of 10000 x 100 x 3"),
        _rule(4, None),
        _rule(5, Regression(1e-2)),
    ]


def _signature(paths: np.ndarray, level: int, name: str) -> Row:
    if find_spec("iisignature") is None:
        value, floor = alone(lambda: signature(paths, level), 5), None
    else:
        peer = import_module("iisignature")
        value, floor = in_turns(lambda: signature(paths, level), lambda: peer.sig(paths, level), 5)
    return Row(name, "ms", value, floor, 1.0, "iisignature sig")


def _log_signature(paths: np.ndarray, level: int, name: str) -> Row:
    if find_spec("iisignature") is None:
        value, floor = alone(lambda: log_signature(paths, level), 5), None
    else:
        peer = import_module("iisignature")
        prepared = peer.prepare(paths.shape[2], level)
        value, floor = in_turns(lambda: log_signature(paths, level), lambda: peer.logsig(paths, prepared), 5)
    return Row(name, "ms", value, floor, 1.0, "iisignature logsig")


def _rule(level: int, martingale: Regression | None) -> Row:
    problem = fractional_brownian_motion(0.3, 100)

    def learnt() -> Solution:
        return solve(
            problem,
            SignatureFeatures(level),
            Regression(1e-4),
            martingale=martingale,
            training_paths=16_000,
            fresh_paths=16_000,
            seed=1,
        )

    found = learnt().lower
    name = f"rule on level {level}{', martingale' if martingale else ''}, 16000 + 16000 x 100"
    note = f"worth {found.value:.4f} +- {found.standard_error:.4f}"
    return Row(name, "ms", alone(learnt, repetitions=3), 15_000.0, 1.0, "the time bar, 15 s", note)
