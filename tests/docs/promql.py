"""What rules and panels ask Prometheus for, held against what is measured."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from runtime.metrics.table import COUNTERS, GAUGES, HISTOGRAMS, Metric
from runtime.metrics.text import PROCESS_LABELS

PROMTOOL = shutil.which("promtool")
SELECTOR = re.compile(r"(?P<name>taptrade_\w+)(?:\{(?P<labels>[^}]*)\})?")
MATCHER = re.compile(r'(\w+)(=~|=|!=)"([^"]*)"')
with_promtool = pytest.mark.skipif(PROMTOOL is None, reason="there is no promtool here (apt-get install prometheus)")


def promtool(*words: str) -> subprocess.CompletedProcess[str]:
    """Run Prometheus' own tool."""
    return subprocess.run([PROMTOOL or "promtool", *words], capture_output=True, text=True, check=False)


def measured() -> dict[str, Metric]:
    """Return every name that /metrics shows, with its row of the table."""
    rows: dict[str, Metric] = {str(name): row for name, row in (*COUNTERS.items(), *GAUGES.items())}
    return rows | {f"{name}{end}": row for name, row in HISTOGRAMS.items() for end in ("_bucket", "_sum", "_count")}


def labels_of(name: str) -> set[str]:
    """Return the labels that a series has."""
    row = measured()[name]
    return {*row.labels, *(PROCESS_LABELS if row.of_process else ()), *(["le"] if name.endswith("_bucket") else [])}


def lacking(page: str, expression: str) -> Iterator[str]:
    """Yield what an expression asks for and a page of /metrics has no sample of."""
    samples = [sample for family in text_string_to_metric_families(page) for sample in family.samples]
    for found in SELECTOR.finditer(expression):
        equal = {name: value for name, how, value in MATCHER.findall(found["labels"] or "") if how == "="}
        if not any(one.name == found["name"] and equal.items() <= one.labels.items() for one in samples):
            yield found["name"]
