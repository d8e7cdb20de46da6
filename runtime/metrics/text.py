"""Snapshots as Prometheus text; each series says who counted it, and is the same after a restart, an ordinary reset."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from runtime.metrics.table import COUNTERS, GAUGES, HISTOGRAMS, SEPARATOR, Metric, Series, Snapshot

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
PROCESS_LABELS = ("process", "slot")
MACHINE = "machine"
"""A further label of every process, where there may be several machines."""


def exposition(snapshots: Sequence[Snapshot]) -> bytes:
    """Write the snapshots of all processes as one page; every metric of the table is on it, counted or not."""
    return generate_latest(_Snapshots(snapshots))


class _Snapshots(Collector):
    def __init__(self, snapshots: Sequence[Snapshot]) -> None:
        self._snapshots = snapshots
        self._of_process = (*PROCESS_LABELS, MACHINE) if any(one.machine for one in snapshots) else PROCESS_LABELS

    def collect(self) -> Iterable[Family]:
        """Yield a family for each row of the tables."""
        for counter_name, metric in COUNTERS.items():
            counter = CounterMetricFamily(counter_name, metric.help, labels=self._label_names(metric))
            for snapshot in self._snapshots:
                for joined, value in snapshot.counters.get(counter_name, {}).items():
                    counter.add_metric(self._label_values(metric, snapshot, joined), value)
            yield counter
        for gauge_name, metric in GAUGES.items():
            gauge = GaugeMetricFamily(gauge_name, metric.help, labels=self._label_names(metric))
            for snapshot in self._snapshots:
                for joined, value in snapshot.gauges.get(gauge_name, {}).items():
                    gauge.add_metric(self._label_values(metric, snapshot, joined), value)
            yield gauge
        for histogram_name, metric in HISTOGRAMS.items():
            histogram = HistogramMetricFamily(histogram_name, metric.help, labels=self._label_names(metric))
            for snapshot in self._snapshots:
                for joined, series in snapshot.histograms.get(histogram_name, {}).items():
                    labels = self._label_values(metric, snapshot, joined)
                    histogram.add_metric(labels, _cumulative(series, metric.bounds), series.total)
            yield histogram

    def _label_names(self, metric: Metric) -> tuple[str, ...]:
        return (*self._of_process, *metric.labels) if metric.of_process else metric.labels

    def _label_values(self, metric: Metric, snapshot: Snapshot, joined: str) -> list[str]:
        own = joined.split(SEPARATOR) if metric.labels else []
        whose = [snapshot.process, str(snapshot.slot), snapshot.machine][: len(self._of_process)]
        return [*whose, *own] if metric.of_process else own


def _cumulative(series: Series, bounds: Sequence[float]) -> list[tuple[str, float]]:
    """Prometheus wants each bucket to hold all that is below it."""
    rising: list[tuple[str, float]] = []
    hits = 0
    for bound, more in zip([*map(str, bounds), "+Inf"], series.buckets, strict=True):
        hits += more
        rising.append((bound, hits))
    return rising
