"""Prometheus metrics made from a status at scrape time: the hot path counts and knows nothing of Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from common.latency import LatencyHistogram

#: Upper bounds in seconds of the exported latency buckets; the exact quantiles stand in /status.
LATENCY_BUCKETS_S: Final = (
    *(m * 10.0**e for e in range(-6, 1) for m in (1, 2.5, 5)),
    10.0,
)
_IN: Final = ("messages", "gaps_seen", "gaps_healed", "missing", "lost", "duplicates", "refused")


class StatusCollector(Collector):
    """Turns a daemon's status (the JSON of /status) and its histograms into metric families."""

    def __init__(
        self, status: Callable[[], Mapping[str, Any]], latencies: Callable[[], Mapping[str, LatencyHistogram]]
    ) -> None:
        self._status = status
        self._latencies = latencies

    def collect(self) -> Iterable[Metric]:
        status = self._status()
        service = status["service"]
        yield from self._topics(service, status)
        ready = GaugeMetricFamily("tidewire_ready", "1 when the daemon does its work", labels=["service"])
        ready.add_metric([service], float(bool(status["ready"])))
        yield ready
        lag = GaugeMetricFamily(
            "tidewire_event_loop_lag_seconds", "last measured lag of the loop", labels=["service"]
        )
        lag.add_metric([service], status.get("loop_lag_us", 0.0) / 1e6)
        yield lag
        queues = GaugeMetricFamily("tidewire_queue_depth", "items waiting", labels=["service", "queue"])
        for name, depth in status.get("queues", {}).items():
            queues.add_metric([service, name], depth)
        yield queues
        yield from _stage_families(service, status.get("stage", {}))
        yield self._hops(service)

    def _topics(self, service: str, status: Mapping[str, Any]) -> Iterable[Metric]:
        out = CounterMetricFamily("tidewire_messages_published", "frames published", labels=["service", "topic"])
        for topic, counts in status.get("topics_out", {}).items():
            out.add_metric([service, topic], counts["messages"])
        yield out
        for name in _IN:
            family = CounterMetricFamily(
                f"tidewire_received_{name}", f"{name} on topics read", labels=["service", "topic"]
            )
            for topic, counts in status.get("topics_in", {}).items():
                family.add_metric([service, topic], counts[name])
            yield family

    def _hops(self, service: str) -> Metric:
        family = HistogramMetricFamily("tidewire_latency_seconds", "latency by hop", labels=["service", "hop"])
        for hop, hist in self._latencies().items():
            buckets = [(f"{bound:g}", float(hist.below(int(bound * 1e9)))) for bound in LATENCY_BUCKETS_S]
            family.add_metric([service, hop], [*buckets, ("+Inf", float(hist.count))], hist.sum_ns / 1e9)
        return family


def _stage_families(service: str, stage: Mapping[str, Any]) -> Iterable[Metric]:
    """Numbers of stage.stats() as gauges; a mapping of numbers gets its keys as label; decimal text is a number."""
    for key, value in stage.items():
        numbers = {k: n for k, v in value.items() if (n := _number(v)) is not None} if isinstance(value, dict) else {}
        if numbers:
            family = GaugeMetricFamily(f"tidewire_{service}_{key}", key, labels=["item"])
            for item, number in numbers.items():
                family.add_metric([str(item)], number)
            yield family
        elif (single := _number(value)) is not None:
            yield GaugeMetricFamily(f"tidewire_{service}_{key}", key, value=single)
    positions = stage.get("positions")
    if isinstance(positions, list | tuple):
        family = GaugeMetricFamily(f"tidewire_{service}_position_lots", "signed position", labels=["symbol"])
        for line in positions:
            family.add_metric([f"{line['venue']}.{line['symbol']}"], line["qty_lots"])
        yield family


def _number(value: object) -> float | None:
    if isinstance(value, bool | int | float):
        return float(value)
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return None
    return None


def make_registry(collector: Collector) -> CollectorRegistry:
    """A registry of this daemon's metrics and its process's (memory, CPU, descriptors)."""
    registry = CollectorRegistry()
    registry.register(collector)
    ProcessCollector(registry=registry)
    return registry
