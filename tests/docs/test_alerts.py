"""The alerting rules: Prometheus' own tool plays each from absence on, and what they ask for is there to be asked."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from runtime.metrics.table import GAUGES
from runtime.metrics.text import MACHINE
from runtime.storage.database import WAL_BYTES_MAX
from tests.acceptance.system import System
from tests.docs.alert_cases import CASES, Case
from tests.docs.promql import asked, lacking, measured, run_promtool, with_promtool
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docs" / "alerts.yml"
RULES: dict[str, dict[str, Any]] = {
    rule["alert"]: rule
    for rule in importlib.import_module("yaml").safe_load(FILE.read_text(encoding="utf-8"))["groups"][0]["rules"]
}


def said_of(case: Case) -> dict[str, str]:
    """Fill in what the rule says."""
    filled = {}
    for name, text in RULES[case.alert]["annotations"].items():
        said = re.sub(r"{{ or \$labels\.job \"(.*?)\" }}", lambda m: (case.fires or {}).get("job") or m[1], text)
        said = re.sub(r"{{ \$labels\.(\w+) }}", lambda m: (case.fires or {}).get(m[1], ""), said)
        said = said.replace("{{ humanizeDuration $value }}", case.value)
        filled[name] = case.holder if "query" in said else said
    return filled


def played(case: Case) -> dict[str, Any]:
    """Write a case as `promtool test rules` reads it."""
    severity = RULES[case.alert]["labels"]
    fired = [] if case.fires is None else [{"exp_labels": case.fires | severity, "exp_annotations": said_of(case)}]
    return {
        "interval": case.interval,
        "input_series": [{"series": series, "values": values} for series, values in case.series.items()],
        "alert_rule_test": [{"eval_time": case.at, "alertname": case.alert, "exp_alerts": fired}],
    }


@with_promtool
def test_prometheus_reads_the_rules() -> None:
    done = run_promtool("check", "rules", str(FILE))
    assert done.returncode == 0, done.stdout + done.stderr


@with_promtool
def test_every_rule_fires_when_it_must_and_not_before(tmp_path: Path) -> None:
    tests = tmp_path / "tests.yml"
    tests.write_text(json.dumps({"rule_files": [str(FILE)], "tests": [played(case) for case in CASES]}))
    done = run_promtool("test", "rules", str(tests))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("alert", RULES)
def test_every_rule_is_played_both_ways_from_absence_on(alert: str) -> None:
    played_so = [case for case in CASES if case.alert == alert]
    assert {case.fires is None for case in played_so} == {True, False}
    assert all(values.startswith("_") for case in played_so for values in case.series.values())


def test_what_is_played_is_what_is_measured() -> None:
    for series in (series for case in CASES for series in case.series):
        [(name, labels)] = asked(series)
        # As a house on one machine has them.
        assert labels == measured()[name] - {MACHINE}, series


@pytest.mark.parametrize("alert", RULES)
def test_every_metric_and_label_of_a_rule_is_measured(alert: str) -> None:
    needs = asked(RULES[alert]["expr"])
    assert needs
    for name, labels in needs:
        assert labels <= measured()[name], name


def test_a_house_has_a_sample_of_all_that_rules_ask_for_or_they_ask_for_its_absence(house: System) -> None:
    def absent() -> set[str]:
        page = httpx.get(f"{house.url}/metrics").text
        rules = [rule["expr"] for rule in RULES.values()]
        return {name for rule in rules for name in lacking(page, rule) if f"absent({name})" not in rule}

    # A process tells of itself every 2 s; the daily audit has left nothing before its first run.
    wait_until(lambda: absent() <= {"taptrade_audit_findings"}, 15, what="a sample of each")
    assert absent() <= {"taptrade_audit_findings"}


def test_every_rule_says_what_to_do_and_names_runbooks_that_are_there() -> None:
    for name, rule in RULES.items():
        assert rule["annotations"]["summary"].endswith(".")
        for page in re.findall(r"docs/[\w/-]+\.md", rule["annotations"]["action"]):
            assert (ROOT / page).is_file(), f"{name} names {page}"


def test_a_long_wal_is_as_long_as_the_code_says() -> None:
    rule = RULES["WalTooLong"]
    assert rule["expr"].endswith(f"(taptrade_wal_bytes) > {WAL_BYTES_MAX // 1024**2} * 1024 * 1024")
    assert {"database", "holder"} == set(GAUGES["taptrade_wal_held_seconds"].labels)
