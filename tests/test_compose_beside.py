"""What compose has beside the system: TLS over it, and the processes that stand in while a release takes over."""

from __future__ import annotations

import importlib
import re

from taptrade.serve import STANDING_BY
from tests.test_compose import ALL, OF_SHARDS, ROOT, SERVICES


def test_tls_adds_ports_a_folder_and_nothing_to_anybody_else() -> None:
    """It is laid over compose.yaml: what holds of nginx there goes on to hold."""
    text = (ROOT / "compose.tls.yaml").read_text("utf-8")
    over = importlib.import_module("yaml").safe_load(text)
    assert re.findall(r"\$\{[^}]*\$", text) == []
    assert list(over) == ["services"]
    assert list(over["services"]) == ["nginx"]
    assert set(over["services"]["nginx"]) == {"environment", "volumes", "ports"}
    environment = over["services"]["nginx"]["environment"]
    told = re.findall(r"^# (EDGE_\w+)  ", (ROOT / "nginx" / "tls").read_text("utf-8"), re.MULTILINE)
    assert {*environment, "EDGE_TLS_LISTEN"} == {*told}
    [volume] = over["services"]["nginx"]["volumes"]
    assert volume.endswith(f":{environment['EDGE_TLS']}:ro")
    # Of version 6 nginx might see a private address for everybody's.
    assert all(port.startswith("0.0.0.0:") for port in over["services"]["nginx"]["ports"])


def test_those_of_which_one_must_be_at_work_and_the_api_have_a_stand_in() -> None:
    assert {name for name in ALL if name not in SERVICES} == {
        f"{name}-next" for name in ("api", *STANDING_BY, *OF_SHARDS)
    }
    for name in ("api", *STANDING_BY):
        stand_in = ALL[f"{name}-next"] | {"restart": "unless-stopped"}
        assert stand_in.pop("profiles") == ["next"]
        networks = SERVICES[name]["networks"]
        if name == "api":
            networks = networks | {"edge": {"ipv4_address": "${EDGE_NET:-10.93.17}.4"}}
        assert stand_in == SERVICES[name] | {"networks": networks}
