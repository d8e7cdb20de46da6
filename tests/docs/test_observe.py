"""Prometheus and Grafana of `docker compose --profile observe`: what they read, ask for and show is there."""

from __future__ import annotations

import importlib
import json
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import Dashboard

from runtime.settings_table import TABLE
from tests.acceptance.system import System
from tests.docs.promql import asked, kept_labels, lacking, measured, run_promtool, with_promtool
from tests.docs.tables import ROOT
from tests.waiting import wait_until

load: Any = importlib.import_module("yaml").safe_load
OBSERVE = ROOT / "observe"
PROMETHEUS = load((OBSERVE / "prometheus.yml").read_text(encoding="utf-8"))
SERVICES = load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]
DASHBOARD = json.loads((OBSERVE / "grafana" / "dashboards" / "house.json").read_text(encoding="utf-8"))
PANELS: dict[str, dict[str, Any]] = {one["title"]: one for one in DASHBOARD["panels"] if one["type"] != "row"}
MADE_LATER = {
    *("taptrade_bucket_return", "taptrade_bucket_wealth"),  # with the first bet that ends
    *("taptrade_backup_time_seconds", "taptrade_source_offset_ratio"),  # after an hour; with several sources
}
each_panel = pytest.mark.parametrize("title", PANELS)


def queries(title: str) -> list[tuple[str, str]]:
    """Return the queries of a panel, each with how its lines are called."""
    return [(target["expr"], target["legendFormat"]) for target in PANELS[title]["targets"]]


def test_prometheus_asks_the_api_and_keeps_the_labels_of_the_house() -> None:
    [scrape] = PROMETHEUS["scrape_configs"]
    assert scrape["honor_labels"] is True
    port = next(row.default for row in TABLE if row.field == "port")
    assert scrape["static_configs"] == [{"targets": [f"api:{port}"]}]
    assert set(SERVICES["prometheus"]["networks"]) & set(SERVICES["api"]["networks"])


def test_what_is_read_is_where_it_is_mounted() -> None:
    assert [(OBSERVE / file).resolve() for file in PROMETHEUS["rule_files"]] == [ROOT / "docs" / "alerts.yml"]
    for name in ("prometheus", "grafana"):
        mounts = [volume.split(":") for volume in SERVICES[name]["volumes"] if volume.startswith("./")]
        assert all(f".{inside}" == outside and rights == "ro" for outside, inside, rights in mounts)
    grafana = SERVICES["grafana"]["environment"]
    [provider] = load((OBSERVE / "grafana/provisioning/dashboards/house.yml").read_text(encoding="utf-8"))["providers"]
    shown = (grafana["GF_PATHS_PROVISIONING"], grafana["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    for path in (*shown, provider["options"]["path"]):
        assert (ROOT / path.lstrip("/")).exists()


def test_every_panel_asks_the_prometheus_that_is_provisioned() -> None:
    [source] = load((OBSERVE / "grafana/provisioning/datasources/prometheus.yml").read_text(encoding="utf-8"))[
        "datasources"
    ]
    assert source["url"] == "http://prometheus:9090"
    assert {panel["datasource"]["uid"] for panel in PANELS.values()} == {source["uid"]}
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    spots = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in DASHBOARD["panels"]]
    assert len(set(spots)) == len(spots)


@each_panel
def test_every_query_names_metrics_and_labels_that_are_measured(title: str) -> None:
    for query, legend in queries(title):
        needs = asked(query)
        assert needs
        for name, labels in needs:
            assert labels <= measured()[name], name
        assert set(re.findall(r"{{(\w+)}}", legend)) <= kept_labels(query)


def lost(said: Any, understood: Any, path: str = "") -> list[str]:
    """Return where something that is said was not understood."""
    if isinstance(said, dict) and isinstance(understood, dict):
        return [one for name in said for one in lost(said[name], understood.get(name), f"{path}/{name}")]
    if isinstance(said, list) and isinstance(understood, list) and len(said) == len(understood):
        return [one for index, item in enumerate(said) for one in lost(item, understood[index], f"{path}/{index}")]
    return [] if said == understood else [path]


def test_grafana_knows_all_that_the_dashboard_says() -> None:
    register_default_plugins()
    understood = json.loads(JSONEncoder().encode(Dashboard.from_json(DASHBOARD)))
    assert lost(DASHBOARD, understood) == []
    assert lost({"panels": [{"titel": "Exposure"}]}, {"panels": [{"title": ""}]}) == ["/panels/0/titel"]
    for panel in PANELS.values():
        assert find_spec(f"grafana_foundation_sdk.models.{panel['type']}")
        assert panel["fieldConfig"]["defaults"]["unit"] in vars(units).values()


@with_promtool
def test_prometheus_reads_its_configuration_and_every_query(tmp_path: Path) -> None:
    done = run_promtool("check", "config", str(OBSERVE / "prometheus.yml"))
    assert done.returncode == 0, done.stdout + done.stderr
    asked = [query for title in PANELS for query, _ in queries(title)]
    rules = [{"record": f"panel:{number}", "expr": query} for number, query in enumerate(asked)]
    file = tmp_path / "queries.yml"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    done = run_promtool("check", "rules", str(file))
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_house_has_a_sample_for_every_panel(house: System) -> None:
    def absent() -> set[str]:
        page = httpx.get(f"{house.url}/metrics").text
        return {name for title in PANELS for query, _ in queries(title) for name in lacking(page, query)}

    wait_until(lambda: absent() <= MADE_LATER, 15, what="a sample of each")
    assert absent() <= MADE_LATER
