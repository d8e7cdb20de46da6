"""The alerting rules speak of metrics and runbooks that exist."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

from runtime.metrics.table import COUNTERS, GAUGES, HISTOGRAMS
from runtime.storage.database import WAL_BYTES_MAX

ROOT = Path(__file__).parents[2]
RULES = importlib.import_module("yaml").safe_load((ROOT / "docs" / "alerts.yml").read_text(encoding="utf-8"))["groups"][
    0
]["rules"]


def test_every_metric_of_the_rules_is_measured() -> None:
    measured = {str(name) for name in (*COUNTERS, *GAUGES)} | {f"{name}_bucket" for name in HISTOGRAMS}
    named = {name for rule in RULES for name in re.findall(r"taptrade_\w+", rule["expr"])}
    assert named
    assert named <= measured


def test_every_rule_says_what_to_do_and_names_runbooks_that_are_there() -> None:
    for rule in RULES:
        assert rule["annotations"]["summary"].endswith(".")
        for page in re.findall(r"docs/[\w/-]+\.md", rule["annotations"]["action"]):
            assert (ROOT / page).is_file(), f"{rule['alert']} names {page}"


def test_the_audit_has_an_alert() -> None:
    assert "taptrade_audit_findings" in next(rule["expr"] for rule in RULES if rule["alert"] == "LedgerDoesNotAddUp")


def test_a_long_wal_has_an_alert_that_names_its_holder() -> None:
    rule = next(rule for rule in RULES if rule["alert"] == "WalTooLong")
    assert rule["expr"].endswith(f"(taptrade_wal_bytes) > {WAL_BYTES_MAX // 1024**2} * 1024 * 1024")
    assert "taptrade_wal_held_seconds{database=%q" in rule["annotations"]["holder"]
    assert ".Labels.holder" in rule["annotations"]["holder"]
    assert {"database", "holder"} == set(GAUGES["taptrade_wal_held_seconds"].labels)
