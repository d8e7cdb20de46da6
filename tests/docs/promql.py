"""What rules and panels ask Prometheus for, held against what is measured."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator

import promql_parser as promql
import pytest
from prometheus_client.parser import text_string_to_metric_families

from runtime.metrics.table import COUNTERS, GAUGES, HISTOGRAMS, Metric
from runtime.metrics.text import MACHINE, PROCESS_LABELS

PROMTOOL = shutil.which("promtool")
ALERTS = "ALERTS"
"""What Prometheus itself knows of the rules that fire."""
with_promtool = pytest.mark.skipif(PROMTOOL is None, reason="there is no promtool here (apt-get install prometheus)")


def run_promtool(*words: str) -> subprocess.CompletedProcess[str]:
    """Run Prometheus' own tool."""
    return subprocess.run([PROMTOOL or "promtool", *words], capture_output=True, text=True, check=False)


def _parts(expression: promql.Expr) -> list[promql.Expr]:
    """Return an expression and all that is in it."""
    parts: list[promql.Expr] = []
    promql.walk(expression, parts.append)
    return parts


def selectors(expression: promql.Expr) -> list[tuple[str, list[promql.Matcher]]]:
    """Return the names that are asked for, each with how its labels are matched."""
    found = [part for part in _parts(expression) if isinstance(part, promql.VectorSelector)]
    return [(selector.name or "", selector.matchers.matchers) for selector in found]


def asked(query: str) -> list[tuple[str, set[str]]]:
    """Return the names that a query asks for, each with labels that it must have."""
    expression = promql.parse(query)
    needs = [(name, {matcher.name for matcher in matchers}) for name, matchers in selectors(expression)]
    for part in _parts(expression):
        if isinstance(part, promql.AggregateExpr) and part.modifier is not None:
            needs += [(name, set(part.modifier.labels)) for name, _ in selectors(part.expr)]
        elif isinstance(part, promql.BinaryExpr) and part.modifier is not None and part.modifier.matching is not None:
            needs += [(name, set(part.modifier.matching.labels)) for name, _ in selectors(part)]
    return needs


def kept_labels(query: str) -> set[str]:
    """Return the labels that the aggregations of a query keep."""
    parts = _parts(promql.parse(query))
    return {
        label
        for part in parts
        if isinstance(part, promql.AggregateExpr) and part.modifier is not None
        for label in part.modifier.labels
    }


def measured() -> dict[str, set[str]]:
    """Return every name that can be asked for, with the labels of its series."""
    rows: dict[str, Metric] = {str(name): row for name, row in (*COUNTERS.items(), *GAUGES.items())}
    rows |= {f"{name}{end}": row for name, row in HISTOGRAMS.items() for end in ("_bucket", "_sum", "_count")}
    labels = {
        name: {
            *row.labels,
            *((*PROCESS_LABELS, MACHINE) if row.of_process else ()),
            *(["le"] if name.endswith("_bucket") else []),
        }
        for name, row in rows.items()
    }
    return labels | {ALERTS: {"alertname", "alertstate", "severity"}}


def lacking(page: str, query: str) -> Iterator[str]:
    """Yield what a query asks for and a page of /metrics has no sample of."""
    samples = [sample for family in text_string_to_metric_families(page) for sample in family.samples]
    for name, matchers in selectors(promql.parse(query)):
        equal = {matcher.name: matcher.value for matcher in matchers if matcher.op == promql.MatchOp.Equal}
        if name != ALERTS and not any(one.name == name and equal.items() <= one.labels.items() for one in samples):
            yield name
